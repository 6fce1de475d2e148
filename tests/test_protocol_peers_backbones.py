"""Presets of installed packages beyond Inception: what the packages give with vgg16 and CLIP.

Files have the published layouts and random values.
"""

import sys
from types import SimpleNamespace

import pytest
import torch
from made_clip import openai_layout
from made_inception import Sides, made_images, scores
from made_weights import made_state, relative_gap
from plain_vit import quick_gelu, random_state
from safetensors.torch import save_file
from test_backbone_clip import projected_scaled
from test_protocol_features import features
from test_protocol_pixels import pixels
from torchvision.models import vgg16

ROUNDED = (".conv1.", ".attn.", ".mlp.")  # convolutions and linear layers
SIZES = [32, 400]  # below and above what the networks see


@pytest.fixture(scope="module")
def clip_state():
    """Of values that float16 holds where torch-fidelity keeps them so, as OpenAI's file does."""
    state = random_state(openai_layout("clip_vitb32"))
    rounded = {n: state[n].half().float() for n in state if any(part in n for part in ROUNDED)}
    return state | rounded


@pytest.fixture(scope="module")
def clip_file(clip_state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_file(clip_state, path)
    yield path
    path.unlink()  # hundreds of megabytes


@pytest.fixture(scope="module")
def vgg16_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(made_state(vgg16(weights=None).state_dict()), path)
    yield path
    path.unlink()  # half a gigabyte


@pytest.fixture
def score(measure, tmp_path):
    def run(sides, *words):
        return scores(measure(*words, *sides.folder_words(tmp_path / "cache"))[1])

    return run


@pytest.mark.parametrize("side", SIZES)
def test_torch_fidelity_on_clip(side, clip_state, clip_file, monkeypatch):
    peer = pytest.importorskip("torch_fidelity.feature_extractor_clip")
    program = {**clip_state, "text_projection": torch.zeros(2, 512)}  # OpenAI's is TorchScript
    module = SimpleNamespace(state_dict=lambda: dict(program))
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: module)
    extractor = peer.FeatureExtractorCLIP(
        "clip-vit-b-32", ["clip"], feature_extractor_weights_path="any", verbose=False
    )
    images = made_images(side, 2, seed=side)
    (expected,) = extractor(images)
    found = features("torch_fidelity", "clip_vitb32", clip_file, images)
    assert relative_gap(found, expected) < 1e-5  # seen: 8e-7


@pytest.mark.long
@pytest.mark.parametrize("side", [32, 448])
def test_torch_fidelity_precision_and_recall_on_vgg16(score, side, vgg16_file, tmp_path):
    """Its default for them; of one neighbour, because balls of three would hold all ten images."""
    peer = pytest.importorskip("torch_fidelity")
    sides = Sides(tmp_path, side, count=10)
    expected = peer.calculate_metrics(
        input1=str(sides.folders["fake"]),
        input2=str(sides.folders["real"]),
        **{"cuda": False, "cache": False, "verbose": False, "batch_size": 10},
        feature_extractor="vgg16",
        feature_extractor_weights_path=str(vgg16_file),
        prc=True,
        prc_neighborhood=1,
    )
    network = ["backbone=[vgg16]", f"backbone.vgg16.weights={vgg16_file}"]
    metric = ["metrics=[precision_recall]", "metrics.precision_recall.k=1"]
    found = score(sides, "protocol=torch_fidelity", *metric, *network)
    for share in ("precision", "recall"):  # theirs are means in float32
        assert found[share] == pytest.approx(expected[share], rel=1e-6)
    assert 0 < found["precision"] + found["recall"] < 2


@pytest.fixture
def clean_fids_clip(clip_state, monkeypatch):
    """clean-fid's module, for which the package clip is a stand-in with our weights."""
    tower = SimpleNamespace(eval=lambda: None)
    tower.encode_image = lambda x: projected_scaled(
        "clip_vitb32", clip_state, x, activation=quick_gelu
    )
    stand_in = SimpleNamespace(load=lambda *_, **__: (tower, None))
    monkeypatch.setitem(sys.modules, "clip", stand_in)
    monkeypatch.delitem(sys.modules, "cleanfid.clip_features", raising=False)
    yield pytest.importorskip("cleanfid.clip_features")
    sys.modules.pop("cleanfid.clip_features", None)


@pytest.mark.parametrize("shape", [(64, 64), (400, 400), (400, 301), (150, 333), (224, 300)])
def test_clean_fid_shows_clip_these_pixels(clean_fids_clip, shape, monkeypatch):
    images = made_images(max(shape), 1, seed=0)[:, :, : shape[0], : shape[1]].contiguous()
    seen = clean_fids_clip.img_preprocess_clip(images[0].permute(1, 2, 0).numpy())
    network = clean_fids_clip.CLIP_fx("ViT-B/32", device="cpu")
    monkeypatch.setattr(network.model, "encode_image", lambda x: x)
    expected = network(torch.from_numpy(seen.copy()).permute(2, 0, 1).float())
    ours = pixels("clean_fid", "clip_vitb32", images)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)  # a level is 0.014


def test_clean_fid_on_clip(clean_fids_clip, score, clip_file, tmp_path):
    peer = pytest.importorskip("cleanfid.fid")
    sides = Sides(tmp_path, 400)
    folders = str(sides.folders["real"]), str(sides.folders["fake"])
    options = {"device": torch.device("cpu"), "num_workers": 0, "verbose": False}
    expected = peer.compute_fid(*folders, mode="clean", model_name="clip_vit_b_32", **options)
    network = ["backbone=[clip_vitb32]", f"backbone.clip_vitb32.weights={clip_file}"]
    found = score(sides, "protocol=clean_fid", "metrics=[fid]", *network)
    assert found["fid"] == pytest.approx(expected, rel=1e-4)
