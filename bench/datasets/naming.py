"""Paths as they are typed, and the name of a folder or file that was given none."""

import os
import re
from pathlib import Path

SUFFIXES = (".npz", ".npy", ".zip", ".safetensors", ".pkl")
LONGEST = 80  # file systems stop at 255 bytes, and records put more around the name


def absolute(path: str) -> Path:
    """The path from the root, `~` and `..` resolved, links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def default_name(path: str, fingerprint: str) -> str:
    """E.g. `/data/My samples.npz` and 3f2a91bc... give `My_samples-3f2a91bc`.

    Args:
        path: a folder or file; only its base name is used.
        fingerprint: hex digits of its content.
    """
    base = absolute(path).name
    for suffix in SUFFIXES:
        base = base.removesuffix(suffix)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", base).strip("._-")[:LONGEST]
    return f"{safe or 'images'}-{fingerprint[:8]}"
