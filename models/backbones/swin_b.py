"""Swin-B trained on ImageNet-22k and tuned on ImageNet-1k, which StudioGAN calls Swin-T."""

from dataclasses import dataclass
from typing import ClassVar

from models.published import PublishedFile
from models.published_backbone import About
from models.swin import SwinBackbone

FILE = PublishedFile(
    name="swin_base_patch4_window7_224_22kto1k.pth",
    url="https://github.com/SwinTransformer/storage/releases/download/v1.0.0/"
    "swin_base_patch4_window7_224_22kto1k.pth",
    sha256=None,
    licence="MIT",
    megabytes=353,
)


@dataclass(frozen=True)
class SwinB(SwinBackbone):
    """1024 features and 1000 ImageNet logits, at 224 px."""

    about: ClassVar[About] = About(
        name="swin_b",
        architecture="swin_base_patch4_window7_224",
        layer="pooled",
        width=1024,
        classes=1000,
        file=FILE,
        entry="model",
    )
