"""Images that lie on disk as a source: scanned once, bad ones refused or skipped, read by index."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bench.crop import prepare
from bench.datasets.preparation import OnBadImage, Preparation, chosen_rows
from bench.decode import BadImageError, Decoded
from bench.errors import DatasetError
from bench.fingerprint import (
    NO_LABEL,
    ProgressCall,
    Scan,
    combine,
    image_digest,
    in_chunks,
    remembered,
)
from bench.images import ImageSource
from bench.records import digest


class StoredItems(ABC):
    """The images of one split as they lie there, before any is prepared or left out.

    Attributes:
        where: the folder or file, for messages.
        labels: (N,) int64, or None.
        num_classes: how many classes the labels come from, or None.
        ignored: files beside the images that are not images.
    """

    where: str
    labels: Tensor | None = None
    num_classes: int | None = None
    ignored: int = 0

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def name(self, index: int) -> str:
        """The image's name within `where`."""

    @abstractmethod
    def decode(self, index: int) -> Decoded:
        """One image as it is stored.

        Raises:
            BadImageError: with the reason alone.
        """

    def check_whole(self) -> None:  # noqa: B027 - most containers know nothing of their bytes
        """Check what the container itself says of its bytes, once per scan.

        Raises:
            DatasetError: if it is damaged.
        """

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """What is scanned: absolute path and selection, as JSON values."""

    @abstractmethod
    def stamp(self) -> str:
        """See `bench.fingerprint.stamp_files`; of the files before anything of them was read."""

    @abstractmethod
    def changed(self, indices: Sequence[int]) -> str | None:
        """The name of a file with one of these images that is another since; None if none is."""


@dataclass(frozen=True)
class _Seen:
    """What the scan keeps of one image."""

    index: int
    digest: bytes = b""
    size: tuple[int, int] = (0, 0)
    kinds: tuple[str, ...] = ()
    reason: str | None = None  # why it is bad


class StoredImages(ImageSource):
    """The prepared images of one split.

    Args:
        items: the images as they lie there.
        preparation: how to decode and crop them.
        scan: what a look at all of them found.
    """

    def __init__(self, items: StoredItems, preparation: Preparation, scan: Scan) -> None:
        self.items, self.preparation, self.scan = items, preparation, scan
        self.kept = _kept(items, scan, preparation)
        self.num_classes = items.num_classes
        if items.labels is not None:
            self.labels = items.labels[torch.as_tensor(self.kept, dtype=torch.int64)]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width after preparation."""
        return self.scan.height, self.scan.width

    @property
    def counts(self) -> dict[str, int]:
        """Conversions by kind, and images that were skipped or files that are no images."""
        more = {"skipped": len(self.scan.skipped), "ignored": self.items.ignored}
        return self.scan.counts | {kind: count for kind, count in more.items() if count}

    def __len__(self) -> int:
        """How many images were kept and chosen."""
        return len(self.kept)

    def read(self, indices: Sequence[int]) -> Tensor:
        """Decode one after the other; callers read batches in several threads."""
        images = torch.empty(len(indices), 3, self.scan.height, self.scan.width, dtype=torch.uint8)
        for row, index in enumerate(indices):
            images[row] = self._read_one(index)
        return images

    def _read_one(self, index: int) -> Tensor:
        stored = self.kept[index]
        try:
            image = _prepared(self.items, self.preparation, stored)[0]
        except BadImageError as error:
            raise _named(self.items, stored, str(error)) from error
        if image.shape[1:] != (self.scan.height, self.scan.width):
            raise _named(self.items, stored, "has changed since it was hashed; run again.")
        return image

    def refuse_changed(self, indices: Sequence[int]) -> None:
        """By the sizes and times of the files."""
        name = self.items.changed([self.kept[index] for index in indices])
        if name is not None:
            raise DatasetError(
                f"{self.items.where}: {printable(name)} has changed since the job began, as where "
                "a training writes its samples; name a copy that nothing writes to, and run the "
                "command again."
            )

    def content(self) -> dict[str, object]:
        """The fingerprint: pixels after preparation, order and labels; and which rows of those."""
        fingerprint, rows = self.scan.fingerprint, self.preparation.rows
        if rows is None:
            return {"fingerprint": fingerprint}
        drawn = {"of": fingerprint, "rows": rows, "rule": str(self.preparation.rows_rule)}
        return {"fingerprint": digest(drawn), **drawn}

    def image_name(self, index: int) -> str:
        """The file's name within its folder, zip or array."""
        return printable(self.items.name(self.kept[index]))


