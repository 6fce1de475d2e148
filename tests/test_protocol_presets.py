"""What every preset keeps to: its nodes exist, its backbones are its own, departures are told."""

from dataclasses import fields
from functools import cache

import pytest
import torch
import yaml
from test_protocol_pixels import PRESETS

from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder
from bench.deviations import deviations
from bench.errors import ConfigError
from bench.listing import about
from bench.prepare import prepare
from bench.settings import Protocol, read_protocol
from models.quantise import to_uint8

FOLDER = config_folder() / "protocol"
METRICS = {file.stem for file in (config_folder() / "metrics").glob("*.yaml")}
OWN = {field.name for field in fields(Protocol)}
BACKBONES = ("resize", "scaling", "logits_bias")


def content(preset):
    return yaml.safe_load((FOLDER / f"{preset}.yaml").read_text())


def metrics(preset):
    return {key: node for key, node in content(preset).items() if key in METRICS}


@cache
def config(preset):
    """The preset with all backbones and metrics that it names."""
    words = [f"backbone=[{','.join(PRESETS[preset])}]", f"metrics=[{','.join(metrics(preset))}]"]
    return composed("score", [f"protocol={preset}", *words])


def test_every_preset_of_a_peer_is_in_the_table_of_pixels():
    assert {file.stem for file in FOLDER.glob("*.yaml")} == {*PRESETS, "salon", "demo"}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_node_is_one_that_something_reads(preset):
    for key, node in content(preset).items():
        if key in METRICS:
            known = yaml.safe_load((config_folder() / "metrics" / f"{key}.yaml").read_text())[key]
            assert set(node) <= set(known) - {"_target_"}
        else:
            assert key in (*OWN, *BACKBONES)


@pytest.mark.parametrize("preset", PRESETS)
def test_resize_and_scaling_are_given_for_its_backbones_and_for_no_other(preset):
    given = content(preset)
    assert given["backbones"] == list(given["resize"]) == list(given["scaling"])
    assert given["backbones"] == list(PRESETS[preset])


@pytest.mark.parametrize("preset", PRESETS)
def test_metrics_take_the_presets_values(preset):
    for name, node in metrics(preset).items():
        made = build(config(preset).metrics[name], f"metrics.{name}")
        for key, value in node.items():
            found = getattr(made, key)
            assert getattr(found, "name", found) == value


@pytest.mark.parametrize("preset", PRESETS)
def test_backbones_meet_the_peers_size_by_the_presets_resize_and_scaling(preset):
    for name, node in config(preset).backbone.items():
        assert (node.resolution, node.resize, node.scaling) == PRESETS[preset][name], name


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_alone_deviates_in_nothing(preset):
    assert deviations(config(preset), protocol=preset) == []


def test_a_backbone_that_the_preset_does_not_define_is_refused():
    with pytest.raises(ConfigError, match="edm2 is defined for inception, dinov2_vitl14, not for"):
        prepare(composed("score", ["protocol=edm2", "backbone=[resnet18_random]"]))


def test_another_resize_under_a_preset_is_a_deviation():
    words = ["protocol=pytorch_fid", "backbone=[inception]", "metrics=[fid]"]
    config = composed("score", [*words, "backbone.inception.resize=tf1_bilinear"])
    assert deviations(config, protocol="pytorch_fid") == [
        "backbone.inception.resize: tf1_bilinear (pytorch_fid: torch_bilinear)"
    ]


HALF_A_LEVEL_DARKER = {"adm", "torch_fidelity", "torchmetrics", "torchmetrics_no_antialias"}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_generators_grey_becomes_the_peers_level(preset):
    grey = to_uint8(torch.zeros(1), read_protocol(config(preset)).quantise)
    assert int(grey) == (127 if preset in HALF_A_LEVEL_DARKER else 128)


@pytest.mark.parametrize(
    ("preset", "real", "fake"),
    [("salon", 60000, 60000), ("edm", 60000, 50000), ("dgm_eval", 50000, 50000)],
)
def test_rows_of_sixty_thousand(preset, real, fake):
    found = read_protocol(composed("score", [f"protocol={preset}"]))
    assert (found.rows("real", 60000), found.rows("fake", 60000)) == (real, fake)


def test_a_maximum_cuts_nothing_from_fewer_and_an_exact_count_wins_over_it():
    assert Protocol(max_real=10).rows("real", 7) == 7
    assert Protocol(max_fake=10, num_fake=12).rows("fake", 20) == 12


def test_a_maximum_draws_from_a_larger_side():
    words = ["dataset=digits", "generator=holdout", "protocol.max_real=20", "protocol.max_fake=30"]
    job = prepare(composed("score", ["backbone=[resnet18_random]", "metrics=[fid]", *words]))
    assert (job.num_real, job.num_fake, len(job.real), len(job.fake)) == (20, 30, 20, 30)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_first_sentence_names_the_peer(preset):
    said = about(FOLDER / f"{preset}.yaml").lower()
    named = {"adm": "guided-diffusion", "torchmetrics_no_antialias": "torchmetrics"}
    name = named.get(preset, preset.split("_legacy")[0]).replace("studiogan_clean", "studiogan")
    name = name.replace("studiogan_friendly", "studiogan").replace("_", "-")
    assert said.replace("'s", "").startswith(name)
