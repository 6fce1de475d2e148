"""Precision: full float32 by default whatever is set outside; the others told, or refused."""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from timm.layers import StdConv2d
from torch import nn

import models.backbones
from bench.composed import composed
from bench.deviations import deviations
from bench.errors import ConfigError
from bench.features import EXTRACTION_VERSION, NARROW_VERSION, extraction_version
from bench.prepare import prepare
from bench.records import read_record
from models.clip import ClipTrunk
from models.extractor import Extractor
from models.initialise import initialise
from models.last_blocks import LastBlocks
from models.precision import (
    Precision,
    float32_products,
    narrow_convolutions,
    narrowed,
    refuse_unsupported,
    slow_here,
)
from models.resize import Resize
from models.scaling import Scaling, scale


def settings():
    backends = torch.backends
    return (
        backends.cuda.matmul.fp32_precision,
        backends.cudnn.conv.fp32_precision,
        backends.mkldnn.matmul.fp32_precision,
    )


def small(**options):
    return models.backbones.load("resnet18_random", resolution=32, **options)


@pytest.fixture
def images():
    stream = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8, generator=stream)


def test_products_are_set_for_the_call_and_put_back():
    before = settings()
    with float32_products():
        assert settings() == ("ieee", "ieee", "ieee")
        with float32_products(Precision.tf32):
            assert settings() == ("tf32", "tf32", "ieee")
        assert settings() == ("ieee", "ieee", "ieee")
    assert settings() == before


def test_no_thread_computes_under_the_settings_of_another():
    wrong = []

    def work(precision, expected):
        for _ in range(200):
            with float32_products(precision):
                wrong.extend([settings()] if settings()[0] != expected else [])

    both = ((Precision.fp32, "ieee"), (Precision.tf32, "tf32"))
    threads = [threading.Thread(target=work, args=pair) for pair in both]
    before = settings()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and settings() == before


def test_autocast_and_settings_outside_do_not_reach_a_float32_network(images):
    network = small()
    expected = network(images).features
    old = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = network(images).features
    finally:
        torch.set_float32_matmul_precision(old)
    assert torch.equal(found, expected)


def test_bf16_moves_the_features_by_its_rounding_and_gives_float32(images):
    exact, rounded = small()(images), small(precision="bf16")(images)
    gap = (rounded.features - exact.features).norm() / exact.features.norm()
    assert 1e-4 < gap < 2e-2  # 2^-9 a product, over 18 layers
    for tensor in (rounded.features, rounded.logits):
        assert tensor.dtype == torch.float32


@pytest.mark.parametrize("name", ["resnet18_random", "timm_model"])
def test_pooling_and_heads_are_float32_under_bf16(name, images):
    options = {"model": "test_resnet", "weights": "random"} if name == "timm_model" else {}
    extractor = models.backbones.load(name, precision="bf16", resolution=96, **options)
    features = extractor(images).features
    assert (features.bfloat16().float() != features).float().mean() > 0.3


def on_the_bf16_grid(outputs):
    return (outputs.bfloat16().float() == outputs).float().mean()


def test_the_projection_of_clip_is_float32_under_bf16(images):
    tower = timm.create_model("test_vit", num_classes=0, img_size=32)
    extractor = narrow(ClipTrunk(tower, width=48))
    assert on_the_bf16_grid(extractor(images).features) < 0.5


def test_the_head_of_dinos_last_blocks_is_float32_under_bf16(images):
    vit = timm.create_model("test_vit", num_classes=0, img_size=32)
    extractor = narrow(LastBlocks(vit, blocks=2, classes=48))
    assert on_the_bf16_grid(extractor(images).logits) < 0.5


def narrow(trunk):
    return Extractor(
        initialise(trunk, 0),
        32,
        Resize.pil_bicubic,
        partial(scale, rule=Scaling.imagenet),
        precision=Precision.bf16,
    )


def test_tf32_is_refused_without_an_nvidia_gpu():
    with pytest.raises(ValueError, match=r"precision=tf32 on cpu: .*; type precision=fp32"):
        small(precision="tf32")
    refuse_unsupported(Precision.bf16, "cpu")


