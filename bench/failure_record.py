"""Why a measurement failed: one file per failed cell and metric, with its traceback beside it.

A sweep starts no job for failures that the same inputs will meet again (a metric that is undefined
on them, a bug), unless `retry_failed=true`. What the machine did (a full disk, a killed process)
and what the user can mend without another key (absent weights) is always tried again.
"""

import json
import os
import socket
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.atomic import replace_file
from bench.cell import Measurement
from bench.errors import UndefinedError
from bench.report import Line

LASTING = (1, UndefinedError.code)  # exit codes that another try would end with as well
OF_THE_MACHINE = ("MemoryError", "OutOfMemoryError", "AcceleratorError", "ImportError", "EOFError")
MACHINE_WORDS = (  # of plain RuntimeErrors, torch's and Python's
    *("allocate", "cuda", "cudnn", "cublas", "nvml", "start new thread", "shared memory"),
    *("stale file handle", "too many open files", "input/output error", "no space left"),
)


@dataclass(frozen=True)
class FailureRecord:
    """A failure as its file holds it.

    Attributes:
        key: of the measurement.
        dataset, generator, backbone, metric: names.
        reason: in one line.
        code: the exit code that it stands for.
        traceback: name of the file beside this one.
        node: the machine.
        slurm_id: of the job, or None outside SLURM.
        created: UTC time, ISO 8601.
        lasts: whether the same inputs will fail again.
    """

    key: str
    dataset: str
    generator: str
    backbone: str
    metric: str
    reason: str
    code: int
    traceback: str
    node: str
    slurm_id: str | None
    created: str
    lasts: bool

    def line(self) -> Line:
        """As a line of a report."""
        names = (self.dataset, self.generator, self.backbone, self.metric)
        reason = f"{self.reason} (as on {self.created}; retry_failed=true tries again)"
        return Line(*names, "failed", reason=reason, code=self.code)


def failure_path(results: Path, key: str) -> Path:
    """failures/<first 12 digits of the key>.json: no record, so not under runs/."""
    return results / "failures" / f"{key[:12]}.json"


def write_failure(results: Path, m: Measurement, line: Line, error: BaseException) -> None:
    """Keep what failed and why; the newest try counts.

    Raises:
        StoreError: if it cannot be written; the report tells the reason all the same.
    """
    path = failure_path(results, m.key)
    trace = path.with_suffix(".txt")
    record = FailureRecord(
        key=m.key,
        dataset=m.dataset,
        generator=m.generator,
        backbone=m.backbone,
        metric=m.metric,
        reason=line.reason or "",
        code=line.code,
        traceback=trace.name,
        node=socket.gethostname(),
        slurm_id=_slurm_id(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        lasts=line.code in LASTING and not _of_the_machine(error),
    )
    replace_file(trace, "".join(traceback.format_exception(error)).encode())
    replace_file(path, (json.dumps(asdict(record), indent=1) + "\n").encode())


def lasting_failure(results: Path, key: str) -> FailureRecord | None:
    """The failure of this very measurement, if another try would fail as well."""
    try:
        record = FailureRecord(**json.loads(failure_path(results, key).read_bytes()))
    except (OSError, ValueError, TypeError):  # none, or not ours
        return None
    return record if record.key == key and record.lasts else None


def forget_failure(results: Path, key: str) -> None:
    """After a success; a file that cannot be removed is no reason to lose the score."""
    path = failure_path(results, key)
    for file in (path, path.with_suffix(".txt")):
        with suppress(OSError):
            file.unlink()


def _of_the_machine(error: BaseException) -> bool:
    """Memory, a GPU, a disk: another try, or another node, may have more."""
    names = {base.__name__ for base in type(error).__mro__}
    told = isinstance(error, RuntimeError) and any(w in str(error).lower() for w in MACHINE_WORDS)
    return told or isinstance(error, OSError) or bool(names & set(OF_THE_MACHINE))


def _slurm_id() -> str | None:
    """E.g. "12_3" for a task of an array."""
    array, task = (os.environ.get(f"SLURM_ARRAY_{name}_ID") for name in ("JOB", "TASK"))
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")
