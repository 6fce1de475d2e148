"""DINOv2 ViT-S/14: the class token after the last norm."""

from dataclasses import dataclass
from typing import ClassVar

from models.dino import DinoBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="dinov2_vits14_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
    sha256="b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
    licence="Apache-2.0",
    megabytes=88,
)


@dataclass(frozen=True)
class Dinov2Vits14(DinoBackbone):
    """384 features, at 224 px; any multiple of 14 px will do, and 518 needs no resampling."""

    patch: ClassVar[int] = 14
    about: ClassVar[About] = About(
        name="dinov2_vits14",
        architecture="vit_small_patch14_dinov2",
        layer="class_token",
        width=384,
        classes=None,
        file=FILE,
    )
