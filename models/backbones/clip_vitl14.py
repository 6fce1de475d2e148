"""CLIP ViT-L/14: the projected image embedding."""

from dataclasses import dataclass
from typing import ClassVar

from models.clip import ClipBackbone
from models.published import PublishedFile
from models.published_backbone import About

FILE = PublishedFile(
    name="vit_large_patch14_clip_224.openai.safetensors",
    url="https://huggingface.co/timm/vit_large_patch14_clip_224.openai/resolve/"
    "18d0535469bb561bf468d76c1d73aa35156c922b/open_clip_model.safetensors",
    sha256="9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
    licence="MIT",
    megabytes=1711,
)


@dataclass(frozen=True)
class ClipVitl14(ClipBackbone):
    """768 features, at 224 px."""

    about: ClassVar[About] = About(
        name="clip_vitl14",
        architecture="vit_large_patch14_clip_quickgelu_224",
        layer="projected_class_token",
        width=768,
        classes=None,
        file=FILE,
    )
