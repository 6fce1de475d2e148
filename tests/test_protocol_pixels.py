"""What a network sees: every resize with every scaling, and every preset, by independent forms."""

from itertools import product

import numpy as np
import pytest
import torch
import yaml
from made_forms import DGM_EVAL, prepared
from made_inception import made_images
from omegaconf import OmegaConf

from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder
from models.resize import Resize, resize
from models.scaling import Scaling, scale

LEVEL = 1 / 128  # the least step of a level in any scaling
SIZES = [32, 64, 400]

CNN, SYMMETRIC = "imagenet", "unit_symmetric"
PRESETS = {  # peer -> backbone -> side, resize and scaling of its code
    "torch_fidelity": {
        "inception": (299, "tf1_bilinear", "tf"),
        "vgg16": (224, "tf1_bilinear", CNN),
        "clip_vitb32": (224, "tf1_bilinear", "clip"),
        "clip_vitl14": (224, "tf1_bilinear", "clip"),
        "clip_vitl14_336": (336, "tf1_bilinear", "clip"),
        "dinov2_vits14": (224, "tf1_bilinear", CNN),
        "dinov2_vitb14": (224, "tf1_bilinear", CNN),
        "dinov2_vitl14": (224, "tf1_bilinear", CNN),
    },
    "pytorch_fid": {"inception": (299, "torch_bilinear", SYMMETRIC)},
    "torchmetrics": {"inception": (299, "torch_antialias", "tf")},
    "torchmetrics_no_antialias": {"inception": (299, "tf1_bilinear", "tf")},
    "clean_fid": {
        "inception": (299, "pil_bicubic_float", "tf"),
        "clip_vitb32": (224, "pil_bicubic_crop", "clip"),
    },
    "adm": {"inception": (299, "tf1_bilinear", "tf")},
    "stylegan3": {"inception": (299, "tf1_bilinear", "tf"), "vgg16": (224, "tf1_bilinear", CNN)},
    "edm": {"inception": (299, "tf1_bilinear", "tf")},
    "edm2": {
        "inception": (299, "tf1_bilinear", "tf"),
        "dinov2_vitl14": (224, "torch_bicubic_antialias", CNN),
    },
    "dgm_eval": {
        "inception": (299, "torch_bilinear", SYMMETRIC),
        "dinov2_vits14": (224, "pil_bicubic", CNN),
        "dinov2_vitb14": (224, "pil_bicubic", CNN),
        "dinov2_vitl14": (224, "pil_bicubic", CNN),
        "convnext_l": (224, "pil_bicubic_crop_8_7", CNN),
        "mae_vitl16": (224, "pil_bicubic_float", CNN),
        "swav_resnet50": (224, "pil_bilinear", CNN),
    },
}
STUDIOGAN = {  # its three resizers
    "inception": (299, "torch_bilinear", "pil_bicubic_unclipped", "pil_bilinear_float"),
    "inception_torchvision": (
        *(299, "torch_bilinear", "pil_bicubic_unclipped"),
        "pil_lanczos_unclipped",
    ),
    "resnet50": (224, "torch_bilinear", "pil_bicubic_unclipped", "pil_bilinear_float"),
    "swav_resnet50": (224, "torch_bilinear", "pil_bicubic_unclipped", "pil_bilinear_float"),
    "dino_vits8_blocks4": (224, "torch_bilinear", "pil_bicubic_unclipped", "pil_bilinear_float"),
    "swin_b": (224, "torch_bilinear", "pil_bicubic_unclipped", "pil_bicubic_unclipped"),
}
for index, resizer in enumerate(("legacy", "clean", "friendly")):
    PRESETS[f"studiogan_{resizer}"] = {
        name: (row[0], row[1 + index], SYMMETRIC if name == "inception" else CNN)
        for name, row in STUDIOGAN.items()
    }
CELLS = [(preset, name) for preset, backbones in PRESETS.items() for name in backbones]


def content(preset):
    return yaml.safe_load((config_folder() / "protocol" / f"{preset}.yaml").read_text())


def pixels(preset, backbone, images):
    """What the preset says the backbone sees."""
    given, size = content(preset), PRESETS[preset][backbone][0]
    resized = resize(images, size, Resize[given["resize"][backbone]])
    return scale(resized, Scaling[given["scaling"][backbone]])


