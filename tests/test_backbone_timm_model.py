import socket
import time

import huggingface_hub.constants
import pytest
import timm
import torch
from made_weights import made_state, photographs, relative_gap
from safetensors.torch import save_file
from torch import nn

from models import timm_hub
from models.backbones.timm_model import TimmModel
from models.precision import Precision
from models.timm_trunk import TimmTrunk
from models.weights import WeightsError, file_sha256

TAG = "test_resnet.r160_in1k"


@pytest.fixture
def images():
    return torch.randint(
        0, 256, (2, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


@pytest.fixture
def weights_file(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), path)
    return path


@pytest.mark.parametrize("model", ["test_vit", "test_convnext", "test_efficientnet", TAG])
@torch.inference_mode()
def test_features_and_logits_are_those_of_timms_own_network(model, tmp_path):
    """Of a second one, which nobody folds, with weights under which a wrong fold shows."""
    peer = timm.create_model(model).eval()
    peer.load_state_dict(made_state(peer.state_dict()))
    save_file(peer.state_dict(), tmp_path / "made.safetensors")
    images = photographs(160)
    mean, std = (torch.tensor(peer.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    maps = peer.forward_features((images / 255 - mean) / std)
    backbone = TimmModel(model=model, weights=str(tmp_path / "made.safetensors"), resolution=160)
    found = backbone.load()(images)
    assert found.features.shape == (2, peer.num_features)
    assert relative_gap(found.features, peer.forward_head(maps, pre_logits=True)) < 1e-5
    assert relative_gap(found.logits, peer.forward_head(maps)) < 1e-5
    assert relative_gap(found.features[:1], found.features[1:]) > 1e-2  # the images matter


@pytest.mark.parametrize(
    ("model", "width", "precision"),
    [("coat_tiny", 152, "fp32"), ("crossvit_9_240", 384, "fp32"), ("crossvit_9_240", 384, "bf16")],
)
def test_several_branches_make_one_vector(model, width, precision, images):
    backbone = TimmModel(model=model, weights="random", precision=Precision[precision])
    extractor = backbone.load()
    embedding = extractor(images)
    assert embedding.features.shape == (2, width)
    if precision == "fp32":
        x = extractor.prepare(images)
        torch.testing.assert_close(embedding.logits, extractor.trunk.network(x))


@pytest.mark.parametrize(("given", "told"), [(torch.zeros(1, 2, 3), r"\(1, 2, 3\)"), ([], "list")])
def test_what_is_not_one_vector_is_refused(given, told):
    class Unpooled(nn.Module):
        def forward_features(self, x):
            return {"map": x}

        def forward_head(self, maps, pre_logits=False):
            return given

    with pytest.raises(ValueError, match=f"features are {told}, expected .* name a model"):
        TimmTrunk(Unpooled())(torch.zeros(1, 3, 4, 4))


def test_settings_left_out_are_timms(images):
    identity = TimmModel(model=TAG, weights="random").identity()
    settings = timm.get_pretrained_cfg(TAG)
    assert identity["resolution"] == settings.input_size[-1]
    assert identity["resize"] == f"pil_{settings.interpolation}" and identity["mean"] == list(
        settings.mean
    )


def test_a_vision_transformer_takes_another_resolution(images):
    backbone = TimmModel(model="test_vit", weights="random", resolution=96)
    assert backbone.load()(images).features.isfinite().all()


def test_a_bare_name_is_refused_for_trained_weights_with_its_tags():
    with pytest.raises(ValueError, match=r"resnet18\.a1_in1k"):
        TimmModel(model="resnet18").load()


@pytest.mark.parametrize("model", ["resnet19", "resnet18.a9_in1k", "hub:someone/resnet18"])
def test_an_unknown_model_is_refused_with_near_names(model):
    with pytest.raises(ValueError, match="has no model"):
        TimmModel(model=model, weights="random").load()


def test_a_file_of_the_models_tensors_loads(weights_file, images):
    backbone = TimmModel(model=TAG, weights=str(weights_file))
    assert backbone.identity()["weights_sha256"] == file_sha256(weights_file)
    assert backbone.load()(images).features.isfinite().all()


def test_a_file_of_another_model_is_refused(weights_file):
    with pytest.raises(WeightsError, match="are missing"):
        TimmModel(model="test_vit", weights=str(weights_file)).load()


def test_a_hub_file_gives_what_the_same_file_gives(weights_file, images, monkeypatch):
    monkeypatch.setattr(timm_hub, "_fetch", lambda *_: weights_file)
    hub, file = TimmModel(model=TAG), TimmModel(model=TAG, weights=str(weights_file))
    assert hub.identity() == file.identity()
    assert torch.equal(hub.load()(images).features, file.load()(images).features)


def test_a_hub_file_that_does_not_fit_is_refused_in_one_line(weights_file, monkeypatch):
    monkeypatch.setattr(timm_hub, "_fetch", lambda *_: weights_file)
    with pytest.raises(WeightsError, match="does not fit") as error:
        TimmModel(model="test_vit.r160_in1k").load()
    assert "\n" not in str(error.value)


def test_without_a_network_the_hub_is_refused_in_one_line_and_in_seconds(monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise OSError("name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(WeightsError, match=r"backbone\.timm\.weights=FILE") as error:
        TimmModel(model="resnet18.a1_in1k").load()
    assert time.monotonic() - start < 20
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
    assert "timm/resnet18.a1_in1k/resolve/main/model.safetensors" in str(error.value)
    assert "`salon fetch backbone=timm backbone.timm.model=resnet18.a1_in1k`" in str(error.value)


def test_another_number_of_channel_means_is_refused():
    with pytest.raises(ValueError, match="mean has 1 values"):
        TimmModel(model=TAG, weights="random", mean=[0.5]).load()
