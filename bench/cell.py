"""A cell of the benchmark and one metric on it: what is measured, its key, and where it is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.features import extraction_version
from bench.identity import describe, last_bits
from bench.inputs import method_of
from bench.records import SCHEMA, digest, record_path
from bench.settings import Protocol

NOT_COMPARED = ("seed", "state_sha256")
"""Of a backbone, in the key but not in the comparison: which random network."""


@dataclass(frozen=True)
class Measurement:
    """One metric on one cell, known before anything is computed.

    Attributes:
        dataset, generator, backbone, metric: names.
        dataset_content, generator_content, backbone_identity: what they are.
        holdout_content: held-out real images; None for a metric that does not ask for them.
        metric_spec: the metric's dataclass.
        protocol: the protocol's own values.
        num_real, num_fake: rows on each side; None of a reference whose count nobody knows.
        seed: the run's seed.
        given_moments: whether the reference is known to this metric by its moments alone.
    """

    dataset: str
    generator: str
    backbone: str
    metric: str
    dataset_content: Mapping[str, Any]
    generator_content: Mapping[str, Any]
    backbone_identity: Mapping[str, Any]
    metric_spec: Any
    protocol: Protocol
    num_real: int | None
    num_fake: int
    seed: int
    holdout_content: Mapping[str, Any] | None = None
    given_moments: bool = False

    @property
    def compute(self) -> Callable[..., Any]:
        """The metric's method that measures."""
        return method_of(self.metric_spec, given_moments=self.given_moments)

    @cached_property
    def comparison(self) -> dict[str, Any]:
        """What the scores' meaning depends on; only equal comparisons are ranked together."""
        left_out = {*NOT_COMPARED, *last_bits(self.backbone_identity)}
        backbone = {k: v for k, v in self.backbone_identity.items() if k not in left_out}
        holdout = {} if self.holdout_content is None else {"holdout": dict(self.holdout_content)}
        return {
            "dataset": {"name": self.dataset, **self.dataset_content},
            "protocol": {"name": self.protocol.name, "quantise": self.protocol.quantise.name},
            "backbone": {
                "name": self.backbone,
                "extraction": extraction_version(self.backbone_identity),
                **backbone,
            },
            "metric": {"name": self.metric, "version": self._version, **describe(self.metric_spec)},
            "num_real": self.num_real,
            "num_fake": self.num_fake,
            **holdout,
        }

    @property
    def _version(self) -> int:
        """A metric class raises its `version` when the same inputs give another score."""
        return getattr(type(self.metric_spec), "version", 1)

    @cached_property
    def comparison_key(self) -> str:
        """Hash of the comparison."""
        return digest(self.comparison)

    @cached_property
    def key(self) -> str:
        """Hash of everything measured: the comparison, the generator and all seeds."""
        return digest(
            {
                "schema": SCHEMA,
                "comparison": self.comparison,
                "generator": self.generator_content,
                "backbone": self.backbone_identity,
                "seed": self.seed,
            }
        )

    def path(self, results: Path) -> Path:
        """Where its record lies or will lie."""
        return record_path(
            results,
            dataset=self.dataset,
            generator=self.generator,
            backbone=self.backbone,
            metric=self.metric,
            key=self.key,
        )
