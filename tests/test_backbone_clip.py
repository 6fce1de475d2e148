import pytest
import torch
from made_clip import FILE_BYTES, TOWERS, openai_layout, text_layout, transformers_state
from plain_vit import (
    class_tokens,
    layout_bytes,
    meta_state,
    pictures,
    quick_gelu,
    random_state,
    scaled,
    shapes_of,
)
from safetensors.torch import save_file
from torch import nn

from models.backbones import describe, load
from models.backbones.clip_vitb32 import FILE
from models.weights import WeightsError

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def plain_names(state):
    """OpenAI's image tower under the names of the plain vision transformer."""
    found = {
        "cls_token": state["visual.class_embedding"][None, None],
        "pos_embed": state["visual.positional_embedding"][None],
        "patch_embed.proj.weight": state["visual.conv1.weight"],
    }
    parts = {"attn.in_proj_": "attn.qkv.", "attn.out_proj.": "attn.proj.", "ln_1.": "norm1."}
    parts |= {"ln_2.": "norm2.", "mlp.c_fc.": "mlp.fc1.", "mlp.c_proj.": "mlp.fc2."}
    for kind in ("weight", "bias"):
        found[f"norm_pre.{kind}"] = state[f"visual.ln_pre.{kind}"]
        found[f"norm.{kind}"] = state[f"visual.ln_post.{kind}"]
        for block in range(sum(name.endswith("ln_1.weight") for name in state)):
            for theirs, ours in parts.items():
                name = f"visual.transformer.resblocks.{block}.{theirs}{kind}"
                found[f"blocks.{block}.{ours}{kind}"] = state[name]
    return found


@pytest.fixture(scope="module")
def state():
    return random_state(openai_layout("clip_vitb32"))


@pytest.fixture(scope="module")
def openai_file(state, tmp_path_factory):
    text = {name: torch.zeros(2) for name in text_layout("clip_vitb32")}  # shapes nobody reads
    path = tmp_path_factory.mktemp("weights") / "open_clip_model.safetensors"
    save_file(state | text, path)
    yield path
    path.unlink()  # hundreds of megabytes


@pytest.fixture(scope="module")
def found(openai_file):
    return load("clip_vitb32", weights=openai_file)(pictures(224))


@pytest.mark.parametrize("name", TOWERS)
def test_every_published_tensor_of_the_image_tower_has_its_place(name):
    layout, text = openai_layout(name), text_layout(name)
    whole = layout_bytes(layout | text)
    assert whole < FILE_BYTES[name] < whole + 60_000  # the header of safetensors
    backbone = describe(name)
    with torch.device("meta"):
        network = backbone.network()
    for published in (meta_state(layout | text), transformers_state(meta_state(layout))):
        assert shapes_of(backbone.convert(published)) == shapes_of(network.state_dict())


def projected(name, state, images, **options):
    return projected_scaled(name, state, scaled(images, MEAN, STD), **options)


def projected_scaled(name, state, x, **options):
    """The paper's image tower in plain torch; a head is 64 wide, as OpenAI builds them."""
    heads = TOWERS[name][0] // 64
    token = class_tokens(plain_names(state), x, heads=heads, eps=1e-5, **options)[-1]
    return token @ state["visual.proj"]


def test_the_feature_is_the_projected_class_token_of_plain_torch(state, found):
    expected = projected("clip_vitb32", state, pictures(224), activation=quick_gelu)
    assert found.features.shape == (2, 512) and found.logits is None
    assert (found.features - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.long
@pytest.mark.parametrize("name", ["clip_vitl14", "clip_vitl14_336"])
def test_a_large_network_loads_and_runs(name, tmp_path):
    state = random_state(openai_layout(name))
    save_file(state, tmp_path / "random.safetensors")
    images = pictures(336 if name.endswith("336") else 224, count=1)
    found = load(name, weights=tmp_path / "random.safetensors")(images)
    expected = projected(name, state, images, activation=quick_gelu)
    assert found.features.shape == (1, 768)
    assert (found.features - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.parametrize("name", TOWERS)
def test_heads_norms_and_activations_are_openais(name):
    with torch.device("meta"):
        network = describe(name).network().network
    width, depth, *_ = TOWERS[name]
    norms = [part for part in network.modules() if isinstance(part, nn.LayerNorm)]
    assert len(network.blocks) == depth and len(norms) == 2 * depth + 2
    assert {norm.eps for norm in norms} == {1e-5}
    assert {block.attn.num_heads for block in network.blocks} == {width // 64}
    x = torch.linspace(-4, 4, 9)
    for block in network.blocks:
        torch.testing.assert_close(block.mlp.act(x), quick_gelu(x))


def test_it_is_not_the_network_with_plain_gelu(state, found):
    other = projected("clip_vitb32", state, pictures(224))
    assert (found.features - other).norm() > 1e-3 * other.norm()


def test_a_file_of_the_transformers_library_gives_the_same(state, found, tmp_path):
    torch.save(transformers_state(state), tmp_path / "pytorch_model.bin")
    again = load("clip_vitb32", weights=tmp_path / "pytorch_model.bin")(pictures(224))
    assert torch.equal(again.features, found.features)


def test_features_are_not_scaled_to_length_one(found):
    assert (found.features.norm(dim=1) - 1).abs().min() > 0.01


def test_openais_own_program_is_refused_with_what_to_take(tmp_path):
    path = tmp_path / "ViT-B-32.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(path))
    with pytest.raises(WeightsError, match=r"TorchScript program.*not run; take") as error:
        load("clip_vitb32", weights=path)
    assert FILE.url in str(error.value) and "\n" not in str(error.value)


def test_an_incomplete_attention_stays_under_its_own_names():
    broken = transformers_state(meta_state(openai_layout("clip_vitb32")))
    broken.pop("vision_model.encoder.layers.3.self_attn.k_proj.bias")
    converted = describe("clip_vitb32").convert(broken)
    assert "network.blocks.3.attn.qkv.bias" not in converted  # so filling refuses it by name
    assert "network.blocks.3.self_attn.q_proj.bias" in converted


def test_another_resolution_is_refused():
    with pytest.raises(
        ValueError, match=r"for 336 px.*type backbone\.clip_vitl14_336\.resolution="
    ):
        describe("clip_vitl14_336", resolution=224)
