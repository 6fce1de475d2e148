"""The two sides of a job, and the holdout: each extracted once, for all backbones."""

import logging
import traceback
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType

from bench.cache import FeatureCache
from bench.cell import Measurement
from bench.cost import Cost
from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.feature_set import FeatureSet
from bench.features import Extractor, extraction_version, has_spatial
from bench.fitted import Fitted
from bench.images import ImageSource
from bench.inputs import Inputs, sides_of, wants_spatial
from bench.prepare import Job
from bench.rows import RowsOf
from bench.yardstick import Source
from metrics.neighbourhood import Want

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why a side could not be made, told to every metric that asks for it.

    Attributes:
        error: what was raised.
        trace: from where; raising an error again and again would add to it.
    """

    error: Exception
    trace: TracebackType | None


@dataclass
class Sides:
    """Features on demand.

    Attributes:
        job: sources, counts and backbones.
        missing: the measurements that are still to be made; backbones that none of them needs on
            a side are left out of its pass.
        costs: side -> what its extraction took, once it has been made.
    """

    job: Job
    missing: list[Measurement]
    costs: dict[str, Cost] = field(default_factory=dict)
    made: dict[tuple[str, str], FeatureSet | Failure] = field(default_factory=dict)

    def inputs(self, backbone: str) -> Inputs:
        """What metrics may ask for in one feature space."""
        names = [name for name in ("real", "fake", "holdout") if self._source(name) is not None]
        calls = {name: partial(self._features, name, backbone) for name in names}
        return Inputs(
            calls,
            self.job.settings.seed,
            wants=self._wants(backbone),
            images=self._images,
            fitted=self._fitted(backbone),
            has_spatial=self._images is None or has_spatial(self.job.backbones.get(backbone)),
            moments=None if self.job.moments is None else self.job.moments.by_kind(),
        )

    def duplicates(self, backbone: str) -> dict[str, int]:
        """How many rows of each side repeat an earlier one, as flags; of the sides made so far."""
        return {
            f"{side}.duplicates": found.duplicates
            for (side, name), found in self.made.items()
            if name == backbone and isinstance(found, FeatureSet) and found.duplicates
        }

    def _features(self, side: str, backbone: str) -> FeatureSet:
        if (side, backbone) not in self.made:
            self._make(side, sorted(self._wanted(side) | {backbone}))
        found = self.made[(side, backbone)]
        if isinstance(found, Failure):
            raise found.error.with_traceback(found.trace)
        return found

    def _wanted(self, side: str) -> set[str]:
        """Backbones of a pass; one that has failed on another side would fail the others' here."""
        failed = {name for (_, name), found in self.made.items() if isinstance(found, Failure)}
        return {m.backbone for m in self.missing if side in sides_of(m.compute)} - failed

    @property
    def _images(self) -> ImageSource | None:
        """The generated images that are measured: a live generator itself never ends."""
        fake = self.job.fake
        return RowsOf(fake, range(self.job.num_fake), {}) if isinstance(fake, ImageSource) else None

    def _wants(self, backbone: str) -> list[Want]:
        """What the missing metrics look for among neighbours, so that one pass finds it all."""
        metrics = [m.metric_spec for m in self.missing if m.backbone == backbone]
        return [want for metric in metrics if hasattr(metric, "wants") for want in metric.wants()]

    def _fitted(self, backbone: str) -> Fitted:
        real = {"images": self.job.real.content(), "rows": self.job.num_real}
        backbone_identity = self.job.identities.get(backbone, {})
        fitted_on = {
            "real": real,
            "backbone": dict(backbone_identity),
            "extraction": extraction_version(backbone_identity),
        }
        return Fitted(self._cache("fitted"), fitted_on)

    def _cache(self, kind: str) -> FeatureCache:
        return FeatureCache(Path(self.job.settings.paths.cache) / kind)

    def _make(self, side: str, names: list[str]) -> None:
        """All in one pass; where that fails, each by itself, so that one loses no other."""
        failure = self._tried(side, names)
        if failure is None:
            return
        if len(names) == 1:
            self.made[(side, names[0])] = failure
            return
        error = failure.error
        log.warning("%s: %s; each backbone by itself now", type(error).__name__, error)
        for name in names:
            self._make(side, [name])

    def _tried(self, side: str, names: list[str]) -> Failure | None:
        """None once the side is made."""
        try:
            self._extract(side, names)
        except Exception as error:  # a bug in one network, or one too large for the GPU
            traceback.clear_frames(error.__traceback__)  # they hold what has filled the GPU
            return Failure(error, error.__traceback__)
        return None

    def _extract(self, side: str, names: list[str]) -> None:
        source = self._source(side)
        assert source is not None  # `inputs` offers only the sides that there are
        if isinstance(source, FeatureFile):
            given = FeatureSet(source.rows(), source.logits, source.labels, source.spatial)
            self.made |= {(side, name): given for name in names}
            return
        count = {"real": self.job.num_real, "fake": self.job.num_fake}.get(side) or len(source)
        backbones = {name: self.job.backbones[name] for name in names}
        found, cost = self._extractor.extract(source, count, backbones, side, self.job.identities)
        self.costs[side] = self.costs.get(side, Cost()) + cost
        self.made |= {(side, name): features for name, features in found.items()}

    def _source(self, side: str) -> ImageSource | FeatureFile | None:
        """Where rows come from; moments have none."""
        source: Source | None = getattr(self.job, side)
        return None if isinstance(source, GivenMoments) else source

    @cached_property
    def _extractor(self) -> Extractor:
        settings = self.job.settings
        spatial = any(wants_spatial(m.compute) for m in self.missing)
        return Extractor(
            self._cache("features"),
            self.job.device,
            settings.batch_size,
            settings.workers,
            spatial,
        )
