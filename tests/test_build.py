"""Nodes become objects: allowed targets only, types checked, messages that help."""

import pytest
from omegaconf import OmegaConf

from bench.build import build
from bench.errors import ConfigError

PRDC = "metrics.prdc.Prdc"


def test_a_node_becomes_its_dataclass():
    assert build({"_target_": PRDC, "k": 3}, "metrics.prdc").k == 3


@pytest.mark.parametrize("value", ["abc", 2.5])
def test_a_wrong_type_is_refused_with_its_key(value):
    with pytest.raises(ConfigError, match=r"metrics\.prdc\.k"):
        build({"_target_": PRDC, "k": value}, "metrics.prdc")


def test_a_misspelt_key_is_met_with_the_right_one():
    with pytest.raises(ConfigError, match=r"metrics\.prdc\.kk: .*did you mean k"):
        build({"_target_": PRDC, "kk": 3}, "metrics.prdc")


@pytest.mark.parametrize("target", ["os.system", "pandas.read_pickle", "numpy.load", "benchx.Y"])
def test_a_foreign_target_is_not_imported(target):
    with pytest.raises(ConfigError, match="SALON_ALLOW_TARGETS"):
        build({"_target_": target}, "generator")


def test_a_nested_foreign_target_is_not_imported():
    node = {"_target_": "bench.generators.custom.Custom", "name": "x", "make": {"_target_": "os.a"}}
    with pytest.raises(ConfigError, match=r"generator\.make\._target_"):
        build(node, "generator")


def test_the_user_may_allow_a_prefix(monkeypatch):
    monkeypatch.setenv("SALON_ALLOW_TARGETS", "fractions")
    made = build({"_target_": "fractions.Fraction", "numerator": 1, "denominator": 2}, "x")
    assert made.denominator == 2
    with pytest.raises(ConfigError):
        build({"_target_": "fractionsevil.X"}, "x")


def test_a_missing_mandatory_value_says_what_to_type():
    node = {"_target_": "bench.datasets.folder.ImageFolder", "path": "???"}
    with pytest.raises(ConfigError, match=r"type dataset\.path=VALUE"):
        build(node, "dataset")


def test_a_target_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match=r"metrics\.nothing\.Here cannot be imported"):
        build({"_target_": "metrics.nothing.Here"}, "metrics.x")


def test_a_nested_missing_value_is_named_in_full():
    target = "bench.generators.checkpoint.Checkpoint"
    model = {"_target_": "models.generators.dcgan.Dcgan", "resolution": 8}
    with pytest.raises(ConfigError, match=r"type generator\.weights\.path=VALUE"):
        build({"_target_": target, "name": "x", "model": model}, "generator")


def test_enums_are_chosen_by_name_and_wrong_ones_are_refused():
    assert build({"_target_": PRDC, "ties": "inclusive"}, "metrics.prdc").ties.name == "inclusive"
    with pytest.raises(ConfigError, match=r"metrics\.prdc\.ties"):
        build({"_target_": PRDC, "ties": "nearest"}, "metrics.prdc")


def test_a_value_check_of_the_class_is_a_config_error():
    node = {"_target_": "models.samplers.Truncated", "threshold": -1.0}
    with pytest.raises(ConfigError, match=r"sampler: .*more than 0"):
        build(OmegaConf.create(node), "sampler")
