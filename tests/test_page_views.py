"""The page's drawings: points where they belong, and correlations that a second code agrees on."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from made_records import record, score, store
from scipy.stats import kendalltau

from bench.leaderboard.backbone_agreement import backbone_agreement
from bench.leaderboard.boards import boards
from bench.leaderboard.chart import HEIGHT, LEFT, WIDTH
from bench.leaderboard.kendall import kendall
from bench.leaderboard.leaderboard import leaderboard
from bench.leaderboard.load import read_results
from bench.leaderboard.metric_agreement import metric_agreement
from bench.leaderboard.page import page
from bench.leaderboard.scatter import scatters
from bench.leaderboard.series import series_of
from bench.leaderboard.sizes import growths
from bench.records import digest, encode


def boards_of(tmp_path, *records):
    return boards(read_results(store(tmp_path, *records)).records)


def pair(name, fid, recall, **changes):
    """A generator's two records, as FID and as precision and recall are stored."""
    both = {"precision": score(0.5 + fid / 100, "higher"), "recall": score(recall, "higher")}
    return (
        record(name, "fid", {"fid": fid}, **changes),
        record(name, "precision_recall", both, **changes),
    )


@pytest.mark.parametrize("levels", [3, 1000])  # with many ties, and with hardly any
def test_kendall_is_scipys_over_the_rows_that_both_columns_have(levels):
    random = np.random.default_rng(0)
    values = random.integers(0, levels, (60, 5)).astype(float)
    values[random.random(values.shape) < 0.2] = np.nan
    found = kendall(values)
    for first in range(5):
        for second in range(5):
            both = values[np.isfinite(values[:, [first, second]]).all(axis=1)]
            wanted = kendalltau(both[:, first], both[:, second]).statistic
            assert found[first, second] == pytest.approx(wanted, abs=1e-12)


def test_kendall_of_a_constant_is_unknown():
    assert np.isnan(kendall(np.array([[1.0, 1], [1, 2], [1, 3]]))[0, 1])
    shared_by_two = np.array([[1.0, 1], [2, 2], [3, np.nan]])
    assert kendall(shared_by_two)[0, 1] == 1 and np.isnan(kendall(shared_by_two, 3)[0, 1])


def test_scores_of_opposite_direction_that_agree_correlate_by_one(tmp_path):
    found = boards_of(tmp_path, *pair("a", 1, 0.9), *pair("b", 2, 0.8), *pair("c", 3, 0.7))
    (heat,) = metric_agreement(found[0])
    assert heat.names == ("fid.fid", "precision_recall.precision", "precision_recall.recall")
    assert [square.text for square in heat.squares[0]] == ["1.00", "-1.00", "1.00"]
    assert [square.shade for square in heat.squares[0]] == ["tau4", "tau-4", "tau4"]


def test_controls_are_counted_apart(tmp_path):
    control = {"config": {"control": True}}
    generators = [*pair("a", 1, 0.9), *pair("b", 2, 0.8), *pair("c", 3, 0.7)]
    (found,) = boards_of(tmp_path, *generators, *pair("noise", 9, 0.95, **control))
    without, with_controls = metric_agreement(found)
    assert without.squares[0][2].text == "1.00"
    assert with_controls.squares[0][2].text == "0.00"  # 3 pairs agree and 3 do not


def test_two_rows_correlate_with_nothing(tmp_path):
    assert not metric_agreement(boards_of(tmp_path, *pair("a", 1, 0.9), *pair("b", 2, 0.8))[0])


def test_backbones_are_compared_on_the_same_generators(tmp_path):
    trained = [*pair("a", 1, 0.9), *pair("b", 2, 0.8), *pair("c", 3, 0.7)]
    other = [*pair("a", 1, 0.7, backbone="other"), *pair("b", 2, 0.8, backbone="other")]
    other += pair("c", 3, 0.9, backbone="other")
    (heat,) = backbone_agreement(boards_of(tmp_path, *trained, *other))
    assert heat.names == ("net", "other")
    assert heat.squares[0][1].text == "0.33"  # fid and precision agree, recall is reversed
    assert "precision_recall.recall: -1.00" in heat.squares[0][1].hint
    assert heat.squares[0][0].text == "1.00"


def test_better_points_stand_where_the_axes_say(tmp_path):
    (found,) = boards_of(tmp_path, *pair("a", 1, 0.9), *pair("b", 2, 0.8))
    first, second = scatters(found)
    a, b = first.marks
    assert (first.x_name, first.y_name) == ("fid.fid ↓", "precision_recall.recall ↑")
    assert a.x < b.x and a.y < b.y  # smaller FID is left, higher recall is up
    assert (a.x_text, a.y_text) == ("1.000", "0.9000")
    assert second.x_name == "precision_recall.precision ↑"


