"""Presets beyond Inception: features equal a network in plain torch on pixels of the numpy form.

Files have the published layouts and random values. Images have 64 px: each is resized.
"""

import pytest
import torch
from made_forms import prepared
from made_inception import made_images
from made_weights import made_state, relative_gap
from plain_convnext import convnext_features, convnext_state
from plain_vit import class_tokens, dinov2_layout, hub_rule, random_state, vit_layout
from test_protocol_pixels import PRESETS
from torchvision.models import resnet50

from bench.build import build
from bench.composed import composed

CELLS = [
    ("dgm_eval", "dinov2_vits14"),
    ("torch_fidelity", "dinov2_vits14"),
    *((preset, "swav_resnet50") for preset in PRESETS if "swav_resnet50" in PRESETS[preset]),
    *(
        pytest.param(*cell, marks=pytest.mark.slow)  # files of about 1 GB
        for cell in (
            ("dgm_eval", "dinov2_vitb14"),
            ("dgm_eval", "dinov2_vitl14"),
            ("edm2", "dinov2_vitl14"),
            ("dgm_eval", "mae_vitl16"),
            ("dgm_eval", "convnext_l"),
        )
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


def swav():
    network = resnet50(weights=None)
    network.load_state_dict(made_state(network.state_dict()))
    network.fc = torch.nn.Identity()
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    return state, network.eval()


MADE = {
    "dinov2_vits14": lambda: dinov2(384, 12, heads=6),
    "dinov2_vitb14": lambda: dinov2(768, 12, heads=12),
    "dinov2_vitl14": lambda: dinov2(1024, 24, heads=16),
    "mae_vitl16": mae,
    "convnext_l": convnext,
    "swav_resnet50": swav,
}


@pytest.mark.parametrize(("preset", "backbone"), CELLS)
@torch.inference_mode()
def test_features_under_a_preset_are_those_of_the_form(preset, backbone, tmp_path):
    state, network = MADE[backbone]()
    torch.save(state, tmp_path / "random.pth")
    images = made_images(64, 2, seed=7)
    expected = network(
        torch.from_numpy(prepared(images.numpy(), *PRESETS[preset][backbone])).float()
    )
    found = features(preset, backbone, tmp_path / "random.pth", images)
    assert relative_gap(found, expected) < 1e-5
    assert relative_gap(expected[:1], expected[1:]) > 1e-2  # the images matter


def features(preset, backbone, file, images):
    words = [f"protocol={preset}", f"backbone=[{backbone}]", f"backbone.{backbone}.weights={file}"]
    headless = [f"backbone.{backbone}.head=none"] * (backbone == "swav_resnet50")
    node = composed("score", [*words, *headless]).backbone[backbone]
    return build(node, f"backbone.{backbone}").load()(images).features
