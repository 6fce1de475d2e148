import gzip
import hashlib
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from file_server import FileServer

from bench.datasets import cifar10, fashion_mnist
from bench.datasets.cifar10 import Cifar10
from bench.datasets.digits import Digits
from bench.datasets.fashion_mnist import FashionMnist
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import fingerprint

RNG = np.random.default_rng(0)


def test_digits_have_897_and_900_images_that_do_not_overlap(tmp_path):
    train, holdout = (Digits().open(split, manifests=tmp_path) for split in ("train", "holdout"))
    assert (len(train), len(holdout)) == (897, 900) and train.num_classes == 10
    assert set(train.labels.tolist()) == set(range(10)) == set(holdout.labels.tolist())
    assert train.counts == {"grey": 897} and list(tmp_path.iterdir()) == []
    assert train.content() == {"fingerprint": fingerprint(train)}


def test_digits_are_the_packages_values_times_255_over_16(tmp_path):
    from sklearn.datasets import load_digits

    digits = load_digits()
    row = np.random.RandomState(0).permutation(1797)[900]
    holdout = Digits().open("holdout", manifests=tmp_path)
    expected = np.rint(digits.images[row] * 255 / 16)
    assert np.array_equal(holdout.read([3])[0, 1].numpy(), expected)
    assert holdout.labels[3] == digits.target[row]


def test_digits_without_the_packages_file_say_how_to_bring_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.datasets.digits.FILE", "datasets/data/gone.csv.gz")
    with pytest.raises(DatasetError, match=r"gone\.csv\.gz is not there; type pip install"):
        Digits().open("train", manifests=tmp_path)


@pytest.mark.parametrize("make, first, second", [
    (Digits, "train", "holdout"), (FashionMnist, "train", "test"), (Cifar10, "train", "test"),
])  # fmt: skip
def test_each_split_is_the_others_holdout(tmp_path, make, first, second):
    assert (make().split, make().holdout_split) == (first, second)
    assert make(split=second).holdout_split == first
    with pytest.raises(ConfigError, match=f"no split 'dev'; it has {first} and {second}"):
        make().open("dev", manifests=tmp_path)


def idx(array, magic=None):
    magic = 2048 + array.ndim if magic is None else magic
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


IMAGES = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def fashion(folder, *, zipped=True, images=None, labels=None):
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "t10k-images-idx3-ubyte": idx(IMAGES) if images is None else images,
        "t10k-labels-idx1-ubyte": idx(LABELS) if labels is None else labels,
    }
    for name, data in contents.items():
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(data) if zipped else data)
    return folder


def open_fashion(folder, split="test", **fields):
    return FashionMnist(path=str(folder), **fields).open(split, manifests=folder / "manifests")


@pytest.mark.parametrize("layout", [".", "FashionMNIST/raw", "raw"])
@pytest.mark.parametrize("zipped", [True, False])
def test_fashion_mnist_is_read_in_every_layout(tmp_path, layout, zipped):
    fashion(tmp_path / layout, zipped=zipped)
    source = open_fashion(tmp_path)
    assert np.array_equal(source.read(range(6))[:, 2].numpy(), IMAGES)
    assert source.labels.tolist() == LABELS.tolist() and source.num_classes == 10
    assert source.counts == {"grey": 6}


@pytest.mark.parametrize("damage, match", [
    ({"images": idx(IMAGES, magic=2049)}, "begins with 2049, expected idx magic 2051"),
    ({"labels": idx(LABELS, magic=2051)}, "begins with 2051, expected idx magic 2049"),
    ({"images": idx(IMAGES)[:-1]}, "says 4,704 bytes .* there are 4,703"),
    ({"images": idx(IMAGES) + b"x"}, "there are more"),
    ({"images": b"abc"}, "ends within its header"),
    ({"images": struct.pack(">4I", 2051, 2**32 - 1, 28, 28)}, "the header says shape"),
    ({"images": idx(IMAGES[:5])}, "5 images and .* 6 labels"),
    ({"images": idx(IMAGES[:, :27])}, r"\(27, 28\), expected 28 x 28"),
    ({"labels": idx(LABELS + 1)}, "holds label 10"),
])  # fmt: skip
def test_fashion_mnist_files_are_checked(tmp_path, damage, match):
    with pytest.raises(DatasetError, match=match):
        open_fashion(fashion(tmp_path, **damage))


def test_a_truncated_gzip_is_named(tmp_path):
    path = fashion(tmp_path) / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz cannot be read"):
        open_fashion(tmp_path)
    path.write_bytes(b"<html>")
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz cannot be read"):
        open_fashion(tmp_path)


def test_absent_fashion_mnist_says_where_it_looked_and_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    with pytest.raises(DatasetError) as caught:
        FashionMnist().open("test", manifests=tmp_path)
    message = str(caught.value)
    for part in ["debian", "home/data/fashion_mnist", "apt install dataset-fashion-mnist"]:
        assert part in message
    assert "dataset.download=true" in message and "\n" not in message
    fashion(tmp_path / "home/data/fashion_mnist")
    assert len(FashionMnist().open("test", manifests=tmp_path)) == 6


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer().start()
    yield server
    server.stop()


