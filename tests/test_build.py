"""Nodes become objects: allowed targets only, types checked, messages that help."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from bench.build import build
from bench.errors import ConfigError

CONF = Path(__file__).parents[1] / "conf"
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


@pytest.mark.parametrize(
    "target",
    [
        "bench.partial._remove",  # private
        "bench.atomic.replace_file",  # a function
        "bench.cell.Path",  # another package's class
        "bench.datasets.zip.ImageFolder",  # not defined there, and not there at all
        "bench.generators.checkpoint.Path",
        "bench.generators.custom.hashlib.sha256",
        "bench.__main__.main",
        "metrics.metric.Better",  # a class, and no dataclass
        "models.",
    ],
)
@pytest.mark.parametrize("where", ["dataset", "generator", "generator.make", "metrics.fid", "x"])
def test_only_salons_parts_are_targets_and_none_of_its_functions(target, where, tmp_path):
    with pytest.raises(ConfigError, match=r"_target_: .*(no part of salon|cannot be imported)"):
        build({"_target_": target, "path": str(tmp_path)}, where)


def test_a_part_is_a_target_in_its_own_place_alone():
    with pytest.raises(ConfigError, match=r"dataset\._target_: .* below bench\.datasets"):
        build({"_target_": PRDC}, "dataset")


def test_allowing_salons_own_prefix_allows_none_of_its_functions(monkeypatch):
    monkeypatch.setenv("SALON_ALLOW_TARGETS", "bench")
    with pytest.raises(ConfigError, match="no part of salon"):
        build({"_target_": "bench.atomic.replace_file"}, "x")


def targets(node, where):
    """(place in the config, target) of each node below."""
    if "_target_" in node:
        yield where, node["_target_"]
    for key, item in node.items():
        if isinstance(item, dict):
            yield from targets(item, f"{where}.{key}" if where else key)


@pytest.mark.parametrize("file", sorted(CONF.glob("*/*.yaml")), ids=lambda file: file.stem)
def test_each_target_of_our_yamls_is_a_part_for_its_place(file):
    if file.parent.name == "experiment":
        return
    for where, target in targets(OmegaConf.to_container(OmegaConf.load(file)), file.parent.name):
        with pytest.raises(ConfigError) as error:
            build({"_target_": target, "no_such_key": 1}, where)
        assert "no_such_key" in str(error.value)  # found, and made with what is given


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
