"""CLIP ViT-L/14 at 336 px: the projected image embedding."""

from dataclasses import dataclass
from typing import ClassVar

from models.clip import ClipBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="vit_large_patch14_clip_336.openai.safetensors",
    url="https://huggingface.co/timm/vit_large_patch14_clip_336.openai/resolve/"
    "81e38efc4637de5023b10e75a7f9bd1c6fa6b010/open_clip_model.safetensors",
    sha256="fbc415c3d0d7b79faed8f5ccfb740c32b7c4f5ffe7283b851f89c6231c01a8e0",
    licence="MIT",
    megabytes=1712,
)


@dataclass(frozen=True)
class ClipVitl14336(ClipBackbone):
    """768 features, at 336 px."""

    resolution: int = 336

    trained_resolution: ClassVar[int] = 336
    about: ClassVar[About] = About(
        name="clip_vitl14_336",
        architecture="vit_large_patch14_clip_quickgelu_336",
        layer="projected_class_token",
        width=768,
        classes=None,
        file=FILE,
    )
