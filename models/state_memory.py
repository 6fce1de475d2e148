"""What random weights hash to, remembered: to build a network only to name it takes seconds.

Plans and reused cells need no more than the name. Entries lie in $SALON_HOME/random_weights.

An entry counts for the libraries that make networks and for the sources of this package as they
are now; whoever does build the network compares (`weight_source.RandomWeights.network`).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.weights import home

MAKERS = ("torch", "torchvision", "timm", "open_clip_torch", "numpy")
_known: dict[Path, str] = {}  # in this process, also where nothing can be written


def remembered(what: Mapping[str, object], make: Callable[[], str]) -> str:
    """The hash of these weights: the remembered one, else what `make` gives.

    Args:
        what: names the weights, as JSON values.
        make: builds the network and hashes it; slow.

    Returns:
        Hex sha256 of the state.
    """
    path = _path(what)
    if path not in _known:
        found = _read(what)
        if found is None:
            remember(what, make())
        else:
            _known[path] = found
    return _known[path]


def remember(what: Mapping[str, object], state_sha256: str) -> None:
    """From now on; where nothing can be written, the next process makes it again."""
    path, content = _path(what), {**_whole(what), "state_sha256": state_sha256}
    _known[path] = state_sha256
    text = json.dumps({**content, "check": _digest(content)})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)  # what a kill or a race tears fails its check


def _read(what: Mapping[str, object]) -> str | None:
    """None for whatever is absent, torn or foreign."""
    try:
        content = json.loads(_path(what).read_bytes())
        check = content.pop("check")
        state_sha256 = content.pop("state_sha256")
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None
    whole = content == _whole(what) and check == _digest({**content, "state_sha256": state_sha256})
    return str(state_sha256) if whole else None


def _path(what: Mapping[str, object]) -> Path:
    return home() / "random_weights" / f"{_digest(_whole(what))}.json"


def _whole(what: Mapping[str, object]) -> dict[str, object]:
    return {**what, "makers": _versions(), "sources": _sources()}


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def _versions() -> dict[str, str | None]:
    return {name: _version(name) for name in MAKERS}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _sources() -> str:
    """sha256 over every module of this package; milliseconds."""
    hashed = hashlib.sha256()
    package = Path(__file__).parent
    for file in sorted(package.rglob("*.py")):
        hashed.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes())
    return hashed.hexdigest()
