"""Where a number was made: code, packages, device, threads."""

import platform
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

DTYPES = {"fp32": "float32", "tf32": "tf32", "bf16": "bfloat16", "fp16": "float16"}
PACKAGES = ("torch", "torchvision", "timm", "numpy", "scipy", "pillow", "scikit-learn", "salon")


@cache
def _git() -> tuple[str | None, bool | None]:
    """Commit and dirty flag of salon's checkout; None for an installed wheel."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None, None
    try:
        commit = _run(root, "rev-parse", "HEAD")
        changed = _run(root, "status", "--porcelain", "--", "bench", "models", "metrics", "conf")
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return commit, bool(changed)


def _run(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def environment(device: str, precision: str, batch_size: int) -> dict[str, object]:
    """Plain JSON values; no host name, no user, no path.

    Args:
        device: as torch names it.
        precision: of the network's arithmetic.
        batch_size: images per call of a network; it moves last bits, and more in 16 bits.
    """
    commit, dirty = _git()
    cuda = device.startswith("cuda")
    return {
        "git_commit": commit,
        "git_dirty": dirty,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "device": torch.cuda.get_device_name(device) if cuda else platform.machine(),
        "device_type": device.split(":")[0],
        "dtype": DTYPES[precision],
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "batch_size": batch_size,
    }


def peak_memory_mb() -> int:
    """The most memory this process has held, in MB.

    Linux hands `ru_maxrss` on through exec: it is at least what the launching process held.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(kilobytes) // 1024
    except (OSError, ValueError):  # not Linux
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
