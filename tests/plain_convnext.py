"""ConvNeXt-L as its paper writes it, in plain torch, to compare the backbone with."""

import torch.nn.functional as F
from made_weights import made_state

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


def convnext_layout():
    """Names and shapes of facebookresearch/ConvNeXt's ConvNeXt-L with the 22k classes."""
    shapes = affine("downsample_layers.0.0", (WIDTHS[0], 3, 4, 4))
    shapes |= affine("downsample_layers.0.1", (WIDTHS[0],))
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True)):
        shapes |= downsampling(stage) if stage else {}
        for index in range(depth):
            shapes |= block(f"stages.{stage}.{index}", width)
    return {**shapes, **affine("norm", (WIDTHS[-1],)), **affine("head", (CLASSES, WIDTHS[-1]))}


def convnext_state():
    """Random values; thirty-six blocks add up, so each adds little."""
    state = made_state(convnext_layout())
    for name, tensor in state.items():
        if name.endswith("gamma"):
            tensor.mul_(0.3)
    return state


def convnext_features(state, x):
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
