"""An exception as a line of a report."""

import logging

from bench.errors import CheckpointError, IncompatibleError, SalonError
from bench.report import Line
from models.weights import WeightsError

log = logging.getLogger(__name__)


def failed_line(names: tuple[str, str, str, str], error: Exception) -> Line:
    """Failed with its reason and exit code; skipped where the cell makes no sense.

    Args:
        names: dataset, generator, backbone, metric.
        error: one of ours gives its own line; any other is a bug, and its traceback is logged.
    """
    state, reason, code = "failed", str(error), 1
    if isinstance(error, IncompatibleError):
        state, code = "skipped", error.code
    elif isinstance(error, SalonError):
        code = error.code
    elif isinstance(error, WeightsError):
        code = CheckpointError.code
    else:
        log.error("%s on %s", names[3], names[2], exc_info=error)
        reason = f"{type(error).__name__}: {error}"
    return Line(*names, state, reason=reason, code=code)
