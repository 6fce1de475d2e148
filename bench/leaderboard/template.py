"""Renders the templates: every value escaped, and nothing loaded or run but our own files."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.leaderboard.cell_text import (
    error_text,
    interval_text,
    main_text,
    place_text,
    rank_bounds_text,
    rank_text,
    seeds_text,
    tied_text,
)
from bench.leaderboard.chart import HEIGHT, WIDTH
from bench.leaderboard.differing import short
from bench.leaderboard.numbers import number

HERE = Path(__file__).parent
STYLE = "page.css"
SEAMS = re.compile(r"([_.])")
MARKS = {"best": "b", "second": "u"}


def render(template: str, *, script: str = "", **values: Any) -> str:
    """The page as text.

    Args:
        template: its file name.
        script: file name of the one script that may run; "" lets none run.
        values: what the template shows.
    """
    style, source = _asset(STYLE), _asset(script) if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            policy=policy(style=style, script=source),
            style=Markup(style),  # our own files
            script=Markup(source),
            **values,
        )
    )


def policy(*, style: str, script: str) -> str:
    """A content security policy that lets nothing run or load but these two and local pictures."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_source_hash(style)}'",
            f"script-src '{_source_hash(script)}'" if script else "script-src 'none'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def breakable(name: str) -> Markup:
    """The name, escaped, with leave to break the line after an underscore and a dot."""
    return Markup("").join(
        Markup("{}<wbr>").format(part) if part in ("_", ".") else part for part in SEAMS.split(name)
    )


def _source_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@cache
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
    environment.filters |= {"number": number, "ranks": interval_text}
    environment.globals |= {"size": (WIDTH, HEIGHT), "tags": MARKS}
    return environment
