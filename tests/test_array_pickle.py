"""Pickles of arrays: what numpy writes is read, and a file decides nothing."""

import io
import pickle
import pickletools
import tracemalloc

import numpy as np
import pytest

from bench.datasets.array_pickle import dump_arrays, load_arrays
from bench.errors import DatasetError

CUBE = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
ARRAYS = {
    "c": CUBE,
    "fortran": np.asfortranarray(CUBE),
    "strided": CUBE[:, ::2],
    "permuted": CUBE.transpose(1, 0, 2),
    "big endian": CUBE.astype(">f8"),
    "bytes": CUBE.astype(np.uint8),
    "half": CUBE.astype(np.float16),
    "bool": CUBE > 3,
    "empty": np.zeros((0, 5), np.float32),
    "number": np.array(3.5),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_numpy_pickles_is_read(protocol, array):
    found = load_arrays(pickle.dumps({"a": [array, 1]}, protocol=protocol), where="x")["a"][0]
    assert found.dtype == array.dtype and found.flags.writeable
    np.testing.assert_array_equal(found, array, strict=True)


def test_the_module_names_of_numpy_1_are_read():
    data = pickle.dumps(CUBE, protocol=2).replace(b"numpy._core.", b"numpy.core.")
    assert np.array_equal(load_arrays(data, where="x"), CUBE)


def dumped(content):
    file = io.BytesIO()
    dump_arrays(content, file)
    return file.getvalue()


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_what_is_written_is_read_by_pickle_and_by_us(array):
    data = dumped({"n": 3, "fid": {"mu": array}})
    for found in (pickle.loads(data), load_arrays(data, where="x")):
        assert found["n"] == 3
        np.testing.assert_array_equal(found["fid"]["mu"], array, strict=True)


def test_what_is_written_names_nothing_that_some_numpy_lacks():
    strings = [word for _, word, _ in pickletools.genops(dumped([CUBE])) if isinstance(word, str)]
    assert strings == ["numpy", "ndarray", "<f8"]


class Made:
    """Pickled as a call."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


POINTER = b"\x01" * 8
FORGED = (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)  # an object, flagged as none
HOSTILE = {
    "pointers": Made(np.ndarray, ((1,), "O", POINTER)),
    "pointers in a record": Made(np.ndarray, ((1,), Made(np.dtype, ("V8",), FORGED), POINTER)),
    "objects": np.array([{}], dtype=object),
    "records": np.zeros(2, dtype=[("a", "f4")]),
    "text": np.array(["a"]),
    "longer than its bytes": Made(np.ndarray, ((2,), "<f8", POINTER)),
    "an offset": Made(np.ndarray, ((1,), "<f8", POINTER, 4)),
    "bytes from elsewhere": Made(np.ndarray, ((1,), "<f8", 5)),
    "a call": Made(open, ("canary", "w")),
    "a name": np.load,
    "the name of an array": np.ndarray,
    "a set": {1, 2},
    "a name as a key": {np.ndarray: 1},
    "items set in an array": Made(np.ndarray, ((1,), "<f8", POINTER), None, None, iter([(0, 1)])),
    "items added to an array": Made(np.ndarray, ((1,), "<f8", POINTER), None, iter([1])),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_pickle_that_wants_more_than_numbers_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match=r"x is not a pickle of plain arrays.*Nothing was run"):
        load_arrays(pickle.dumps(content, protocol=4), where="x")
    assert not list(tmp_path.iterdir())


def test_one_thing_named_very_often_is_made_once():
    nested = [CUBE]
    for _ in range(60):
        nested = [nested, nested]
    found = load_arrays(pickle.dumps(nested, protocol=4), where="x")
    assert found[0] is found[1]


def test_bytes_in_another_spelling_than_numpys_are_refused():
    spelled = pickle.dumps(b"\xe9", protocol=2)
    assert load_arrays(spelled, where="x") == b"\xe9"
    with pytest.raises(DatasetError, match="bytes as 'utf-8'"):
        load_arrays(spelled.replace(b"\x06\x00\x00\x00latin1", b"\x05\x00\x00\x00utf-8"), where="x")


CHANGES = {  # by hand: get numpy.ndarray, then set its attribute a, in both of the ways there are
    "through its dict": b"\x80\x04cnumpy\nndarray\n}\x8c\x01aK\x01sb.",
    "through slots": b"\x80\x04cnumpy\nndarray\nN}\x8c\x01aK\x01s\x86b.",
}


@pytest.mark.parametrize("data", CHANGES.values(), ids=CHANGES)
def test_a_pickle_cannot_change_how_the_next_one_is_read(data):
    with pytest.raises(DatasetError, match="Nothing was run"):
        load_arrays(data, where="x")


HUGE = {
    "a place in the memo": b"\x80\x04Nr\xff\xff\xff\x7f.",
    "such a place in words": b"Np2147483647\n.",
    "bytes to be changed": b"\x80\x05\x96" + (2**34).to_bytes(8, "little") + b"ab.",
}


@pytest.mark.parametrize("data", HUGE.values(), ids=HUGE)
def test_a_few_bytes_cannot_set_gigabytes_aside(data):
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=r"place 2147483647|expected \d+ bytes"):
            load_arrays(data, where="x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_a_truncated_pickle_is_refused():
    with pytest.raises(DatasetError, match="Nothing was run; copy it again"):
        load_arrays(dumped([CUBE])[:-40], where="x")
