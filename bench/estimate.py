"""What a sweep will cost: images through networks, time where a rate is known, disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.errors import SalonError
from bench.plan import PlannedJob
from bench.records import read_record, record_paths
from bench.report import align
from bench.shared_work import missing_images

BYTES = 4  # float32


def estimate(jobs: Sequence[PlannedJob]) -> str:
    """A row for each backbone: images to make, hours at its measured rate, gigabytes of cache.

    A rate is the median of earlier records in the same results folder that are of this backbone;
    several backbones in one pass share it, so that the time is an upper bound.
    """
    images, widths = _images(jobs), {}
    for job in jobs:
        for name, spec in job.prepared.backbones.items() if job.prepared else ():
            widths[name] = _width(
                spec, job.prepared.identities.get(name, {}) if job.prepared else {}
            )
    if not images:
        return ""
    rates = _rates(next(Path(j.prepared.settings.paths.results) for j in jobs if j.prepared))
    rows = [
        (
            "  " + name,
            f"{count:,} images",
            _time(count, rates.get(name)),
            _disk(count * widths[name]),
        )
        for name, count in sorted(images.items())
    ]
    return "to make:\n" + align(rows)


def _images(jobs: Sequence[PlannedJob]) -> dict[str, int]:
    """Backbone -> images; a side that several jobs share counts once."""
    seen: dict[str, tuple[str, int]] = {}
    for job in jobs:
        for side, name, count in missing_images(job.prepared) if job.prepared else ():
            identity = job.prepared.identities[name] if job.prepared else {}
            content = getattr(job.prepared, side).content()
            seen[repr((content, identity))] = (name, count)
    found: dict[str, int] = {}
    for name, count in seen.values():
        found[name] = found.get(name, 0) + count
    return found


def _width(backbone: Any, identity: dict[str, Any]) -> int:
    """Numbers that the cache keeps of an image: features and logits, without spatial maps."""
    about = getattr(backbone, "about", None)
    width = identity.get("width") or getattr(about, "width", None) or 0
    return int(width) + int(getattr(about, "classes", None) or 0)


def _rates(results: Path) -> dict[str, float]:
    """Backbone -> images a second."""
    found: dict[str, list[float]] = {}
    for name, rate in _measured(results):
        found.setdefault(name, []).append(rate)
    return {name: median(rates) for name, rates in found.items()}


def _measured(results: Path) -> Iterator[tuple[str, float]]:
    for path in record_paths(results):
        try:
            record = read_record(path)
        except SalonError:  # a damaged one tells nothing
            continue
        for cost in record.cost.values():
            if isinstance(cost, dict) and cost.get("images_per_second"):
                yield record.backbone["name"], cost["images_per_second"]


def _time(images: int, rate: float | None) -> str:
    return "unknown rate" if rate is None else f"{images / rate / 3600:.2f} h at {rate:g} images/s"


def _disk(numbers: int) -> str:
    return f"{numbers * BYTES / 1e9:.3f} GB" if numbers else "unknown size"
