"""Charts: labels that can be read, and axes that hold their values."""

import math

import numpy as np
import pytest

from bench.leaderboard.chart import HEIGHT, WIDTH, Point, axis, chart


def test_all_points_of_one_value_are_no_drawing():
    assert chart("x", "y", [Point("a", 1, 2), Point("b", 1, 3)]) is None


def test_labels_cover_neither_each_other_nor_the_edge():
    random = np.random.default_rng(0)
    points = [Point(f"generator {at}", *random.random(2)) for at in range(40)]
    drawn = chart("x", "y", points)
    boxes = [box(mark) for mark in drawn.marks if mark.label]
    assert len(boxes) > 5
    assert all(left >= 0 and right <= WIDTH and top >= 0 for left, right, top, _ in boxes)
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2]
            assert apart or other[3] <= one[2]


def box(mark):
    x, y, anchor = mark.label
    wide = 6 * len(mark.name)
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
    return left, left + wide, y - 9, y + 2


@pytest.mark.parametrize("values", [(1e-9, 1e9), (-5, 1e4), (0.2, 0.4), (3, 3.0001), (0.01, 1)])
def test_axes_hold_their_values_between_ticks_in_order(values):
    made = axis(values, 50, HEIGHT)
    assert all(50 <= made.at(value) <= HEIGHT for value in values)
    places = [place for place, _ in made.ticks]
    assert places == sorted(places) and len(places) >= 2
    assert all(math.isfinite(float(text)) for _, text in made.ticks)
