"""Pickles of numpy arrays and plain values: read without running anything, and written plainly.

numpy's own classes are unsafe in the hands of a pickle: `numpy.ndarray((1,), "O", bytes)` makes an
array of pointers of the file's choice. So the names that arrays are pickled by are answered by
stand-ins, which keep what they are given; numpy is asked once all of it is known to be plain
numbers.
"""

import io
import pickle
import pickletools
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from bench.errors import DatasetError

PLAIN = (str, bytes, bool, int, float, type(None))
MEMO = ("PUT", "BINPUT", "LONG_BINPUT")
NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")


def load_arrays(data: bytes, *, where: str) -> Any:
    """Unpickle, with byte strings as bytes, and every array of numbers as one that may be changed.

    Raises:
        DatasetError: for a pickle that names anything but numpy's array parts, or a damaged one.
    """
    try:
        _check_sizes(data)
        return _with_arrays(_ArrayUnpickler(io.BytesIO(data), encoding="bytes").load(), {})
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DatasetError(
            f"{where} is not a pickle of plain arrays: {error}. Nothing was run; copy it again."
        ) from error


def _check_sizes(data: bytes) -> None:
    """Refuse eight bytes that would make the reader set gigabytes aside.

    The memo is an array as long as its largest index, whatever a file calls that; `genops` refuses
    strings that are longer than the file.
    """
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in MEMO and int(argument or 0) > len(data):
            raise pickle.UnpicklingError(f"it keeps something in place {argument}")


def dump_arrays(content: Any, file: BinaryIO) -> None:
    """Pickle so that every numpy reads it: numpy 1 lacks the module that numpy 2 names."""
    _ArrayPickler(file, protocol=4).dump(content)


class _ArrayPickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return NotImplemented
        return np.ndarray, (value.shape, value.dtype.str, value.tobytes())


class _Dtype:
    """Numbers of one kind; the state that a pickle gives it can tell their byte order alone."""

    def __init__(self, name: Any) -> None:
        self.name = _text(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, *parts = state
        if any(part is not None for part in parts[:3]):
            raise pickle.UnpicklingError("an array of records")
        self.name = _text(order) + self.name.lstrip("<>|=")

    def number(self) -> np.dtype:
        if not NUMBERS.fullmatch(self.name):
            raise pickle.UnpicklingError(f"an array of {self.name!r}, which is no number")
        return np.dtype(self.name)


@dataclass
class _Array:
    """What a pickle says of an array, until it is made."""

    shape: Any = None
    dtype: Any = None
    data: Any = b""
    order: str = "C"
    axes: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, fortran, self.data = state
        self.order = "F" if fortran else "C"

    def array(self) -> np.ndarray:
        dtype = self.dtype if isinstance(self.dtype, _Dtype) else _Dtype(self.dtype)
        if not isinstance(self.data, bytes | bytearray):
            raise pickle.UnpicklingError("an array whose content is no byte string")
        numbers = np.frombuffer(self.data, dtype.number())
        if self.order == "K":  # lies in memory as the axes say
            shaped = numbers.reshape(self.shape).transpose(self.axes)
        else:
            shaped = numbers.reshape(self.shape, order=self.order)  # type: ignore[call-overload]
        return shaped.copy(order="K")


class _Maker:
    """Answers a name of the pickle; without attributes, so that no file can change it."""

    __slots__ = ()


class _Reconstruct(_Maker):
    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _MakeDtype(_Maker):
    __slots__ = ()

    def __call__(self, name: Any, *_: Any) -> _Dtype:
        return _Dtype(name)


class _Whole(_Maker):
    __slots__ = ()

    def __call__(self, shape: Any, dtype: Any, data: Any) -> _Array:
        return _Array(shape, dtype, data)


class _FromBuffer(_Maker):
    __slots__ = ()

    def __call__(self, data: Any, dtype: Any, shape: Any, order: str, axes: Any = None) -> _Array:
        return _Array(shape, dtype, data, order, axes)


class _Encode(_Maker):
    """How protocol 2 spells bytes."""

    __slots__ = ()

    def __call__(self, text: str, codec: str) -> bytes:
        if codec != "latin1":
            raise pickle.UnpicklingError(f"bytes as {codec!r}")
        return text.encode("latin1")


class _NoBytes(_Maker):
    """How protocol 2 spells no bytes: a call of `bytes`."""

    __slots__ = ()

    def __call__(self) -> bytes:
        return b""


MAKERS: dict[tuple[str, str], _Maker] = {
    ("numpy", "ndarray"): _Whole(),
    ("numpy", "dtype"): _MakeDtype(),
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy.core.numeric", "_frombuffer"): _FromBuffer(),  # of protocol 5
    ("_codecs", "encode"): _Encode(),
    ("__builtin__", "bytes"): _NoBytes(),
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        maker = MAKERS.get((module.replace("numpy._core.", "numpy.core."), name))
        if maker is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return maker


def _with_arrays(content: Any, made: dict[int, Any]) -> Any:
    """The same with arrays in the place of stand-ins, in lists, tuples and values of dicts.

    Args:
        content: what was read, all of which lives as long as the call.
        made: id -> what was made of it: a few bytes can name one thing a billion times.
    """
    if isinstance(content, PLAIN):
        return content
    if id(content) not in made:
        made[id(content)] = _remade(content, made)
    return made[id(content)]


def _remade(content: Any, made: dict[int, Any]) -> Any:
    if isinstance(content, _Array):
        return content.array()
    if isinstance(content, list | tuple):
        return type(content)(_with_arrays(value, made) for value in content)
    if isinstance(content, dict) and all(isinstance(key, PLAIN) for key in content):
        return {key: _with_arrays(value, made) for key, value in content.items()}
    raise pickle.UnpicklingError("something else than arrays and plain values")


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)
