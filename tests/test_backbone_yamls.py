"""The comment of a backbone's yaml says what its class knows of the published weights."""

import re
from pathlib import Path

import pytest
import yaml

import models.backbones
from models.backbones import backbone_class

FOLDER = Path(models.backbones.__file__).parents[2] / "conf" / "backbone"


def described(path):
    """The class of a yaml, or None where it says nothing about published weights."""
    target = yaml.safe_load(path.read_text())[path.stem]["_target_"]
    cls = backbone_class(target.split(".")[-2])
    return cls if hasattr(cls, "about") else None


def comment(path):
    lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
    return " ".join(line.lstrip("# ") for line in lines)


PATHS = [path for path in sorted(FOLDER.glob("*.yaml")) if described(path)]

PACKAGED = [path for path in PATHS if hasattr(described(path), "package")]

NETWORKS = [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "precomputed"]

every_yaml = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def test_there_are_yamls_to_read():
    assert len(PATHS) >= 10


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_the_comment_names_a_paper_and_a_source(path):
    """Author and year, such as "M. Tan, Q. Le 2019" or "A. Radford et al. 2021", and a link."""
    text = comment(path)
    assert re.search(r"\b[A-Z]\. \w+(, [A-Z]\. \w+)*( et al\.)? (19|20)\d\d\b", text)
    assert re.search(r"https://[\w.-]+\.\w+/\S+", text)


@every_yaml
def test_the_comment_names_width_layer_and_logits(path):
    cls, text = described(path), comment(path)
    words = re.findall(r"\w+", text)
    assert str(cls.about.width) in words and cls.about.layer in words
    classes = cls.about.classes
    assert (str(classes) in words) if classes else ("no logits" in text.lower())


@every_yaml
def test_the_comment_names_every_published_file_its_address_licence_and_hash(path):
    about, text = described(path).about, comment(path)
    for file in about.files:
        folder = file.url.rpartition("/")[0]
        for fact in (file.name, folder, file.licence, file.sha256):
            assert fact is None or fact in text, fact
        assert re.search(rf"\b{file.megabytes} MB\b", text), file.megabytes
        assert file.sha256 is not None or "sha256" in text


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.stem)
def test_the_comment_names_the_package_its_licence_and_hash(path):
    package = described(path).package
    for fact in (package.name, package.licence, package.sha256[:8]):
        assert fact in comment(path), fact
    assert re.search(rf"\b{package.megabytes} MB\b", comment(path)), package.megabytes


@every_yaml
def test_the_comment_names_the_input(path):
    cls, text = described(path), comment(path)
    made = cls()
    assert f"{made.resolution} px" in text
    filters = {
        "tf1_bilinear": "TensorFlow 1's bilinear",
        "torch_bilinear": "bilinear without antialiasing",
        "pil_bilinear": "Pillow's bilinear",
        "pil_bicubic": "Pillow's bicubic",
        "pil_lanczos": "Pillow's Lanczos",
    }
    assert filters[made.resize.name] in text
    levels = {
        "imagenet": "0.485 0.456 0.406 and std 0.229 0.224 0.225",
        "clip": "0.48145466 0.4578275 0.40821073",
        "tf": "(x - 128) / 128",
        "tf_lite": "(x - 127) / 128",
        "unit_symmetric": "2 (x / 255) - 1",
    }
    assert levels[made.scaling.name] in text
