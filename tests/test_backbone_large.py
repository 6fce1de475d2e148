"""The large networks, built with random weights and run: what no faster test does for them."""

import pytest
from made_weights import photographs

from models.backbones import describe
from models.weights import state_sha256

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SIDES = {  # pixels: as few as a network takes
    "clip_vitl14": 224,
    "clip_vitl14_336": 336,
    "convnext_l": 64,
    "dinov2_vitb14": 56,
    "dinov2_vitl14": 56,
    "mae_vitl16": 224,
    "swin_b": 224,
}


@pytest.mark.parametrize("name", sorted(SIDES))
def test_a_large_random_backbone_tells_images_apart_and_is_what_its_identity_says(name):
    backbone = describe(name, weights="random", resolution=SIDES[name])
    named = backbone.identity()["state_sha256"]  # of a network built for its name alone
    network = backbone.load()
    found = network(photographs(64))
    first, second = found.features
    assert found.features.isfinite().all() and first.shape == (backbone.about.width,)
    assert (first - second).norm() > 1e-3 * first.norm()
    assert found.logits is None or found.logits.isfinite().all()
    assert named == state_sha256(network.trunk.state_dict())
