"""CLIP's text towers: read from the image towers' files, and what OpenAI's definition gives."""

import importlib.util
import json
from dataclasses import fields
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from made_clip import TOWERS, openai_layout, text_layout, transformers_text_state
from plain_vit import meta_state, quick_gelu, random_state, shapes_of
from safetensors.torch import save_file

from models.clip_names import text_tower
from models.texts import describe, load
from models.texts import tokens as tokens_module
from models.texts.clip_text import ClipText
from models.texts.tokens import Tokeniser
from models.texts.towers import TOWERS as SIZES
from models.weights import WeightsError

DOCS = Path(__file__).parent.parent / "docs" / "backbones.md"
LONG = "cat " * 76
TEXTS = ["a photo of a cat", "Hello  World!", "", "caf\u00e9 &amp; \u732b", "dog " * 75]
TOKENS = {  # as OpenAI's tokeniser gives them
    "a photo of a cat": [49406, 320, 1125, 539, 320, 2368, 49407],
    "hello world!": [49406, 3306, 1002, 256, 49407],
    "  Hello\n  WORLD! ": [49406, 3306, 1002, 256, 49407],
    "": [49406, 49407],
    "caf\u00e9 &amp;amp; \u732b": [49406, 15304, 261, 163, 234, 360, 49407],
}


@pytest.fixture(scope="module")
def state():
    return random_state(text_layout("clip_vitb32"))


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    """The whole published file: both towers."""
    path = tmp_path_factory.mktemp("weights") / "open_clip_model.safetensors"
    save_file(random_state(openai_layout("clip_vitb32"), seed=1) | state, path)
    yield path
    path.unlink()  # hundreds of megabytes


@pytest.fixture(scope="module")
def found(file):
    return load("clip_vitb32", weights=str(file))(TEXTS)


def plain_embedding(state, tokens, heads):
    """The paper's text encoder in plain torch, float64; the end mark is the largest token."""
    state = {name: tensor.double() for name, tensor in state.items()}
    x = state["token_embedding.weight"][tokens] + state["positional_embedding"]
    for block in range(12):
        x = plain_block(state, f"transformer.resblocks.{block}.", x, heads)
    x = normed(state, "ln_final", x)[torch.arange(len(x)), tokens.argmax(1)]
    return x @ state["text_projection"]


