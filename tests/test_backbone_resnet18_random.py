import pytest
import torch
from torchvision.models import resnet18

from models.backbones.resnet18_random import Resnet18Random, Resnet18Trunk
from models.initialise import initialise


@pytest.fixture(scope="module")
def images():
    return torch.randint(
        0, 256, (8, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_the_logits_are_those_of_the_plain_network(images):
    trunk = initialise(Resnet18Trunk(), 0).eval()
    network = resnet18().eval()
    state = {name.removeprefix("body."): value for name, value in trunk.state_dict().items()}
    network.load_state_dict({name.replace("head.", "fc."): value for name, value in state.items()})
    x = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(trunk(x).logits, network(x))


def test_features_neither_vanish_nor_explode_and_span_the_batch(images):
    features = Resnet18Random().load()(images).features
    assert 0.1 < features.std() < 100
    assert torch.linalg.matrix_rank(features - features.mean(0)) == len(images) - 1


def test_the_identity_names_the_rule_the_seed_and_the_weights():
    first, second = Resnet18Random(seed=0).identity(), Resnet18Random(seed=1).identity()
    assert first["initialisation"] == "he_normal_v1" and first["seed"] == 0
    assert first["state_sha256"] != second["state_sha256"]


def test_it_takes_the_word_of_the_other_backbones_and_no_file():
    assert Resnet18Random(weights="random").identity() == Resnet18Random().identity()
    with pytest.raises(ValueError, match=r"no weights but random ones; found weights=net\.pth"):
        Resnet18Random(weights="net.pth")
