"""What every backbone promises, walked over all of them."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from made_weights import noisy
from omegaconf import OmegaConf

import models.backbones
from models import weight_source
from models.backbones import backbone_class, describe, load, names
from models.initialise import initialise
from models.scaling import Scaling

WIDTHS = {  # name: (options, features, logits)
    "inception": ({"weights": "random"}, 2048, 1008),
    "inception_torchvision": ({"weights": "random"}, 2048, 1000),
    "resnet50": ({"weights": "random"}, 2048, 1000),
    "swav_resnet50": ({"weights": "random"}, 2048, 1000),
    "vgg16": ({"weights": "random", "resolution": 64}, 4096, 1000),
    "convnext_l": ({"weights": "random", "resolution": 64}, 1536, 21841),
    "efficientnet_lite0": ({}, 1280, 1000),
    "efficientnet_lite1": ({}, 1280, 1000),
    "efficientnet_lite2": ({}, 1280, 1000),
    "random_projector": ({}, 512, None),
    "resnet18_random": ({}, 512, 1000),
    "timm_model": ({"model": "test_vit", "weights": "random"}, 64, 1000),
    "dino_vits8": ({"weights": "random", "resolution": 64}, 384, None),
    "dino_vits8_blocks4": ({"weights": "random", "resolution": 64}, 1536, 1000),
    "dinov2_vits14": ({"weights": "random", "resolution": 56}, 384, None),
    "swin_t": ({"weights": "random"}, 768, 1000),
    "clip_vitb32": ({"weights": "random"}, 512, None),
}
LARGE = {  # name: (features, logits); the code of others around more numbers: built without them
    "dinov2_vitb14": (768, None),
    "dinov2_vitl14": (1024, None),
    "swin_b": (1024, 1000),
    "clip_vitl14": (768, None),
    "clip_vitl14_336": (768, None),
    "mae_vitl16": (1024, None),
}
RANDOM = {
    "inception": {"weights": "random"},
    "inception_torchvision": {"weights": "random"},
    "resnet50": {"weights": "random"},
    "swav_resnet50": {"weights": "random"},
    "vgg16": {"weights": "random"},
    "convnext_l": {"weights": "random"},
    "efficientnet_lite0": {"weights": "random"},
    "efficientnet_lite1": {"weights": "random"},
    "efficientnet_lite2": {"weights": "random"},
    "random_projector": {},
    "resnet18_random": {},
    "timm_model": {"model": "test_resnet.r160_in1k", "weights": "random"},
    "dino_vits8": {"weights": "random"},
    "dino_vits8_blocks4": {"weights": "random", "resolution": 64},
    "dinov2_vits14": {"weights": "random"},
    "swin_t": {"weights": "random"},
    "clip_vitb32": {"weights": "random"},
    **{name: {"weights": "random"} for name in LARGE},
}
HEAVY = {"inception", "vgg16", "convnext_l"}  # seconds a build: they are built once
HEAVY |= {"dino_vits8", "dinov2_vits14", "swin_t", "clip_vitb32", *LARGE}
LIGHT = {"efficientnet_lite0", "resnet18_random", "timm_model"}
ONE_SIZE = {"swin_t", "swin_b", "clip_vitb32", "clip_vitl14", "clip_vitl14_336", "mae_vitl16"}
CHANGES = {  # another value of every field that moves a feature
    "seed": 1,
    "resolution": 448,
    "resize": "pil_box",
    "scaling": "tf",
    "mean": [0.1, 0.2, 0.3],
    "std": [0.1, 0.2, 0.3],
    "logits_bias": True,
    "layer": "mixed_6e",
    "head": "none",
    "precision": "bf16",
    "model": "test_vit.r160_in1k",
}
CHECKS_ONLY = {"weights_sha256", "head_sha256"}  # refuse a file, move nothing
FOLDER = Path(models.backbones.__file__).parents[2] / "conf" / "backbone"


@pytest.fixture(scope="module")
def images():
    stream = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (7, 3, 40, 40), dtype=torch.uint8, generator=stream)


TRIED = sorted(WIDTHS.keys() - {"convnext_l"})


@pytest.fixture(scope="module", params=[*TRIED, pytest.param("convnext_l", marks=pytest.mark.long)])
def network(request):
    options, width, classes = WIDTHS[request.param]
    return load(request.param, **options), width, classes


def test_every_backbone_is_walked_here():
    assert set(WIDTHS) | set(LARGE) | {"precomputed"} == set(names())


def test_features_and_logits_are_finite_float32_of_the_declared_width(network, images):
    extract, width, classes = network
    embedding = extract(images[:2])
    assert (embedding.logits is None) == (classes is None)
    given = [(embedding.features, width), (embedding.logits, classes)]
    for tensor, columns in (pair for pair in given if pair[0] is not None):
        assert tensor.dtype == torch.float32 and tensor.shape == (2, columns)
        assert tensor.isfinite().all() and tensor.std() > 0
        assert not tensor.requires_grad and not tensor.is_inference()


def test_features_of_two_images_differ_and_are_of_usable_size(network, images):
    extract, _, _ = network
    first, second = extract(images[:2]).features
    assert (first - second).norm() > 1e-3 * first.norm()  # noise images: their means are alike
    assert first.abs().mean() > 1e-3 and first.abs().max() < 6e4  # float16 holds them too


def test_features_do_not_depend_on_the_batch_size(network, images):
    extract, _, _ = network
    whole = extract(images[:4]).features
    for size in (1, 3):
        part = extract(images[:size]).features
        assert (part - whole[:size]).norm() <= 1e-5 * whole[:size].norm()


@pytest.mark.parametrize("name", sorted(LARGE))
def test_a_large_backbone_has_the_declared_widths(name):
    backbone, (width, classes) = describe(name), LARGE[name]
    with torch.device("meta"):
        network = backbone.network().eval()
        found = network(torch.empty(2, 3, backbone.resolution, backbone.resolution))
    assert found.features.shape == (2, width) == (2, backbone.about.width)
    assert backbone.about.classes == classes
    assert found.logits is None if classes is None else found.logits.shape == (2, classes)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - HEAVY | {"inception"}))
def test_optimising_moves_only_the_last_bits(name, images, monkeypatch):
    """Of the heavy ones only inception has batch normalisation to fold."""
    monkeypatch.setattr(weight_source, "initialise", lambda *given: noisy(initialise(*given)))
    options = {} if "lite" in name else RANDOM[name]  # ReLU6 untrained would magnify last bits
    plain, fast = (load(name, **options, optimise=on)(images[:2]) for on in (False, True))
    for found, expected in ((fast.features, plain.features), (fast.logits, plain.logits)):
        assert found is None or (found - expected).norm() <= 1e-5 * expected.norm()


def test_preparing_ahead_and_embedding_is_calling(network, images):
    extract, _, _ = network
    whole = extract.prepare(images)
    assert torch.equal(torch.cat([extract.prepare(one) for one in images.split(3)]), whole)
    assert torch.equal(extract.embed(whole).features, extract(images).features)


def test_what_is_not_a_batch_of_uint8_images_is_refused(network, images):
    extract, _, _ = network
    for wrong in (images.float(), images[0], images[:, :1], images[:0]):
        with pytest.raises(ValueError, match=r"expected uint8 \(n, 3, H, W\)"):
            extract(wrong)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - HEAVY - {"swav_resnet50"}))  # resnet50's code
def test_the_same_seed_gives_the_same_features_and_another_gives_others(name, images):
    first, again, other = (
        load(name, **RANDOM[name], seed=seed)(images[:2]).features for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - HEAVY | {"inception"}))
def test_loading_and_embedding_leave_the_global_random_states(name, images):
    torch_state = torch.random.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    load(name, **RANDOM[name])(images[:1])
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.fixture
def hashed_cheaply(monkeypatch):
    """What fixes random weights in place of their hash, unmade; but not for the lightest."""

    def cheap(name):
        if name not in LIGHT:
            fixed = lambda source: f"{source.architecture} of seed {source.seed}"  # noqa: E731
            monkeypatch.setattr(weight_source, "_random_state_sha256", fixed)

    return cheap


@pytest.mark.parametrize("name", names())
def test_the_identity_is_plain_json(name, hashed_cheaply):
    hashed_cheaply(name)
    identity = describe(name, **RANDOM.get(name, {})).identity()
    assert json.loads(json.dumps(identity)) == identity


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field.name)
        for name in sorted(RANDOM)
        for field in fields(backbone_class(name))
        if field.name not in CHECKS_ONLY | {"weights"}
        and not (field.name == "resolution" and name in ONE_SIZE)
    ],
)
def test_every_field_changes_the_identity(name, field, hashed_cheaply):
    hashed_cheaply(name)
    options = RANDOM[name]
    before = describe(name, **options)
    change = not before.optimise if field == "optimise" else CHANGES[field]
    if (name, field) == ("inception", "scaling"):
        change = "imagenet"
    after = describe(name, **{**options, field: change})
    assert after.identity() != before.identity()


def test_an_unknown_name_option_or_choice_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"'inceptoin'.*efficientnet_lite2, inception"):
        load("inceptoin")
    with pytest.raises(ValueError, match=r"no option 'resise'; it has: .*resize"):
        load("inception", resise="tf1_bilinear")
    with pytest.raises(ValueError, match="resize='bicubic' is not known; choose one of: tf1_bil"):
        load("inception", resize="bicubic")


def test_choices_may_be_given_as_members():
    assert describe("inception", scaling=Scaling.tf) == describe("inception", scaling="tf")


def test_choices_may_be_given_by_value():
    assert describe("inception", layer=192) == describe("inception", layer="pool2")
    assert describe("timm_model", model="resnet18", resize=None).resize is None
    for wrong in (193, None, [192], Scaling.tf):
        with pytest.raises(ValueError, match=r"layer=.* is not known; choose one of: pool1, pool2"):
            describe("inception", layer=wrong)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="resolution=0"):
        load("resnet18_random", resolution=0)
    with pytest.raises(ValueError, match="seed=-1"):
        load("resnet18_random", seed=-1)


def test_a_pin_beside_random_weights_is_refused_because_nothing_would_be_checked():
    with pytest.raises(ValueError, match="weights_sha256=00 is of a file"):
        describe("resnet50", weights="random", weights_sha256="00").identity()


def test_precomputed_has_no_network():
    assert describe("precomputed").identity() == {"architecture": "precomputed"}
    with pytest.raises(ValueError, match="there is no network"):
        load("precomputed")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_nests_under_its_name_and_fits_its_class(path):
    content = yaml.safe_load(path.read_text())
    assert list(content) == [path.stem]
    target = content[path.stem].pop("_target_")
    module, _, cls = target.rpartition(".")
    made = backbone_class(module.rpartition(".")[2])
    assert made.__name__ == cls
    assert list(content[path.stem]) == [field.name for field in fields(made)]


@pytest.mark.parametrize("protocol", [{}, {"resize": {"inception": "pil_bicubic_float"}}])
def test_a_protocol_sets_the_resize_and_the_class_its_default(protocol):
    config = OmegaConf.create(
        {"protocol": protocol, "backbone": OmegaConf.load(FOLDER / "inception.yaml")}
    )
    node = OmegaConf.to_container(config.backbone.inception, resolve=True)
    node.pop("_target_")
    merged = OmegaConf.merge(OmegaConf.structured(backbone_class("inception")), node)
    made = OmegaConf.to_object(merged)
    assert made.resize.name == protocol.get("resize", {}).get("inception", "tf1_bilinear")
    assert (made.scaling, made.logits_bias) == (Scaling.tf, False)
