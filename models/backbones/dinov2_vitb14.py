"""DINOv2 ViT-B/14: the class token after the last norm."""

from dataclasses import dataclass
from typing import ClassVar

from models.dino import DinoBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="dinov2_vitb14_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth",
    sha256="0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
    licence="Apache-2.0",
    megabytes=346,
)


@dataclass(frozen=True)
class Dinov2Vitb14(DinoBackbone):
    """768 features, at 224 px; any multiple of 14 px will do, and 518 needs no resampling."""

    patch: ClassVar[int] = 14
    about: ClassVar[About] = About(
        name="dinov2_vitb14",
        architecture="vit_base_patch14_dinov2",
        layer="class_token",
        width=768,
        classes=None,
        file=FILE,
    )
