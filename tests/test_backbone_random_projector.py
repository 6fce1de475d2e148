import pytest
import timm
import torch
import torch.nn.functional as F
from made_weights import photographs, relative_gap

from models.backbones.efficientnet_lite0 import PACKAGE, EfficientnetLite0
from models.backbones.random_projector import RandomProjector


def feature_maps(images):
    """timm's own extractor of the four scales, with the package's weights."""
    network = timm.create_model(
        "tf_efficientnet_lite0", features_only=True, out_indices=(1, 2, 3, 4)
    )
    named = timm.create_model("tf_efficientnet_lite0").state_dict()
    packed = torch.load(PACKAGE.path("the test"), weights_only=True)
    state = dict(zip(named, packed.values(), strict=True))
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    square = F.interpolate(images.float(), 224, mode="bilinear", align_corners=False)
    with torch.no_grad():
        return network.eval()(square / 127.5 - 1)


def mixed(maps, mixing):
    """Projected GAN's mixing, written out from the coarsest scale to the finest."""
    zero, one, two, three = (mix(x) for mix, x in zip(mixing.channels, maps, strict=True))

    def doubled(x):
        height, width = x.shape[2:]
        return F.interpolate(x, (2 * height, 2 * width), mode="bilinear", align_corners=True)

    third = mixing.scales[3](doubled(three))
    second = mixing.scales[2](doubled(third + two))
    first = mixing.scales[1](doubled(second + one))
    return mixing.scales[0](doubled(first + zero)), first, second, third


@pytest.fixture(scope="module")
def network():
    return RandomProjector().load()


def test_features_are_the_means_of_timms_maps_mixed_as_the_authors_do(network):
    images = photographs(64)
    maps = feature_maps(images)
    assert [x.shape[1:] for x in maps] == [
        (24, 56, 56),
        (40, 28, 28),
        (112, 14, 14),
        (320, 7, 7),
    ]
    with torch.no_grad():
        scales = mixed(maps, network.trunk.mixing)
    assert [x.shape[1] for x in scales] == [64, 64, 128, 256]
    expected = torch.cat([x.flatten(2).mean(2) for x in scales], 1)
    ours = network(images)
    assert relative_gap(ours.features, expected) < 1e-5  # folding, and other orders of addition
    assert ours.logits is None and ours.features.shape == (2, 512)


def test_the_mixing_is_of_the_seed_and_the_network_of_the_package(network):
    other = RandomProjector(seed=1).load()
    for ours, theirs in zip(network.trunk.stages, other.trunk.stages, strict=True):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b)
    weights = [each.trunk.mixing.channels[0].weight for each in (network, other)]
    assert not torch.allclose(*weights)
    fan_in = weights[0][0].numel()
    assert weights[0].std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)


def test_the_identity_names_the_package_the_seed_and_both_states():
    first, second = (RandomProjector(seed=seed).identity() for seed in (0, 1))
    assert first["weights_sha256"] == PACKAGE.sha256
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["initialisation"] == "he_normal_v1"
    assert first["state_sha256"] != second["state_sha256"]
    assert "weights_sha256" not in RandomProjector(weights="random").identity()


def test_the_network_may_be_random_too_or_of_a_file(network, tmp_path):
    images = photographs(32, count=1)
    trained = network(images).features
    random = RandomProjector(weights="random").load()(images).features
    assert random.std() > 0 and relative_gap(random, trained) > 0.1
    path = tmp_path / "lite0.pth"
    lite0 = EfficientnetLite0().source().network().network
    torch.save(dict(lite0.state_dict()), path)
    from_file = RandomProjector(weights=str(path)).load()(images).features
    assert torch.equal(from_file, trained)


def test_a_side_whose_scales_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="not a multiple of 32"):
        RandomProjector(resolution=100)
