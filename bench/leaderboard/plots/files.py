"""Names and writes the figures; equal boards give equal bytes under one matplotlib."""

import re
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from bench.atomic import replace_file
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.plots.agreement import backbone_figures, metric_figure
from bench.leaderboard.plots.ranks import rank_figure
from bench.leaderboard.plots.scatter import scatters
from bench.leaderboard.plots.style import FORMATS, encoded, styled

NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST = 100  # characters of a name; the hash behind it tells boards apart


def write_plots(shown: Leaderboard, folder: Path) -> list[Path]:
    """Write every figure as NAME.png and NAME.pdf; those of an earlier leaderboard are removed.

    Returns:
        The files, in the order of the boards.
    """
    written = []
    with styled():
        for name, figure in _figures(shown):
            for suffix in FORMATS:
                path = folder / f"{name}{suffix}"
                replace_file(path, encoded(figure, suffix))
                written.append(path)
    for path in folder.glob("*"):
        if path.suffix in FORMATS and path not in written:
            path.unlink(missing_ok=True)
    return written


def _figures(shown: Leaderboard) -> Iterator[tuple[str, Figure]]:
    for board in shown.boards:
        stem = f"{plain(board.title)}-{board.key[:8]}"
        for name, figure in scatters(board):
            yield f"{stem}.{name}", figure
        for kind, drawn in (("ranks", rank_figure(board)), ("metrics", metric_figure(board))):
            if drawn:
                yield f"{stem}.{kind}", drawn
    for title, key, figure in backbone_figures(shown.boards):
        yield f"{plain(title)}-{key[:8]}.backbones", figure


def plain(title: str) -> str:
    """A title as a file name: nothing in it that a file system or a shell would act on."""
    return NOT_PLAIN.sub("_", title.replace(" · ", "."))[:LONGEST].strip("._-") or "board"
