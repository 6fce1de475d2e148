"""Values that others have published, each with the cell that it belongs to and its source."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.concerning import concerning
from bench.config_folder import config_folder
from bench.records import Record

RANDOM = "random"


@dataclass(frozen=True)
class StatedValue:
    """One line of conf/experiment/reference_values.csv.

    Attributes:
        dataset, generator, protocol, backbone, metric, score: the names that a record must have.
        real_split, fake_split: which splits the two sides are; empty for a file without splits.
        weights: first digits of the weights' sha256.
        num_real, num_fake: rows of each side; None for a side that the score does not look at.
        rows: the rule by which both sides were drawn; empty for all.
        setting: "key=value" that the metric must have where it is not the protocol's; or empty.
        stated: the published value.
        tolerance: the largest difference that agrees.
        source: where it is published, and whose the tolerance is.
    """

    dataset: str
    real_split: str
    generator: str
    fake_split: str
    protocol: str
    backbone: str
    weights: str
    metric: str
    score: str
    num_real: int | None
    num_fake: int
    rows: str
    setting: str
    stated: float
    tolerance: float
    source: str

    @property
    def cell(self) -> str:
        """Where it belongs, for a table."""
        counts = f"N {self.num_fake}" + ("" if self.num_real is None else f"/{self.num_real}")
        return f"{self.generator} {self.backbone} {self.metric}.{self.score} {counts}"

    def is_of(self, record: Record) -> bool:
        """Whether the record measures this score, with whatever counts and settings."""
        names = ("dataset", "generator", "protocol", "backbone", "metric")
        same = all(getattr(record, name)["name"] == getattr(self, name) for name in names)
        return same and self.score in record.scores

    def fits(self, record: Record) -> bool:
        """Whether the record's value can be compared with this one."""
        return self.is_of(record) and self.obstacle(record) is None

    def obstacle(self, record: Record) -> str | None:
        """Why the record's value cannot be compared with this one, or None.

        Another file of weights is none, for it may hold the same tensors: the verdict tells it.
        """
        if _weights(record) == RANDOM:
            return f"weights random, stated with {self.weights}"
        for what, found, expected in self._conditions(record):
            if found != expected:
                return f"{what} {found}, stated with {expected}"
        own = concerning(map(str, record.deviations), self.backbone, self.metric)
        return next((f"deviates: {line}" for line in own if not self._settles(line)), None)

    def other_weights(self, record: Record) -> str | None:
        """Which weights the record has, where they are not those of the stated value."""
        found = _weights(record)
        same = found.startswith(self.weights)
        return None if same else f"weights {found[:8]}, not {self.weights}"

    def _conditions(self, record: Record) -> list[tuple[str, object, object]]:
        real, fake = record.dataset["config"], record.generator["config"].get("source") or {}
        conditions: list[tuple[str, object, object]] = [
            ("fake images", record.num_fake, self.num_fake),
            ("fake split", fake.get("split"), self.fake_split),
            ("fake rows", _rule(fake), self.rows),
        ]
        if self.num_real is not None:
            conditions += [
                ("real images", record.num_real, self.num_real),
                ("real split", real.get("split") or "", self.real_split),
                ("real rows", _rule(real), self.rows),
            ]
        if self.setting:
            key, _, value = self.setting.partition("=")
            conditions.append((key, str(record.metric["config"].get(key)), value))
        return conditions

    def _settles(self, deviation: str) -> bool:
        """Whether a line of the record's deviations is about what is stated above."""
        return deviation.partition(":")[0] in (
            f"backbone.{self.backbone}.weights",  # told by its hash
            f"metrics.{self.metric}.{self.setting.partition('=')[0]}",
        )


def stated_values(path: Path | None = None) -> list[StatedValue]:
    """All lines of the table, in its order."""
    path = path or config_folder() / "experiment" / "reference_values.csv"
    with path.open(newline="") as file:
        return [_typed(row) for row in csv.DictReader(file)]


def _typed(row: dict[str, Any]) -> StatedValue:
    numbers = {
        "num_real": int(row["num_real"]) if row["num_real"] else None,
        "num_fake": int(row["num_fake"]),
        "stated": float(row["stated"]),
        "tolerance": float(row["tolerance"]),
    }
    return StatedValue(**row | numbers)


def _weights(record: Record) -> str:
    return str(record.identities["backbone"].get("weights_sha256", RANDOM))


def _rule(config: dict[str, Any]) -> str:
    return "" if config.get("rows") is None else str(config.get("rows_rule"))
