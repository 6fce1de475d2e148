import argparse
import fractions
import hashlib
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.fill import fill
from models.inert import UnreadObject
from models.weight_source import FileWeights, WeightFile
from models.weights import (
    WeightsError,
    file_sha256,
    home,
    load_state,
    state_sha256,
    weights_folder,
)

STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.zeros(2)}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "linear.pth"
    torch.save(STATE, path)
    return path


def refused(path, match, **options):
    with pytest.raises(WeightsError, match=match) as error:
        load_state(path, **options)
    assert path.name in str(error.value)
    assert "\n" not in str(error.value)
    assert "weights_only=False" not in str(error.value)
    return str(error.value)


def test_home_is_the_environment_variable_or_a_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    assert home() == tmp_path and weights_folder() == tmp_path / "weights"
    monkeypatch.delenv("SALON_HOME")
    assert home().parts[-2:] == (".cache", "salon")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_torch_file_of_either_format_loads(tmp_path, legacy):
    path = tmp_path / "linear.pth"
    torch.save(STATE, path, _use_new_zipfile_serialization=not legacy)
    assert torch.equal(load_state(path)["weight"], STATE["weight"])


@pytest.mark.parametrize("name", ["linear.safetensors", "linear.pth"])
def test_safetensors_load_under_any_suffix(tmp_path, name):
    save_file(STATE, tmp_path / name)
    assert torch.equal(load_state(tmp_path / name)["weight"], STATE["weight"])


def test_a_file_of_the_pinned_hash_loads_by_its_first_digits_or_all(saved):
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    assert file_sha256(saved) == digest
    assert load_state(saved, digest[:8]) and load_state(saved, digest.upper())


def test_another_hash_is_refused_with_both(saved):
    message = refused(saved, "sha256", sha256="6726825d")
    assert file_sha256(saved) in message and "6726825d" in message


def test_what_is_no_hash_is_named_for_it(saved):
    for word in ("xyz", "md5:", "", "sha1:12"):
        with pytest.raises(WeightsError, match="type its hex digits"):
            load_state(saved, word)


def test_a_rewritten_file_is_hashed_again(saved):
    before = file_sha256(saved)
    torch.save({"weight": torch.ones(50)}, saved)
    assert file_sha256(saved) != before


def test_an_absent_file_says_what_to_type(tmp_path):
    path = tmp_path / "absent.pth"
    message = refused(path, "does not exist", option="backbone.inception.weights")
    assert "backbone.inception.weights=FILE" in message and str(tmp_path) in message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a git-LFS pointer"),
        (b'{"error": "not found"}', "JSON text"),
        (b"just some words", "neither safetensors nor a torch.save file"),
    ],
)
def test_what_is_not_a_weight_file_is_named_for_what_it_is(tmp_path, content, found):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    refused(path, found)


def test_a_directory_is_named(tmp_path):
    refused(tmp_path, "a directory")


@pytest.mark.parametrize("cut", [10, 400])
def test_a_truncated_torch_file_is_named(saved, cut):
    saved.write_bytes(saved.read_bytes()[:-cut])
    refused(saved, "truncated|damaged")


@pytest.mark.parametrize("keep", [12, 60, -4])
def test_a_truncated_safetensors_file_is_named(tmp_path, keep):
    path = tmp_path / "linear.safetensors"
    save_file(STATE, path)
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "truncated|damaged")


def test_an_archive_that_inflates_is_refused_before_it_is_read(saved, tmp_path):
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data/0", bytes(1_000_000))
    refused(bomb, "compressed archive")


def test_a_torchscript_program_is_refused(tmp_path):
    class Double(nn.Module):
        def forward(self, x):
            return x * 2

    path = tmp_path / "double.pt"
    torch.jit.trace(Double(), torch.ones(1)).save(str(path))
    refused(path, "TorchScript")


def test_a_python_object_is_named_and_not_loaded(tmp_path):
    path = tmp_path / "run.pth"
    torch.save({"args": argparse.Namespace(lr=1)}, path)
    refused(path, r"argparse\.Namespace")


def test_a_plain_pickle_is_refused(tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps({"weight": [1.0]}, protocol=4))
    refused(path, "pickle")


def test_a_nested_checkpoint_shows_its_keys(tmp_path):
    path = tmp_path / "run.pth"
    torch.save({"epoch": 3, "state_dict": STATE}, path)
    refused(path, "epoch, state_dict")