@pytest.fixture(scope="module")
def inception():
    return composed("score", ["backbone=[inception]", "backbone.inception.weights=random"])


@pytest.mark.parametrize("rule", Resize.__members__)
def test_every_resize_goes_with_every_scaling_by_config(inception, rule):
    for scaling, side in product(Scaling.__members__, (48, 320)):
        node = OmegaConf.merge(inception.backbone.inception, {"resize": rule, "scaling": scaling})
        made = build(node, "backbone.inception")
        images = made_images(side, 1, seed=side)
        ours = scale(resize(images, 299, made.resize), made.scaling)
        expected = prepared(images.numpy(), 299, rule, scaling)
        np.testing.assert_allclose(ours.numpy(), expected, atol=0.05 * LEVEL)


def test_what_is_resized_and_scaled_is_what_the_network_sees():
    words = ["backbone.inception.resize=pil_box", "backbone.inception.scaling=clip"]
    random = "backbone.inception.weights=random"
    config = composed("score", ["backbone=[inception]", random, *words])
    network = build(config.backbone.inception, "backbone.inception").load()
    seen = []
    network.trunk.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    images = made_images(40, 1, seed=0)
    network(images)
    expected = prepared(images.numpy(), 299, "pil_box", "clip")
    np.testing.assert_allclose(seen[0].numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("preset", "backbone"), CELLS)
def test_a_preset_shows_each_backbone_what_its_peer_shows_it(preset, backbone):
    size, rule, scaling = PRESETS[preset][backbone]
    for side in SIZES:
        images = made_images(side, 1, seed=side)
        expected = prepared(images.numpy(), size, rule, scaling)
        ours = pixels(preset, backbone, images).numpy()
        np.testing.assert_allclose(ours, expected, atol=0.05 * LEVEL)


@pytest.mark.parametrize("backbone", PRESETS["dgm_eval"])
@pytest.mark.parametrize("side", SIZES)
def test_dgm_eval_shows_each_backbone_what_the_transform_of_its_encoder_does(backbone, side):
    images = made_images(side, 1, seed=side)
    expected = DGM_EVAL[backbone](images[0].numpy())
    ours = pixels("dgm_eval", backbone, images)[0].numpy()
    np.testing.assert_allclose(ours, expected, atol=0.05 * LEVEL)


def test_dgm_eval_has_no_clip_because_its_own_is_another_network():
    assert not [name for name in content("dgm_eval")["backbones"] if "clip" in name]


def test_presets_whose_pixels_on_inception_are_equal_at_every_size():
    for same in (
        ["torch_fidelity", "torchmetrics_no_antialias", "adm", "stylegan3", "edm", "edm2"],
        ["pytorch_fid", "dgm_eval", "studiogan_legacy"],
    ):
        for side in SIZES:
            images = made_images(side, 1, seed=side)
            first, *others = (pixels(preset, "inception", images) for preset in same)
            assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("side", [32, 64, 298])
def test_studiogan_legacy_and_friendly_show_inception_equal_pixels_up_to_299(side):
    images = made_images(side, 1, seed=side)
    legacy, friendly = (
        pixels(f"studiogan_{n}", "inception", images) for n in ("legacy", "friendly")
    )
    torch.testing.assert_close(legacy, friendly, atol=0.01 * LEVEL, rtol=0)


def test_studiogan_legacy_and_friendly_differ_above_299():
    images = made_images(400, 1, seed=0)
    legacy, friendly = (
        pixels(f"studiogan_{n}", "inception", images) for n in ("legacy", "friendly")
    )
    assert (legacy - friendly).abs().max() > LEVEL


@pytest.mark.parametrize("side", SIZES)
def test_clean_fid_and_studiogan_clean_differ_by_scaling_and_by_what_overshoots(side):
    images = made_images(side, 1, seed=side)
    clean, studiogan = (
        resize(images, 299, Resize[content(n)["resize"]["inception"]]) for n in CLEANS
    )
    assert torch.equal(clean, studiogan.clamp(0, 255)) and not torch.equal(clean, studiogan)


CLEANS = ("clean_fid", "studiogan_clean")
