"""Images of one array, in memory or mapped, as stored items."""

from collections.abc import Sequence

import numpy as np
import torch

from bench.datasets.class_numbers import class_numbers
from bench.datasets.file_stamps import FileStamps
from bench.datasets.numpy_file import check_sums
from bench.datasets.stored import StoredItems
from bench.decode import Decoded


class ArrayItems(StoredItems):
    """Rows of one uint8 array.

    Args:
        images: (N, 3, H, W), or (N, H, W) for grey.
        labels: (N,) whole numbers, or None.
        num_classes: how many classes there are, or None.
        where: the file or dataset, for messages.
        files: those that the array came from, as they were before it was read; none for data that
            come with a package.
        part: which rows or key of the files these are.
    """

    def __init__(
        self,
        images: np.ndarray,
        *,
        labels: np.ndarray | None,
        num_classes: int | None,
        where: str,
        files: FileStamps = FileStamps(),  # noqa: B008 - frozen
        part: str = "",
    ) -> None:
        self.images, self.num_classes, self.where = images, num_classes, where
        self.files, self.part = files, part
        if labels is not None:
            self.labels = class_numbers(labels, where=where)

    def __len__(self) -> int:
        """N."""
        return len(self.images)

    def name(self, index: int) -> str:
        """The row's number."""
        return str(index)

    def decode(self, index: int) -> Decoded:
        """A copy of one row; grey becomes three equal channels."""
        image = self.images[index]
        if image.ndim == 2:
            grey = np.broadcast_to(image, (3, *image.shape))
            return Decoded(torch.from_numpy(np.array(grey)), ("grey",))
        return Decoded(torch.from_numpy(np.array(image)))

    def check_whole(self) -> None:
        """An npz knows a checksum of each array; mapping one into memory does not look at it."""
        for path in self.files.paths:
            if path.suffix.lower() == ".npz":
                check_sums(path)

    def identity(self) -> dict[str, object]:
        """The files' absolute paths and the part taken of them."""
        return {"array": [str(path.absolute()) for path in self.files.paths], "part": self.part}

    def stamp(self) -> str:
        """Of the files."""
        return self.files.stamp()

    def changed(self, indices: Sequence[int]) -> str | None:
        """Any of the files: each holds all rows."""
        path = self.files.changed()
        return None if path is None else path.name
