"""One static page per generator: its samples, its extremes, and where every number comes from."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.atomic import replace_file
from bench.leaderboard.board import Board, Cell, Column, Row
from bench.leaderboard.curves import Curve, curves
from bench.leaderboard.differing import flat
from bench.leaderboard.extremes import Extreme, extremes
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import provenance
from bench.leaderboard.panel_file import panel_file, part_anchor
from bench.leaderboard.pictures import Picture
from bench.leaderboard.stored import Stored
from bench.leaderboard.template import render
from bench.leaderboard.tooltip import cell_tooltip, column_tooltip


@dataclass(frozen=True)
class Part:
    """One row of one board, with the records behind it."""

    board: Board
    row: Row
    records: tuple[Stored, ...]

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return part_anchor(self.board.key, self.row.note)

    @property
    def cells(self) -> list[tuple[Column, Cell]]:
        """The columns in which the generator was measured."""
        pairs = zip(self.board.columns, self.row.cells, strict=True)
        return [(column, cell) for column, cell in pairs if cell.measurements]

    @cached_property
    def extremes(self) -> list[Extreme]:
        """Of the first seed: each seed has its own images."""
        return [end for stored in self._first_seed for end in self._ends(stored)]

    def _ends(self, stored: Stored) -> list[Extreme]:
        return extremes(stored, self.board.ends.get(stored.path))

    @cached_property
    def curves(self) -> list[Curve]:
        """Of the first seed."""
        return [curve for stored in self._first_seed for curve in curves(stored)]

    @property
    def identities(self) -> dict[str, str]:
        """Fingerprints of the images, the generator and the backbone."""
        return flat(self._first_seed[0].record.identities) if self.records else {}

    @property
    def _first_seed(self) -> list[Stored]:
        first = min(stored.record.seed for stored in self.records)
        return [stored for stored in self.records if stored.record.seed == first]


@dataclass(frozen=True)
class Panel:
    """Everything about one generator on one dataset."""

    dataset: str
    generator: str
    control: bool
    pictures: tuple[Picture, ...]
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """Its name in NAME.files."""
        return panel_file(self.dataset, self.generator)

    @property
    def strips(self) -> list[Picture]:
        """The pictures of images at the ends of a score, and of their neighbours."""
        ends = [end for part in self.parts for end in part.extremes]
        return [strip.picture for end in ends for _, strip in end.strips]

    @property
    def records(self) -> list[Stored]:
        """Behind all of its numbers, each once, by path."""
        found = {stored.path: stored for part in self.parts for stored in part.records}
        return [found[path] for path in sorted(found)]


def panels(shown: Leaderboard) -> Iterator[Panel]:
    """One per dataset and generator, in the order of their names; each is made when asked for."""
    stored = {record.path: record for record in shown.records}
    pictures: dict[tuple[str, str], list[Picture]] = {}
    for one in shown.pictures:
        pictures.setdefault((one.dataset, one.generator), []).append(one)
    rows: dict[tuple[str, str], list[tuple[Board, Row]]] = {}
    for board in shown.boards:
        for row in board.rows:
            rows.setdefault((board.dataset, row.generator), []).append((board, row))
    for names, found in sorted(rows.items(), key=lambda item: item[0]):
        parts = tuple(_part(board, row, stored) for board, row in found)
        yield Panel(*names, found[0][1].control, tuple(pictures.get(names, ())), parts)


def panel_page(shown: Leaderboard, panel: Panel) -> str:
    """The generator's page, as text."""
    return render(
        "panel.html.j2",
        shown=shown,
        panel=panel,
        provenance=provenance(panel.records),
        command=command,
        cell_tooltip=cell_tooltip,
        column_tooltip=column_tooltip,
    )


def command(stored: Stored) -> str:
    """What re-measures a record, as typed beside the results folder."""
    return f"salon reproduce {shlex.quote(f'results/{stored.path}')}"


def write_panels(folder: Path, shown: Leaderboard) -> None:
    """Make the folder hold these pages and their pictures; pages of earlier ones are removed.

    After `copy_pictures`, which removes all pictures but its own.
    """
    kept = set()
    for panel in panels(shown):
        text = panel_page(shown, panel)
        replace_file(folder / panel.file, text.encode("utf-8", "backslashreplace"))
        kept.add(panel.file)
        for picture in panel.strips:
            replace_file(folder / picture.file, picture.data)
    for path in folder.glob("*-" + "[0-9a-f]" * 8 + ".html"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _part(board: Board, row: Row, stored: dict[str, Stored]) -> Part:
    paths: Sequence[str] = sorted({one.path for cell in row.cells for one in cell.measurements})
    return Part(board, row, tuple(stored[path] for path in paths))
