"""Values that others published, and what salon calls the cells that they belong to."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from bench.concerning import concerning
from bench.errors import ConfigError, StoreError
from bench.leaderboard.stored import Stored

SETTLED = ("protocol.num_fake:", "protocol.max_real:")  # deviations that the counts tell


@dataclass(frozen=True)
class Published:
    """One published value that has a place among salon's cells.

    Attributes:
        generator, dataset, protocol, backbone, metric, score: our names of the cell.
        split: of the reference.
        settings: values that the dataset's config must have.
        num_real, num_fake: counts; None for one that is not checked.
        model: the generator's name in the publication.
        printed: the value as it stands there.
        source: where it stands.
    """

    generator: str
    dataset: str
    protocol: str
    backbone: str
    metric: str
    score: str
    split: str
    settings: Mapping[str, Any]
    num_real: int | None
    num_fake: int | None
    model: str
    printed: str
    source: str

    @property
    def value(self) -> float:
        """As a number."""
        return float(self.printed)

    @property
    def rounding(self) -> float:
        """Half a unit of the last digit that is printed."""
        exponent = Decimal(self.printed).as_tuple().exponent
        return 0.5 * 10.0 ** int(exponent)

    def obstacle(self, stored: Stored) -> str | None:
        """Why a record of the same generator, metric and score does not fit, or None."""
        record = stored.record
        for role in ("dataset", "protocol", "backbone"):
            found, expected = getattr(record, role)["name"], getattr(self, role)
            if found != expected:
                return f"{role} {found}, reported with {expected}"
        config = record.dataset["config"]
        expected_values = {**self.settings, "split": self.split}
        for name, wanted in expected_values.items():
            if config.get(name) != wanted:
                return f"dataset.{name} {config.get(name)}, reported with {wanted}"
        for name in ("num_real", "num_fake"):
            wanted = getattr(self, name)
            if wanted is not None and getattr(record, name) != wanted:
                return f"{name} {getattr(record, name)}, reported with {wanted}"
        own = concerning(map(str, record.deviations), self.backbone, self.metric)
        moved = [line for line in own if not line.startswith(SETTLED)]
        return f"deviates: {moved[0]}" if moved else None


@dataclass(frozen=True)
class Publication:
    """One table file, sorted into what has a place and what has none.

    Attributes:
        values: those with a place, by (generator, metric, score).
        not_placed: reason -> how many of the others.
    """

    values: Mapping[tuple[str, str, str], Sequence[Published]]
    not_placed: Mapping[str, int]

    def of(self, stored: Stored, score: str) -> Sequence[Published]:
        """The values of a record's generator, metric and score; none for most."""
        record = stored.record
        return self.values.get((record.generator["name"], record.metric["name"], score), ())


def read_publication(folder: Path) -> Publication:
    """Read FOLDER/*.csv with the *.yaml of the same name beside each.

    Raises:
        StoreError: if there is no such file.
        ConfigError: if a line belongs to none of the tables that the yaml lists.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise StoreError(
            f"{folder} holds no published values, expected files such as studiogan.csv and "
            "studiogan.yaml; type published_folder=DIR."
        )
    values: dict[tuple[str, str, str], list[Published]] = {}
    reasons: Counter[str] = Counter()
    for path in paths:
        names = _names(path.with_suffix(".yaml"))
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                found = _placed(line, names, path)
                if isinstance(found, str):
                    reasons[found] += 1
                for one in () if isinstance(found, str) else found:
                    values.setdefault((one.generator, one.metric, one.score), []).append(one)
    return Publication(values, dict(sorted(reasons.items())))


def _names(path: Path) -> dict[str, Any]:
    try:
        names: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
    return names


def _placed(line: Mapping[str, str], names: Mapping[str, Any], path: Path) -> list[Published] | str:
    """The value under our names, once per generator of ours; or why it has no place."""
    table = next((one for one in names["tables"] if line["source"].startswith(one["source"])), None)
    if table is None:
        raise ConfigError(f"{path.with_suffix('.yaml')} lists no table of {line['source']!r}.")
    place = f"{line['dataset']}/{line['resolution']}"
    dataset = names["datasets"].get(place, {"not_compared": "no dataset of salon's"})
    for known in (table, dataset):
        if "not_compared" in known:
            return str(known["not_compared"])
    if line["metric"] not in names["metrics"]:
        return f"no metric of salon's is {line['metric']}"
    wanted = {"dataset": place, "model": line["model"]}
    own = [name for name, content in names["generators"].items() if content == wanted]
    if not own:
        return "no generator of salon's is this model"
    metric, _, score = names["metrics"][line["metric"]].partition(".")
    return [
        Published(
            generator=generator,
            protocol=table["protocol"],
            backbone=table["backbone"],
            split=table["split"],
            metric=metric,
            score=score,
            model=line["model"],
            printed=line["value"],
            source=line["source"],
            dataset=dataset["dataset"],
            settings=dataset["settings"],
            num_real=dataset["num_real"].get(metric),
            num_fake=dataset["num_fake"],
        )
        for generator in own
    ]
