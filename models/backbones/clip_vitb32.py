"""CLIP ViT-B/32: the projected image embedding."""

from dataclasses import dataclass
from typing import ClassVar

from models.clip import ClipBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="vit_base_patch32_clip_224.openai.safetensors",
    url="https://huggingface.co/timm/vit_base_patch32_clip_224.openai/resolve/"
    "a6f597a30f7b82c51704746581f9a4e41421e878/open_clip_model.safetensors",
    sha256="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
    licence="MIT",
    megabytes=605,
)


@dataclass(frozen=True)
class ClipVitb32(ClipBackbone):
    """512 features, at 224 px."""

    about: ClassVar[About] = About(
        name="clip_vitb32",
        architecture="vit_base_patch32_clip_quickgelu_224",
        layer="projected_class_token",
        width=512,
        classes=None,
        file=FILE,
    )
