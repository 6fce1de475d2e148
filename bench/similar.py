"""What a mistyped name may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """E.g. "there is no 'fidd'; did you mean fid? There are: fid, kid."."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"there is no {name!r}; {hint}There are: {', '.join(names)}."
