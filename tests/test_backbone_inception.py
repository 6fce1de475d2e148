import shutil

import pytest
import torch
from made_weights import made_state, photographs, relative_gap
from omegaconf import OmegaConf

import models.backbones
from models.backbones.inception import FILE, Inception
from models.fid_inception import FeatureLayer, FidInception
from models.weights import WeightsError, file_sha256


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    """Random weights in the published layout: a plain dict of 472 tensors."""
    names = FidInception().state_dict().items()
    state = made_state({k: v for k, v in names if "num_batches_tracked" not in k})
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


def test_the_layout_is_the_published_one(weights_file):
    state = torch.load(weights_file, weights_only=True)
    assert len(state) == 472
    assert sum(tensor.numel() for tensor in state.values()) == 23_885_392


@pytest.fixture(scope="module")
def network(weights_file):
    """The graph as published, in the order of operations that the peers have."""
    return models.backbones.load(
        "inception", weights=weights_file, resize="tf1_bilinear", optimise=False
    )


@pytest.fixture(scope="module")
def torch_fidelity(weights_file):
    peer = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    layers = ["64", "192", "768", "2048", "logits_unbiased"]
    return peer.FeatureExtractorInceptionV3(
        "peer", layers, feature_extractor_weights_path=weights_file
    )


@pytest.fixture(scope="module")
def optimised(weights_file):
    """The default: folded, channels last, and a slice of the batch for each core."""
    return models.backbones.load("inception", weights=weights_file, resize="tf1_bilinear")


@pytest.fixture
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("side", [32, 64, 256, 299, 512])
def test_features_and_logits_equal_torch_fidelity(
    network, optimised, torch_fidelity, side, two_cores
):
    images = photographs(side, count=3)  # the optimised network sees two of them, and one
    *_, features, logits = torch_fidelity(images)
    for ours, tolerance in ((network(images), 1e-6), (optimised(images), 1e-5)):
        assert relative_gap(ours.features, features) < tolerance  # seen: 0, bit-equal, and 5e-7
        assert relative_gap(ours.logits, logits) < tolerance
        assert ours.features.std() > 0.01


@pytest.fixture
def pytorch_fid(weights_file, monkeypatch):
    """The peer's module, which reads our file instead of downloading."""
    peer = pytest.importorskip("pytorch_fid.inception")
    state = torch.load(weights_file, weights_only=True)
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: state)
    return peer


def test_features_of_every_layer_equal_torch_fidelity(weights_file, torch_fidelity):
    images = photographs(64)
    theirs = torch_fidelity(images)[:4]
    for layer, expected in zip(FeatureLayer, theirs, strict=True):
        network = models.backbones.load("inception", weights=str(weights_file), layer=layer)
        ours = network(images)
        assert ours.features.shape == expected.shape == (2, layer.value)
        assert relative_gap(ours.features, expected) < 1e-5  # optimised: other orders of addition


def test_features_of_every_layer_equal_pytorch_fids_dims(weights_file, pytorch_fid):
    images = photographs(64)
    for layer, dims in zip(FeatureLayer, (64, 192, 768, 2048), strict=True):
        block = pytorch_fid.InceptionV3.BLOCK_INDEX_BY_DIM[dims]
        with torch.no_grad():
            expected = pytorch_fid.InceptionV3([block]).eval()(images / 255)[0].mean((2, 3))
        network = models.backbones.load(
            "inception",
            weights=str(weights_file),
            layer=layer,
            resize="torch_bilinear",
            scaling="unit_symmetric",
        )
        assert relative_gap(network(images).features, expected) < 1e-5


def test_the_layer_is_in_the_identity(weights_file):
    made = [Inception(weights=str(weights_file), layer=layer) for layer in FeatureLayer]
    identities = [one.identity() for one in made]
    assert [one["layer"] for one in identities] == ["pool1", "pool2", "mixed_6e", "pool3"]
    assert [one["width"] for one in identities] == [64, 192, 768, 2048]


@pytest.mark.parametrize("typed", ["mixed_6e", 768])
def test_a_config_may_name_the_layer_by_its_width(typed):
    node = OmegaConf.merge(OmegaConf.structured(Inception), {"layer": typed})
    assert OmegaConf.to_object(node).layer is FeatureLayer.mixed_6e


def test_a_forward_hook_sees_the_last_map(network):
    maps = []
    hook = network.trunk.get_submodule("Mixed_7c").register_forward_hook(
        lambda *seen: maps.append(seen[2])
    )
    features = network(photographs(32)).features
    hook.remove()
    assert maps[0].shape == (2, 2048, 8, 8)
    torch.testing.assert_close(maps[0].mean((2, 3)), features)


def test_the_bias_moves_the_logits_by_the_bias(network, monkeypatch):
    images = photographs(32, count=1)
    without = network(images)
    monkeypatch.setattr(network.trunk, "logits_bias", True)
    with_bias = network(images)
    bias = network.trunk.fc.bias[None]
    torch.testing.assert_close(with_bias.logits - without.logits, bias, atol=1e-4, rtol=0)
    assert torch.equal(with_bias.features, without.features)


def test_the_option_logits_bias_reaches_the_network():
    build = Inception(weights="random", logits_bias=True).source().build
    assert build().logits_bias and not Inception(weights="random").source().build().logits_bias


def test_identity_is_the_file_wherever_it_lies(weights_file, tmp_path):
    copy = shutil.copy(weights_file, tmp_path / "renamed.pth")
    first, second = (Inception(weights=str(path)).identity() for path in (weights_file, copy))
    assert first == second
    assert first["weights_sha256"] == file_sha256(weights_file)
    assert str(weights_file.parent) not in str(first)


def test_absent_published_weights_say_where_to_put_which_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    for act in (Inception().load, Inception().identity):
        with pytest.raises(WeightsError) as error:
            act()
        for word in (
            FILE.name,
            str(tmp_path),
            "https://",
            "salon fetch backbone=inception",
            "backbone.inception.weights=",
        ):
            assert word in str(error.value)


@pytest.mark.parametrize("name", FILE.names)
def test_random_weights_under_the_published_name_are_refused(
    weights_file, monkeypatch, tmp_path, name
):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / name).symlink_to(weights_file)
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="expected 6726825d"):
        Inception().load()


def test_the_published_file_is_found_once_its_hash_is_right(weights_file, monkeypatch, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / FILE.aliases[0]).symlink_to(weights_file)
    monkeypatch.setenv("SALON_HOME", str(tmp_path))
    digest = file_sha256(weights_file)
    assert Inception(weights_sha256=digest[:8]).identity()["weights_sha256"] == digest


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "linear.pth"
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(WeightsError, match="472 tensors are missing"):
        Inception(weights=str(path)).load()


def test_spatial_features_are_the_first_channels_of_mixed_6d_with_channels_last(weights_file):
    network = models.backbones.load("inception", weights=str(weights_file))
    maps = []
    network.trunk.Mixed_6d.branch1x1.register_forward_hook(lambda *seen: maps.append(seen[2]))
    found = network(photographs(64)).spatial
    expected = maps[0][:, :7]  # (n, 7, 17, 17), behind the ReLU
    assert found.shape == (2, 2023) and (found >= 0).all()
    assert torch.equal(found.reshape(2, 17, 17, 7).permute(0, 3, 1, 2), expected)