TRAINING = {  # what the checkpoints of DINO and MAE keep beside their tensors
    "args": argparse.Namespace(lr=1e-3, output=argparse.Namespace(name="run")),
    "epoch": 800,
    "optimizer": {"param_groups": [{"lr": np.float64(0.1), "steps": np.int32(3)}]},
    "schedule": np.linspace(0, 1, 5),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("entry", ["model", "teacher"])
def test_an_entry_is_read_past_options_and_numpy_numbers(tmp_path, entry, legacy):
    path = tmp_path / "run.pth"
    content = {**TRAINING, entry: STATE}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    state = load_state(path, entry=entry)
    assert list(state) == list(STATE) and torch.equal(state["weight"], STATE["weight"])


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_numpy_numbers_of_either_numpy_are_read_past(tmp_path, module):
    path = tmp_path / "run.pth"
    torch.save({"lr": np.float64(0.1), "model": STATE}, path)
    with zipfile.ZipFile(path) as archive:
        records = {record: archive.read(record) for record in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for record, data in records.items():
            archive.writestr(record, data.replace(b"numpy._core.multiarray", module.encode()))
    assert set(load_state(path, entry="model")) == set(STATE)


def test_other_python_objects_beside_an_entry_are_refused(tmp_path):
    path = tmp_path / "run.pth"
    torch.save({"when": fractions.Fraction(1, 3), "model": STATE}, path)
    refused(path, r"fractions\.Fraction", entry="model")


def test_what_was_read_past_is_allowed_for_that_one_load_only(tmp_path):
    path = tmp_path / "run.pth"
    torch.save({**TRAINING, "model": STATE}, path)
    load_state(path, entry="model")
    allowed = torch.serialization.get_safe_globals()
    assert not any(isinstance(one, tuple) and one[0] is UnreadObject for one in allowed)
    refused(path, r"argparse\.Namespace|numpy")


def test_options_in_the_place_of_tensors_are_refused(tmp_path):
    path = tmp_path / "run.pth"
    torch.save({"model": argparse.Namespace(weight=1)}, path)
    refused(path, "holds a UnreadObject", entry="model")


def test_something_other_than_a_dict_is_refused(tmp_path):
    path = tmp_path / "tensor.pth"
    torch.save(torch.zeros(3), path)
    refused(path, "holds a Tensor")


def test_a_weakened_torch_is_refused(saved, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(WeightsError, match="unset TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        load_state(saved)


def test_fill_copies_every_tensor():
    module = fill(nn.Linear(3, 2), STATE, "the test")
    assert torch.equal(module.weight, STATE["weight"])


def test_fill_does_not_need_the_batch_counters():
    norm = nn.BatchNorm2d(2)
    state = {key: value for key, value in norm.state_dict().items() if "num_batches" not in key}
    fill(norm, {**state, "running_mean": torch.ones(2)}, "the test")
    assert norm.running_mean.tolist() == [1, 1]


def test_fill_counts_and_names_missing_and_unexpected_tensors():
    other = {f"module.{number}": torch.zeros(1) for number in range(7)}
    with pytest.raises(WeightsError) as error:
        fill(nn.Linear(3, 2), other, "the test")
    message = str(error.value)
    assert "2 tensors are missing (bias, weight)" in message
    assert "7 are unexpected (module.0, module.1, module.2, module.3, module.4, ...)" in message


def test_fill_names_other_shapes():
    with pytest.raises(WeightsError, match=r"weight is \(2, 3\), expected \(2, 4\)"):
        fill(nn.Linear(4, 2), STATE, "the test")


def test_fill_names_what_is_not_finite():
    broken = {**STATE, "bias": torch.tensor([0.0, float("nan")])}
    with pytest.raises(WeightsError, match=r"NaN or infinity in 1 tensors \(bias\)"):
        fill(nn.Linear(3, 2), broken, "the test")


def test_a_refused_state_leaves_the_module_as_it_was():
    module = nn.Linear(3, 2)
    before = state_sha256(module.state_dict())
    with pytest.raises(WeightsError):
        fill(module, {**STATE, "bias": torch.tensor([0.0, float("inf")])}, "the test")
    assert state_sha256(module.state_dict()) == before


def test_the_state_hash_ignores_order_and_sees_names_types_shapes_and_bytes():
    reordered = dict(reversed(STATE.items()))
    assert state_sha256(STATE) == state_sha256(reordered)
    others = [
        {"weights": STATE["weight"], "bias": STATE["bias"]},
        {**STATE, "bias": STATE["bias"].double()},
        {**STATE, "weight": STATE["weight"].view(3, 2)},
        {**STATE, "bias": torch.tensor([0.0, 1e-30])},
        {**STATE, "steps": torch.tensor(3)},
    ]
    assert len({state_sha256(other) for other in [STATE, *others]}) == 6


def test_two_files_of_one_network_may_not_hold_the_same_tensor(tmp_path):
    files = []
    for name in ("weights", "head"):
        torch.save(STATE, tmp_path / f"{name}.pth")
        files.append(WeightFile(tmp_path / f"{name}.pth", None, f"backbone.x.{name}"))
    with pytest.raises(WeightsError, match=r"head\.pth holds bias, weight a second time"):
        FileWeights(lambda: nn.Linear(3, 2), tuple(files)).network()
