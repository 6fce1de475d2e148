"""Tensors that are no plain numbers are refused in one line; a copy would lose a part of some."""

import warnings

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.fill import fill
from models.weights import WeightsError, load_state, state_sha256

BIAS = torch.ones(2)


def quantised():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them; files stay
        return torch.quantize_per_tensor(torch.eye(2), 1.0, 0, torch.qint8)


ODD = {
    "complex64": torch.eye(2, dtype=torch.complex64) * (1 + 2j),
    "sparse": torch.eye(2).to_sparse(),
    "quantised": quantised(),
    "meta, a shape": torch.empty(2, 2, device="meta"),
    "float8_e4m3fn": torch.eye(2).to(torch.float8_e4m3fn),
    "float8_e5m2": torch.eye(2).to(torch.float8_e5m2),
}


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ODD)
def test_a_file_of_no_plain_numbers_is_refused(tmp_path, kind):
    torch.save({"weight": ODD[kind], "bias": BIAS}, tmp_path / "odd.pt")
    with pytest.raises(WeightsError, match=rf"odd\.pt does not hold.*weight is .*{kind}") as e:
        load_state(tmp_path / "odd.pt")
    one_line(e)


@pytest.mark.parametrize("kind", ODD)
def test_nothing_but_plain_numbers_is_filled_in(kind):
    module = nn.Linear(2, 2)
    before = state_sha256(module.state_dict())
    with pytest.raises(WeightsError, match=rf"weight is .*{kind}.*expected torch\.float32") as e:
        fill(module, {"weight": ODD[kind], "bias": BIAS}, "the test")
    one_line(e)
    assert state_sha256(module.state_dict()) == before


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_are_not_taken_for_real_ones(dtype):
    with pytest.raises(WeightsError, match="weight is of torch"):
        fill(nn.Linear(2, 2), {"weight": torch.eye(2).to(dtype), "bias": BIAS}, "the test")


def test_real_numbers_are_not_taken_for_whole_ones():
    module = nn.Module()
    module.register_buffer("index", torch.zeros(2, dtype=torch.int64))
    with pytest.raises(WeightsError, match=r"index is of torch\.float32, expected"):
        fill(module, {"index": torch.tensor([0.5, 1.5])}, "the test")
    assert fill(module, {"index": torch.ones(2, dtype=torch.int32)}, "x").index.tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_real_numbers_of_another_width_are_taken(tmp_path, dtype):
    save_file({"weight": torch.eye(2, dtype=dtype), "bias": BIAS}, tmp_path / "a.safetensors")
    module = fill(nn.Linear(2, 2), load_state(tmp_path / "a.safetensors"), "the test")
    assert module.weight.tolist() == [[1, 0], [0, 1]]


def test_a_counter_of_batches_may_be_an_average():
    norm = nn.BatchNorm2d(2)
    fill(norm, {**norm.state_dict(), "num_batches_tracked": torch.tensor(2.5)}, "the test")


def test_keys_that_are_no_names_are_refused(tmp_path):
    torch.save({1: BIAS, "bias": BIAS}, tmp_path / "int.pt")
    with pytest.raises(WeightsError, match=r"int\.pt holds the keys 1, expected names") as e:
        load_state(tmp_path / "int.pt")
    one_line(e)
