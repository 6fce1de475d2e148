"""DINOv2 ViT-L/14: the class token after the last norm."""

from dataclasses import dataclass
from typing import ClassVar

from models.dino import DinoBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="dinov2_vitl14_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    licence="Apache-2.0",
    megabytes=1218,
)


@dataclass(frozen=True)
class Dinov2Vitl14(DinoBackbone):
    """1024 features, at 224 px; any multiple of 14 px will do, and 518 needs no resampling."""

    patch: ClassVar[int] = 14
    about: ClassVar[About] = About(
        name="dinov2_vitl14",
        architecture="vit_large_patch14_dinov2",
        layer="class_token",
        width=1024,
        classes=None,
        file=FILE,
    )
