"""Runs things: the only place that knows Hydra, the disk, SLURM and wandb."""

from pathlib import Path

import metrics
import models

_ROOT = Path(__file__).resolve().parents[1]
for _package in (metrics, models):
    _found = Path(_package.__file__ or "").resolve().parents[1]
    if _found != _ROOT:
        raise ImportError(
            f"salon lies in {_ROOT}, but Python took the package {_package.__name__!r} from "
            f"{_found}. Start salon by its command `salon`, from any folder that has no "
            f"{_package.__name__}/ of its own, or set PYTHONSAFEPATH=1."
        )
