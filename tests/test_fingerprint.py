import hashlib
import json
import struct

import pytest
import torch

from bench.datasets.naming import default_name
from bench.fingerprint import CHUNK, Scan, fingerprint, in_chunks, remembered, stamp_files
from bench.images import ImageSource


class Row(ImageSource):
    def __init__(self, images, labels=None):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def read(self, indices):
        return self.images[list(indices)]

    def content(self):
        return {}


IMAGES = torch.arange(3 * 3 * 2 * 4, dtype=torch.uint8).reshape(3, 3, 2, 4)


def by_hand(images, labels):
    outer = hashlib.sha256()
    for image, label in zip(images, labels, strict=True):
        inner = hashlib.sha256(struct.pack("<II", 2, 4) + image.numpy().tobytes())
        outer.update(inner.digest() + struct.pack("<q", label))
    return outer.hexdigest()


def test_the_fingerprint_is_the_one_that_the_page_defines():
    assert fingerprint(Row(IMAGES)) == by_hand(IMAGES, [-1, -1, -1])
    assert fingerprint(Row(IMAGES, torch.tensor([5, 0, 7]))) == by_hand(IMAGES, [5, 0, 7])


def test_pixels_labels_order_and_size_all_count():
    other = IMAGES.clone()
    other[2, 1, 0, 3] += 1
    rows = [
        Row(IMAGES),
        Row(other),
        Row(IMAGES.flip(0)),
        Row(IMAGES.reshape(3, 3, 4, 2)),
        Row(IMAGES[:2]),
        Row(IMAGES, torch.tensor([0, 0, 1])),
    ]
    assert len({fingerprint(row) for row in rows}) == len(rows)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_does_not_matter(workers):
    images = torch.randint(0, 256, (3 * CHUNK + 5, 3, 2, 2), dtype=torch.uint8)
    assert fingerprint(Row(images), workers=workers) == fingerprint(Row(images), workers=3)


def test_progress_is_told_up_to_the_total():
    told = []
    images = torch.zeros(2 * CHUNK + 1, 3, 1, 1, dtype=torch.uint8)
    fingerprint(Row(images), progress=lambda done, total: told.append((done, total)))
    assert told == [(CHUNK, 2 * CHUNK + 1), (2 * CHUNK, 2 * CHUNK + 1), (2 * CHUNK + 1,) * 2]


def test_the_first_error_ends_the_work():
    seen = []

    def work(chunk):
        seen.append(chunk)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(in_chunks(work, 1000 * CHUNK, workers=2))
    assert len(seen) < 10


class Scans:
    """Counts how often the slow look was taken."""

    def __init__(self):
        self.taken = 0

    def __call__(self):
        self.taken += 1
        return Scan("ab" * 32, 2, 4, 5, {"grey": 2}, {"bad.png": "is empty"})


@pytest.fixture
def scans():
    return Scans()


def ask(scans, tmp_path, *, stamp="s", verify=False, **identity):
    return remembered(scans, manifests=tmp_path, identity=identity, stamp=stamp, verify=verify)


def test_a_scan_is_remembered_while_the_stamp_is_unchanged(scans, tmp_path):
    first = ask(scans, tmp_path, folder="/a")
    assert ask(scans, tmp_path, folder="/a") == first
    assert scans.taken == 1
    ask(scans, tmp_path, folder="/a", stamp="other")
    assert scans.taken == 2
    ask(scans, tmp_path, folder="/b")
    assert scans.taken == 3


def test_verify_looks_again(scans, tmp_path):
    ask(scans, tmp_path)
    ask(scans, tmp_path, verify=True)
    assert scans.taken == 2


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"[1, 2]",
    lambda data: data.replace(b'"count": 2', b'"count": 3'),
    lambda data: json.dumps({**json.loads(data), "scan": {"count": 2}}).encode(),
])  # fmt: skip
def test_a_torn_or_edited_manifest_is_made_again(scans, tmp_path, damage):
    expected = ask(scans, tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert ask(scans, tmp_path) == expected
    assert scans.taken == 2
    assert ask(scans, tmp_path) == expected
    assert scans.taken == 2


def test_a_manifest_that_cannot_be_written_costs_only_time(scans, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert ask(scans, in_the_way).count == 2


def test_a_stamp_moves_with_name_size_and_time():
    base = ("a.png", 10, 20)
    others = [("b.png", 10, 20), ("a.png", 11, 20), ("a.png", 10, 21)]
    stamps = {stamp_files([one]) for one in [base, *others]} | {stamp_files([base, base])}
    assert len(stamps) == 5


@pytest.mark.parametrize("path, expected", [
    ("/data/My samples.npz", "My_samples-3f2a91bc"), ("/data/photos.v1/", "photos.v1-3f2a91bc"),
    ("/data/<script>|=1", "script_1-3f2a91bc"), ("/data/..hidden", "hidden-3f2a91bc"),
    ("/", "images-3f2a91bc"), ("/data/" + "x" * 300, "x" * 80 + "-3f2a91bc"),
])  # fmt: skip
def test_a_nameless_folder_is_named_after_path_and_content(path, expected):
    assert default_name(path, "3f2a91bc" + "0" * 56) == expected
