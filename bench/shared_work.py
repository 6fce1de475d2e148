"""Work that several jobs of a sweep need: features of real images, as jobs of their own."""

from collections.abc import Sequence
from pathlib import Path

from bench.cache import FeatureCache
from bench.errors import ConfigError
from bench.features import Extractor
from bench.images import ImageSource
from bench.inputs import sides_of, wants_spatial
from bench.plan import PlannedJob
from bench.prepare import Job

VERB = "extract"
SHARED = ("real", "holdout")
SIDES = (*SHARED, "fake")


def with_shared_work(jobs: Sequence[PlannedJob], shards: int) -> list[PlannedJob]:
    """The jobs, behind extractions that more than one of them would have to make.

    Scores do not depend on it: a job whose features are not in the cache makes them itself.

    Args:
        jobs: planned ones.
        shards: into how many jobs each extraction is split.

    Raises:
        ConfigError: for less than one shard.
    """
    if shards < 1:
        raise ConfigError(f"shards: found {shards}, expected 1 or more.")
    shared = [
        job
        for side in SHARED
        for group in _groups(jobs, side)
        for job in _extractions(group[0], side, shards)
    ]
    if shared:
        for job in jobs:
            job.stage = 1
    return [*shared, *jobs]


def missing_images(job: Job, side: str) -> dict[str, int]:
    """Backbone -> images of a side that its cache lacks; nothing where no metric asks for it."""
    source = getattr(job, side)
    if not isinstance(source, ImageSource) or not _asked_for(job, side):
        return {}
    count = {"real": job.num_real, "fake": job.num_fake}.get(side) or len(source)
    extractor = Extractor(
        FeatureCache(Path(job.settings.paths.cache) / "features"),
        job.device,
        job.settings.batch_size,
        job.settings.workers,
        _wants_maps(job),
    )
    lacking = {
        name: extractor.lacking(source, count, job.backbones[name], identity)
        for name, identity in job.identities.items()
    }
    return {name: images for name, images in lacking.items() if images}


def _asked_for(job: Job, side: str) -> bool:
    return any(side in sides_of(metric.compute) for metric in job.metrics.values())


def _wants_maps(job: Job) -> bool:
    return any(wants_spatial(metric.compute) for metric in job.metrics.values())


def _groups(jobs: Sequence[PlannedJob], side: str) -> list[list[PlannedJob]]:
    """Jobs that would make the same features of a side, where there is more than one of them."""
    found: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        ready = job.prepared
        source = None if ready is None else getattr(ready, side)
        if ready is not None and source is not None:
            key = (source.content(), ready.num_real, ready.identities, _wants_maps(ready))
            found.setdefault(repr(key), []).append(job)
    return [group for group in found.values() if len(group) > 1 and _lacks(group[0], side)]


def _lacks(job: PlannedJob, side: str) -> bool:
    return job.prepared is not None and bool(missing_images(job.prepared, side))


def _extractions(job: PlannedJob, side: str, shards: int) -> list[PlannedJob]:
    """The words of one of the jobs say which images, networks and maps are meant."""
    return [
        PlannedJob(
            words=[f"{side} features of {job.prepared.dataset if job.prepared else ''}", *part],
            command=[*job.command, f"side={side}", f"shard={shard}/{shards}"],
            verb=VERB,
        )
        for shard in range(shards)
        for part in [[f"shard={shard}/{shards}"] if shards > 1 else []]
    ]
