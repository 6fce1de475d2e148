"""Vision transformers as their papers write them, in plain torch, to compare backbones with."""

import numpy as np
import torch
import torch.nn.functional as F

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def vit_layout(*, width, depth, patch, positions, layer_scale=False):
    """Names and shapes as DINO, DINOv2 and MAE publish them."""
    layout = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, positions, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
    }
    for block in range(depth):
        shapes = {"norm1": (width,), "attn.qkv": (3 * width, width), "attn.proj": (width, width)}
        shapes |= {"norm2": (width,), "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
        layout |= {f"blocks.{block}.{name}.weight": shape for name, shape in shapes.items()}
        layout |= {f"blocks.{block}.{name}.bias": shape[:1] for name, shape in shapes.items()}
        if layer_scale:
            layout |= {f"blocks.{block}.{name}.gamma": (width,) for name in ("ls1", "ls2")}
    return layout | {"norm.weight": (width,), "norm.bias": (width,)}


def dinov2_layout(width, depth):
    layout = vit_layout(width=width, depth=depth, patch=14, positions=1 + 37**2, layer_scale=True)
    return layout | {"mask_token": (1, width)}


def random_state(layout, seed=0):
    """Values under which every tensor matters and nothing explodes."""
    stream = torch.Generator().manual_seed(seed)
    return {name: _values(name, shape, stream) for name, shape in layout.items()}


def _values(name, shape, stream):
    values = torch.randn(shape, generator=stream)
    if len(shape) == 1:
        return 0.1 * values if name.endswith("bias") else 1 + 0.1 * values
    if "pos" in name or "cls" in name or "table" in name:
        return 0.5 * values
    return values / np.sqrt(np.prod(shape[1:]))


def layout_bytes(layout):
    """Of the tensors in float32."""
    return 4 * sum(int(np.prod(shape)) for shape in layout.values())


def shapes_of(state):
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def meta_state(layout):
    """Shapes without values."""
    return {name: torch.empty(shape, device="meta") for name, shape in layout.items()}


def scaled(images, mean=IMAGENET[0], std=IMAGENET[1]):
    return (images / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def pictures(side, count=2):
    stream = torch.Generator().manual_seed(side)
    coarse = torch.rand(count, 3, 5, 5, generator=stream) * 255
    smooth = F.interpolate(coarse, (side, side), mode="bicubic")
    return (smooth + 10 * torch.randn(smooth.shape, generator=stream)).clamp(0, 255).byte()


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def class_tokens(state, x, *, heads, activation=F.gelu, eps=1e-6):
    """The normed class token after every block, (n, D) each; the table must have x's patches."""
    weight = state["patch_embed.proj.weight"]
    patches = F.conv2d(x, weight, state.get("patch_embed.proj.bias"), stride=weight.shape[-1])
    tokens = patches.flatten(2).transpose(1, 2)
    tokens = torch.cat([state["cls_token"].expand(len(x), -1, -1), tokens], 1) + state["pos_embed"]
    if "norm_pre.weight" in state:
        tokens = _norm(state, "norm_pre", tokens, eps)
    found = []
    for block in range(1 + max(int(n.split(".")[1]) for n in state if n.startswith("blocks."))):
        tokens = _block(state, f"blocks.{block}.", tokens, heads, activation, eps)
        found.append(_norm(state, "norm", tokens, eps)[:, 0])
    return found


def _block(state, at, x, heads, activation, eps):
    attended = _attention(state, at + "attn.", _norm(state, at + "norm1", x, eps), heads)
    x = x + state.get(at + "ls1.gamma", 1) * attended
    hidden = activation(_linear(state, at + "mlp.fc1", _norm(state, at + "norm2", x, eps)))
    return x + state.get(at + "ls2.gamma", 1) * _linear(state, at + "mlp.fc2", hidden)


def _attention(state, at, x, heads):
    n, length, width = x.shape
    q, k, v = _linear(state, at + "qkv", x).view(n, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    weights = (q @ k.mT / (width // heads) ** 0.5).softmax(-1)  # (n, heads, L, L)
    return _linear(state, at + "proj", (weights @ v).transpose(1, 2).reshape(n, length, width))


def _linear(state, at, x):
    return F.linear(x, state[at + ".weight"], state[at + ".bias"])


def _norm(state, at, x, eps):
    return F.layer_norm(x, x.shape[-1:], state[at + ".weight"], state[at + ".bias"], eps)


def hub_rule(table, side):
    """DINO's position table for side x side patches: one cubic kernel per axis, in float64."""
    patches = table[0, 1:].double().numpy()
    trained = round(len(patches) ** 0.5)
    rows = np.zeros((side, trained))
    for output in range(side):
        at = (output + 0.5) * trained / (side + 0.1) - 0.5
        for tap in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
            rows[output, min(max(tap, 0), trained - 1)] += _cubic(abs(at - tap))
    grid = patches.reshape(trained, trained, -1)
    grid = np.einsum("ip,jq,pqd->ijd", rows, rows, grid).reshape(1, side * side, -1)
    return torch.cat([table[:, :1], torch.from_numpy(grid).float()], 1)


def _cubic(distance, a=-0.75):
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
