"""Controls that a score puts before held-out images are named."""

import logging

import pytest
from made_records import record, score, store

from bench.leaderboard.boards import boards
from bench.leaderboard.command import Request, run
from bench.leaderboard.load import read_results

HELD_OUT = {"control": True, "_target_": "bench.generators.controls.Holdout"}
DAMAGED = {"control": True, "_target_": "bench.generators.damage.Blur"}


def misordered(folder, held_out, *others, better="lower", config=HELD_OUT, **known):
    """Of a board with this control of held-out images and these others, by name and value."""
    store(folder, record("gan", scores={"fid": score(0.0, better)}))
    for name, value in [("holdout", held_out), *others]:
        own = config if name == "holdout" else DAMAGED
        store(folder, record(name, scores={"fid": score(value, better, **known)}, config=own))
    (board,) = boards(read_results(folder).records)
    return board.misordered


def test_a_score_that_prefers_a_control_is_named_with_all_that_it_prefers(tmp_path):
    (one,) = misordered(tmp_path, 5.0, ("blur", 4.0), ("jpeg", 6.0), ("noise", 3.0))
    assert one.text == "fid.fid prefers noise, blur to holdout"


@pytest.mark.parametrize(("better", "value"), [("lower", 6.0), ("higher", 4.0), ("neither", 4.0)])
def test_a_score_in_order_and_one_without_direction_are_not(tmp_path, better, value):
    assert not misordered(tmp_path, 5.0, ("blur", value), better=better)


@pytest.mark.parametrize(("gap", "named"), [(2.3, False), (2.4, True)])
def test_a_difference_counts_from_its_error_on(tmp_path, gap, named):
    found = misordered(tmp_path, 5.0, ("blur", 5.0 - gap), standard_error=1.0)
    assert bool(found) is named  # 1.645 times the root of two is 2.33


def test_an_undefined_score_of_held_out_images_is_no_yardstick(tmp_path):
    nothing = {"value": None, "better": "lower", "undefined": "no rows", "standard_error": None}
    assert not misordered(tmp_path, nothing, ("blur", 4.0))


def test_without_held_out_images_nothing_is_said(tmp_path):
    assert not misordered(tmp_path, 5.0, ("blur", 4.0), config={"control": True})


def test_every_file_for_readers_tells_and_the_command_warns(tmp_path, caplog):
    misordered(tmp_path, 5.0, ("<b>blur", 4.0))
    with caplog.at_level(logging.WARNING):
        assert run(Request(tmp_path, tmp_path / "out", "x", strict=True)) == 0
    assert "1 of 1 columns prefer a control to held-out images" in caplog.text
    html, json, text = (
        (tmp_path / "out" / f"x.{end}").read_text() for end in ("html", "json", "md")
    )
    assert "fid.fid prefers &lt;b&gt;blur to holdout" in html
    assert '"controls": ["<b>blur"]' in json
    assert "Controls out of order: fid.fid prefers &lt;b&gt;blur to holdout." in text