def open_stored(
    items: StoredItems,
    *,
    preparation: Preparation,
    manifests: Path,
    progress: ProgressCall | None = None,
) -> StoredImages:
    """Scan the images, or take the manifest's word while the files are unchanged.

    Raises:
        DatasetError: for no image, a bad one, or sizes that differ after preparation.
    """
    scan = remembered(
        lambda: scan_images(items, preparation, progress),
        manifests=manifests,
        identity={**items.identity(), **preparation.pixel_settings()},
        stamp=items.stamp(),
        verify=preparation.verify,
    )
    return StoredImages(items, preparation, scan)


def scan_images(
    items: StoredItems, preparation: Preparation, progress: ProgressCall | None = None
) -> Scan:
    """Decode every image once; the first that is refused ends the scan, unless it is skipped."""
    items.check_whole()
    tally = _Tally(items, preparation)
    fingerprint = combine(tally.kept(_look(items, preparation, progress)))
    if tally.first is None:
        raise DatasetError(tally.nothing_left())
    height, width = tally.first.size
    counts = dict(sorted(tally.counts.items()))
    return Scan(fingerprint, tally.count, height, width, counts, tally.skipped)


class _Tally:
    """Adds up what is seen, and lets through what is kept, one image at a time."""

    def __init__(self, items: StoredItems, preparation: Preparation) -> None:
        self.items, self.preparation = items, preparation
        self.first: _Seen | None = None
        self.count = 0
        self.counts: Counter[str] = Counter()
        self.skipped: dict[str, str] = {}

    def kept(self, images: Iterable[_Seen]) -> Iterator[tuple[bytes, int]]:
        """(digest, label) of each image that is kept."""
        labels = self.items.labels
        for seen in images:
            if seen.reason is not None:
                self._refuse_or_skip(seen, seen.reason)
                continue
            self._count(seen)
            yield seen.digest, NO_LABEL if labels is None else int(labels[seen.index])

    def _count(self, seen: _Seen) -> None:
        if self.first is None:
            self.first = seen
        elif seen.size != self.first.size:
            raise _mixed_sizes(self.items, self.first, seen)
        self.count += 1
        self.counts.update(seen.kinds)

    def _refuse_or_skip(self, seen: _Seen, reason: str) -> None:
        if self.preparation.on_bad_image != OnBadImage.skip:
            raise _named(self.items, seen.index, reason)
        self.skipped[self.items.name(seen.index)] = reason

    def nothing_left(self) -> str:
        name, reason = next(iter(self.skipped.items()), ("", ""))
        return (
            f"{self.items.where}: all {len(self.skipped)} images are bad, e.g. "
            f"{printable(name)} {reason}"
        )


def _look(
    items: StoredItems, preparation: Preparation, progress: ProgressCall | None
) -> Iterator[_Seen]:
    def look(indices: Sequence[int]) -> list[_Seen]:
        return [_look_at(items, preparation, index) for index in indices]

    for chunk in in_chunks(look, len(items), workers=preparation.workers, progress=progress):
        yield from chunk


def _look_at(items: StoredItems, preparation: Preparation, index: int) -> _Seen:
    try:
        image, kinds = _prepared(items, preparation, index)
    except BadImageError as error:
        return _Seen(index, reason=str(error))
    return _Seen(index, image_digest(image), (image.shape[1], image.shape[2]), kinds)


def _prepared(
    items: StoredItems, preparation: Preparation, index: int
) -> tuple[Tensor, tuple[str, ...]]:
    decoded = items.decode(index)
    image = prepare(
        decoded.pixels,
        crop=preparation.crop,
        resolution=preparation.resolution,
        filter=preparation.filter,
    )
    return image, decoded.kinds


def _named(items: StoredItems, index: int, reason: str) -> BadImageError:
    return BadImageError(f"{items.where}: {printable(items.name(index))} {reason}")


def _mixed_sizes(items: StoredItems, first: _Seen, other: _Seen) -> DatasetError:
    def size(seen: _Seen) -> str:
        return f"{printable(items.name(seen.index))} is {seen.size[0]}x{seen.size[1]}"

    return DatasetError(
        f"{items.where} mixes image sizes (height x width): {size(first)}, {size(other)}; set "
        "dataset.resolution and dataset.filter (for samples generator.source.resolution and "
        "generator.source.filter), or sort the images."
    )


def _kept(items: StoredItems, scan: Scan, preparation: Preparation) -> Sequence[int]:
    kept: Sequence[int] = range(len(items))
    if scan.skipped:
        kept = [index for index in kept if items.name(index) not in scan.skipped]
    if preparation.rows is None:
        return kept
    chosen = chosen_rows(len(kept), preparation.rows, preparation.rows_rule)
    return [kept[row] for row in chosen]


def printable(name: str) -> str:
    """File names may hold bytes that are no UTF-8; records and terminals cannot."""
    return name.encode("utf-8", "replace").decode()
