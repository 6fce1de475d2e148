"""What a cell says when it is pointed at."""

from dataclasses import replace

from bench.leaderboard.board import Cell
from bench.leaderboard.cell_text import DASH
from bench.leaderboard.measurement import Measurement
from bench.leaderboard.standing import Rival, Standing
from bench.leaderboard.tooltip import cell_hint, cell_tooltip


def cell(**known):
    plain = {"standard_error": None, "interval": None, "interval_method": None, "undefined": None}
    return Cell((Measurement(seed="0", value=2.5, path="runs/a.json", **{**plain, **known}),))


def test_the_error_bar_its_method_and_the_bias_are_told():
    one = cell(standard_error=0.5, interval=(1.5, 3.5), interval_method="influences", bias=0.25)
    text = cell_tooltip(one)
    for line in (
        "seed 0: 2.5 ± 0.5",
        "95 % interval 1.5 to 3.5 (influences)",
        "bias about 0.25 at these counts, not taken off",
        "runs/a.json",
    ):
        assert line in text.splitlines()


def test_what_is_not_known_is_not_told():
    text = cell_tooltip(cell())
    assert "bias" not in text and "interval" not in text


def test_the_rank_is_told_with_its_neighbours():
    rivals = (Rival("a", 0.031, "paired"), Rival("c", 0.9999, "seeds"), Rival("d", None, "unknown"))
    one = replace(cell(), standing=Standing(2, (1, 3), 1, rivals))
    assert cell_tooltip(one).splitlines()[:4] == [
        f"rank 2 (1{DASH}3), tie group 1",
        "better than a with probability 0.03 (paired)",
        "better than c with probability > 0.99 (seeds)",
        "towards d: unknown, without error bars",
    ]


def test_a_rank_without_interval_is_told_as_it_is():
    one = replace(cell(), standing=Standing(2, None, 2))
    assert cell_tooltip(one).splitlines()[0] == "rank 2, tie group 2"


def test_the_hint_says_what_the_cell_does_not_show():
    rivals = (Rival("a", 0.031, "paired"), Rival("d", None, "unknown"))
    one = replace(cell(interval=(1.5, 3.5)), standing=Standing(2, (1, 3), 1, rivals))
    assert cell_hint(one).splitlines() == [
        "rank 2, tie group 1",
        "beats a: 0.03",
        "beats d: unknown",
        "paired",
        "95 %: 1.5 to 3.5",
    ]


def test_the_hint_of_seeds_has_their_values():
    seeds = (cell().measurements[0], replace(cell().measurements[0], seed="1", value=3.0))
    assert cell_hint(Cell(seeds)).splitlines() == ["seed 0: 2.5", "seed 1: 3"]


def test_the_hint_of_a_gap_is_empty():
    assert cell_hint(Cell()) == ""
