"""Whether wandb could speak to its server without asking anyone: files and environment only."""

import netrc
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

SERVER = "https://api.wandb.ai"


def has_login() -> bool:
    """A key or a token in the environment, or one for wandb's server in a netrc file."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    return any(_knows_server(file) for file in _netrc_files())


def _netrc_files() -> list[Path]:
    named = os.environ.get("NETRC")
    files = [Path(named)] if named else [Path("~/.netrc"), Path("~/_netrc")]
    with suppress(RuntimeError):  # a user without a home has no login either
        return [file.expanduser() for file in files if file.expanduser().is_file()]
    return []


def _knows_server(file: Path) -> bool:
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or SERVER).hostname or ""
    try:
        return host in netrc.netrc(str(file)).hosts
    except (OSError, netrc.NetrcParseError):
        return False
