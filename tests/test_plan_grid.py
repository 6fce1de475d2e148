"""A grid's configs are Hydra's own, though Hydra composes each choice once and not each job."""

import pytest
from omegaconf import OmegaConf

from bench import grid as grid_module
from bench.composed import composed
from bench.config_folder import config_folder
from bench.errors import ConfigError
from bench.grid import Grid
from bench.sweep_words import combinations

EXPERIMENTS = [
    *(f.stem for f in (config_folder() / "experiment").glob("*.yaml") if "train" not in f.stem),
]
GRIDS = {
    "groups": ["generator=blur,jpeg,dcgan_digits", "dataset=digits,cifar10,ffhq", "seed=0,1,2"],
    "lists": ["backbone=[inception],[swin_b,resnet50]", "metrics=[fid],[kid]", "seed=1,2,3"],
    "overlap": ["generator=blur,noise,jpeg", "generator.name=a,b,null", "paths.results=x,y,z"],
    "values": ["seed=0,1,2", "protocol.num_real=5,'6',x", "dataset.name=digits,'a b',1e3"],
    "nested": ["dataset.name=a,b", "generator=blur,jpeg", "dataset={name:c},{name:d}"],
    "resolved": ["seed=0,${batch_size},'???'", "batch_size=1,2", "workers=1,2,3"],
    "types": ["seed=1,1.0,true", "protocol.num_real=5,null", "device=cpu,auto", "workers=1,2"],
}


def same(one, other):
    return OmegaConf.to_yaml(one) == OmegaConf.to_yaml(other) and (
        OmegaConf.is_struct(one) == OmegaConf.is_struct(other)
    )


def made(fixed, swept):
    return Grid(fixed, combinations(composed("sweep", fixed, hydra_node=True), fixed, swept))


@pytest.mark.parametrize("swept", GRIDS.values(), ids=GRIDS)
def test_configs_of_a_grid_are_those_of_hydra(swept):
    grid = made([], swept)
    assert grid._factors
    for words in grid.jobs[::4]:
        assert same(grid.config(words), composed("score", words))
    assert len(grid.made) < len(grid.jobs)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_configs_of_every_experiment_are_those_of_hydra(experiment):
    own = composed("sweep", [f"experiment={experiment}"], hydra_node=True).hydra.sweeper.params
    generators = str((own or {}).get("generator", "")).split(",")
    swept = ["seed=0,3,4", "batch_size=32,128", f"generator={','.join(generators[:2])}"]
    fixed = [f"experiment={experiment}", "paths.results=out"]
    grid = made(fixed, swept if own else swept[:2])
    assert grid._factors
    for words in (grid.jobs[0], grid.jobs[-1]):
        assert same(grid.config(words), composed("score", [*fixed, *words]))


def test_a_choice_that_hydra_refuses_is_refused_in_its_own_jobs_alone():
    grid = made([], ["generator=blur,features", "generator.control=true,null", "seed=1,2,3"])
    bad = made([], ["generator=blur,jpeg", "batch_size=1,2,3", "dataset.nothing=1"])
    fine, refused = grid.jobs[0], grid.jobs[-1]  # features has no key `control`
    assert grid._factors and same(grid.config(fine), composed("score", fine))
    with pytest.raises(ConfigError, match=r"generator\.control: there is no such key"):
        grid.config(refused)
    with pytest.raises(ConfigError, match="nothing"):
        bad.config(bad.jobs[-1])


def test_choices_that_are_tied_by_a_defaults_list_are_composed_by_hydra(monkeypatch):
    assert grid_module.TIED.search("defaults:\n  - optional tuned: ${dataset}_${generator}\n")
    assert grid_module.TIED.search("defaults: [{tuned: '${dataset}'}]\n")
    monkeypatch.setattr(grid_module, "_choices_are_tied", lambda: True)
    grid = made([], GRIDS["groups"])
    assert same(grid.config(grid.jobs[5]), composed("score", grid.jobs[5])) and not grid.made


def test_a_grid_of_seeds_composes_its_choices_alone(monkeypatch):
    composed_words = []
    real = grid_module.composed
    monkeypatch.setattr(
        grid_module,
        "composed",
        lambda name, words: composed_words.append(words) or real(name, words),
    )
    grid = made([], ["generator=blur,jpeg", "seed=range(9)"])
    assert [grid.config(words).seed for words in grid.jobs] == [*range(9)] * 2
    assert sorted(composed_words) == [["generator=blur", "seed=0"], ["generator=jpeg", "seed=0"]]


def test_interpolations_between_shared_nodes_are_resolved_in_the_job_that_is_asked_for():
    swept = ["protocol=salon,dgm_eval,torch_fidelity", "generator=blur,jpeg", "batch_size=1,2"]
    grid = made([], swept)
    for words in grid.jobs:
        found = grid.config(words)
        assert found.metrics == composed("score", words).metrics
        assert found._get_node("metrics")._key() == "metrics"
    assert len(grid.nodes) < len(grid.jobs) * len(found)
