import pytest
import torch
import torch.nn.functional as F
from made_weights import made_state, photographs, relative_gap
from torchvision.transforms.functional import normalize

from models.backbones.convnext_l import ConvnextL

DEPTHS, WIDTHS, CLASSES = (3, 3, 27, 3), (192, 384, 768, 1536), 21841


def affine(name, shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def block(name, width):
    return {
        **affine(f"{name}.dwconv", (width, 1, 7, 7)),
        **affine(f"{name}.norm", (width,)),
        **affine(f"{name}.pwconv1", (4 * width, width)),
        **affine(f"{name}.pwconv2", (width, 4 * width)),
        f"{name}.gamma": (width,),
    }


def downsampling(stage):
    inputs, outputs = WIDTHS[stage - 1 : stage + 1]
    name = f"downsample_layers.{stage}"
    return {**affine(f"{name}.0", (inputs,)), **affine(f"{name}.1", (outputs, inputs, 2, 2))}


def layout():
    """Names and shapes of facebookresearch/ConvNeXt's ConvNeXt-L with the 22k classes."""
    shapes = affine("downsample_layers.0.0", (WIDTHS[0], 3, 4, 4))
    shapes |= affine("downsample_layers.0.1", (WIDTHS[0],))
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True)):
        shapes |= downsampling(stage) if stage else {}
        for index in range(depth):
            shapes |= block(f"stages.{stage}.{index}", width)
    return {**shapes, **affine("norm", (WIDTHS[-1],)), **affine("head", (CLASSES, WIDTHS[-1]))}


@pytest.fixture(scope="module")
def state():
    state = made_state(layout())
    for name, tensor in state.items():
        if name.endswith("gamma"):
            tensor.mul_(0.3)  # thirty-six blocks add up
    return state


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({"model": state}, path)
    yield path
    path.unlink()  # nearly a gigabyte


def embed(state, x):
    """The paper's network in the authors' names, one formula a line; (n, 1536)."""

    def of(name):
        return state[f"{name}.weight"], state[f"{name}.bias"]

    def norm(x, name):  # over channels, (n, C, h, w)
        moved = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], *of(name), eps=1e-6)
        return moved.permute(0, 3, 1, 2)

    for stage, depth in enumerate(DEPTHS):
        down = f"downsample_layers.{stage}"
        if stage == 0:
            x = norm(F.conv2d(x, *of(f"{down}.0"), stride=4), f"{down}.1")
        else:
            x = F.conv2d(norm(x, f"{down}.0"), *of(f"{down}.1"), stride=2)
        for name in (f"stages.{stage}.{index}" for index in range(depth)):
            weight, bias = of(f"{name}.dwconv")
            y = norm(F.conv2d(x, weight, bias, padding=3, groups=len(weight)), f"{name}.norm")
            y = F.linear(y.permute(0, 2, 3, 1), *of(f"{name}.pwconv1"))
            y = F.linear(F.gelu(y), *of(f"{name}.pwconv2")) * state[f"{name}.gamma"]
            x = x + y.permute(0, 3, 1, 2)
    return F.layer_norm(x.mean((2, 3)), x.shape[1:2], *of("norm"), eps=1e-6)


def test_the_layout_is_the_published_one(state):
    thousand, classes = 197_767_336, 1536 * (CLASSES - 1000) + CLASSES - 1000  # timm's count, and
    assert sum(tensor.numel() for tensor in state.values()) == thousand + classes  # more classes


def test_features_and_logits_are_those_of_the_authors_formula(file, state):
    images = photographs(64)
    ours = ConvnextL(weights=str(file), resolution=64).load()(images)
    batch = normalize(images / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    expected = embed(state, batch)
    assert relative_gap(ours.features, expected) < 1e-5  # float32 in another order
    logits = F.linear(expected, state["head.weight"], state["head.bias"])
    assert relative_gap(ours.logits, logits) < 1e-5
    assert ours.features.shape == (2, 1536) and (ours.features[0] - ours.features[1]).std() > 0.01
