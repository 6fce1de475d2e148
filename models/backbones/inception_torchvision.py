"""torchvision's Inception-v3 trained on ImageNet: not the network of the FID.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015;
weights ported from TensorFlow by torchvision, whose network maps inputs standardised for ImageNet
back to [-1, 1] itself (transform_input). That step is part of the published network, hence of ours.
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
    name="inception_v3_google-0cc3c7bd.pth",
    url="https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
    sha256="0cc3c7bd",  # the digits in its name
    licence="BSD-3-Clause",
    megabytes=109,
)
_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
AUXILIARY = {  # the head of the training's second loss, which evaluation does not run
    "AuxLogits.fc.weight",
    "AuxLogits.fc.bias",
    *(f"AuxLogits.{conv}.conv.weight" for conv in ("conv0", "conv1")),
    *(f"AuxLogits.{conv}.bn.{part}" for conv in ("conv0", "conv1") for part in _NORM),
}


@dataclass(frozen=True)
class InceptionTorchvision(PublishedBackbone):
    """2048 features after the global average and 1000 ImageNet logits, at 299 px."""

    resolution: int = 299
    resize: Resize = Resize.pil_lanczos
    scaling: Scaling = Scaling.imagenet

    about: ClassVar[About] = About(
        name="inception_torchvision",
        architecture="torchvision_inception_v3_transform_input",
        layer="avgpool",
        width=2048,
        classes=1000,
        file=FILE,
    )

    def network(self) -> nn.Module:
        """The network of torchvision without its auxiliary head, unfilled."""
        from torchvision.models import inception_v3  # seconds, which a reused cell does not need

        classifier = inception_v3(
            weights=None, aux_logits=False, transform_input=True, init_weights=False
        )
        return ClassifierTrunk(classifier, LAST)

    def convert(self, state: State) -> State:
        """From torchvision's names to the trunk's; the auxiliary head is left out."""
        kept = {name: tensor for name, tensor in state.items() if name not in AUXILIARY}
        return trunk_names(kept, LAST)
