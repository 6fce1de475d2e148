"""MAE ViT-L/16: the encoder's class token after the last norm."""

from dataclasses import dataclass
from typing import ClassVar

from models.published import PublishedFile
from models.published_backbone import About
from models.vit import VitBackbone, require_resolution

FILE = PublishedFile(
    name="mae_pretrain_vit_large.pth",
    url="https://dl.fbaipublicfiles.com/mae/pretrain/mae_pretrain_vit_large.pth",
    sha256=None,
    licence="CC-BY-NC-4.0",
    megabytes=1213,
    md5="b8b06e",
)


@dataclass(frozen=True)
class MaeVitl16(VitBackbone):
    """1024 features, at 224 px; no patch is masked."""

    about: ClassVar[About] = About(
        name="mae_vitl16",
        architecture="vit_large_patch16_224",
        layer="class_token",
        width=1024,
        classes=None,
        file=FILE,
        entry="model",
    )

    def __post_init__(self) -> None:
        require_resolution(self.about.name, self.resolution, 224)
