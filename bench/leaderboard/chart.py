"""A small drawing of points and lines on two axes, as positions for inline SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.leaderboard.numbers import number

WIDTH, HEIGHT = 390, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 44
LOG_FROM = 20.0  # a range of positive values this wide has a logarithmic axis
SHARE = 1.5  # but none that ends here: precision, recall and their like are read from 0 to 1
LETTER = 6.1  # pixels


Interval = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Axis:
    """A range of values along a stretch of pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """The pixel of a value."""
        low, high, of = (_scaled(v, self.logarithmic) for v in (self.low, self.high, value))
        return round(self.start + (of - low) / (high - low) * (self.end - self.start), 1)

    def inside(self, value: float) -> float:
        """The value, or the nearer end of the axis."""
        return min(max(value, self.low), self.high)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and labels of round values."""
        values = (
            _log_ticks(self.low, self.high) if self.logarithmic else _ticks(self.low, self.high)
        )
        return [(self.at(value), f"{value:.6g}") for value in values]


@dataclass(frozen=True)
class Mark:
    """One point: what it is, where, and where its label stands; no label where none fits.

    Attributes:
        name, control: of what it stands for.
        x, y: in pixels.
        x_text, y_text: the values, with their intervals where they are known.
        text: of the label; empty for a point without one.
        reach: left, right, top and bottom end of its intervals, in pixels; the point itself where
            none is known.
        label: where the label stands: x, y, anchor.
    """

    name: str
    control: bool
    x: float
    y: float
    x_text: str
    y_text: str
    text: str
    reach: Box
    label: tuple[float, float, str] | None = None

    @property
    def whiskers(self) -> str:
        """The intervals as an SVG path; empty where none is known."""
        left, right, top, bottom = self.reach
        across = f"M{left} {self.y}H{right}" if left < right else ""
        return across + (f"M{self.x} {bottom}V{top}" if top < bottom else "")


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws.

    Attributes:
        x_name, y_name: of the axes.
        x, y: the axes, in pixels.
        marks: the points.
        lines: polylines, as lists of "x,y".
    """

    x_name: str
    y_name: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """A value on either axis, with its 95 % interval if known, and the name of what has it.

    Attributes:
        name: in full, shown on hover.
        x, y: the values.
        control: whether it is hollow.
        x_interval, y_interval: None where not known.
        label: what stands beside it; None: the name.
    """

    name: str
    x: float
    y: float
    control: bool = False
    x_interval: Interval | None = None
    y_interval: Interval | None = None
    label: str | None = None


def chart(
    x_name: str,
    y_name: str,
    points: Sequence[Point],
    *,
    lines: Sequence[Sequence[Point]] = (),
) -> Chart | None:
    """Lay the points out; None where all of them share one x or one y."""
    every = [*points, *(point for line in lines for point in line)]
    if len({point.x for point in every}) < 2 or len({point.y for point in every}) < 2:
        return None
    x_ends = [end for point in every for end in point.x_interval or ()]
    y_ends = [end for point in every for end in point.y_interval or ()]
    x = axis([point.x for point in every], LEFT, WIDTH - RIGHT, ends=x_ends)
    y = axis([point.y for point in every], HEIGHT - BOTTOM, TOP, ends=y_ends)
    marks = [_mark(point, x, y) for point in points]
    return Chart(
        x_name,
        y_name,
        x,
        y,
        tuple(_labelled(marks)),
        tuple(" ".join(f"{x.at(p.x)},{y.at(p.y)}" for p in line) for line in lines),
    )


def axis(values: Sequence[float], start: float, end: float, *, ends: Sequence[float] = ()) -> Axis:
    """An axis that holds all values with a margin; they are finite and not all equal.

    Args:
        values: they decide whether the axis is logarithmic.
        start: pixel of the lower end.
        end: pixel of the upper end.
        ends: of intervals, which it holds too; a logarithmic one as far as a factor of 20 below.
    """
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low > LOG_FROM and high > SHARE
    lowest, highest = min([low, *ends]), max([high, *ends])
    if logarithmic:
        lowest = max(lowest, low / LOG_FROM)
        margin = (highest / lowest) ** 0.06
        return Axis(lowest / margin, highest * margin, start, end, True)
    margin = 0.06 * (highest - lowest)
    return Axis(lowest - margin, highest + margin, start, end, False)


