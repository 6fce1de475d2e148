"""Where downloaded datasets live: $SALON_HOME/data, by default ~/.cache/salon/data."""

import os
from pathlib import Path


def data_home() -> Path:
    """The folder; it need not exist."""
    home = os.environ.get("SALON_HOME") or "~/.cache/salon"
    return Path(home).expanduser() / "data"