def measured(name, fid, recall, *, fid_interval, recall_interval, **changes):
    return (
        record(name, "fid", {"fid": score(fid, interval=fid_interval)}, **changes),
        record(
            name,
            "precision_recall",
            {"recall": score(recall, "higher", interval=recall_interval)},
            **changes,
        ),
    )


def whiskers(mark):
    """left, y, right, x, bottom, top of a cross."""
    found = re.fullmatch(r"M(\S+) (\S+)H(\S+)M(\S+) (\S+)V(\S+)", mark.whiskers)
    return tuple(map(float, found.groups()))


def test_whiskers_are_the_intervals_along_both_axes(tmp_path):
    first = measured("a", 10, 0.5, fid_interval=[9, 12], recall_interval=[0.4, 0.6])
    (found,) = boards_of(tmp_path, *first, *pair("b", 15, 0.8))
    drawn = scatters(found)[0]
    a, b = sorted(drawn.marks, key=lambda mark: mark.name)
    assert b.whiskers == ""
    left, y, right, x, bottom, top = whiskers(a)
    assert (left, right) == (drawn.x.at(9), drawn.x.at(12)) and left < a.x < right
    assert (bottom, top) == (drawn.y.at(0.4), drawn.y.at(0.6)) and top < a.y < bottom
    assert (x, y) == (a.x, a.y)
    assert a.x_text == "10.00 (9.000 to 12.00)"


def test_the_axes_hold_every_whisker(tmp_path):
    first = measured("a", 10, 0.5, fid_interval=[1, 30], recall_interval=[0.1, 0.9])
    (found,) = boards_of(tmp_path, *first, *pair("b", 12, 0.6))
    marks = {mark.name: mark for mark in scatters(found)[0].marks}
    left, _, right, _, bottom, top = whiskers(marks["a"])
    assert left >= LEFT and right <= WIDTH and top >= 0 and bottom <= HEIGHT


def test_a_whisker_that_a_logarithm_cannot_hold_ends_at_the_edge(tmp_path):
    first = measured("a", 1, 0.5, fid_interval=[-3, 4], recall_interval=[0.4, 0.6])
    (found,) = boards_of(tmp_path, *first, *pair("b", 90, 0.6))
    drawn = scatters(found)[0]
    assert drawn.x.logarithmic
    marks = {mark.name: mark for mark in drawn.marks}
    assert LEFT <= whiskers(marks["a"])[0] < marks["a"].x - 50


def test_a_series_has_whiskers_where_its_records_hold_intervals(tmp_path):
    records = [
        one
        for psi in (0.5, 1.0)
        for one in measured(
            "gan",
            9 - psi,
            psi / 2,
            fid_interval=[8 - psi, 11 - psi],
            recall_interval=None,
            config={"psi": psi},
        )
    ]
    grown = growths(boards_of(tmp_path, *records))
    by_title = {growth.title.partition(" over ")[0]: growth.drawn for growth in grown}
    fid, recall = by_title["fid.fid"], by_title["precision_recall.recall"]
    ends = [fid.marks[0].whiskers.partition("M")[2].split(" ")[1].split("V")]
    assert [float(end) for end in ends[0]] == [fid.y.at(7.5), fid.y.at(10.5)]
    assert {mark.whiskers for mark in recall.marks} == {""}


def test_an_undefined_score_is_no_point(tmp_path):
    gap = record("c", "fid", {"fid": score(None, undefined="no rows")})
    (found,) = boards_of(tmp_path, *pair("a", 1, 0.9), *pair("b", 2, 0.8), gap)
    assert [mark.name for mark in scatters(found)[0].marks] == ["a", "b"]


def test_truncations_of_one_generator_are_joined_in_their_order(tmp_path):
    rows = [(0.5, 3, 0.5), (1.0, 1, 0.9), (0.7, 2, 0.7)]
    records = [one for psi, *of in rows for one in pair("gan", *of, config={"psi": psi})]
    (found,) = boards_of(tmp_path, *records, *pair("other", 5, 0.1))
    (series,) = series_of(found.rows)
    assert series.field == "psi"
    assert series.values == (0.5, 0.7, 1.0)
    (line,) = scatters(found)[0].lines
    ordinates = [float(point.split(",")[1]) for point in line.split()]
    assert ordinates == sorted(ordinates, reverse=True)  # recall rises with psi
    assert any(growth.title.startswith("fid.fid over psi") for growth in growths([found]))


def truncated(name, threshold, fid, recall, **changes):
    """Two records of a live generator, as a job writes them."""
    sampler = {"kind": "models.samplers.Plain"}
    if threshold is not None:
        sampler = {"kind": "models.samplers.Truncated", "threshold": threshold}
    return pair(name, fid, recall, identities={"generator": {"sampler": sampler}}, **changes)


