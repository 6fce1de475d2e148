"""ResNet-50 trained on ImageNet, in torchvision's first weights.

Source: K. He et al., "Deep Residual Learning for Image Recognition", 2015.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from models.classifier_trunk import ClassifierTrunk, trunk_names
from models.published import PublishedFile
from models.published_backbone import About, PublishedBackbone
from models.resize import Resize
from models.scaling import Scaling
from models.weights import State

LAST = "fc"
FILE = PublishedFile(
    name="resnet50-0676ba61.pth",
    url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
    sha256="0676ba61",  # the digits in its name
    licence="BSD-3-Clause",
    megabytes=103,
)


@dataclass(frozen=True)
class Resnet50(PublishedBackbone):
    """2048 features after the global average and 1000 ImageNet logits, at 224 px."""

    resolution: int = 224
    resize: Resize = Resize.pil_bilinear
    scaling: Scaling = Scaling.imagenet

    about: ClassVar[About] = About(
        name="resnet50",
        architecture="torchvision_resnet50",
        layer="avgpool",
        width=2048,
        classes=1000,
        file=FILE,
    )

    def network(self) -> nn.Module:
        """The network of torchvision, unfilled."""
        from torchvision.models import resnet50  # seconds, which a reused cell does not need

        return ClassifierTrunk(resnet50(weights=None), LAST)

    def convert(self, state: State) -> State:
        """From torchvision's names to the trunk's."""
        return trunk_names(state, LAST)
