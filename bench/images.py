"""The image contract: uint8 (n, 3, H, W), RGB, 0..255, read by index."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor


class ImageSource(ABC):
    """A finite or countable row of images.

    Attributes:
        labels: (N,) int64 classes, or None.
        num_classes: how many classes the labels come from, or None.
        live: whether images are made on demand, without end.
        counts: what was converted or left out, e.g. {"grey": 1797, "skipped": 2}; it goes into
            the record.
    """

    labels: Tensor | None = None
    num_classes: int | None = None
    live: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of every image; None where an image would have to be made to know."""
        return None

    @property
    def counts(self) -> dict[str, int]:
        """Conversions and skipped images, by kind; empty where there were none."""
        return {}

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are; `sys.maxsize` for a live generator."""

    @abstractmethod
    def read(self, indices: Sequence[int]) -> Tensor:
        """The images of these indices, uint8 (n, 3, H, W). Safe to call from several threads."""

    def ready(self) -> None:  # noqa: B027 - stored images need nothing
        """Load what reading needs, so that what is broken is found before expensive work."""

    def refuse_changed(self, indices: Sequence[int]) -> None:  # noqa: B027 - most cannot change
        """Called once these images have been read, before anything made of them is kept.

        Raises:
            DatasetError: if a file is no longer what its fingerprint was taken of.
        """

    @abstractmethod
    def content(self) -> dict[str, object]:
        """What the pixels and labels depend on, as plain JSON values, never a path.

        Equal content means equal images: this goes into cache keys and records. A stored source
        gives {"fingerprint": sha256}; a live one its checkpoint's sha256, seed and settings.
        """

    def labels_of(self, indices: Sequence[int]) -> Tensor | None:
        """Classes of these images, (n,) int64, or None where there are none."""
        return None if self.labels is None else self.labels[torch.tensor(list(indices)).long()]

    def image_name(self, index: int) -> str:
        """A name that a person can find the image by: the file's, or the index."""
        return str(index)
