import pytest
import torch
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

from models.backbones import describe, load
from models.backbones.clip_vitb32 import FILE
from models.weights import WeightsError

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TOWERS = {  # name: (width, blocks, patch, positions, projected width, width of the text tower)
    "clip_vitb32": (768, 12, 32, 1 + 7**2, 512, 512),
    "clip_vitl14": (1024, 24, 14, 1 + 16**2, 768, 768),
    "clip_vitl14_336": (1024, 24, 14, 1 + 24**2, 768, 768),
}
FILE_BYTES = {  # of the published files, with their headers
    "clip_vitb32": 605_143_284,
    "clip_vitl14": 1_710_517_724,
    "clip_vitl14_336": 1_711_828_444,
}


def openai_layout(name):
    """The image tower under OpenAI's names, as open_clip keeps them."""
    width, depth, patch, positions, projected, _ = TOWERS[name]
    shapes = {
        "visual.conv1.weight": (width, 3, patch, patch),
        "visual.class_embedding": (width,),
        "visual.positional_embedding": (positions, width),
        "visual.proj": (width, projected),
    }
    for norm in ("ln_pre", "ln_post"):
        shapes |= {f"visual.{norm}.weight": (width,), f"visual.{norm}.bias": (width,)}
    return shapes | openai_blocks("visual.transformer.resblocks.", width, depth)


def openai_blocks(prefix, width, depth):
    shapes = {}
    for block in range(depth):
        at = f"{prefix}{block}."
        shapes |= {at + "attn.in_proj_weight": (3 * width, width)}
        shapes |= {at + "attn.in_proj_bias": (3 * width,)}
        linear = {"attn.out_proj": (1, 1), "mlp.c_fc": (4, 1), "mlp.c_proj": (1, 4)}
        for layer, (rows, columns) in linear.items():
            shapes |= {f"{at}{layer}.weight": (rows * width, columns * width)}
            shapes |= {f"{at}{layer}.bias": (rows * width,)}
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{at}{norm}.weight": (width,), f"{at}{norm}.bias": (width,)}
    return shapes


def text_layout(name):
    """The text tower in the same file."""
    *_, projected, width = TOWERS[name]
    shapes = {
        "token_embedding.weight": (49408, width),
        "positional_embedding": (77, width),
        "ln_final.weight": (width,),
        "ln_final.bias": (width,),
        "text_projection": (width, projected),
        "logit_scale": (),
    }
    return shapes | openai_blocks("transformer.resblocks.", width, 12)


def transformers_state(state):
    """OpenAI's image tower as the transformers library keeps it, by hand."""
    width = len(state["visual.class_embedding"])
    at = "vision_model.embeddings."
    found = {
        at + "class_embedding": state["visual.class_embedding"],
        at + "patch_embedding.weight": state["visual.conv1.weight"],
        at + "position_embedding.weight": state["visual.positional_embedding"],
        at + "position_ids": torch.arange(len(state["visual.positional_embedding"]))[None],
        "visual_projection.weight": state["visual.proj"].T,
        "logit_scale": torch.tensor(4.6),
        "text_projection.weight": torch.zeros(512, 512),
        "text_model.final_layer_norm.weight": torch.ones(512),
    }
    for kind in ("weight", "bias"):
        found[f"vision_model.pre_layrnorm.{kind}"] = state[f"visual.ln_pre.{kind}"]
        found[f"vision_model.post_layernorm.{kind}"] = state[f"visual.ln_post.{kind}"]
        for block in range(sum(name.endswith("ln_1.weight") for name in state)):
            theirs = f"visual.transformer.resblocks.{block}."
            ours = f"vision_model.encoder.layers.{block}."
            parts = state[f"{theirs}attn.in_proj_{kind}"].split(width)
            for part, tensor in zip("qkv", parts, strict=True):
                found[f"{ours}self_attn.{part}_proj.{kind}"] = tensor
            found[f"{ours}self_attn.out_proj.{kind}"] = state[f"{theirs}attn.out_proj.{kind}"]
            found[f"{ours}layer_norm1.{kind}"] = state[f"{theirs}ln_1.{kind}"]
            found[f"{ours}layer_norm2.{kind}"] = state[f"{theirs}ln_2.{kind}"]
            found[f"{ours}mlp.fc1.{kind}"] = state[f"{theirs}mlp.c_fc.{kind}"]
            found[f"{ours}mlp.fc2.{kind}"] = state[f"{theirs}mlp.c_proj.{kind}"]
    return found


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
    return path


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


def test_the_feature_is_the_projected_class_token_of_plain_torch(state, found):
    x = scaled(pictures(224), MEAN, STD)
    token = class_tokens(plain_names(state), x, heads=12, activation=quick_gelu, eps=1e-5)[-1]
    expected = token @ state["visual.proj"]
    assert found.features.shape == (2, 512) and found.logits is None
    assert (found.features - expected).norm() < 1e-5 * expected.norm()


def test_it_is_not_the_network_with_plain_gelu(state, found):
    x = scaled(pictures(224), MEAN, STD)
    other = class_tokens(plain_names(state), x, heads=12, eps=1e-5)[-1] @ state["visual.proj"]
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
