"""What a zip says of its members is not believed: neither sizes, nor checksums, nor headers."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.datasets.arrays import ImageArray
from bench.datasets.features import read_features
from bench.datasets.members import FAULTS, read_member
from bench.datasets.numpy_file import check_sums, read_npz
from bench.datasets.zip import ImageZip
from bench.decode import BadImageError
from bench.errors import DatasetError

MB = 1 << 20
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
METHODS = pytest.mark.parametrize("method", [STORED, DEFLATED])


def packed(path, name, data, method, declared=None, checked=None):
    """A zip of one member whose tables say `declared` bytes, with the checksum of `checked`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, data)
    written = bytearray(path.read_bytes())
    central = written.rindex(b"PK\x01\x02")
    for crc, size in [(14, 22), (central + 16, central + 24)]:
        if checked is not None:
            struct.pack_into("<I", written, crc, zlib.crc32(checked))
        if declared is not None:
            struct.pack_into("<I", written, size, declared)
    path.write_bytes(written)
    return path


def only_member(path):
    with zipfile.ZipFile(path) as archive:
        return read_member(archive, archive.infolist()[0])


def peak_of(call):
    """Bytes at the most while a call runs that must fail."""
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError) as caught:
            call()
        assert "\n" not in str(caught.value) and caught.value.code == 3
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@METHODS
@pytest.mark.parametrize("size", [0, 1, MB, MB + 1, 3 * MB])
def test_an_honest_member_is_read_whole(tmp_path, method, size):
    data = np.random.default_rng(0).bytes(size)
    assert only_member(packed(tmp_path / "a.zip", "a", data, method)) == data


@METHODS
def test_a_member_that_is_longer_or_shorter_than_it_declares_is_refused(tmp_path, method):
    data = np.random.default_rng(0).bytes(5000)
    for declared in (4999, 1000, 0, 5001, 9000):
        path = packed(tmp_path / "a.zip", "a", data, method, declared, data[:declared])
        with pytest.raises(FAULTS):
            only_member(path)


def test_a_long_member_whose_checksum_fits_its_beginning_is_not_cut_to_it(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(file, "PNG")
    image = file.getvalue()
    path = packed(tmp_path / "a.zip", "a.png", image + b"more", DEFLATED, len(image), image)
    with pytest.raises(BadImageError, match=r"a\.png cannot be unpacked"):
        ImageZip(path=str(path)).open("all", manifests=tmp_path / "m")


def test_an_image_takes_no_more_memory_than_it_declares(tmp_path):
    path = packed(tmp_path / "a.zip", "a.png", bytes(64 * MB), DEFLATED, 1000)
    dataset = ImageZip(path=str(path), workers=1)
    assert peak_of(lambda: dataset.open("all", manifests=tmp_path / "m")) < 8 * MB


def test_an_array_takes_no_more_memory_than_it_declares(tmp_path):
    start = npy(np.zeros((10, 4), np.float32))
    path = packed(tmp_path / "a.npz", "a.npy", start + bytes(64 * MB), DEFLATED, len(start))
    assert peak_of(lambda: read_npz(path, "a")) < 8 * MB
    assert peak_of(lambda: check_sums(path)) < 8 * MB


@pytest.mark.parametrize("method, name", [
    (zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma"),
])  # fmt: skip
def test_methods_whose_output_has_no_limit_are_refused(tmp_path, method, name):
    path = packed(tmp_path / "a.zip", "a.png", bytes(64 * MB), method, 1000)
    match = rf"a\.zip: a\.png is packed by {name}, expected stored or deflated"
    with pytest.raises(DatasetError, match=match):
        ImageZip(path=str(path)).open("all", manifests=tmp_path / "m")
    path = packed(tmp_path / "a.npz", "a.npy", npy(np.zeros((10, 4), np.float32)), method)
    for call in (lambda: read_npz(path, "a"), lambda: check_sums(path)):
        with pytest.raises(DatasetError, match=rf"packed by {name}.*np\.savez"):
            call()


@METHODS
@pytest.mark.parametrize("version, length", [(1, "<H"), (2, "<I")])
def test_a_long_header_is_refused_before_it_is_read(tmp_path, method, version, length):
    size = 60_000 if version == 1 else 64 * MB
    head = b"\x93NUMPY" + bytes([version, 0]) + struct.pack(length, size)
    path = packed(tmp_path / "a.npz", "a.npy", head + b" " * size, method)
    assert peak_of(lambda: read_npz(path, "a")) < MB
    with pytest.raises(DatasetError, match=rf"its header has {size:,} bytes, the limit is 10,000"):
        read_npz(path, "a")


@METHODS
def test_one_flipped_bit_in_a_feature_file_is_found(tmp_path, method):
    data = bytearray(npy(np.ones((64, 4), np.float32)))
    sound = bytes(data)
    data[133] ^= 0x10  # 1.0 becomes 1.0005
    path = packed(tmp_path / "a.npz", "features.npy", bytes(data), method, checked=sound)
    with pytest.raises(DatasetError, match=r"a\.npz: the checksum of features\.npy differs"):
        read_features(str(path))


def test_the_suffix_in_capitals_hides_no_flipped_bit(tmp_path):
    images = npy(np.zeros((2, 4, 4, 3), np.uint8))
    path = packed(tmp_path / "a.NPZ", "arr_0.npy", images[:-1] + b"\1", STORED, checked=images)
    with pytest.raises(DatasetError, match=r"checksum of arr_0\.npy differs"):
        ImageArray(path=str(path)).open("all", manifests=tmp_path / "m")


def test_an_encrypted_array_is_named(tmp_path):
    path = packed(tmp_path / "a.npz", "features.npy", npy(np.zeros((2, 2))), STORED)
    written = bytearray(path.read_bytes())
    written[6] |= 1
    written[written.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(written)
    with pytest.raises(DatasetError, match=r"features\.npy.*encrypted"):
        read_features(str(path))
