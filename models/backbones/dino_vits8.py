"""DINO ViT-S/8: the class token after the last norm."""

from dataclasses import dataclass
from typing import ClassVar

from models.dino import DinoBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="dino_deitsmall8_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth",
    sha256=None,
    licence="Apache-2.0",
    megabytes=87,
)


@dataclass(frozen=True)
class DinoVits8(DinoBackbone):
    """384 features, at 224 px; any multiple of 8 px will do."""

    patch: ClassVar[int] = 8
    about: ClassVar[About] = About(
        name="dino_vits8",
        architecture="vit_small_patch8_224",
        layer="class_token",
        width=384,
        classes=None,
        file=FILE,
    )
