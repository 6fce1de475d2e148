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


def panel_link(board: str, dataset: str, generator: str) -> str:
    """Its address on the page of the leaderboard with this name."""
    return quote(f"{board}.files/{panel_file(dataset, generator)}", errors="backslashreplace")
