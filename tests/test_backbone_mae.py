from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from plain_vit import (
    class_tokens,
    layout_bytes,
    meta_state,
    pictures,
    random_state,
    scaled,
    shapes_of,
    vit_layout,
)

from models.backbones.mae_vitl16 import MaeVitl16
from models.published_backbone import About

LARGE = vit_layout(width=1024, depth=24, patch=16, positions=1 + 14**2)


@dataclass(frozen=True)
class Tiny(MaeVitl16):
    """The same code around a network of 6 instead of 303 million numbers."""

    about: ClassVar[About] = replace(
        MaeVitl16.about, architecture="vit_tiny_patch16_224", width=192
    )


def check(cls, layout, folder, *, heads):
    """Write a file of the layout, load it the normal way, compare with plain torch."""
    state, images = random_state(layout), pictures(224, count=1)
    torch.save({"model": state}, folder / "random.pth")
    expected = class_tokens(state, scaled(images), heads=heads)[-1]
    found = cls(weights=str(folder / "random.pth")).load()(images)
    assert found.features.shape == expected.shape and found.logits is None
    assert (found.features - expected).norm() < 1e-5 * expected.norm()


def test_every_published_tensor_has_its_place():
    assert len(LARGE) == 294
    assert round(layout_bytes(LARGE) / 1e6) == MaeVitl16.about.file.megabytes
    with torch.device("meta"):
        network = MaeVitl16().network()
    converted = MaeVitl16().convert(meta_state(LARGE))
    assert shapes_of(converted) == shapes_of(network.state_dict())


def test_the_feature_is_the_class_token_of_plain_torch(tmp_path):
    tiny = vit_layout(width=192, depth=12, patch=16, positions=1 + 14**2)
    check(Tiny, tiny, tmp_path, heads=3)


@pytest.mark.long
def test_the_large_network_loads_and_runs(tmp_path):
    check(MaeVitl16, LARGE, tmp_path, heads=16)


def test_another_resolution_is_refused():
    with pytest.raises(ValueError, match=r"for 224 px.*type backbone\.mae_vitl16\.resolution=224"):
        MaeVitl16(resolution=240)
