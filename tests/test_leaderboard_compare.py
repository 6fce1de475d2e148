"""The comparison of two results folders: what is matched, what is tolerated."""

import pytest
from made_records import record, score, store

from bench.errors import StoreError
from bench.leaderboard.compare import compare, comparison_lines


def ok(tmp_path, measured, committed):
    found = compare(store(tmp_path / "m", *measured), store(tmp_path / "c", *committed))
    return [one.ok for one in found]


def fid(value, **changes):
    return record(scores={"fid": score(value)}, **changes)


@pytest.mark.parametrize(("value", "agrees"), [(100.09, True), (99.91, True), (100.11, False)])
def test_smooth_scores_may_move_by_a_thousandth(tmp_path, value, agrees):
    assert ok(tmp_path, [fid(value)], [fid(100.0)]) == [agrees]


def test_the_difference_is_measured_minus_committed(tmp_path):
    (found,) = compare(store(tmp_path / "m", fid(3.0)), store(tmp_path / "c", fid(1.0)))
    assert (found.measured, found.committed, found.difference) == (3.0, 1.0, 2.0)
    assert found.tolerance == pytest.approx(1e-3 + 1e-6)


@pytest.mark.parametrize(("value", "agrees"), [(1.008, True), (1.02, False)])
def test_a_tenth_of_the_standard_error_is_tolerated(tmp_path, value, agrees):
    committed = record("gan", "kid", {"kid": score(1.0, standard_error=0.1)})
    assert ok(tmp_path, [record("gan", "kid", {"kid": value})], [committed]) == [agrees]


@pytest.mark.parametrize(
    ("metric", "name", "agrees"),
    [
        ("prdc", "coverage", True),
        ("precision_recall", "recall", True),
        ("rarity", "defined_fraction", True),
        ("rarity", "mean", False),
        ("fid", "fid", False),
    ],
)
def test_one_image_of_a_share_may_flip(tmp_path, metric, name, agrees):
    one_more = record("gan", metric, {name: 0.5 + 1 / 60})
    assert ok(tmp_path, [one_more], [record("gan", metric, {name: 0.5})]) == [agrees]


def test_two_images_may_not_flip(tmp_path):
    two_more = record("gan", "prdc", {"recall": 0.5 + 2 / 60})
    assert ok(tmp_path, [two_more], [record("gan", "prdc", {"recall": 0.5})]) == [False]


def test_records_are_matched_by_name_not_by_key(tmp_path):
    assert ok(tmp_path, [record(key="1" * 64)], [record(key="2" * 64)]) == [True]


@pytest.mark.parametrize("change", [{"seed": 1}, {"backbone": "other"}, {"protocol": "adm"}])
def test_a_score_missing_on_either_side_is_not_ok(tmp_path, change):
    found = compare(store(tmp_path / "m", record()), store(tmp_path / "c", record(**change)))
    assert sorted((one.ok, one.reason) for one in found) == [
        (False, "not committed"),
        (False, "not measured"),
    ]


def test_undefined_agrees_with_undefined_only(tmp_path):
    undefined = record(scores={"fid": score(None, undefined="no rows")})
    assert ok(tmp_path / "both", [undefined], [undefined]) == [True]
    assert ok(tmp_path / "one", [undefined], [record()]) == [False]


def test_two_settings_of_one_metric_are_matched_by_their_settings(tmp_path):
    three, five = record(k=3, scores={"fid": 3.0}), record(k=5, scores={"fid": 5.0})
    assert ok(tmp_path, [three, five], [five, three]) == [True, True]


def test_the_lines_name_what_differs_and_count(tmp_path):
    found = compare(store(tmp_path / "m", fid(3.0)), store(tmp_path / "c", fid(1.0)))
    head, line, last = comparison_lines(found)
    assert head.split() == ["score", "measured", "committed", "difference", "tolerance"]
    assert line.startswith("DIFFERS  digits gan net demo fid.fid seed 0 N 90/60")
    assert last == "0 of 1 scores agree"


def test_nothing_to_agree_with_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="no good records"):
        compare(store(tmp_path / "m", record()), tmp_path / "absent")
