from pathlib import Path

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from bench.errors import DatasetError

CONF = Path(__file__).parent.parent / "conf" / "dataset"
NAMED = {
    "digits", "fashion_mnist", "cifar10", "ffhq", "ffhq_zip", "imagenet", "afhqv2", "celeba_hq",
    "baby_imagenet", "papa_imagenet", "grandpa_imagenet",
}  # fmt: skip
BY_PATH = {"folder", "zip", "npz", "npy", "features", "statistics"}


def made(name, **more):
    """The yaml merged into its class, as a run does it, and instantiated."""
    config = OmegaConf.create({"paths": {"data": "/data"}, "dataset": {}})
    config.dataset = OmegaConf.load(CONF / f"{name}.yaml")
    dataset = OmegaConf.to_container(config, resolve=True)["dataset"]
    target = dataset.pop("_target_")
    typed = OmegaConf.merge(OmegaConf.structured(get_class(target)), dataset, more)
    return instantiate(typed, _target_=target)


def test_every_yaml_is_known_here():
    assert {path.stem for path in CONF.glob("*.yaml")} == NAMED | BY_PATH


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_named_dataset_is_called_as_its_yaml_and_opens_nothing(name):
    dataset = made(name)
    assert dataset.name == name
    assert dataset.split != dataset.holdout_split


@pytest.mark.parametrize("name", sorted(BY_PATH))
def test_a_dataset_by_path_must_be_told_the_path(name):
    dataset = made(name, path="/somewhere")
    assert dataset.path == "/somewhere" and dataset.name is None
    assert dataset.holdout_split is None
    raw = OmegaConf.load(CONF / f"{name}.yaml")
    assert OmegaConf.is_missing(raw, "path")


@pytest.mark.parametrize("name", sorted(NAMED | BY_PATH))
def test_every_yaml_begins_with_what_it_is_and_its_licence(name):
    text = (CONF / f"{name}.yaml").read_text()
    comment = "".join(line for line in text.splitlines() if line.startswith("#"))
    assert text.startswith("# ") and "Source" in comment and "Split" in comment


@pytest.mark.parametrize("name", sorted((NAMED | BY_PATH) - {"features", "statistics", "digits"}))
def test_every_dataset_on_disk_takes_the_shared_settings(name):
    shared = {
        "on_bad_image": "skip", "bit_depth": "rescale", "alpha": "white", "max_pixels": 9,
        "verify": True, "workers": 2, "crop": "adm", "resolution": 8, "filter": "box",
        "rows": 5, "rows_rule": "numpy_2020",
    }  # fmt: skip
    assert shared.keys() <= OmegaConf.load(CONF / f"{name}.yaml").keys()  # else Hydra wants a +
    dataset = made(name, **shared, **({} if name in NAMED else {"path": "/x"}))
    assert {key: getattr(dataset, key) for key in shared} == shared


def test_a_misspelt_setting_is_refused():
    with pytest.raises(Exception, match="trim"):
        made("folder", path="/x", crop="trim")
    with pytest.raises(Exception, match="pathh"):
        made("folder", pathh="/x")


@pytest.mark.parametrize("name", sorted(BY_PATH))
def test_absent_data_are_found_absent_without_being_opened(name, tmp_path):
    with pytest.raises(DatasetError, match="absent"):
        made(name, path=str(tmp_path / "absent")).locate()


def test_present_data_are_located_without_being_read(tmp_path):
    for name in ["a.zip", "a.npz", "a.npy", "train"]:
        (tmp_path / name).mkdir() if name == "train" else (tmp_path / name).write_bytes(b"")
    assert made("zip", path=str(tmp_path / "a.zip")).locate() == tmp_path / "a.zip"
    assert made("npz", path=str(tmp_path / "a.npz")).locate() == tmp_path / "a.npz"
    assert made("features", path=str(tmp_path / "a.npy")).locate() == tmp_path / "a.npy"
    assert made("imagenet", path=str(tmp_path)).locate() == tmp_path / "train"
    assert made("digits").locate() is None
    with pytest.raises(DatasetError, match="CIFAR-10 is not in"):
        made("cifar10", path=str(tmp_path), download=True).locate()
    with pytest.raises(DatasetError, match="Fashion-MNIST is in none of"):
        made("fashion_mnist", path=str(tmp_path), download=True).locate()
