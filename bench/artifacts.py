"""What lies beside a record: per-image scores as CSV, and a picture of the first images."""

import csv
import hashlib
import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from bench.atomic import create_file
from metrics.metric import Outcome

SIDES = ("real", "fake")
GRID_COLUMNS = 6
GRID_PIXELS = 384  # at most, along the longer side of the grid


def write_per_image(
    record: Path, outcome: Outcome, names: Mapping[str, Callable[[int], str]]
) -> dict[str, str]:
    """<record>.images.csv: image, side, one column per per-image score; empty where undefined.

    Returns:
        {"images": file name}, or nothing where the metric scores no single images.
    """
    columns = sorted({column for side in outcome.per_image.values() for column in side})
    if not columns:
        return {}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "side", *columns])
    for side in SIDES:
        values = outcome.per_image.get(side, {})
        rows = len(next(iter(values.values()))) if values else 0
        for row in range(rows):
            cells = [_cell(values[c][row].item()) if c in values else "" for c in columns]
            writer.writerow([names[side](row), side, *cells])
    path = record.with_suffix(".images.csv")
    create_file(path, text.getvalue().encode())  # as the record: the first job's counts
    return {"images": path.name}


def write_grid(record: Path, images: Tensor) -> dict[str, str]:
    """grid-<content>.png: the first images, six in a row, beside the record.

    Args:
        record: the record's path.
        images: uint8 (n, 3, H, W).

    Returns:
        {"grid": file name}.
    """
    data = _png(images)
    path = record.with_name(f"grid-{hashlib.sha256(data).hexdigest()[:8]}.png")
    create_file(path, data)
    return {"grid": path.name}


def _png(images: Tensor) -> bytes:
    count, _, height, width = images.shape
    rows = math.ceil(count / GRID_COLUMNS)
    sheet = np.full((rows * height, GRID_COLUMNS * width, 3), 255, np.uint8)
    for index, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        top, left = divmod(index, GRID_COLUMNS)
        sheet[top * height : (top + 1) * height, left * width : (left + 1) * width] = image
    picture = Image.fromarray(sheet)
    picture.thumbnail((GRID_PIXELS, GRID_PIXELS), Image.Resampling.BOX)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _cell(value: float) -> str:
    return "" if math.isnan(value) else repr(value)
