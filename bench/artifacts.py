"""What lies beside a record: per-image scores as CSV, and a picture of the first images."""

import csv
import hashlib
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from bench.atomic import create_file, replace_file
from bench.beside import Artifact, described
from bench.errors import DamagedRecordError, StoreError
from bench.records import read_record
from bench.regular_file import OddFileError, regular_size
from bench.spreadsheet import spreadsheet_safe
from metrics.metric import Outcome

SIDES = ("real", "fake")
NEAREST = "nearest_real"
GRID_COLUMNS = 6
GRID_PIXELS = 384  # at most, along the longer side of the grid


def keep(record: Path, path: Path, data: bytes) -> Artifact:
    """Write a file beside a record, unless it is there, or is what a sound record knows.

    Two jobs may measure one record at a time, and differ in last bits: the file stays that of the
    record. A file that no record knows is of an attempt that ended early, or was damaged.

    Returns:
        How the record knows the file again.

    Raises:
        StoreError: if the disk is full, the folder cannot be written, or that file not be read.
    """
    if create_file(path, data):
        return described(path.name, data)
    mine = described(path.name, data)
    if _is_there(path, mine):
        return mine
    for one in _known(record):
        if _is_there(path, one):
            return one
    replace_file(path, data)
    return mine


def are_there(record: Path, artifacts: Mapping[str, Artifact]) -> bool:
    """Whether every file beside a record is the one that the record knows."""
    return all(_is_there(record.with_name(one["file"]), one) for one in artifacts.values())


def _known(record: Path) -> list[Artifact]:
    if not record.exists():
        return []
    try:
        known = read_record(record).artifacts
    except DamagedRecordError:
        return []
    return [one for one in known.values() if isinstance(one, dict)]


def _is_there(path: Path, known: Artifact) -> bool:
    """Whether the path holds the file that is known; what is no file is not it, and not read."""
    try:
        if known.get("file") != path.name or regular_size(path) != known.get("size"):
            return False
        return described(path.name, path.read_bytes()) == known
    except (FileNotFoundError, OddFileError):
        return False
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def write_per_image(
    record: Path, outcome: Outcome, names: Mapping[str, Callable[[int], str]]
) -> dict[str, Artifact]:
    """<record>.images.csv: image, side, one column per per-image score; empty where undefined.

    Where the metric knows it, `nearest_real` names the real image nearest to each fake. A name
    that a spreadsheet would run is shielded, as in the leaderboard's CSV.

    Returns:
        {"images": the file}, or nothing where the metric scores no single images.
    """
    cells = {side: _cells(outcome, side, names) for side in SIDES}
    heads = sorted({column for columns in cells.values() for column in columns})
    if not heads:
        return {}
    rows = (row for side in SIDES for row in _rows(cells[side], side, heads, names[side]))
    return {"images": _write_csv(record, "images", ["image", "side", *heads], rows)}


def _cells(
    outcome: Outcome, side: str, names: Mapping[str, Callable[[int], str]]
) -> dict[str, list[str]]:
    """Column name -> its cells on one side."""
    columns = {
        name: [cell_text(value, name) for value in values.tolist()]
        for name, values in outcome.per_image.get(side, {}).items()
    }
    if side == "fake" and outcome.nearest_real is not None:
        near = outcome.nearest_real.tolist()
        columns[NEAREST] = [spreadsheet_safe(names["real"](index)) for index in near]
    return columns


def _rows(
    columns: Mapping[str, list[str]], side: str, heads: Sequence[str], name: Callable[[int], str]
) -> Iterator[list[str]]:
    for row in range(len(next(iter(columns.values()), []))):
        known = (columns[head][row] if head in columns else "" for head in heads)
        yield [spreadsheet_safe(name(row)), side, *known]


def write_curves(record: Path, outcome: Outcome) -> dict[str, Artifact]:
    """<record>.<curve>.csv: one column per column of the curve.

    Returns:
        {"curve.<name>": the file} for each curve.
    """
    return {
        f"curve.{name}": _write_csv(record, name, list(columns), _curve_rows(columns))
        for name, columns in outcome.curves.items()
    }


def _curve_rows(columns: Mapping[str, Tensor]) -> Iterator[list[str]]:
    for values in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield [cell_text(value) for value in values]


def _write_csv(
    record: Path, kind: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> Artifact:
    """<record>.<kind>.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return keep(record, record.with_suffix(f".{kind}.csv"), text.getvalue().encode())


def write_grid(record: Path, images: Tensor) -> dict[str, Artifact]:
    """grid-<content>.png: the first images, six in a row, beside the record.

    Args:
        record: the record's path.
        images: uint8 (n, 3, H, W).

    Returns:
        {"grid": the file}.
    """
    data = _png(images)
    path = record.with_name(f"grid-{hashlib.sha256(data).hexdigest()[:8]}.png")
    return {"grid": keep(record, path, data)}


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


def cell_text(value: float | int, column: str = "") -> str:
    """All digits of a score; influences feed standard errors only, and seven digits will do."""
    if math.isnan(value):
        return ""
    return f"{value:.7g}" if column.endswith("_influence") else repr(value)