def test_plain_latents_end_the_line_of_the_truncations(tmp_path):
    rows = [(1.0, 2, 0.5), (None, 1, 0.9), (0.5, 3, 0.3)]
    records = [one for threshold, *of in rows for one in truncated("gan", threshold, *of)]
    (found,) = boards_of(tmp_path, *records)
    assert {row.note for row in found.rows} == {
        "sampler.threshold=0.5",
        "sampler.threshold=1.0",
        "sampler.threshold=none",
    }
    (series,) = series_of(found.rows)
    assert series.values == (0.5, 1.0, math.inf)
    (line,) = scatters(found)[0].lines
    assert len(line.split()) == 3
    texts = {mark.text for mark in scatters(found)[0].marks}
    assert texts == {"0.5", "1", "gan threshold=none"}
    growth = next(one for one in growths([found]) if one.title.startswith("fid.fid over threshold"))
    assert len(growth.drawn.lines[0].split()) == 2  # no truncation has no place on the axis


def test_a_series_is_named_at_its_last_point(tmp_path):
    records = [one for psi in (0.5, 1.0) for one in truncated("gan", psi, 9 - psi, psi / 2)]
    growth = growths(boards_of(tmp_path, *records))[0]
    assert [mark.text for mark in growth.drawn.marks] == ["", "gan"]
    assert growth.drawn.marks[0].label is None and growth.drawn.marks[1].label


def test_each_checkpoint_has_a_line_of_its_own_truncations(tmp_path):
    grid = [(steps, psi) for steps in (100, 200) for psi in (0.5, 0.7, 1.0)]
    records = [
        one
        for steps, psi in grid
        for one in truncated("gan", psi, 9 - psi - steps / 100, psi / 2, config={"steps": steps})
    ]
    found = series_of(boards_of(tmp_path, *records)[0].rows)
    assert [one.values for one in found] == [(0.5, 0.7, 1.0)] * 2
    assert [{row.settings["config.steps"] for row in one.rows} for one in found] == [
        {"100"},
        {"200"},
    ]


def test_another_sampler_of_the_same_number_is_another_row(tmp_path):
    other = {"generator": {"sampler": {"kind": "mine.Sampler", "threshold": 0.5}}}
    records = [*truncated("gan", 0.5, 1, 0.5), *pair("gan", 2, 0.4, identities=other)]
    (found,) = boards_of(tmp_path, *records)
    assert len(found.rows) == 2


def test_rows_that_differ_in_two_numbers_are_not_joined(tmp_path):
    settings = ({"psi": 1, "steps": 5}, {"psi": 2, "steps": 9})
    records = [one for config in settings for one in pair("gan", 1, 0.5, config=config)]
    assert not series_of(boards_of(tmp_path, *records)[0].rows)


def test_sample_sizes_are_drawn_across_keys_and_said_to_be_no_ranking(tmp_path):
    records = [record("a", scores={"fid": 9.0 - n / 60}, num_fake=n) for n in (60, 120, 240)]
    found = boards_of(tmp_path, *records)
    assert len(found) == 3
    (growth,) = growths(found)
    assert growth.title.startswith("fid.fid over sample size")
    assert "no ranking" in growth.caption
    assert len(growth.drawn.lines[0].split()) == 3


def test_another_reference_or_metric_of_one_name_is_no_other_sample_size(tmp_path):
    records = [record("a", scores={"fid": 9.0}, num_fake=60)]
    other = record("a", scores={"fid": 3.0}, num_fake=120)
    assert growths(boards_of(tmp_path / "same", *records, other))
    drawn = {**other.comparison, "dataset": {**other.comparison["dataset"], "draw": 2}}
    some = replace(other, comparison=drawn, comparison_key=digest(drawn), num_real=50)
    assert growths(boards_of(tmp_path / "drawn", *records, some))
    changed = {**other.comparison, "dataset": {**other.comparison["dataset"], "fingerprint": "0"}}
    elsewhere = replace(other, comparison=changed, comparison_key=digest(changed))
    assert not growths(boards_of(tmp_path / "other", *records, elsewhere))
    settings = record("a", scores={"fid": 3.0}, num_fake=120, k=9)
    assert not growths(boards_of(tmp_path / "settings", *records, settings))


def test_one_sample_size_is_no_curve(tmp_path):
    assert not growths(boards_of(tmp_path, record("a"), record("b")))


def test_two_hundred_rows_weigh_less_than_a_megabyte(tmp_path):
    scores = ("precision", "recall")
    for metric in ("fid", "kid", "prdc", "precision_recall", "cmmd", "vendi", "rarity"):
        for at in range(200):
            path = tmp_path / "runs" / f"{metric}-{at}.json"  # not `store`: it waits for the disk
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encode(_measured(f"generator_{at}", metric, at, scores)))
    text = page(leaderboard("demo", read_results(tmp_path)))
    assert text.count("<tr data-name") == 200
    assert len(text.encode()) < 1_000_000


def _measured(name, metric, at, scores):
    value = math.sqrt(at + 2) / 100
    known = {"standard_error": value / 70, "interval": [value / 1.01, value * 1.01]}
    return record(name, metric, {one: score(value, "higher", **known) for one in scores})