def test_a_download_that_fails_is_a_dataset_error(tmp_path, monkeypatch, server):
    server.status = 404
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    served = [replace(archive, url=server.url) for archive in fashion_mnist.ARCHIVES["test"]]
    monkeypatch.setattr(fashion_mnist, "ARCHIVES", {"test": served})
    monkeypatch.setattr(cifar10, "URL", server.url)
    for dataset in [FashionMnist(download=True), Cifar10(download=True)]:
        with pytest.raises(DatasetError, match=r"cannot be downloaded to .*HTTP 404"):
            dataset.open("test", manifests=tmp_path)


def test_downloads_are_checked_and_read(tmp_path, monkeypatch, server):
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "home"))
    archive, md5 = packed(tmp_path)
    server.data = archive.read_bytes()
    monkeypatch.setattr(cifar10, "URL", server.url)
    dataset = Cifar10(download=True, md5=md5)
    assert len(dataset.open("test", manifests=tmp_path)) == 4
    assert len(dataset.open("train", manifests=tmp_path)) == 20 and len(server.asked) == 1
    wrong = Cifar10(download=True)
    dataset.locate().unlink()
    with pytest.raises(DatasetError, match=r"has md5 .* expected c58f30108f718f92721af3b95e74349a"):
        wrong.open("test", manifests=tmp_path)
    assert list((tmp_path / "home/data/cifar10").iterdir()) == []


def test_fashion_mnist_comes_in_four_files():
    names = {
        split: [a.name for a in archives] for split, archives in fashion_mnist.ARCHIVES.items()
    }
    assert names == {
        "train": ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"],
        "test": ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"],
    }


def test_the_real_fashion_mnist_is_read(tmp_path):
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not (folder / "t10k-images-idx3-ubyte.gz").is_file():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    source = FashionMnist(path=str(folder)).open("test", manifests=tmp_path)
    assert len(source) == 10_000
    assert source.labels.bincount().tolist() == [1000] * 10
    # published test images: the first is an ankle boot
    assert source.labels[0] == 9 and source.read([0]).shape == (1, 3, 28, 28)


def batch(seed):
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
    return {b"data": data, b"labels": [0, 9, 3, 3]}


NAMES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5",
         "test_batch"]  # fmt: skip


def unpacked(folder, batches=None):
    inner = folder / "cifar-10-batches-py"
    inner.mkdir(parents=True)
    md5 = {}
    for seed, name in enumerate(NAMES):
        content = batch(seed) if batches is None else batches
        data = pickle.dumps(content, protocol=2)
        (inner / name).write_bytes(data)
        md5[name] = hashlib.md5(data).hexdigest()
    return inner, md5


def packed(folder, batches=None):
    inner, md5 = unpacked(folder / "made", batches)
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(inner, "cifar-10-batches-py")
    return archive, {**md5, archive.name: hashlib.md5(archive.read_bytes()).hexdigest()}


def open_cifar(path, split="train", **fields):
    return Cifar10(path=str(path), **fields).open(split, manifests=path.parent / "manifests")


def test_cifar10_is_read_from_the_folder_and_from_the_archive(tmp_path):
    archive, md5 = packed(tmp_path)
    source = open_cifar(archive, md5=md5)
    assert len(source) == 20 and source.num_classes == 10 and source.counts == {}
    expected = batch(1)[b"data"][2].reshape(3, 32, 32)
    assert np.array_equal(source.read([6])[0].numpy(), expected)
    assert source.labels.tolist() == [0, 9, 3, 3] * 5
    for place in [tmp_path, tmp_path / "made", tmp_path / "made/cifar-10-batches-py"]:
        assert open_cifar(place, md5=md5).content() == source.content()
    assert len(open_cifar(tmp_path, "test", md5=md5)) == 4


def test_cifar10_with_a_wrong_md5_is_not_unpickled(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "load_arrays", None)  # calling it would fail
    archive, _ = packed(tmp_path)
    match = "cifar-10-python.tar.gz has md5 .* expected c58f30108f718f92721af3b95e74349a"
    with pytest.raises(DatasetError, match=match):
        open_cifar(archive)
    with pytest.raises(DatasetError, match=r"data_batch_1 has md5 .* expected c99cafc15224"):
        open_cifar(tmp_path / "made")


class Payload:
    def __reduce__(self):
        return (open, ("canary", "w"))


@pytest.mark.parametrize("content", [Payload(), {b"data": Payload()}, [np.dtype, Payload]])
def test_a_pickle_that_would_run_code_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    place, md5 = unpacked(tmp_path, content)
    with pytest.raises(DatasetError, match=r"data_batch_1.*Nothing was run"):
        open_cifar(place, md5=md5)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("content", [
    [1, 2], {b"data": np.zeros((4, 3072)), b"labels": [0] * 4},
    {b"data": np.zeros((4, 3072), np.uint8), b"labels": [0] * 3},
    {b"data": np.zeros((4, 3072), np.uint8), b"labels": [10] * 4}, {b"labels": [0]},
])  # fmt: skip
def test_what_is_no_cifar10_batch_is_refused(tmp_path, content):
    place, md5 = unpacked(tmp_path, content)
    with pytest.raises(DatasetError, match="data_batch_1 is no CIFAR-10 batch"):
        open_cifar(place, md5=md5)


def test_absent_cifar10_says_what_to_type(tmp_path):
    with pytest.raises(DatasetError, match=r"not in .*nowhere; .*dataset.download=true"):
        open_cifar(tmp_path / "nowhere")
