"""The file names of the generators' pages."""

import hashlib
import json
import re
from urllib.parse import quote

MOST = 40  # letters of a name; the hash tells longer ones apart


def panel_file(dataset: str, generator: str) -> str:
    """<letters of the generator>-<hash>.html: safe on every file system, whatever the names."""
    letters = re.sub(r"[^a-z0-9_]+", "-", generator.lower()).strip("-")[:MOST] or "generator"
    key = json.dumps([dataset, generator])  # ASCII: lone surrogates too
    return f"{letters}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.html"


def part_anchor(board_key: str, note: str) -> str:
    """The place on a generator's page that shows its row of this note on the board of this key."""
    return f"part-{hashlib.sha256(json.dumps([board_key, note]).encode()).hexdigest()[:8]}"


def panel_link(board: str, dataset: str, generator: str) -> str:
    """Its address on the page of the leaderboard with this name."""
    return quote(f"{board}.files/{panel_file(dataset, generator)}", errors="backslashreplace")
