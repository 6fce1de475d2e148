"""Whether the committed files of a leaderboard are what its records give, and where not."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MOST = 20  # places named per file
KEY = ("path", "score")  # of a row of the long CSV
WIDE_KEY = ("board", "generator", "note", "reported")


def drift(fresh: Path, committed: Path) -> list[str]:
    """One line per file that is absent, differs or does not belong, and below it the cells.

    Args:
        fresh: a folder of nothing but a leaderboard's files, just written from the records.
        committed: where the committed ones are; beside them only files of the leaderboard's own
            sub-folders can be too many.

    Returns:
        The lines; none where every file is the same, byte for byte.
    """
    expected = {path.relative_to(fresh).as_posix(): path for path in _files(fresh)}
    lines = [line for name in sorted(expected) for line in _lines(name, fresh, committed)]
    folders = sorted({name.split("/")[0] for name in expected if "/" in name})
    kept = [path for folder in folders for path in _files(committed / folder)]
    names = [path.relative_to(committed).as_posix() for path in kept]
    return lines + [f"{name}: not of this leaderboard" for name in names if name not in expected]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _lines(name: str, fresh: Path, committed: Path) -> Iterator[str]:
    expected = (fresh / name).read_bytes()
    try:
        kept = (committed / name).read_bytes()
    except OSError:
        yield f"{name}: absent"
        return
    if kept == expected:
        return
    yield f"{name}: differs from what the records give"
    places = list(_places(name, expected, kept))
    yield from (f"  {place}" for place in places[:MOST])
    if len(places) > MOST:
        yield f"  and {len(places) - MOST} more"


def _places(name: str, expected: bytes, committed: bytes) -> Iterator[str]:
    """Cells of the CSV files, keys of the JSON, line numbers of other text; nothing of pictures."""
    try:
        fresh, kept = expected.decode(), committed.decode()
        if name.endswith(".csv"):
            key = WIDE_KEY if name.endswith(".wide.csv") else KEY
            found = list(_differing(_cells(fresh, key), _cells(kept, key)))
        elif name.endswith(".json"):
            found = list(_differing(dict(_flat(json.loads(fresh))), dict(_flat(json.loads(kept)))))
        else:
            found = []
    except (ValueError, KeyError, TypeError, csv.Error):
        found = []
    text = name.endswith((".csv", ".json", ".md", ".tex", ".html"))
    yield from found or (_differing_lines(expected, committed) if text else ())


def _cells(text: str, key: tuple[str, ...]) -> dict[str, str]:
    """Row and column, in words, -> text of every cell."""
    return {
        f"{' '.join(row[part] or '-' for part in key)}, {name}": repr(value)
        for row in csv.DictReader(io.StringIO(text))
        for name, value in row.items()
    }


def _flat(content: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for name, item in content.items():
            yield from _flat(item, f"{place}.{name}" if place else name)
    elif isinstance(content, list):
        for at, item in enumerate(content):
            yield from _flat(item, f"{place}[{at}]")
    else:
        yield place, json.dumps(content)


def _differing(fresh: Mapping[str, str], kept: Mapping[str, str]) -> Iterator[str]:
    for place in dict.fromkeys([*fresh, *kept]):
        if fresh.get(place) != kept.get(place):
            yield f"{place}: committed {_text(kept, place)}, records give {_text(fresh, place)}"


def _text(cells: Mapping[str, str], place: str) -> str:
    return cells.get(place, "nothing")


def _differing_lines(expected: bytes, committed: bytes) -> Iterator[str]:
    fresh, kept = expected.split(b"\n"), committed.split(b"\n")
    for number in range(max(len(fresh), len(kept))):
        if fresh[number : number + 1] != kept[number : number + 1]:
            yield f"line {number + 1}"
