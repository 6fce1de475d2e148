"""What a mistyped name may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """E.g. "there is no 'fidd'; did you mean fid? There are: fid, kid."."""
    names = sorted(known)
    meant = nearest(name, names)
    hint = "." if meant is None else f"; did you mean {meant}?"
    return f"there is no {name!r}{hint} There are: {', '.join(names)}."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The likeliest of the known names, whatever the case; None where none is like it."""
    names = {one.lower(): one for one in sorted(known)}
    near = difflib.get_close_matches(name.lower(), names, n=1)
    return names[near[0]] if near else None
