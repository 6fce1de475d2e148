"""A record together with the file it was read from, and a file that was left out."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.records import Record, digest
from bench.whole_record import TRUNCATED

PLAIN = "models.samplers.Plain"
OF_SEED = ("seed", "rows_sha256")
IDEAL = "bench.generators.controls.Holdout"


@dataclass(frozen=True)
class Stored:
    """One good record.

    Attributes:
        path: the file, relative to the results folder, with forward slashes.
        folder: where the file and its artifacts are.
        record: what it holds.
    """

    path: str
    folder: Path
    record: Record

    @property
    def is_control(self) -> bool:
        """Whether the generator is a control: shown for comparison, never ranked."""
        return self.record.generator["config"].get("control") is True

    @property
    def is_ideal(self) -> bool:
        """Whether it is the control of held-out images: the best that there can be."""
        return self.is_control and self.record.generator["config"].get("_target_") == IDEAL

    @property
    def seeds(self) -> tuple[int, Any]:
        """The run's seed and a random backbone's own: neither is part of the comparison."""
        return self.record.seed, self.record.backbone["config"].get("seed")

    @cached_property
    def variant(self) -> dict[str, Any]:
        """What the images come from, whatever the seed: two variants never share a row."""
        content = self.record.identities.get("generator")
        config = self.record.generator["config"]
        sampled = content.get("sampler") if isinstance(content, dict) else None
        if isinstance(content, dict):
            content = {name: item for name, item in content.items() if name != "sampler"}
        found = {"config": _without_seed(config), "content": _without_seed(content)}
        return found | {"sampler": _sampler(sampled)} if sampled else found

    @cached_property
    def variant_digest(self) -> str:
        """Of `variant`."""
        return digest(self.variant)

    @property
    def replicate(self) -> str:
        """Equal where two seeds look at the same images.

        Draws from one stored set share images, however many seeds there are, and so do the seeds
        of a random network; each seed of a live generator has images of its own.
        """
        content = self.record.identities.get("generator", {"seed": self.record.seed})
        stored = isinstance(content, dict) and "base" in content
        return digest(_without_seed(content) if stored else content)

    @property
    def place(self) -> Hashable:
        """One generator, one seed, one comparison: the place of one number in one table."""
        record = self.record
        return record.comparison_key, record.generator["name"], self.variant_digest, self.seeds


@dataclass(frozen=True)
class LeftOut:
    """One file that no table uses, and why.

    Attributes:
        path: relative to the results folder, with forward slashes.
        reason: what was found, in one line.
    """

    path: str
    reason: str


def _sampler(described: Any) -> Any:
    """Plain latents are the end of the truncations: the same field, without a number."""
    kind = described.get("kind") if isinstance(described, dict) else None
    if kind == PLAIN:
        return {"threshold": "none"}
    return {"threshold": described["threshold"]} if kind == TRUNCATED else described


def _without_seed(content: Any) -> Any:
    """Wherever it stands: a control's noise and a drawn subset carry the seed further down."""
    if isinstance(content, dict):
        return {key: _without_seed(item) for key, item in content.items() if key not in OF_SEED}
    if isinstance(content, list):
        return [_without_seed(item) for item in content]
    return content
