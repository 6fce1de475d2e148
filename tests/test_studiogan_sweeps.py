"""The mission's own sweeps: StudioGAN's tables, from files of the true layout."""

import pytest
import yaml

from bench.composed import composed
from bench.config_folder import config_folder
from bench.sweep_words import combinations

SWEEPS = {
    "cifar10_studiogan": ("cifar10", "_cifar10"),
    "ffhq_studiogan": ("ffhq", "_ffhq"),
    "imagenet_studiogan": ("imagenet", "_imagenet256"),
    "imagenet128_studiogan": ("imagenet", "_imagenet128"),
}


@pytest.mark.parametrize("experiment", SWEEPS)
def test_a_sweep_holds_every_generator_trained_on_its_dataset(experiment):
    dataset, ending = SWEEPS[experiment]
    config = composed("sweep", [f"experiment={experiment}"], hydra_node=True)
    assert config.dataset.name == dataset and config.protocol.name == "studiogan_friendly"
    assert list(config.backbone) == ["inception", "swav_resnet50", "swin_b"]
    assert list(config.metrics) == ["inception_score", "fid", "prdc"]
    words = combinations(config, [f"experiment={experiment}"], [])
    yamls = (config_folder() / "generator").glob(f"*{ending}.yaml")
    assert sorted(words) == sorted([f"generator={file.stem}"] for file in yamls)


def test_sample_folders_lie_side_by_side_and_name_their_dataset():
    for file in (config_folder() / "generator").glob("*.yaml"):
        content = yaml.safe_load(file.read_text())
        path = (content.get("source") or {}).get("path", "")
        if "/samples/" not in path:
            continue
        model, _, place = file.stem.rpartition("_")
        assert path == f"${{paths.data}}/samples/{place}/{model}"
        assert place.startswith(content["trained_on"])
