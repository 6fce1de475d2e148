"""On a CUDA device: the same road, the same numbers within float32."""

import pytest
import torch

import models.backbones
from bench.settings import full_float32, resolve_device

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18_random"])
def test_features_of_cpu_and_gpu_agree(name):
    full_float32()
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    cpu, gpu = (models.backbones.load(name, device=d)(images) for d in ("cpu", "cuda"))
    gap = (gpu.features.cpu() - cpu.features).norm() / cpu.features.norm()
    assert gap < 1e-4  # other kernels, the same sums in another order


def test_auto_takes_the_gpu():
    assert resolve_device("auto") == "cuda"


def test_a_generator_samples_on_the_gpu(measure, small):
    _, report = measure(*small, "generator=dcgan_digits", "metrics=[fid]", "device=cuda")
    assert report.code == 0
