"""The mission's own sweeps: StudioGAN's tables, from files of the true layout."""

import hashlib
import pickle

import numpy as np
import pytest
import yaml
from PIL import Image

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


def write_cifar10(folder, count=2):
    """Python batches of the true layout; gives the words that name their md5s."""
    rng = np.random.default_rng(0)
    words = []
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        images = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        data = pickle.dumps({b"data": images, b"labels": [k % 10 for k in range(count)]}, 2)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        words.append(f"{name}: {hashlib.md5(data, usedforsecurity=False).hexdigest()}")
    return f"+dataset.md5={{{', '.join(words)}}}"


def write_samples(folder, seed, count=12):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for k in range(count):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:05d}.png")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "backbones",
    [
        ["swav_resnet50"],
        pytest.param(["inception", "swav_resnet50", "swin_b"], marks=pytest.mark.long),
    ],
    ids=len,
)
def test_the_sweep_runs_on_small_files_of_the_true_layout(salon, tmp_path, backbones):
    data = tmp_path / "data"
    models = ["biggan", "ddpm"]
    for seed, model in enumerate(models):
        write_samples(data / "samples" / "cifar10" / model, seed)
    done = salon(
        *("sweep", "experiment=cifar10_studiogan", "protocol.num_fake=12", "cluster.jobs=1"),
        *(
            f"backbone=[{','.join(backbones)}]",
            *(f"backbone.{b}.weights=random" for b in backbones),
        ),
        write_cifar10(data / "cifar10" / "cifar-10-batches-py"),
        f"dataset.path={data / 'cifar10'}",
        f"generator={','.join(f'{model}_cifar10' for model in models)}",
        "paths.results=out",
        SALON_DATA=str(data),
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # IS, FID and PRDC in each feature space, of two models; real features were made once, before
    assert f"{6 * len(backbones)} done, 0 reused, 0 skipped, 0 failed" in done.stdout
    assert "[1/3] real features of cifar10" in done.stderr
