"""What a cell says when it is pointed at."""

from bench.leaderboard.board import Cell, Column
from bench.leaderboard.measurement import Measurement
from bench.leaderboard.tooltip import cell_tooltip

COLUMN = Column(
    metric="fid",
    score="fid",
    better="lower",
    comparison_key="a",
    config={"ddof": 1},
    note="",
    deviations=(),
)


def cell(**known):
    plain = {"standard_error": None, "interval": None, "interval_method": None, "undefined": None}
    return Cell((Measurement(seed="0", value=2.5, path="runs/a.json", **{**plain, **known}),))


def test_the_error_bar_its_method_and_the_bias_are_told():
    one = cell(standard_error=0.5, interval=(1.5, 3.5), interval_method="influences", bias=0.25)
    text = cell_tooltip(one, COLUMN)
    for line in (
        "seed 0: 2.5 ± 0.5",
        "95 % interval 1.5 to 3.5 (influences)",
        "bias about 0.25 at these counts, not taken off",
        "runs/a.json",
    ):
        assert line in text.splitlines()


def test_what_is_not_known_is_not_told():
    text = cell_tooltip(cell(), COLUMN)
    assert "bias" not in text and "interval" not in text
