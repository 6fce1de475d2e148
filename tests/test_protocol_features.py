"""Presets beyond Inception: features equal a network in plain torch on pixels of the numpy form.

Files have the published layouts and random values. Each image is resized: to more pixels, or fewer.
"""

from functools import lru_cache

import pytest
import timm
import torch
from made_forms import prepared
from made_inception import made_images
from made_weights import made_state, relative_gap
from plain_convnext import convnext_features, convnext_state
from plain_vit import class_tokens, dinov2_layout, hub_rule, random_state, vit_layout
from test_backbone_swin import buffers
from test_backbone_swin import layout as swin_layout
from test_protocol_pixels import PRESETS
from timm.models.swin_transformer import checkpoint_filter_fn
from torch import nn
from torchvision.models import inception_v3, resnet50, vgg16

from bench.build import build
from bench.composed import composed

STUDIOGAN = ("studiogan_legacy", "studiogan_clean", "studiogan_friendly")
HEADLESS = {"swav_resnet50", "dino_vits8_blocks4"}  # a file of their own
FAST = [
    ("dgm_eval", "dinov2_vits14", 64),
    ("torch_fidelity", "dinov2_vits14", 64),
    ("torch_fidelity", "dinov2_vits14", 400),
    ("dgm_eval", "swav_resnet50", 64),
    *((preset, "swav_resnet50", 64) for preset in STUDIOGAN),
    ("studiogan_legacy", "resnet50", 64),
    ("studiogan_friendly", "resnet50", 400),
    ("studiogan_friendly", "inception_torchvision", 64),
    ("studiogan_clean", "dino_vits8_blocks4", 64),
]
LONG = [  # many, or files of up to 1 GB
    *((preset, "dinov2_vitb14", 64) for preset in ("dgm_eval", "torch_fidelity")),
    *((preset, "dinov2_vitl14", 64) for preset in ("dgm_eval", "edm2")),
    ("dgm_eval", "mae_vitl16", 64),
    ("dgm_eval", "convnext_l", 64),
    ("stylegan3", "vgg16", 64),
    *(
        (preset, backbone, side)
        for backbone in ("resnet50", "inception_torchvision", "dino_vits8_blocks4", "swin_b")
        for preset in STUDIOGAN
        for side in (64, 400)
        if (preset, backbone, side) not in FAST
    ),
]


def dinov2(width, depth, heads):
    state = random_state(dinov2_layout(width, depth))
    at_224 = {**state, "pos_embed": hub_rule(state["pos_embed"], 16)}
    return state, lambda x: class_tokens(at_224, x, heads=heads)[-1]


def mae():
    state = random_state(vit_layout(width=1024, depth=24, patch=16, positions=1 + 14**2))
    return {"model": state}, lambda x: class_tokens(state, x, heads=16)[-1]


def convnext():
    state = convnext_state()
    return {"model": state}, lambda x: convnext_features(state, x)


def classifier(network, last, prefix=""):
    """Of torchvision, without its last layer; its file is of the whole."""
    state = made_state(network.state_dict())
    network.load_state_dict(state)
    network.set_submodule(last, nn.Identity())
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}, network.eval()


def swav():
    state, network = classifier(resnet50(weights=None), "fc", prefix="module.")
    return {name: state[name] for name in state if ".fc." not in name}, network


def inception():
    return classifier(inception_v3(weights=None, transform_input=True, init_weights=False), "fc")


def dino():
    state = random_state(vit_layout(width=384, depth=12, patch=8, positions=1 + 28**2))
    return state, lambda x: torch.cat(class_tokens(state, x, heads=6)[-4:], 1)


def swin():
    state = {"model": random_state(swin_layout("swin_b")) | buffers("swin_b")}
    network = timm.create_model("swin_base_patch4_window7_224").eval()
    network.load_state_dict(checkpoint_filter_fn(state, network))
    return state, lambda x: network.forward_head(network.forward_features(x), pre_logits=True)


MADE = {
    "dinov2_vits14": lambda: dinov2(384, 12, heads=6),
    "dinov2_vitb14": lambda: dinov2(768, 12, heads=12),
    "dinov2_vitl14": lambda: dinov2(1024, 24, heads=16),
    "mae_vitl16": mae,
    "convnext_l": convnext,
    "swav_resnet50": swav,
    "inception_torchvision": inception,
    "resnet50": lambda: classifier(resnet50(weights=None), "fc"),
    "vgg16": lambda: classifier(vgg16(weights=None), "classifier.6"),
    "dino_vits8_blocks4": dino,
    "swin_b": swin,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A backbone's name -> the network in plain torch, and a file; only the last one is kept."""
    path = tmp_path_factory.mktemp("weights") / "random.pth"

    @lru_cache(maxsize=1)
    def make(backbone):
        state, network = MADE[backbone]()
        torch.save(state, path)
        return network, path

    yield make
    path.unlink()


@pytest.mark.parametrize(
    ("preset", "backbone", "side"),
    [*FAST, *(pytest.param(*cell, marks=pytest.mark.long) for cell in LONG)],
)
@torch.inference_mode()
def test_features_under_a_preset_are_those_of_the_form(preset, backbone, side, made):
    network, file = made(backbone)
    images = made_images(side, 2, seed=7)
    expected = network(
        torch.from_numpy(prepared(images.numpy(), *PRESETS[preset][backbone])).float()
    )
    found = features(preset, backbone, file, images)
    assert relative_gap(found, expected) < 1e-5
    assert relative_gap(expected[:1], expected[1:]) > 1e-2  # the images matter


def features(preset, backbone, file, images):
    words = [f"protocol={preset}", f"backbone=[{backbone}]", f"backbone.{backbone}.weights={file}"]
    headless = [f"backbone.{backbone}.head=none"] * (backbone in HEADLESS)
    node = composed("score", [*words, *headless]).backbone[backbone]
    return build(node, f"backbone.{backbone}").load()(images).features
