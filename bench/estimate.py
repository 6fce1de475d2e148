"""What a sweep will cost: images through networks, time where a rate is known, disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.errors import SalonError
from bench.plan import PlannedJob
from bench.prepare import Job
from bench.records import record_paths
from bench.report import align
from bench.shared_work import SIDES, missing_images
from bench.whole_record import read_whole_record

BYTES = 4  # float32


def estimate(jobs: Sequence[PlannedJob]) -> str:
    """A row for each backbone: images to make, hours at its measured rate, gigabytes of cache.

    A rate is the median of earlier records in the same results folder that are of this backbone;
    several backbones in one pass share it, so that the time is an upper bound.
    """
    ready = [job.prepared for job in jobs if job.prepared is not None]
    images = _images(ready)
    if not images:
        return ""
    rates = _rates(Path(ready[0].settings.paths.results))
    widths = {name: _width(spec) for job in ready for name, spec in job.backbones.items()}
    rows = [
        (
            f"  {name}",
            f"{count:,} images",
            _time(count, rates.get(name)),
            _disk(count, widths[name]),
        )
        for name, count in sorted(images.items())
    ]
    return "to make:\n" + align(rows)


def _images(jobs: Sequence[Job]) -> dict[str, int]:
    """Backbone -> images; a side that several jobs share counts once."""
    found: dict[str, int] = {}
    seen: set[str] = set()
    for job in jobs:
        for side in SIDES:
            source = getattr(job, side)
            key = repr((source and source.content(), job.identities))
            if source is None or key in seen:
                continue
            seen.add(key)
            for name, count in missing_images(job, side).items():
                found[name] = found.get(name, 0) + count
    return found


def _width(backbone: Any) -> int:
    """Numbers that the cache keeps of an image: features and logits, without spatial maps.

    0 where the class does not say.
    """
    about = getattr(backbone, "about", backbone)
    return getattr(about, "width", 0) + (getattr(about, "classes", None) or 0)


def _rates(results: Path) -> dict[str, float]:
    """Backbone -> images a second."""
    found: dict[str, list[float]] = {}
    for name, rate in _measured(results):
        found.setdefault(name, []).append(rate)
    return {name: median(rates) for name, rates in found.items()}


def _measured(results: Path) -> Iterator[tuple[str, float]]:
    for path in record_paths(results):
        try:
            record = read_whole_record(path)
        except SalonError:  # a damaged one tells nothing
            continue
        for cost in record.cost.values():
            rate = cost.get("images_per_second") if isinstance(cost, dict) else None
            if isinstance(rate, int | float) and not isinstance(rate, bool) and rate > 0:
                yield record.backbone["name"], rate


def _time(images: int, rate: float | None) -> str:
    return "unknown rate" if rate is None else f"{images / rate / 3600:.2f} h at {rate:g} images/s"


def _disk(images: int, width: int) -> str:
    return f"{images * width * BYTES / 1e9:.3f} GB" if width else "unknown size"
