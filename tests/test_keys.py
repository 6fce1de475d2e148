"""Keys: every config field either moves the key, or is listed as unable to change a number."""

from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum

import pytest

from bench.build import build
from bench.cell import Measurement
from bench.composed import composed
from bench.config_folder import config_folder
from bench.identity import NEUTRAL, NEUTRAL_SETTINGS, describe
from bench.records import digest
from bench.settings import Protocol, Settings
from models.quantise import Quantise

GROUPS = {"generator": "generator", "sampler": "sampler", "metrics": "metrics"}
SKIPPED = {"custom", "torchscript"}  # need the user's own files; their classes are covered below


def built(group, name):
    choice = f"[{name}]" if group == "metrics" else name
    words = [f"{group}={choice}"]
    if "path: ???" in (config_folder() / group / f"{name}.yaml").read_text():
        words.append(f"{group}.path=somewhere")
    config = composed("score", words)
    return build(config[group][name] if group == "metrics" else config[group], group)


def changed(value):
    """Another value of the same kind; None where there is none to be had."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 or 1
    if isinstance(value, Enum):
        return next((member for member in type(value) if member is not value), None)
    if isinstance(value, str):
        return value + "x"
    return 3 if value is None else None


def leaves(spec, prefix=""):
    """(dotted name, spec with that one field changed) for every field, nested ones included."""
    for field in fields(spec):
        value = getattr(spec, field.name)
        if is_dataclass(value):
            for name, inner in leaves(value, f"{prefix}{field.name}."):
                yield name, replace(spec, **{field.name: inner})
        elif changed(value) is not None:
            try:
                yield prefix + field.name, replace(spec, **{field.name: changed(value)})
            except (ValueError, TypeError):
                continue  # not a value that this field can have


def cases():
    for group in GROUPS:
        for file in sorted((config_folder() / group).glob("*.yaml")):
            if file.stem not in SKIPPED:
                yield group, file.stem


@pytest.mark.parametrize(("group", "name"), cases())
def test_every_field_moves_the_description_or_is_neutral(group, name):
    spec = built(group, name)
    neutral = NEUTRAL.keys() if group == "generator" else set()
    for field, mutant in leaves(spec):
        moved = digest(describe(mutant, neutral)) != digest(describe(spec, neutral))
        assert moved or field.split(".")[0] in neutral, field


def test_every_neutral_field_has_a_reason():
    assert all(len(reason) > 10 for reason in (NEUTRAL | NEUTRAL_SETTINGS).values())


def test_every_top_level_value_is_in_the_key_or_neutral():
    assert {f.name for f in fields(Settings)} - {"seed"} == NEUTRAL_SETTINGS.keys()


def test_a_metrics_field_is_never_neutral_whatever_its_name():
    @dataclass(frozen=True)
    class Weighted:
        weights: float = 1.0
        name: str = "a"

    assert describe(Weighted()) != describe(Weighted(weights=2.0))
    assert describe(Weighted()) != describe(Weighted(name="b"))


MEASUREMENT = Measurement(
    dataset="d",
    generator="g",
    backbone="b",
    metric="fid",
    dataset_content={"fingerprint": "1"},
    generator_content={"checkpoint_sha256": "2"},
    backbone_identity={"architecture": "a", "seed": 0, "state_sha256": "3"},
    metric_spec=None,
    protocol=Protocol(name="p"),
    num_real=10,
    num_fake=10,
    seed=0,
)


def measurement(**changes):
    return replace(MEASUREMENT, **{"metric_spec": built("metrics", "fid"), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_content": {"fingerprint": "x"}},
        {"metric_spec": replace(built("metrics", "fid"), ddof=0)},
        {"protocol": Protocol(name="q")},
        {"protocol": Protocol(name="p", quantise=Quantise.adm)},
        {"num_real": 11},
        {"num_fake": 11},
        {"backbone_identity": {"architecture": "other"}},
        {"backbone": "c"},
        {"holdout_content": {"fingerprint": "h"}},
    ],
)
def test_what_changes_a_scores_meaning_changes_the_comparison_key(changes):
    assert measurement(**changes).comparison_key != measurement().comparison_key
    assert measurement(**changes).key != measurement().key


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"generator_content": {"checkpoint_sha256": "x"}},
        {"backbone_identity": {"architecture": "a", "seed": 1, "state_sha256": "4"}},
    ],
)
def test_seeds_and_generators_change_the_key_but_can_be_ranked_together(changes):
    assert measurement(**changes).comparison_key == measurement().comparison_key
    assert measurement(**changes).key != measurement().key


def test_the_generators_name_is_only_a_label():
    assert measurement(generator="other").key == measurement().key
