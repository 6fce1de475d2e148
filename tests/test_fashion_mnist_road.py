"""PNG files against the original idx files of Fashion-MNIST, through the whole road."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.datasets.fashion_mnist import FashionMnist
from bench.errors import DatasetError


@pytest.fixture
def test_images(tmp_path):
    """The first 300 test images, or a skip that says why."""
    try:
        source = FashionMnist(split="test").open("test", manifests=tmp_path / "manifests")
    except DatasetError as error:
        pytest.skip(f"needs the package dataset-fashion-mnist: {error}")
    return source.read(range(300))


def test_a_folder_of_png_files_is_scored(measure, tmp_path, test_images):
    folder = tmp_path / "samples"
    folder.mkdir()
    for index, image in enumerate(test_images.flip(3)):  # mirrored: shoes point the other way
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{index:04d}.png")
    job, report = measure(
        *("dataset=fashion_mnist", "dataset.split=test", "protocol.num_real=300"),
        *("generator=folder", f"generator.path={folder}", "backbone=[resnet18_random]"),
        *("backbone.resnet18_random.resolution=32", "metrics=[fid,precision_recall]"),
    )
    assert report.code == 0
    assert job.generator.startswith("samples-") and job.num_fake == 300
    assert report.lines[0].scores["fid"] > 0
    assert 0.2 < report.lines[1].scores["precision"] < 1.0
    assert str(tmp_path) not in Path(report.lines[0].record).read_text()


def test_the_published_images_are_read(test_images):
    assert test_images.shape == (300, 3, 28, 28) and test_images.dtype == torch.uint8
    assert int(test_images[0].float().mean()) == 42  # an ankle boot
