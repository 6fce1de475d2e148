"""What every metric with a yaml in conf/metrics owes its callers."""

import importlib
import inspect
import math
from dataclasses import FrozenInstanceError, fields, is_dataclass
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from bench.build import build
from metrics.metric import Better, Estimate, Outcome
from metrics.neighbourhood import Neighbours

FOLDER = Path(__file__).parents[1] / "conf" / "metrics"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
FEATURES = ("real", "fake", "holdout")
SPATIAL = ("real_spatial", "fake_spatial")
TENSORS = (*FEATURES, *SPATIAL, "real_logits", "fake_logits")
POSITIVE = {"trend"}  # defined for features that cannot be negative
# by definition: images are dealt into splits, subsets or clusters, or paired, in their order
ORDER_DECIDES = {
    "alpha_precision",
    "data_copying",
    "fid_infinity",
    "fld",
    "inception_score",
    "kid_subsets",
    "prd",
}


class Images:
    """Fifty small generated images."""

    def __len__(self):
        return 50

    def read(self, indices):
        draw = torch.Generator().manual_seed(3)
        images = torch.randint(0, 256, (50, 3, 9, 8), generator=draw, dtype=torch.uint8)
        return images[list(indices)]


def node(name):
    config = OmegaConf.merge({"protocol": {}}, OmegaConf.load(FOLDER / f"{name}.yaml"))
    return OmegaConf.to_container(config[name], resolve=True)


def kind(name):
    module, _, attribute = node(name)["_target_"].rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def metric(name):
    return build(OmegaConf.create(node(name)), f"metrics.{name}")


def inputs(name, **changes):
    """Small random inputs, only those that the metric names."""
    draw = torch.Generator().manual_seed(0)
    made = {
        "real": torch.randn(60, 6, generator=draw),
        "fake": torch.randn(50, 6, generator=draw) * 0.9 + 0.2,
        "holdout": torch.randn(40, 6, generator=draw),
        "real_spatial": torch.randn(60, 7, generator=draw),
        "fake_spatial": torch.randn(50, 7, generator=draw),
        "real_logits": torch.randn(60, 7, generator=draw),
        "fake_logits": torch.randn(50, 7, generator=draw),
        "real_labels": torch.arange(60) % 5,
        "fake_labels": torch.arange(50) % 5,
        "rng": torch.Generator().manual_seed(7),
        "keep": lambda settings, fit: fit(),
        "fake_images": Images(),
    }
    if name in POSITIVE:
        made |= {side: made[side].abs() for side in FEATURES}
    unknown = wanted(name) - made.keys()
    assert not unknown, f"{name} asks for {sorted(unknown)}; add a small one to this test."
    return {key: changes.get(key, made[key]) for key in sorted(wanted(name))}


def wanted(name):
    """The inputs that a metric names, real and fake in place of neighbours."""
    named = inspect.signature(kind(name).compute).parameters.keys() - {"self"}
    return named - {"neighbours"} | ({"real", "fake"} if "neighbours" in named else set())


def measure(name, **changes):
    given = inputs(name, **changes)
    if "neighbours" in inspect.signature(kind(name).compute).parameters:
        wants = metric(name).wants()
        given["neighbours"] = Neighbours(real=given["real"], fake=given["fake"], wants=wants)
    named = inspect.signature(kind(name).compute).parameters.keys()
    found = metric(name).compute(**{key: value for key, value in given.items() if key in named})
    if isinstance(found, Outcome):
        return found
    return Outcome(scores={score: Estimate(value) for score, value in found.items()})


def tensors(name):
    return [key for key in inputs(name) if key in TENSORS]


def values(outcome):
    return {
        score: None if estimate.undefined else estimate.value
        for score, estimate in outcome.scores.items()
    }


def agree(found, expected):
    """Equal to 1e-9, undefined scores included."""
    defined = [score for score, value in expected.items() if value is not None]
    assert [score for score, value in found.items() if value is not None] == defined
    return all(found[score] == pytest.approx(expected[score], rel=1e-9) for score in defined)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_yaml_nests_under_its_name_and_opens_with_a_comment(name):
    text = (FOLDER / f"{name}.yaml").read_text()
    assert list(OmegaConf.load(FOLDER / f"{name}.yaml")) == [name]
    assert text.startswith("# ") and len(text.splitlines()[0]) > 20


