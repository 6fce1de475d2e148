"""The committed records: the leaderboard follows from them, and the controls mean what they say."""

import logging
from pathlib import Path

import pytest

from bench.leaderboard.command import Request, run
from bench.records import read_record, record_paths

RESULTS = Path(__file__).parents[1] / "results"
BACKBONES = ("efficientnet_lite0", "resnet18_random")
GANS = ("dcgan_digits", "dcgan_digits_conditional", "dcgan_digits_early")
CONTROLS = ("copycat", "holdout", "blur", "noise", "jpeg", "one_per_class", "drop_classes")


@pytest.fixture(scope="module")
def scores():
    """(generator, backbone, "metric.score") -> value, of the demo's records."""
    found = {}
    for path in record_paths(RESULTS):
        record = read_record(path)
        assert record.protocol["name"] == "demo" and not record.deviations
        for name, entry in record.scores.items():
            where = (record.generator["name"], record.backbone["name"])
            found[(*where, f"{record.metric['name']}.{name}")] = entry["value"]
    return found


def test_the_committed_leaderboard_is_what_the_records_give(caplog):
    with caplog.at_level(logging.INFO):
        code = run(Request(RESULTS, RESULTS / "leaderboards", "demo", strict=True, check=True))
    assert code == 0, caplog.text


def test_every_cell_of_the_demo_is_there(scores):
    cells = {(generator, backbone) for generator, backbone, _ in scores}
    assert cells == {(g, b) for g in (*GANS, *CONTROLS) for b in BACKBONES}
    assert len(list(record_paths(RESULTS))) == len(cells) * 7


def test_the_records_come_from_a_clean_checkout():
    assert not any(read_record(path).environment["git_dirty"] for path in record_paths(RESULTS))


@pytest.mark.parametrize("backbone", BACKBONES)
class TestControlsComeInTheOrderOfTheirMeaning:
    def test_fid_puts_copycat_before_holdout_before_all_others(self, scores, backbone):
        fid = {g: scores[(g, backbone, "fid.fid")] for g in (*GANS, *CONTROLS)}
        others = [value for g, value in fid.items() if g not in ("copycat", "holdout")]
        assert fid["copycat"] < fid["holdout"] < min(others)

    def test_kid_of_the_holdout_is_zero_within_its_interval(self, backbone):
        (path,) = (RESULTS / "runs/digits/holdout" / backbone).glob("kid-*.json")
        low, high = read_record(path).scores["kid"]["interval"]
        assert low < 0 < high

    @pytest.mark.parametrize("damage", ["blur", "noise", "jpeg"])
    @pytest.mark.parametrize("metric", ["precision_recall", "prdc"])
    def test_damaged_images_are_less_precise_than_real_ones(self, scores, backbone, damage, metric):
        name = f"{metric}.precision"
        assert scores[(damage, backbone, name)] < scores[("holdout", backbone, name)]

    @pytest.mark.parametrize("metric", ["precision_recall", "prdc"])
    def test_collapse_is_precise_and_covers_nothing(self, scores, backbone, metric):
        assert scores[("one_per_class", backbone, f"{metric}.precision")] >= 0.9
        assert scores[("one_per_class", backbone, f"{metric}.recall")] < 0.1
        assert scores[("one_per_class", backbone, "prdc.coverage")] < 0.1

    def test_copies_are_not_authentic_and_new_images_are(self, scores, backbone):
        authentic = {g: scores[(g, backbone, "authenticity.authenticity")] for g in CONTROLS}
        assert authentic["copycat"] == 0
        assert authentic["holdout"] > 0.3

    @pytest.mark.parametrize("name", ["precision_recall.recall", "prdc.recall", "prdc.coverage"])
    def test_dropped_classes_cost_recall_and_coverage(self, scores, backbone, name):
        assert scores[("drop_classes", backbone, name)] < scores[("holdout", backbone, name)]
