"""What every backbone promises, walked over all of them."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

import models.backbones
from models.backbones import backbone_class, describe, load, names
from models.scaling import Scaling

WIDTHS = {  # name: (options, features, logits)
    "inception": ({"weights": "random"}, 2048, 1008),
    "efficientnet_lite0": ({}, 1280, 1000),
    "resnet18_random": ({}, 512, 1000),
    "timm_model": ({"model": "test_vit", "weights": "random"}, 64, 1000),
}
RANDOM = {
    "inception": {"weights": "random"},
    "efficientnet_lite0": {"weights": "random"},
    "resnet18_random": {},
    "timm_model": {"model": "test_resnet.r160_in1k", "weights": "random"},
}
CHANGES = {  # another value of every field that moves a feature
    "seed": 1,
    "resolution": 96,
    "resize": "pil_lanczos",
    "scaling": "unit_symmetric",
    "mean": [0.1, 0.2, 0.3],
    "std": [0.1, 0.2, 0.3],
    "logits_bias": True,
    "precision": "bf16",
    "model": "test_vit.r160_in1k",
}
CHECKS_ONLY = {"weights_sha256"}  # refuses a file, moves nothing
FOLDER = Path(models.backbones.__file__).parents[2] / "conf" / "backbone"


@pytest.fixture(scope="module")
def images():
    stream = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (7, 3, 40, 40), dtype=torch.uint8, generator=stream)


@pytest.fixture(scope="module", params=sorted(WIDTHS))
def network(request):
    options, width, classes = WIDTHS[request.param]
    return load(request.param, **options), width, classes


def test_every_backbone_is_walked_here():
    assert set(WIDTHS) | {"precomputed"} == set(names())


def test_features_and_logits_are_finite_float32_of_the_declared_width(network, images):
    extract, width, classes = network
    embedding = extract(images[:2])
    for tensor, columns in ((embedding.features, width), (embedding.logits, classes)):
        assert tensor.dtype == torch.float32 and tensor.shape == (2, columns)
        assert tensor.isfinite().all() and tensor.std() > 0
        assert not tensor.requires_grad and not tensor.is_inference()


def test_features_do_not_depend_on_the_batch_size(network, images):
    extract, _, _ = network
    whole = extract(images).features
    for size in (1, 3):
        part = extract(images[:size]).features
        assert (part - whole[:size]).norm() <= 1e-5 * whole[:size].norm()


def test_what_is_not_a_batch_of_uint8_images_is_refused(network, images):
    extract, _, _ = network
    for wrong in (images.float(), images[0], images[:, :1], images[:0]):
        with pytest.raises(ValueError, match=r"expected uint8 \(n, 3, H, W\)"):
            extract(wrong)


@pytest.mark.parametrize("name", sorted(set(RANDOM) - {"inception"}))
def test_the_same_seed_gives_the_same_features_and_another_gives_others(name, images):
    first, again, other = (
        load(name, **RANDOM[name], seed=seed)(images[:2]).features for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other)


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_loading_and_embedding_leave_the_global_random_states(name, images):
    torch_state = torch.random.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    load(name, **RANDOM[name])(images[:1])
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize("name", names())
def test_the_identity_is_plain_json(name):
    identity = describe(name, **RANDOM.get(name, {})).identity()
    assert json.loads(json.dumps(identity)) == identity


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field.name)
        for name in sorted(RANDOM)
        for field in fields(backbone_class(name))
        if field.name not in CHECKS_ONLY | {"weights"}
    ],
)
def test_every_field_changes_the_identity(name, field):
    if name == "inception" and field == "seed":
        pytest.skip("24 million numbers; the seed's part in identity is the same for all")
    options = RANDOM[name]
    before = describe(name, **options)
    change = not before.optimise if field == "optimise" else CHANGES[field]
    after = describe(name, **{**options, field: change})
    assert after.identity() != before.identity()


def test_an_unknown_name_option_or_choice_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"'inceptoin'.*efficientnet_lite0, inception"):
        load("inceptoin")
    with pytest.raises(ValueError, match=r"no option 'resise'; it has: .*resize"):
        load("inception", resise="tf1_bilinear")
    with pytest.raises(ValueError, match="resize='bicubic' is not known; choose one of: tf1_bil"):
        load("inception", resize="bicubic")


def test_choices_may_be_given_as_members():
    assert describe("inception", scaling=Scaling.tf) == describe("inception", scaling="tf")


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="resolution=0"):
        load("resnet18_random", resolution=0)
    with pytest.raises(ValueError, match="seed=-1"):
        load("resnet18_random", seed=-1)


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
