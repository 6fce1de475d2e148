"""SwAV: a ResNet-50 trained on ImageNet without labels, and the linear head trained behind it.

Source: M. Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
Assignments", 2020, https://github.com/facebookresearch/swav; as a space for FID, S. Morozov et al.,
"On Self-Supervised Image Representations for GAN Evaluation", 2021.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from models.classifier_trunk import ClassifierTrunk, trunk_names
from models.headed_backbone import HeadedBackbone
from models.published import PublishedFile
from models.published_backbone import About
from models.resize import Resize
from models.scaling import Scaling
from models.weights import State

LAST = "fc"
PARALLEL = "module."  # both files were saved from a network wrapped for several GPUs
URL = "https://dl.fbaipublicfiles.com/deepcluster/"
FILE = PublishedFile(
    name="swav_800ep_pretrain.pth.tar",
    url=URL + "swav_800ep_pretrain.pth.tar",
    sha256=None,  # nobody states one
    licence="CC-BY-NC-4.0",
    megabytes=114,
)
HEAD = PublishedFile(
    name="swav_800ep_eval_linear.pth.tar",
    url=URL + "swav_800ep_eval_linear.pth.tar",
    sha256=None,
    licence="CC-BY-NC-4.0",
    megabytes=16,
)
_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
PRETEXT = {  # what the training's own task needs, behind the features
    *(f"projection_head.{layer}.{part}" for layer in (0, 3) for part in ("weight", "bias")),
    *(f"projection_head.1.{part}" for part in _NORM),
    "prototypes.weight",
}


@dataclass(frozen=True)
class SwavResnet50(HeadedBackbone):
    """2048 features after the global average and 1000 logits of the linear head, at 224 px."""

    resolution: int = 224
    resize: Resize = Resize.pil_bilinear
    scaling: Scaling = Scaling.imagenet

    about: ClassVar[About] = About(
        name="swav_resnet50",
        architecture="torchvision_resnet50",
        layer="avgpool",
        width=2048,
        classes=1000,
        file=FILE,
        head=HEAD,
        head_entry="state_dict",
    )

    def network(self) -> nn.Module:
        """The network of torchvision, unfilled."""
        from torchvision.models import resnet50  # seconds, which a reused cell does not need

        return ClassifierTrunk(resnet50(weights=None), LAST, self.has_head)

    def convert(self, state: State) -> State:
        """From the names of SwAV's training to the trunk's, without the pretext task's layers."""
        bare = {name.removeprefix(PARALLEL): tensor for name, tensor in state.items()}
        kept = {name: tensor for name, tensor in bare.items() if name not in PRETEXT}
        return trunk_names(kept, LAST)

    def convert_head(self, state: State) -> State:
        """module.linear.weight is head.weight, and so on."""
        return {name.replace("module.linear.", "head."): t for name, t in state.items()}
