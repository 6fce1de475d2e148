"""Absurd parameters are refused when a metric is made, before anything is extracted."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from bench.build import build
from bench.errors import ConfigError

FOLDER = Path(__file__).parents[1] / "conf" / "metrics"
ABSURD = (0, -1)  # tried for every number that a metric takes

# what of that has a meaning, and which
ALLOWED = {
    "ddof": {0: "covariances are divided by N"},
    "kid.coef0": {0: "a kernel of one degree only", -1: "no kernel, but the formula is defined"},
    "kid.gamma": {-1: "no kernel, but the formula is defined"},
    "kid_subsets.coef0": {0: "as for kid", -1: "as for kid"},
    "kid_subsets.gamma": {-1: "as for kid"},
    "data_copying.min_fakes": {0: "every cell that holds a fake counts"},
    "fld.baseline": {0: "a log-likelihood may be any number", -1: "likewise"},
    "alpha_precision.one_class.centre": {0: "any point will do", -1: "likewise"},
    "alpha_precision.one_class.seed": {0: "any number is a seed", -1: "likewise"},
    "alpha_precision.one_class.weight_decay": {0: "none"},
}


def made(name):
    config = OmegaConf.merge({"protocol": {}}, OmegaConf.load(FOLDER / f"{name}.yaml"))
    return build(config[name], f"metrics.{name}")


def numbers(node, above):
    """(the dataclass, its dotted name, one of its fields), nested dataclasses included."""
    for field in fields(node):
        value = getattr(node, field.name)
        if is_dataclass(value):
            yield from numbers(value, f"{above}.{field.name}")
        elif field.type in (int, float, int | None, float | None):
            yield node, above, field.name


CASES = [
    pytest.param(node, f"{above}.{field}", field, value, id=f"{above}.{field}={value}")
    for name in sorted(path.stem for path in FOLDER.glob("*.yaml"))
    for node, above, field in numbers(made(name), name)
    for value in ABSURD
]


def meaning(path, field, value):
    return {**ALLOWED.get(field, {}), **ALLOWED.get(path, {})}.get(value)


@pytest.mark.parametrize(("node", "path", "field", "value"), CASES)
def test_an_absurd_number_is_refused_by_name_unless_it_means_something(node, path, field, value):
    if meaning(path, field, value):
        assert getattr(replace(node, **{field: value}), field) == value
        return
    with pytest.raises(ValueError, match=f"^{field} is {value}, expected [^\n]*$"):
        replace(node, **{field: value})


def test_every_exception_is_about_a_number_that_some_metric_takes():
    known = {case.values[1] for case in CASES} | {case.values[2] for case in CASES}
    assert not ALLOWED.keys() - known
    assert len(CASES) >= 2 * 25


@pytest.mark.parametrize(
    ("name", "field", "value", "expected"),
    [
        ("prd", "angles", 2, "3 or more"),
        ("kid", "degree", 21, "1 to 20"),
        ("kid_subsets", "subset_size", 1, "2 or more"),
        ("fid", "ddof", 2, "0 .* or 1"),
        ("fid_infinity", "min_size", 1, "2 or more"),
        ("alpha_precision", "levels", 1, "2 or more"),
        ("mifid", "eps", 1.5, "at most 1"),
    ],
)
def test_limits_are_where_the_work_would_fail(name, field, value, expected):
    with pytest.raises(ValueError, match=rf"^{field} is {value}, expected .*{expected}"):
        replace(made(name), **{field: value})


def test_a_run_ends_as_a_config_error_that_names_the_option():
    node = OmegaConf.merge({"protocol": {}}, OmegaConf.load(FOLDER / "prdc.yaml")).prdc
    node.k = 0
    with pytest.raises(ConfigError, match=r"^metrics\.prdc: k is 0, expected 1 or more"):
        build(node, "metrics.prdc")
