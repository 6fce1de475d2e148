"""The boards as one static page: no request leaves it, and no script but its own runs."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.leaderboard.bars import WIDTH, scales
from bench.leaderboard.cell_text import (
    error_text,
    main_text,
    place_text,
    rank_bounds_text,
    rank_text,
    seeds_text,
    tied_text,
)
from bench.leaderboard.differing import short
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import HOW_TO_READ, TIED_WITH_BEST, metric_lines, provenance
from bench.leaderboard.tooltip import cell_tooltip, column_tooltip

HERE = Path(__file__).parent
SELECTORS = ("dataset", "backbone", "protocol")


def page(shown: Leaderboard) -> str:
    """The whole page; the pictures lie in NAME.files beside it."""
    style, script = _asset("page.css"), _asset("page.js")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            shown=shown,
            policy=policy(style=style, script=script),
            style=Markup(style),  # our own file
            script=Markup(script),
            choices=_choices(shown),
            how_to_read=HOW_TO_READ,
            tied_with_best=TIED_WITH_BEST,
            metrics=metric_lines(shown.boards),
            provenance=provenance(shown.records),
        )
    )


def breakable(name: str) -> Markup:
    """The name, escaped, with leave to break the line after an underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def policy(*, style: str, script: str) -> str:
    """A content security policy that lets nothing run or load but these two and local pictures."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_source_hash(style)}'",
            f"script-src '{_source_hash(script)}'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _source_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _choices(shown: Leaderboard) -> dict[str, list[str]]:
    """What the selectors offer; one choice is no choice."""
    found = {name: sorted({getattr(one, name) for one in shown.boards}) for name in SELECTORS}
    return {name: values for name, values in found.items() if len(values) > 1}


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"main": main_text, "error": error_text, "rank": rank_text}
    environment.filters |= {"place": place_text, "tied": tied_text, "bounds": rank_bounds_text}
    environment.filters |= {"seeds": seeds_text, "breakable": breakable, "short": short}
    environment.globals |= {
        "scales": scales,
        "bar_width": WIDTH,
        "cell_tooltip": cell_tooltip,
        "column_tooltip": column_tooltip,
    }
    return environment
