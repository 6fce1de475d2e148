"""Every yaml composes, is instantiated, is documented, and keeps to the layout."""

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder
from bench.errors import ConfigError
from bench.inputs import check_input_names
from bench.listing import about
from bench.settings import read_protocol

CONF = config_folder()
TREES = ("dataset", "generator", "backbone", "metrics", "sampler", "tracking", "cluster")
NEEDS = {  # what a user must type before a yaml can be built
    "generator/custom": ["generator.name=x", "generator.make={_target_: models.samplers.Plain}"],
    "generator/torchscript": [
        *("generator.name=x", "generator.path=x.pt"),
        *("generator.latent_dim=4", "generator.resolution=8"),
    ],
    "backbone/timm": ["backbone.timm.model=resnet18.a1_in1k"],
}


def files(group):
    return sorted((CONF / group).glob("*.yaml"))


def words_for(group, name):
    content = yaml.safe_load((CONF / group / f"{name}.yaml").read_text())
    words = list(NEEDS.get(f"{group}/{name}", []))
    if not words and content.get("path") == "???":
        words = [f"{group}.path=somewhere"]
    choice = f"[{name}]" if group in ("backbone", "metrics") else name
    return [f"{group}={choice}", *words]


@pytest.mark.parametrize("file", [f for g in TREES for f in files(g)], ids=lambda f: f.stem)
def test_every_yaml_composes_and_is_built(file):
    group, name = file.parent.name, file.stem
    config = composed("sweep", words_for(group, name))
    node = config[group][name] if group in ("backbone", "metrics") else config[group]
    built = build(node, group)
    if group == "metrics":
        check_input_names(name, built.compute)


@pytest.mark.parametrize("file", sorted(CONF.glob("*/*.yaml")), ids=lambda f: f.stem)
def test_every_yaml_says_what_it_is(file):
    assert len(about(file)) > 10


@pytest.mark.parametrize("group", ["backbone", "metrics"])
def test_lists_nest_each_yaml_under_its_own_name(group):
    for file in files(group):
        assert list(yaml.safe_load(file.read_text())) == [file.stem]


def test_every_protocol_carries_its_own_name():
    for file in files("protocol"):
        assert read_protocol(composed("score", [f"protocol={file.stem}"])).name == file.stem


def test_every_named_generator_and_dataset_carries_its_yamls_name():
    for group in ("dataset", "generator"):
        for file in files(group):
            name = yaml.safe_load(file.read_text()).get("name")
            assert name in (None, "???", file.stem) or file.stem == "ffhq_zip"


@pytest.mark.parametrize("file", files("experiment"), ids=lambda f: f.stem)
def test_every_experiment_composes(file):
    command = "train" if file.stem.startswith("train_") else "sweep"
    composed(command, [f"experiment={file.stem}"])


def test_an_experiments_defaults_list_cannot_climb_out_of_its_folder(tmp_path):
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("name: evil")
    (tmp_path / "conf" / "experiment" / "evil.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /dataset: ../../outside\n"
    )
    for name in ("score", "sweep"):
        with pytest.raises(ConfigError, match=r"outside conf/|dataset/"):
            composed(name, ["experiment=evil", f"--config-dir={tmp_path / 'conf'}"])


def test_no_yaml_holds_a_path_of_one_machine():
    for file in CONF.rglob("*.yaml"):
        values = OmegaConf.to_container(OmegaConf.load(file))
        assert "/home/" not in str(values) and str(Path.home()) not in str(values), file


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_slurm", "submitit_local"])
def test_hydras_launchers_are_there(launcher):
    config = composed("score", [f"hydra/launcher={launcher}"], hydra_node=True)
    assert config.hydra.launcher._target_