def test_yaml_gives_every_parameter_and_the_protocol_overrides_it(name):
    parameters = {field.name for field in fields(kind(name))}
    assert set(node(name)) - {"_target_"} == parameters
    raw = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"))[name]
    for path, value in leaves(raw):
        assert path == "_target_" or value.startswith(f"${{oc.select:protocol.{name}.{path},")


def leaves(node, above=""):
    """(dotted path, value) of every entry of a nested config."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def test_yaml_defaults_are_those_of_the_class(name):
    assert metric(name) == kind(name)()


def test_is_a_frozen_dataclass_with_declared_directions(name):
    assert is_dataclass(kind(name)) and kind(name).__doc__
    assert all(isinstance(better, Better) for better in kind(name).scores.values())
    with pytest.raises(FrozenInstanceError):
        metric(name).anything = 1


def test_inputs_are_keyword_only(name):
    parameters = list(inspect.signature(kind(name).compute).parameters.values())[1:]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


def test_returns_the_declared_scores_as_finite_floats(name):
    found = measure(name)
    assert list(found.scores) == list(kind(name).scores)
    for estimate in found.scores.values():
        assert type(estimate.value) is float
        assert math.isfinite(estimate.value) or estimate.undefined
    assert all(type(count) is int and count for count in found.flags.values())


def test_intervals_hold_the_value_and_say_how_they_were_made(name):
    for estimate in measure(name).scores.values():
        if estimate.interval is not None:
            low, high = estimate.interval
            assert low <= estimate.value <= high and estimate.interval_method
        if estimate.standard_error is not None:
            assert estimate.standard_error >= 0


def test_per_image_columns_have_one_entry_per_image(name):
    counts = {"real": 60, "fake": 50}
    for side, columns in measure(name).per_image.items():
        for column in columns.values():
            assert column.shape == (counts[side],)


def test_repeats_under_one_seed(name):
    torch.manual_seed(1)
    first = values(measure(name))
    torch.manual_seed(2)
    assert values(measure(name)) == first


def test_leaves_the_global_random_state_alone(name):
    before = torch.random.get_rng_state()
    measure(name)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_does_not_modify_its_inputs(name):
    given = inputs(name)
    kept = {key: given[key].clone() for key in tensors(name)}
    measure(name, **given)
    assert all(torch.equal(given[key], kept[key]) for key in kept)


def test_float64_gives_the_score_of_float32(name):
    wide = {key: inputs(name)[key].double() for key in tensors(name)}
    assert agree(values(measure(name, **wide)), values(measure(name)))


@pytest.mark.parametrize("turn", [1, 17])
def test_order_of_rows_does_not_matter(name, turn):
    if name in ORDER_DECIDES:
        pytest.skip("the order is part of this protocol")
    given = inputs(name)
    turned = {
        key: given[key].roll(turn, 0) for key in given if isinstance(given[key], torch.Tensor)
    }
    assert agree(values(measure(name, **turned)), values(measure(name)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_refuses_nan_and_infinity_by_side_and_row(name, value):
    for key in tensors(name):
        broken = inputs(name)[key].clone()
        broken[13, 2] = value
        with pytest.raises(ValueError, match=rf"{key}: .*row 13"):
            measure(name, **{key: broken})


def test_refuses_an_empty_side(name):
    for key in tensors(name):
        with pytest.raises(ValueError, match=f"{key}: found 0 rows"):
            measure(name, **{key: inputs(name)[key][:0]})


def test_refuses_unequal_widths(name):
    sides = [key for key in inputs(name) if key in FEATURES]
    for key in sides if len(sides) > 1 else []:
        with pytest.raises(ValueError, match="widths differ"):
            measure(name, **{key: inputs(name)[key][:, :-1]})


@pytest.mark.parametrize("change", [torch.Tensor.long, lambda x: x[:, :, None], lambda x: x[:, 0]])
def test_refuses_what_is_no_table_of_floats(name, change):
    for key in tensors(name):
        with pytest.raises(ValueError, match=rf"{key}: found .*expected floating-point"):
            measure(name, **{key: change(inputs(name)[key])})