def plain_block(state, at, x, heads):
    n, length, width = x.shape
    qkv = normed(state, at + "ln_1", x) @ state[at + "attn.in_proj_weight"].T
    q, k, v = (
        part.view(n, length, heads, -1).transpose(1, 2)
        for part in (qkv + state[at + "attn.in_proj_bias"]).split(width, dim=2)
    )
    later = torch.ones(length, length).triu(1).bool()
    scores = (q @ k.mT / (width // heads) ** 0.5).masked_fill(later, -torch.inf)
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width)
    x = x + linear(state, at + "attn.out_proj", mixed)
    hidden = quick_gelu(linear(state, at + "mlp.c_fc", normed(state, at + "ln_2", x)))
    return x + linear(state, at + "mlp.c_proj", hidden)


def linear(state, at, x):
    return F.linear(x, state[at + ".weight"], state[at + ".bias"])


def normed(state, at, x):
    return F.layer_norm(x, x.shape[-1:], state[at + ".weight"], state[at + ".bias"])


@pytest.mark.parametrize("name", TOWERS)
def test_every_published_tensor_of_the_text_tower_has_its_place(name):
    both = meta_state(openai_layout(name) | text_layout(name))
    with torch.device("meta"):
        expected = shapes_of(SIZES[name].network().state_dict())
    for published in (both, transformers_text_state(both)):
        assert shapes_of(text_tower(published)) == expected


@pytest.mark.parametrize("name", TOWERS)
def test_a_head_is_64_wide_as_openai_builds_them(name):
    assert SIZES[name].heads * 64 == SIZES[name].width == TOWERS[name][-1]


@pytest.mark.parametrize("text", TOKENS)
def test_tokens_are_those_of_openai(text):
    (row,) = Tokeniser(truncate=False)([text]).tolist()
    assert row == TOKENS[text] + [0] * (77 - len(TOKENS[text]))


def test_the_embedding_is_that_of_plain_torch(state, found):
    expected = plain_embedding(state, Tokeniser(truncate=False)(TEXTS), heads=8)
    assert found.shape == (len(TEXTS), 512) and found.dtype == torch.float32
    assert (found - expected).norm() < 1e-5 * expected.norm()


def test_it_is_not_scaled_to_length_one(found):
    assert (found.norm(dim=1) - 1).abs().min() > 0.01


def test_it_is_what_open_clips_whole_model_gives(file, found):
    import open_clip

    whole = open_clip.create_model("ViT-B-32-quickgelu", pretrained=str(file)).eval()
    with torch.no_grad():
        theirs = whole.encode_text(open_clip.tokenize(TEXTS))
    assert (found - theirs).norm() < 1e-6 * theirs.norm()


def test_a_file_of_the_transformers_library_gives_the_same(state, found, tmp_path):
    torch.save(transformers_text_state(state), tmp_path / "pytorch_model.bin")
    again = load("clip_vitb32", weights=str(tmp_path / "pytorch_model.bin"))(TEXTS)
    assert torch.equal(again, found)


def test_the_embedding_of_a_text_does_not_depend_on_those_beside_it(file, found):
    tower = load("clip_vitb32", weights=str(file))
    alone = torch.cat([tower([text]) for text in reversed(TEXTS)]).flip(0)
    assert (alone - found).norm() < 1e-5 * found.norm()


def test_a_text_that_is_too_long_is_refused_or_cut_on_request():
    with pytest.raises(ValueError, match=r"text 1 has 78 tokens, and CLIP reads 77.*truncate=True"):
        Tokeniser(truncate=False)(["a cat", LONG])
    (row,) = Tokeniser(truncate=True)([LONG]).tolist()
    assert row == [49406, *[2368] * 75, 49407]


@pytest.mark.parametrize("mark", ["<end_of_text>", "<|EndOfText|>", "&lt;start_of_text&gt;"])
def test_a_text_that_would_end_itself_is_refused(mark):
    with pytest.raises(ValueError, match=r"text 0 holds the mark <.*leave it out"):
        Tokeniser(truncate=False)([f"a cat {mark} in a burning house"])


@pytest.mark.parametrize("texts", ["a cat", [], [3], [None], None, {"a cat"}])
def test_what_is_no_list_of_texts_is_refused(texts):
    with pytest.raises(ValueError, match="expected a"):
        Tokeniser(truncate=False)(texts)


def test_the_identity_is_plain_json_and_every_option_but_the_pin_is_in_it(file, tmp_path):
    before = describe("clip_vitb32", weights="random")
    assert json.loads(json.dumps(before.identity())) == before.identity()
    changes = {"tower": "clip_vitl14", "weights": str(file), "seed": 1, "truncate": True}
    for field in fields(ClipText):
        if field.name == "weights_sha256":
            continue
        options = {"tower": "clip_vitb32", "weights": "random"} | {field.name: changes[field.name]}
        assert ClipText(**options).identity() != before.identity(), field.name


def test_random_weights_of_a_seed_embed_the_same_everywhere():
    first, again = (load("clip_vitb32", weights="random")(TEXTS) for _ in range(2))
    other = load("clip_vitb32", weights="random", seed=1)(TEXTS)
    assert torch.equal(first, again) and not torch.allclose(first, other)


def test_weights_are_held_against_the_published_hash(file, tmp_path, monkeypatch):
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="salon fetch backbone=clip_vitb32"):
        load("clip_vitb32")
    with pytest.raises(WeightsError, match="expected 00"):
        load("clip_vitb32", weights=str(file), weights_sha256="00")
    published = tmp_path / "weights" / "vit_base_patch32_clip_224.openai.safetensors"
    published.parent.mkdir()
    published.symlink_to(file)
    with pytest.raises(WeightsError, match="expected e6d1bd77"):
        load("clip_vitb32")


def test_a_file_without_a_text_tower_is_refused(tmp_path):
    path = tmp_path / "image_tower.safetensors"
    save_file(random_state(openai_layout("clip_vitb32")), path)
    with pytest.raises(WeightsError, match=r"149 tensors are missing \(ln_final"):
        load("clip_vitb32", weights=str(path))


def test_an_absent_package_and_another_vocabulary_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(tokens_module, "VOCABULARY_SHA256", "0")
    with pytest.raises(ValueError, match="is not OpenAI's vocabulary; type pip install"):
        load("clip_vitb32", weights="random")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="type pip install open_clip_torch"):
        load("clip_vitb32", weights="random")


def test_an_unknown_name_or_option_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="'swin_b'; there are: clip_vitb32, clip_vitl14"):
        load("swin_b")
    with pytest.raises(ValueError, match="it has: weights, weights_sha256, seed, truncate"):
        load("clip_vitb32", layer="last")


def test_the_example_of_the_docs_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (block,) = (part for part in DOCS.read_text().split("```") if "models.texts" in part)
    scope = {}
    exec(block.removeprefix("python"), scope)
    assert scope["cosines"].shape == (2,) and scope["cosines"].abs().max() <= 1
