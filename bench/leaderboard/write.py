"""Writes a leaderboard's files: whole or not at all, and byte-identical from equal records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.atomic import replace_file
from bench.errors import CellsFailedError, ConfigError, SalonError, StoreError
from bench.leaderboard.csv_files import csv_text
from bench.leaderboard.culprits import without_culprits
from bench.leaderboard.json_file import json_text
from bench.leaderboard.latex import latex
from bench.leaderboard.leaderboard import Leaderboard, Options, leaderboard
from bench.leaderboard.load import Reading, read_results
from bench.leaderboard.markdown import markdown
from bench.leaderboard.page import page
from bench.leaderboard.panel import write_panels
from bench.leaderboard.pictures import copy_pictures
from bench.leaderboard.stored import LeftOut
from bench.leaderboard.wide import wide_csv

FORMATS: dict[str, Callable[[Leaderboard], str]] = {
    ".csv": csv_text,
    ".wide.csv": wide_csv,
    ".md": markdown,
    ".tex": latex,
    ".json": json_text,
    ".html": page,
}


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        written: the files.
        num_records: good records behind them.
        left_out: files that no table uses.
        unfit: files beside records that could not be used.
        misordered: for each table with such columns, how many prefer a control to held-out images.
        code: the exit code: 8 where there are such files under `strict`, else 0.
    """

    written: Sequence[Path]
    num_records: int
    left_out: Sequence[LeftOut]
    unfit: Sequence[LeftOut]
    misordered: Sequence[str]
    code: int


def write_all(
    results: Path,
    out: Path,
    name: str,
    strict: bool,
    options: Options | None = None,
    *,
    plots: bool = False,
) -> Report:
    """Write OUT/NAME.csv, .wide.csv, .md, .tex, .json, .html and the pictures in OUT/NAME.files.

    Args:
        results: the folder that holds runs/.
        out: where the files go; made if absent.
        name: of the files, without an ending.
        strict: whether a file that was left out or is unfit is a failure.
        options: what is shown beyond the default.
        plots: whether the figures are written too, into OUT/NAME.plots.

    Raises:
        ConfigError: if the name is not one plain file name.
        StoreError: if there are no records, or the files cannot be written.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise ConfigError(f"name={name!r} is not a plain file name; type for instance name=demo.")
    reading = read_results(results)
    _refuse_nothing(results, reading)
    task = _Task(name, options, plots)
    try:
        shown, written = task.write(reading, out)
    except SalonError:
        raise
    except Exception:  # a foreign record that no check has found
        reading = without_culprits(reading, task.try_out)
        shown, written = task.write(reading, out)
    code = CellsFailedError.code if strict and (reading.left_out or shown.unfit) else 0
    return Report(
        written, len(reading.records), reading.left_out, shown.unfit, _misordered(shown), code
    )


@dataclass(frozen=True)
class _Task:
    name: str
    options: Options | None
    plots: bool

    def write(self, reading: Reading, out: Path) -> tuple[Leaderboard, list[Path]]:
        shown = leaderboard(self.name, reading, self.options)
        written = _write(shown, out)
        if self.plots:
            from bench.leaderboard.plots import write_plots  # matplotlib takes a second to import

            written += write_plots(shown, out / f"{self.name}.plots")
        return shown, written

    def try_out(self, reading: Reading) -> None:
        with TemporaryDirectory() as folder:
            self.write(reading, Path(folder))


def _refuse_nothing(results: Path, reading: Reading) -> None:
    if not reading.records and not reading.left_out:
        raise StoreError(
            f"{results} holds no records, expected files such as "
            f"{results / 'runs' / '**' / '*.json'}. Run salon score or salon sweep first, "
            "or type paths.results=DIR."
        )


def _misordered(shown: Leaderboard) -> list[str]:
    return [
        f"{board.title}: {len(board.misordered)} of {len(board.columns)} columns prefer a control "
        f"to held-out images, {board.misordered[0].column} among them; the tables name them"
        for board in shown.boards
        if board.misordered
    ]


def _write(shown: Leaderboard, out: Path) -> list[Path]:
    copy_pictures(out / f"{shown.name}.files", shown.pictures)  # before the page that shows them
    write_panels(out / f"{shown.name}.files", shown)
    written = []
    for suffix, render in FORMATS.items():
        path = out / f"{shown.name}{suffix}"
        replace_file(path, render(shown).encode("utf-8", "backslashreplace"))
        written.append(path)
    return written
