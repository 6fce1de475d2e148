"""Pictures of the generated images at the ends of each per-image score, and of their neighbours."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bench.artifacts import cell_text, keep
from bench.beside import Artifact
from bench.ends import columns_with_ends, ends
from metrics.metric import Better, Outcome

PIXELS = 64  # at most, along the longer side of a thumbnail


def write_extremes(
    record: Path,
    outcome: Outcome,
    better: Mapping[str, Better],
    read: Callable[[Sequence[int]], Tensor],
) -> dict[str, Artifact]:
    """<record>.extremes.png: for each column with ends a row of the lowest, a row of the highest.

    The columns are sorted, the utmost image is on the left. A live generator makes the images
    once more, from their seeds.

    Args:
        record: the record's path.
        outcome: what the metric measured.
        better: of its scores.
        read: gives the generated images of these indices, uint8 (n, 3, H, W).

    Returns:
        {"extremes": the file}, or nothing where no column has ends.
    """
    return _write_sheet(record, "extremes", _rows(outcome, better), read)


def write_nearest(
    record: Path,
    outcome: Outcome,
    better: Mapping[str, Better],
    read: Callable[[Sequence[int]], Tensor],
) -> dict[str, Artifact]:
    """<record>.nearest.png: row by row the real images nearest to those of <record>.extremes.png.

    Args:
        record: the record's path.
        outcome: what the metric measured.
        better: of its scores.
        read: gives the real images of these indices, uint8 (n, 3, H, W).

    Returns:
        {"nearest": the file}, or nothing where no column has ends or no neighbour is known.
    """
    if outcome.nearest_real is None:
        return {}
    nearest = outcome.nearest_real.tolist()
    rows = [[nearest[index] for index in row] for row in _rows(outcome, better)]
    return _write_sheet(record, "nearest", rows, read)


def _write_sheet(
    record: Path, kind: str, rows: Sequence[Sequence[int]], read: Callable[[Sequence[int]], Tensor]
) -> dict[str, Artifact]:
    """Thumbnails of these images as <record>.<kind>.png; returns {kind: the file} or nothing."""
    if not rows:
        return {}
    indices = sorted({index for row in rows for index in row})
    thumbnails = dict(zip(indices, map(_thumbnail, read(indices)), strict=True))
    sheet = np.concatenate(
        [np.concatenate([thumbnails[index] for index in row], axis=1) for row in rows]
    )
    encoded = io.BytesIO()
    Image.fromarray(sheet).save(encoded, "PNG", optimize=True)
    return {kind: keep(record, record.with_suffix(f".{kind}.png"), encoded.getvalue())}


def _rows(outcome: Outcome, better: Mapping[str, Better]) -> list[list[int]]:
    """Image indices, two rows a column; from the values as the table beside the record has them."""
    columns = outcome.per_image.get("fake", {})
    found = [
        ends(np.array([float(cell_text(one, name) or "nan") for one in columns[name].tolist()]))
        for name in columns_with_ends(columns, {name: one.value for name, one in better.items()})
    ]
    return [row for pair in found if pair for row in pair]


def _thumbnail(image: Tensor) -> NDArray[np.uint8]:
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    picture.thumbnail((PIXELS, PIXELS), Image.Resampling.BOX)
    return np.asarray(picture)