def test_fp16_on_a_cpu_works_or_is_refused_never_crawls(images):
    if torch.ops.mkldnn._is_mkldnn_fp16_supported():
        assert small(precision="fp16")(images).features.dtype == torch.float32
    else:
        with pytest.raises(ValueError, match="precision=fp16 on cpu: this processor"):
            small(precision="fp16")


def test_products_are_of_the_precisions_type_within_it():
    a = torch.ones(2, 2)
    with narrowed(Precision.bf16, "cpu"):
        assert (a @ a).dtype == torch.bfloat16
        with narrowed(Precision.fp32, "cpu"):
            assert (a @ a).dtype == torch.float32


def test_weights_rounded_once_are_those_that_autocast_rounds_each_time(images):
    rounded = small(precision="bf16").trunk
    network = small().trunk
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), narrowed(Precision.bf16, "cpu"):
        assert torch.equal(rounded(x).features, network(x).features)


def test_a_head_with_a_convolution_stays_float32_and_runs_under_bf16(images):
    options = {"model": "mobilenetv3_small_050", "weights": "random", "resolution": 64}
    extractor = models.backbones.load("timm_model", precision="bf16", **options)
    network = extractor.trunk.network
    assert network.conv_head.weight.dtype == torch.float32
    assert network.conv_stem.weight.dtype == torch.bfloat16
    assert extractor(images).features.dtype == torch.float32


def test_weights_that_are_computed_on_are_not_rounded_before():
    network = nn.Sequential(StdConv2d(3, 4, 3), nn.Conv2d(4, 4, 1)).eval()
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), narrowed(Precision.bf16, "cpu"):
        before = network(x)
        narrow_convolutions(network, Precision.bf16, x)
        assert torch.equal(network(x), before)
    assert [part.weight.dtype for part in network] == [torch.float32, torch.bfloat16]


def test_bf16_is_called_slow_where_the_processor_lacks_it(monkeypatch):
    for has, said in ((True, None), (False, "no bfloat16 products; fp32 is quicker")):
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda has=has: has)
        found = slow_here(Precision.bf16, "cpu")
        assert found is None if said is None else said in found
    assert slow_here(Precision.fp32, "cpu") is None


def test_an_unsupported_precision_is_a_config_error_before_any_image_is_read():
    with pytest.raises(ConfigError, match="backbone resnet18_random: precision=tf32 on cpu"):
        prepare(composed("score", ["backbone=[resnet18_random]", "precision=tf32", "device=cpu"]))


def test_the_precision_is_in_record_comparison_and_deviations(measure, small):
    first, _ = measure(*small, "metrics=[fid]")
    second, report = measure(*small, "metrics=[fid]", "precision=bf16")
    assert report.code == 0
    old, new = first.measurements[0], second.measurements[0]
    assert new.comparison["backbone"]["precision"] == "bf16"
    assert old.comparison_key != new.comparison_key and old.key != new.key
    record = read_record(new.path(Path(second.settings.paths.results)))
    assert record.identities["backbone"]["precision"] == "bf16"
    assert record.environment["dtype"] == "bfloat16"
    assert "backbone.resnet18_random.precision: bf16 (salon: fp32)" in record.deviations
    assert replace(old, backbone_identity=new.backbone_identity).comparison_key == (
        new.comparison_key
    )


def test_folding_is_another_comparison_where_it_moves_more_than_last_bits(measure, small):
    def keys(*words):
        job, _ = measure(*small, "generator=holdout", "metrics=[fid]", *words)
        return {one.comparison_key for one in job.measurements}

    unfolded = "backbone.resnet18_random.optimise=false"
    assert keys() == keys(unfolded)
    assert keys("precision=bf16") != keys("precision=bf16", unfolded)


def test_folding_is_a_deviation_where_it_moves_more_than_last_bits(small):
    def told(*words):
        words = (*small, "backbone.resnet18_random.optimise=false", *words)
        lines = deviations(composed("score", words), protocol="salon")
        return any("optimise" in line for line in lines)

    assert told("precision=bf16") and not told()


def test_a_change_of_narrow_extractions_alone_leaves_float32_keys():
    assert extraction_version({"precision": "fp32"}) == extraction_version({}) == EXTRACTION_VERSION
    assert extraction_version({"precision": "bf16"}) == f"{EXTRACTION_VERSION}.{NARROW_VERSION}"
