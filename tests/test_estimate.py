"""What a plan says of cost: rates come from sound records alone, sizes from the class."""

import pytest
from made_records import record, store

from bench.estimate import _rates, _width
from models.backbones import describe
from models.backbones.timm_model import TimmModel


def stored(results, name, rate, **changes):
    store(results, record(name, cost={"fake": {"images_per_second": rate}}, **changes))


def test_a_rate_is_the_median_of_the_records_of_its_backbone(tmp_path):
    for name, rate in (("a", 10.0), ("b", 30), ("c", 20.0)):
        stored(tmp_path, name, rate)
    stored(tmp_path, "d", 5.0, backbone="other")
    assert _rates(tmp_path) == {"net": 20.0, "other": 5.0}


@pytest.mark.parametrize("rate", ["fast", [1], True, -1.0, 0, None])
def test_what_is_no_rate_tells_nothing(tmp_path, rate):
    stored(tmp_path, "a", rate)
    assert _rates(tmp_path) == {}


def test_a_record_that_is_none_tells_nothing(tmp_path):
    stored(tmp_path, "a", 10.0, num_fake=0)
    assert _rates(tmp_path) == {}


def test_the_width_of_features_and_logits_where_the_class_says_it():
    assert _width(describe("resnet18_random")) == 512 + 1000
    assert _width(describe("inception", weights="random")) == 2048 + 1008
    assert _width(TimmModel("resnet10t", weights="random")) == 0
