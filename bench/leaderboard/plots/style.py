"""How all figures look, and how they become bytes: the same everywhere under one matplotlib."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.leaderboard.board import Board

# Okabe and Ito 2008, told apart under all kinds of colour blindness; yellow is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")  # 8 and 7 have no common factor: 56 pairs
GREY = "#666666"
NARROWEST = 4.6  # inches; a heading fits
FORMATS: dict[str, dict[str, Any]] = {  # nothing of the day or the program
    ".png": {"format": "png", "dpi": 200, "metadata": {"Software": None}},
    ".pdf": {
        "format": "pdf",
        "metadata": {"Creator": None, "Producer": None, "CreationDate": None},
    },
}
STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 8,
    "axes.titlesize": 9,
    "figure.titlesize": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text stays text
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.unicode_minus": False,
}


@contextmanager
def styled() -> Iterator[None]:
    """Within it figures look like this, whatever the user's own settings."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # else a page for every font it cuts
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure of that many inches that lays itself out."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def encoded(figure: Figure, suffix: str) -> bytes:
    """The figure as the bytes of a .png or .pdf file."""
    data = io.BytesIO()
    figure.savefig(data, **FORMATS[suffix])
    return data.getvalue()


def heading(what: str, board: Board) -> str:
    """What is drawn, and of which board, in lines that fit the narrowest figure."""
    return f"{what}\n{one_line(board.dataset)} · {one_line(board.backbone)}"


def one_line(name: str) -> str:
    """A name as a label: no line breaks, and not longer than a label may be."""
    text = " ".join(name.split())
    return text if len(text) <= 36 else f"{text[:35]}…"
