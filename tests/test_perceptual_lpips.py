import lpips as authors
import pytest
import torch
import torchvision
from made_weights import made_state
from torch import nn

from models.perceptual.lpips import RECIPES, Lpips, Net
from models.perceptual.lpips_distance import between
from models.weights import WeightsError, file_sha256, weights_folder

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torchvision")  # of authors.LPIPS


def images(*, count=3, side=64, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, side, side, generator=rng) * 2 - 1


def package(net, trunk):
    """The authors' network with our trunk's weights; their layers keep torchvision's numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.init, "kaiming_normal_", lambda weight, **_: weight)  # it is overwritten
        patch.setattr(nn.init, "normal_", lambda weight, *_, **__: weight)
        patch.setattr(nn.init, "kaiming_uniform_", lambda weight, **_: weight)
        network = authors.LPIPS(net=net.name, pnet_rand=True, verbose=False)
    state = trunk.state_dict()
    for name, values in network.net.state_dict().items():
        values.copy_(state[name.split(".", 1)[1]])
    return network


@pytest.fixture(scope="module", params=list(Net))
def both(request):
    ours = Lpips(net=request.param, weights="random", seed=3).load()
    return ours, package(request.param, ours.trunk)


def test_equals_the_authors_package(both):
    ours, theirs = both
    a, b = images(), images(seed=1) * 0.5
    expected = theirs(a, b).detach().flatten()
    # float32: the same sums, with the heads' weights multiplied in another order
    torch.testing.assert_close(ours(a, b), expected, rtol=1e-6, atol=1e-6)


def test_equals_the_authors_package_in_float64(both):
    ours, theirs = both
    a, b = images(count=1).double(), images(count=1, seed=1).double()
    wide, expected = ours.double()(a, b), theirs.double()(a, b).detach().flatten()
    ours.float(), theirs.float()
    torch.testing.assert_close(wide, expected, rtol=1e-12, atol=0)


def test_equal_images_are_at_zero_and_order_does_not_matter(both):
    ours, _ = both
    a, b = images(), images(seed=1)
    assert torch.equal(ours(a, a), torch.zeros(3))
    assert torch.equal(ours(a, b), ours(b, a)) and (ours(a, b) > 0).all()


def test_features_give_the_distance_and_are_per_image(both):
    ours, _ = both
    a, b = images(), images(seed=1)
    assert torch.equal(between(ours.features(a), ours.features(b)), ours(a, b))
    alone = torch.cat([ours(a[i : i + 1], b[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(alone, ours(a, b))


def test_the_smallest_side_passes_and_one_pixel_less_is_refused(both):
    ours, _ = both
    side = ours.smallest
    assert ours(images(side=side), images(side=side, seed=1)).isfinite().all()
    with pytest.raises(ValueError, match=f"found {side - 1} x {side - 1} pixels"):
        ours(images(side=side - 1), images(side=side - 1))


@pytest.mark.parametrize("net", list(Net))
def test_heads_are_shares_of_layers_and_never_negative(net):
    heads = Lpips(net=net, weights="random").load().heads
    assert len(heads) == len(RECIPES[net].layers)
    assert all((head >= 0).all() for head in heads)  # so that roots may be multiplied in


@pytest.fixture(scope="module", params=list(Net))
def published(request, tmp_path_factory):
    """A net, torchvision's classifier around its trunk, and a file as torchvision publishes it."""
    whole = getattr(torchvision.models, RECIPES[request.param].build)(weights=None)
    whole.load_state_dict(made_state(whole.state_dict()))
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(whole.state_dict(), path)
    yield request.param, whole, path
    path.unlink()  # half a gigabyte


def test_a_trunk_file_is_torchvisions_and_its_classifier_is_left_out(published):
    net, whole, path = published
    spec = Lpips(net=net, weights=str(path))
    trunk = spec.load().trunk
    for name, values in whole.features.state_dict().items():
        assert torch.equal(trunk.state_dict()[name], values)
    assert spec.identity()["weights_sha256"] == file_sha256(path)


def test_a_trunk_file_gives_what_the_authors_package_gives(published):
    net, whole, path = published
    a, b = images(), images(seed=1) * 0.5
    expected = package(net, whole.features)(a, b).detach().flatten()
    ours = Lpips(net=net, weights=str(path)).load()
    torch.testing.assert_close(ours(a, b), expected, rtol=1e-6, atol=1e-6)


def test_random_weights_are_those_of_the_seed():
    first, again, other = (
        Lpips(net=Net.squeeze, weights="random", seed=seed).load()(images(), images(seed=1))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_identity_tells_nets_seeds_and_heads_apart_and_names_no_path():
    specs = [Lpips(net=net, weights="random", seed=seed) for net in Net for seed in (0, 1)]
    identities = [spec.identity() for spec in specs]
    assert len({str(identity) for identity in identities}) == len(specs)
    assert not any("/" in str(identity) for identity in identities)


def test_loading_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    Lpips(net=Net.alex, weights="random").load()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("net", "name"),
    [
        ("alex", "alexnet-owt-7be5be79.pth"),
        ("vgg", "vgg16-397923af.pth"),
        ("squeeze", "squeezenet1_1-b8a52dc0.pth"),
    ],
)
def test_a_trunk_that_is_absent_is_one_line_that_says_what_to_type(net, name):
    with pytest.raises(WeightsError, match=f"^lpips {net}: {name} is not in ") as error:
        Lpips(net=Net[net]).load()
    address = f"https://download.pytorch.org/models/{name}"
    for word in (str(weights_folder()), f"`salon fetch lpips={net}`", address, "lpips.weights="):
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_a_published_name_with_another_content_is_refused():
    weights_folder().mkdir(parents=True)
    state = torchvision.models.squeezenet1_1(weights=None).state_dict()
    torch.save(state, weights_folder() / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(WeightsError, match="expected b8a52dc0"):
        Lpips(net=Net.squeeze).load()


def test_another_architectures_file_is_refused(tmp_path):
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), tmp_path / "s.pth")
    with pytest.raises(WeightsError, match="does not fit the network"):
        Lpips(net=Net.alex, weights=str(tmp_path / "s.pth")).load()


@pytest.mark.parametrize("wrong", [images().byte(), images()[:, :1], images()[0], images()[:0]])
def test_refuses_what_is_no_batch_of_float_images(wrong):
    distance = Lpips(net=Net.squeeze, weights="random").load()
    with pytest.raises(ValueError, match=r"expected floats \(n, 3, H, W\)"):
        distance(wrong, wrong)
    with pytest.raises(ValueError, match="expected equal shapes"):
        distance(images(), images(side=32))
