"""What a metric returns is checked before it becomes a record."""

import math

import pytest

from bench.errors import UndefinedError
from bench.outcome import as_outcome, score_entries
from metrics.metric import Better, Estimate, Outcome

LOWER = {"fid": Better.LOWER}


def test_plain_floats_become_estimates():
    assert as_outcome({"fid": 2}, LOWER).scores == {"fid": Estimate(2.0)}


@pytest.mark.parametrize(
    "estimate",
    [
        Estimate(math.nan),
        Estimate(math.inf),
        Estimate(1.0, standard_error=math.nan),
        Estimate(1.0, interval=(0.0, math.inf)),
        Estimate(1.0, bias=math.nan),
    ],
)
def test_what_is_not_finite_is_refused_by_name(estimate):
    with pytest.raises(UndefinedError, match="fid is"):
        as_outcome(Outcome({"fid": estimate}), LOWER)


def test_undeclared_names_are_refused():
    with pytest.raises(UndefinedError, match=r"gave \['kid'\], and declares \['fid'\]"):
        as_outcome({"kid": 1.0}, LOWER)


def test_entries_hold_the_bias_only_where_it_is_known():
    plain = score_entries(Outcome({"fid": Estimate(2.0)}), LOWER)["fid"]
    known = score_entries(Outcome({"fid": Estimate(2.0, bias=0.5)}), LOWER)["fid"]
    assert "bias" not in plain and known == {**plain, "bias": 0.5}
    nothing = Outcome({"fid": Estimate(math.nan, undefined="no rows")})
    assert score_entries(nothing, LOWER)["fid"]["value"] is None