def _scaled(value: float, logarithmic: bool) -> float:
    return math.log(value) if logarithmic else value


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1, 1 + (last - first) // 8)
    firsts = (1, 2, 5) if high / low < 1000 else (1,)
    values = [digit * 10.0**power for power in powers for digit in firsts]
    return [value for value in values if low <= value <= high]


def _mark(point: Point, x: Axis, y: Axis) -> Mark:
    return Mark(
        point.name,
        point.control,
        x.at(point.x),
        y.at(point.y),
        _told(point.x, point.x_interval),
        _told(point.y, point.y_interval),
        point.name if point.label is None else point.label,
        _reach(point, x, y),
    )


def _told(value: float, interval: Interval | None) -> str:
    if interval is None:
        return number(value)
    return f"{number(value)} ({number(interval[0])} to {number(interval[1])})"


def _reach(point: Point, x: Axis, y: Axis) -> Box:
    """One that leaves a logarithmic axis ends at its edge."""
    left, right = (x.at(x.inside(end)) for end in point.x_interval or (point.x, point.x))
    bottom, top = (y.at(y.inside(end)) for end in point.y_interval or (point.y, point.y))
    return left, right, top, bottom


def _labelled(marks: Sequence[Mark]) -> list[Mark]:
    """A label beside each point, where it covers no other label or point and fits.

    Rather where it covers no whisker either.
    """
    taken = [(mark.x - 5, mark.y - 5, mark.x + 5, mark.y + 5) for mark in marks]
    lines = [box for mark in marks for box in _lines(mark)]
    found = {}
    for mark in sorted(marks, key=lambda one: one.control):  # generators choose first
        places = [(choice, box) for choice, box in _places(mark) if _is_free(box, taken)]
        clear = [(choice, box) for choice, box in places if not _covers(box, lines)]
        label, box = next(iter([*clear, *places] if mark.text else []), (None, None))
        taken += [box] if box else []
        found[mark] = replace(mark, label=label)
    return [found[mark] for mark in marks]


def _lines(mark: Mark) -> list[Box]:
    left, right, top, bottom = mark.reach
    across = (left, mark.y - 1, right, mark.y + 1)
    up = (mark.x - 1, top, mark.x + 1, bottom)
    return [*([across] if left < right else []), *([up] if top < bottom else [])]


def _places(mark: Mark) -> list[tuple[tuple[float, float, str], Box]]:
    """Where a label may stand, the best first, and the box that it fills there."""
    wide = LETTER * len(mark.text)
    x, y = mark.x, mark.y
    left, right, top, bottom = mark.reach
    starts = {"start": 0.0, "middle": -wide / 2, "end": -wide}
    beside = [(x + 8, y + 4, "start"), (x - 8, y + 4, "end")]
    beyond = [(max(right + 5, x + 8), y + 4, "start"), (min(left - 5, x - 8), y + 4, "end")]
    over = [(x, min(y - 9, top - 5), "middle"), (x, max(y + 17, bottom + 13), "middle")]
    aslant = [(x + dx, y + dy, end) for dy in (-9, 17) for dx, end in ((-4, "start"), (4, "end"))]
    clear = [(x + dx, y + dy, end) for dy in (-4, 12) for dx, end in ((6, "start"), (-6, "end"))]
    return [
        ((at, base, anchor), (at + starts[anchor], base - 9, at + starts[anchor] + wide, base + 2))
        for at, base, anchor in (*beside, *beyond, *clear, *over, *aslant)
    ]


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    return _inside(box) and not _covers(box, taken)


def _covers(box: Box, others: Sequence[Box]) -> bool:
    return any(_overlap(box, other) for other in others)


def _inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM


def _overlap(first: Box, second: Box) -> bool:
    return not (
        first[2] <= second[0]
        or second[2] <= first[0]
        or first[3] <= second[1]
        or second[3] <= first[1]
    )
