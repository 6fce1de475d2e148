"""VGG-16 trained on ImageNet: the feature space of StyleGAN's precision and recall.

Source: K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks", 2014; for precision and
recall, T. Kynkäänniemi et al., "Improved Precision and Recall Metric", 2019. Differs: the paper and
StyleGAN read a file of their own (vgg16.pkl); these are torchvision's weights, as torch-fidelity's.
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

LAST = "classifier.6"
FILE = PublishedFile(
    name="vgg16-397923af.pth",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    sha256="397923af",  # the digits in its name
    licence="BSD-3-Clause",
    megabytes=553,
)


@dataclass(frozen=True)
class Vgg16(PublishedBackbone):
    """4096 features of the second fully connected layer behind its ReLU, and 1000 logits."""

    resolution: int = 224
    resize: Resize = Resize.tf1_bilinear
    scaling: Scaling = Scaling.imagenet

    about: ClassVar[About] = About(
        name="vgg16",
        architecture="torchvision_vgg16",
        layer="fc2_relu",
        width=4096,
        classes=1000,
        file=FILE,
    )

    def network(self) -> nn.Module:
        """The network of torchvision, unfilled."""
        from torchvision.models import vgg16  # seconds, which a reused cell does not need

        return ClassifierTrunk(vgg16(weights=None, init_weights=False), LAST)

    def convert(self, state: State) -> State:
        """From torchvision's names to the trunk's."""
        return trunk_names(state, LAST)
