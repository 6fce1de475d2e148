"""Swin-T trained on ImageNet-1k; StudioGAN's "Swin-T" is `swin_b`."""

from dataclasses import dataclass
from typing import ClassVar

from models.published import PublishedFile
from models.published_backbone import About
from models.swin import SwinBackbone

FILE = PublishedFile(
    name="swin_tiny_patch4_window7_224.pth",
    url="https://github.com/SwinTransformer/storage/releases/download/v1.0.0/"
    "swin_tiny_patch4_window7_224.pth",
    sha256=None,
    licence="MIT",
    megabytes=114,
)


@dataclass(frozen=True)
class SwinT(SwinBackbone):
    """768 features and 1000 ImageNet logits, at 224 px."""

    about: ClassVar[About] = About(
        name="swin_t",
        architecture="swin_tiny_patch4_window7_224",
        layer="pooled",
        width=768,
        classes=1000,
        file=FILE,
        entry="model",
    )
