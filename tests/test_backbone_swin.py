import pytest
import timm
import torch
from plain_vit import meta_state, pictures, random_state, scaled, shapes_of

from models.backbones import describe, load

WINDOW = 7
MODELS = {  # name: (width of the first stage, blocks of each stage, heads of the first stage)
    "swin_t": (96, (2, 2, 6, 2), 3),
    "swin_b": (128, (2, 2, 18, 2), 4),
}


def layout(name):
    """Names and shapes as microsoft/Swin-Transformer publishes them, without the buffers."""
    width, depths, heads = MODELS[name]
    shapes = {"patch_embed.proj.weight": (width, 3, 4, 4), "patch_embed.proj.bias": (width,)}
    shapes |= vectors("patch_embed.norm", width)
    for stage, depth in enumerate(depths):
        for block in range(depth):
            at = f"layers.{stage}.blocks.{block}."
            shapes |= block_shapes(at, width * 2**stage, heads * 2**stage)
        if stage < 3:  # patches merge at the end of a stage
            at, inputs = f"layers.{stage}.downsample.", 4 * width * 2**stage
            shapes |= {at + "reduction.weight": (inputs // 2, inputs)} | vectors(
                at + "norm", inputs
            )
    shapes |= vectors("norm", 8 * width)
    return shapes | {"head.weight": (1000, 8 * width), "head.bias": (1000,)}


def block_shapes(at, width, heads):
    shapes = vectors(at + "norm1", width) | vectors(at + "norm2", width)
    shapes[at + "attn.relative_position_bias_table"] = ((2 * WINDOW - 1) ** 2, heads)
    linear = {"attn.qkv": (3, 1), "attn.proj": (1, 1), "mlp.fc1": (4, 1), "mlp.fc2": (1, 4)}
    for name, (rows, columns) in linear.items():
        shapes[f"{at}{name}.weight"] = (rows * width, columns * width)
        shapes[f"{at}{name}.bias"] = (rows * width,)
    return shapes


def vectors(at, width):
    return {at + ".weight": (width,), at + ".bias": (width,)}


def buffers(name):
    """What the file also holds and the network computes: relative positions and shift masks."""
    _, depths, _ = MODELS[name]
    places = torch.stack(torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij"))
    apart = places.flatten(1)[:, :, None] - places.flatten(1)[:, None] + WINDOW - 1
    index = apart[0] * (2 * WINDOW - 1) + apart[1]
    found = {}
    for stage, depth in enumerate(depths):
        for block in range(depth):
            at = f"layers.{stage}.blocks.{block}."
            found[at + "attn.relative_position_index"] = index
            if block % 2 and stage < 3:  # the last stage is one window
                found[at + "attn_mask"] = torch.zeros((8 // 2**stage) ** 2, WINDOW**2, WINDOW**2)
    return found


@pytest.fixture(scope="module")
def swin_t_file(tmp_path_factory):
    return written("swin_t", tmp_path_factory.mktemp("weights"))


def written(name, folder):
    """A file of exactly the published layout."""
    torch.save({"model": random_state(layout(name)) | buffers(name)}, folder / "random.pth")
    return folder / "random.pth"


@pytest.mark.parametrize(
    ("name", "tensors", "numbers"), [("swin_t", 173, 28_288_354), ("swin_b", 329, 87_768_224)]
)
def test_every_published_tensor_has_its_place(name, tensors, numbers):
    shapes = layout(name)
    assert len(shapes) == tensors
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == numbers  # as timm counts
    backbone = describe(name)
    with torch.device("meta"):
        network = backbone.network()
    converted = backbone.convert(meta_state(shapes) | buffers(name))
    assert shapes_of(converted) == shapes_of(network.state_dict())


def test_features_and_logits_are_those_of_timms_own_reader(swin_t_file):
    check("swin_t", "swin_tiny_patch4_window7_224.ms_in1k", swin_t_file, count=2)


@pytest.mark.long
def test_the_base_network_loads_and_runs(tmp_path):
    file = written("swin_b", tmp_path)
    check("swin_b", "swin_base_patch4_window7_224.ms_in22k_ft_in1k", file, count=1)


@torch.no_grad()
def check(name, architecture, file, count):
    """Load the file the normal way, and as timm does."""
    images = pictures(224, count)
    overlay = {"file": str(file), "custom_load": False}
    peer = timm.create_model(architecture, pretrained=True, pretrained_cfg_overlay=overlay).eval()
    maps = peer.norm(peer.layers(peer.patch_embed(scaled(images))))  # (n, 7, 7, D)
    features = maps.mean((1, 2))
    logits = features @ peer.head.fc.weight.T + peer.head.fc.bias
    found = load(name, weights=file)(images)
    assert found.features.shape == (count, 8 * MODELS[name][0])
    assert found.logits.shape == (count, 1000)
    assert (found.features - features).norm() < 1e-5 * features.norm()
    assert (found.logits - logits).norm() < 1e-5 * logits.norm()


def test_the_patches_of_a_stage_merge_at_the_start_of_the_next(swin_t_file):
    published = torch.load(swin_t_file, weights_only=True)["model"]
    filled = describe("swin_t", weights=str(swin_t_file)).source().network().state_dict()
    for stage in range(3):
        ours = filled[f"network.layers.{stage + 1}.downsample.reduction.weight"]
        assert torch.equal(ours, published[f"layers.{stage}.downsample.reduction.weight"])


def test_another_resolution_is_refused():
    with pytest.raises(ValueError, match=r"for 224 px.*type backbone\.swin_b\.resolution=224"):
        describe("swin_b", resolution=256)
