"""What a board is: the numbers that may stand in one table, and what they share."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.leaderboard.differing import in_words
from bench.leaderboard.extremes import Extreme
from bench.leaderboard.measurement import Measurement
from bench.leaderboard.standing import Comparisons, Standing
from bench.leaderboard.stored import LeftOut

ARROWS = {"lower": "↓", "higher": "↑", "neither": ""}


@dataclass(frozen=True)
class Column:
    """One score under one comparison key.

    Attributes:
        metric, score: its names.
        better: lower, higher or neither.
        comparison_key: shared by every number of the column.
        config: the metric's settings.
        note: how it departs from another column of the same name; usually empty.
        deviations: of the protocol, beyond those of the whole board.
    """

    metric: str
    score: str
    better: str
    comparison_key: str
    config: dict[str, Any]
    note: str
    deviations: tuple[str, ...]

    @property
    def name(self) -> str:
        """<metric>.<score>, with the note where two columns would share that."""
        plain = f"{self.metric}.{self.score}"
        return f"{plain} [{self.note}]" if self.note else plain

    @property
    def arrow(self) -> str:
        """The direction in which the score improves; empty where neither is better."""
        return ARROWS[self.better]


@dataclass(frozen=True)
class CompositeColumn:
    """A column that mixes others; it never ranks.

    Attributes:
        kind: what is done with them, such as "Borda" or "minmax mean".
        over: which they are; empty where the kind says it.
        rule: how the number is made, in one sentence.
    """

    kind: str
    over: str
    rule: str

    @property
    def name(self) -> str:
        """<kind> (<over>)."""
        return f"{self.kind} ({self.over})" if self.over else self.kind


@dataclass(frozen=True)
class Cell:
    """One generator's score, over its seeds.

    Attributes:
        measurements: one per seed, in the order of the seeds; empty where nothing was measured.
        mark: "best", "second" or "".
        standing: its rank in the column; None for controls, gaps and columns without direction.
    """

    measurements: tuple[Measurement, ...] = ()
    mark: str = ""
    standing: Standing | None = None

    @property
    def value(self) -> float | None:
        """The mean over the seeds; None where one of them is undefined or there are none."""
        values = self._values()
        return math.fsum(values) / len(values) if values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, divisor n - 1; None for a single seed."""
        values = self._values()
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def undefined(self) -> str | None:
        """Why there is no value, or None."""
        reasons = sorted({one.undefined for one in self.measurements if one.undefined})
        if not reasons:
            return None
        count = sum(one.undefined is not None for one in self.measurements)
        total = len(self.measurements)
        share = f"; {count} of {total} seeds" if total > 1 else ""
        return "; ".join(reasons) + share

    @property
    def tied_with_best(self) -> bool:
        """Whether another value is the best, but not surely better than this one."""
        return self.standing is not None and self.standing.tie_group == 1 and self.mark != "best"

    @property
    def replicated(self) -> bool:
        """Whether there are several seeds, each with images of its own."""
        seen = {one.replicate for one in self.measurements}
        return len(seen) == len(self.measurements) > 1

    @property
    def single(self) -> Measurement | None:
        """The measurement of a cell of one seed: it alone has an error bar of its own."""
        return self.measurements[0] if len(self.measurements) == 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of a cell of one seed, where its record holds one."""
        return self.single.interval if self.single else None

    def _values(self) -> list[float]:
        values = [one.value for one in self.measurements if one.value is not None]
        return values if len(values) == len(self.measurements) else []


@dataclass(frozen=True)
class Row:
    """One generator.

    Attributes:
        generator: its name.
        settings: the fields in which it departs from another row of the same name, and their
            values; usually empty.
        control: shown apart and never ranked.
        ideal: whether it is the control of held-out images, the best that there can be.
        cells: one per column of the board.
        mean_rank: over the columns with a direction; None for controls and incomplete rows.
        mean_rank_bounds: means of the lowest and of the highest ranks that the columns' intervals
            allow; None where no column has one.
        composites: one per composite column of the board; None for controls and incomplete rows.
    """

    generator: str
    settings: Mapping[str, str]
    control: bool
    cells: tuple[Cell, ...]
    mean_rank: float | None = None
    mean_rank_bounds: tuple[float, float] | None = None
    composites: tuple[float | None, ...] = ()
    ideal: bool = False

    @property
    def note(self) -> str:
        """The settings in words."""
        return in_words(self.settings)

    @property
    def name(self) -> str:
        """The generator, with the note where two rows would share the name."""
        return f"{self.generator} [{self.note}]" if self.note else self.generator

    @property
    def num_seeds(self) -> int:
        """The most seeds that one of its cells has."""
        return max(len(cell.measurements) for cell in self.cells)


@dataclass(frozen=True)
class Misordered:
    """A column that prefers controls to held-out images.

    Attributes:
        column: its name.
        ideal: the row of held-out images.
        controls: the rows that it prefers, best first.
    """

    column: str
    ideal: str
    controls: tuple[str, ...]

    @property
    def text(self) -> str:
        """In one line."""
        return f"{self.column} prefers {', '.join(self.controls)} to {self.ideal}"


@dataclass(frozen=True)
class Reported:
    """What others published of one generator of a board; shown beside it, never ranked.

    Attributes:
        generator: the name of the measured rows beside which it stands.
        model: its name in the publication.
        values: one per column of the board, as printed there; empty where nothing is reported.
        source: where it is published.
    """

    generator: str
    model: str
    values: tuple[str, ...]
    source: str

    @property
    def name(self) -> str:
        """Marked, so that nobody takes it for a measurement."""
        return f"{self.generator}, reported ({self.model})"


@dataclass(frozen=True)
class Board:
    """One table.

    Attributes:
        key: hash of the comparison without its metric.
        family: hash of it without the counts of images too.
        dataset, fingerprint: the reference images.
        backbone, weights: the network, and the hash of its weights or "".
        protocol: its name.
        num_real, num_fake: images on each side; num_real is None where nobody knows.
        deviations: of the protocol, shared by every record of the board.
        note: how it departs from a board of the same caption; usually empty.
        columns: sorted by metric, note and score.
        rows: generators by mean rank and name, then the controls by name.
        comparisons: all pairs of generators, one per column; None where it has no direction, fewer
            than two of them, or too many.
        unpaired: tables beside records that could not be used.
        ends: record's path -> the images at the ends of its scores, of the tables that were read.
        misordered: columns that prefer a control to held-out images.
        composites: the composite columns; there are none unless asked for.
        reported: published values; there are none unless asked for.
    """

    key: str
    family: str
    dataset: str
    fingerprint: str
    backbone: str
    weights: str
    protocol: str
    num_real: int | None
    num_fake: int
    deviations: tuple[str, ...]
    note: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    comparisons: tuple[Comparisons | None, ...] = ()
    unpaired: tuple[LeftOut, ...] = ()
    ends: Mapping[str, Sequence[Extreme]] = field(default_factory=dict)
    misordered: tuple[Misordered, ...] = ()
    composites: tuple[CompositeColumn, ...] = ()
    reported: tuple[Reported, ...] = ()

    @property
    def title(self) -> str:
        """Dataset, backbone and protocol by name."""
        return f"{self.dataset} · {self.backbone} · {self.protocol}"

    def reported_of(self, generator: str) -> list[Reported]:
        """What was published of a generator, by model and source; empty for most."""
        return [one for one in self.reported if one.generator == generator]

    @property
    def caption(self) -> str:
        """Everything that the numbers of this table share."""
        parts = [
            f"dataset {self.dataset} {self.fingerprint[:8]}".strip(),
            f"backbone {self.backbone} {self.weights[:8]}".strip(),
            f"protocol {self.protocol}",
            f"N real {'unknown' if self.num_real is None else self.num_real}",
            f"N fake {self.num_fake}",
            f"deviations: {'; '.join(self.deviations) or 'none'}",
        ]
        return " · ".join([*parts, self.note] if self.note else parts)
