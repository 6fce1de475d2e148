"""Composite columns: by hand, and only when asked for."""

import csv
import io
import json

import pytest
from made_records import record, score, store
from scipy.stats import rankdata, zscore

from bench.cli import main
from bench.errors import ConfigError
from bench.leaderboard.composite import Composite, borda, minmax
from bench.leaderboard.composite import zscore as ours
from bench.leaderboard.leaderboard import Options
from bench.leaderboard.write import write_all

RECALL = {"a": 0.5, "b": 0.9, "c": 0.5}
FID = {"a": 10.0, "b": 20.0, "c": 30.0}
GENERATORS = [
    one
    for name in FID
    for one in (
        record(name, "fid", {"fid": score(FID[name])}),
        record(name, "prdc", {"recall": score(RECALL[name], better="higher")}),
    )
]


def composites(tmp_path, *records, **wanted):
    store(tmp_path, *records)
    write_all(tmp_path, tmp_path / "out", "x", True, Options(Composite(**wanted)))
    (board,) = json.loads((tmp_path / "out" / "x.json").read_text())["boards"]
    rows = {row["generator"]: row["composites"] for row in board["rows"]}
    return [one["name"] for one in board["composites"]], rows


def test_there_are_none_unless_asked_for(tmp_path):
    names, rows = composites(tmp_path, *GENERATORS)
    assert names == [] and set(map(tuple, rows.values())) == {()}


def test_borda_points_by_hand(tmp_path):
    names, rows = composites(tmp_path, *GENERATORS, borda=True)
    assert names == ["Borda"]
    assert rows == {"a": [2.5], "b": [3.0], "c": [0.5]}


def test_a_weighted_minmax_mean_by_hand(tmp_path):
    weights = {"fid.fid": 3, "prdc.recall": 1}
    names, rows = composites(tmp_path, *GENERATORS, normalise="minmax", weights=weights)
    assert names == ["minmax mean (fid.fid 3, prdc.recall 1)"]
    assert rows == {"a": [0.75], "b": [pytest.approx((3 * 0.5 + 1) / 4)], "c": [0.0]}


def test_one_weighted_column_is_the_only_one(tmp_path):
    _, rows = composites(tmp_path, *GENERATORS, normalise="minmax", weights={"prdc.recall": 2})
    assert rows == {"a": [0.0], "b": [1.0], "c": [0.0]}


def test_controls_and_rows_with_a_gap_take_no_part(tmp_path):
    more = [record("d", "fid", {"fid": 0.0}), record("blur", config={"control": True})]
    _, rows = composites(tmp_path, *GENERATORS, *more, borda=True)
    assert rows["d"] == rows["blur"] == [None]
    assert rows["a"] == [2.5]


def test_the_formulas_equal_scipys():
    values = [3.0, 1.0, 1.0, 7.5, -2.0]
    assert borda(values) == [rank - 1 for rank in rankdata(values)]
    assert ours(values) == pytest.approx(zscore(values))
    assert minmax(values)[3:] == [1.0, 0.0]
    assert minmax([2.0, 2.0]) == ours([2.0, 2.0]) == [0.0, 0.0]


@pytest.mark.parametrize(
    "wanted",
    [
        {"normalise": "rank"},
        {"weights": {"fid.fid": 1}},
        {"normalise": "minmax", "weights": {"fid.fid": 0}},
        {"normalise": "minmax", "weights": {"fid.fid": "much"}},
        {"normalise": "minmax", "weights": {"fid.fidd": 1}},
        {"normalise": "minmax", "weights": {"prdc.median": 1}},
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path, wanted):
    with pytest.raises(ConfigError, match="composite"):
        composites(tmp_path, *GENERATORS, **wanted)


SETTINGS = [record("a", k=3), record("b", k=3, scores={"fid": 2.0}), record("a", k=5)]


def test_a_name_that_several_columns_share_is_refused_with_their_whole_names(tmp_path):
    found = r"ambiguous: the columns are fid.fid \[k=3\], fid.fid \[k=5\]"
    with pytest.raises(ConfigError, match=found):
        composites(tmp_path, *SETTINGS, normalise="minmax", weights={"fid.fid": 1})


def test_an_unknown_name_lists_the_columns(tmp_path):
    with pytest.raises(ConfigError, match=r"There are: fid.fid, prdc.recall\."):
        composites(tmp_path, *GENERATORS, normalise="minmax", weights={"fid": 1})


def test_the_whole_name_means_one_setting(tmp_path):
    weights = {"fid.fid [k=3]": 1}
    _, rows = composites(tmp_path, *SETTINGS, normalise="minmax", weights=weights)
    assert rows == {"a": [1.0], "b": [0.0]}


def test_a_name_with_a_note_can_be_typed(tmp_path):
    store(tmp_path, *SETTINGS)
    words = [f"paths.results={tmp_path}", f"paths.leaderboards={tmp_path}/out", "name=x"]
    weights = r"composite.weights={fid.fid \[k\=3\]: 2}"
    with pytest.raises(SystemExit) as ending:
        main(["leaderboard", *words, "composite.normalise=minmax", weights])
    assert ending.value.code == 0
    assert "minmax mean (fid.fid [k=3] 2)" in (tmp_path / "out" / "x.wide.csv").read_text()


def test_every_format_with_room_for_it_says_the_rule(tmp_path):
    composites(tmp_path, *GENERATORS, borda=True, normalise="zscore")
    for suffix in ("md", "tex", "html", "json"):
        text = (tmp_path / "out" / f"x.{suffix}").read_text()
        assert "1 point for every" in text and "sd, with divisor n" in text, suffix


def test_the_command_takes_weights_of_any_column(tmp_path):
    store(tmp_path, *GENERATORS)
    words = [f"paths.results={tmp_path}", f"paths.leaderboards={tmp_path}/out", "name=x"]
    more = ["composite.normalise=minmax", "composite.weights.fid.fid=2", "composite.borda=true"]
    with pytest.raises(SystemExit) as ending:
        main(["leaderboard", *words, *more])
    assert ending.value.code == 0
    text = (tmp_path / "out" / "x.wide.csv").read_text()
    rows = {row["generator"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["b"]["minmax mean (fid.fid 2)"] == "0.5" and rows["b"]["Borda"] == "3.0"
    assert rows["b"]["fid.fid"] == "20.0" and rows["b"]["fid.fid rank_low"] == ""
    for name in ("x.md", "x.tex"):
        assert "minmax mean" in (tmp_path / "out" / name).read_text()
