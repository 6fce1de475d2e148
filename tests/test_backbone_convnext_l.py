import pytest
import torch
import torch.nn.functional as F
from made_weights import photographs, relative_gap
from plain_convnext import CLASSES, convnext_features, convnext_state
from torchvision.transforms.functional import normalize

from models.backbones.convnext_l import ConvnextL


@pytest.fixture(scope="module")
def state():
    return convnext_state()


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({"model": state}, path)
    yield path
    path.unlink()  # nearly a gigabyte


def test_the_layout_is_the_published_one(state):
    thousand, classes = 197_767_336, 1536 * (CLASSES - 1000) + CLASSES - 1000  # timm's count, and
    assert sum(tensor.numel() for tensor in state.values()) == thousand + classes  # more classes


def test_features_and_logits_are_those_of_the_authors_formula(file, state):
    images = photographs(64)
    ours = ConvnextL(weights=str(file), resolution=64).load()(images)
    batch = normalize(images / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    expected = convnext_features(state, batch)
    assert relative_gap(ours.features, expected) < 1e-5  # float32 in another order
    logits = F.linear(expected, state["head.weight"], state["head.bias"])
    assert relative_gap(ours.logits, logits) < 1e-5
    assert ours.features.shape == (2, 1536) and (ours.features[0] - ours.features[1]).std() > 0.01
