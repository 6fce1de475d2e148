"""What published checkpoints hold beside their tensors, read as nothing.

Training scripts save their options (argparse.Namespace) and schedules (numpy scalars and arrays)
into the file of the weights. Each such name is answered by a stand-in that keeps nothing, so that
neither numpy nor argparse is asked to rebuild anything, and a file cannot use them.
"""

from collections.abc import Callable

NAMES = (
    "argparse.Namespace",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",  # numpy 1
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",  # numpy 2
    "numpy._core.multiarray._reconstruct",
)


class UnreadObject:
    """Stands for an object of a file that nobody reads."""

    def __new__(cls, *_: object) -> "UnreadObject":
        """Takes what the object was made from."""
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        """Takes what the object held."""


def inert_globals() -> list[Callable | tuple[Callable, str]]:
    """For torch.serialization.safe_globals, around one load."""
    return [(UnreadObject, name) for name in NAMES]
