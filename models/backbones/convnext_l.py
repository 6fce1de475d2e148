"""ConvNeXt-L trained on ImageNet-22k: features after the global average and its normalisation.

Source: Z. Liu et al., "A ConvNet for the 2020s", 2022, https://github.com/facebookresearch/ConvNeXt;
as a feature space, G. Stein et al., "Exposing Flaws of Generative Model Evaluation Metrics", 2023
(dgm-eval). Differs from dgm-eval: the whole image becomes the square; theirs is resized to 256
pixels on its shorter side, and its middle 224 are cut out.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from models.published import PublishedFile
from models.published_backbone import About, PublishedBackbone
from models.resize import Resize
from models.scaling import Scaling
from models.timm_trunk import TRUNK, TimmTrunk
from models.weights import State

FILE = PublishedFile(
    name="convnext_large_22k_224.pth",
    url="https://dl.fbaipublicfiles.com/convnext/convnext_large_22k_224.pth",
    sha256=None,  # nobody states one
    licence="MIT",
    megabytes=919,
)
_RENAMED = (  # from the authors' names to timm's
    (r"^downsample_layers\.0\.", "stem."),
    (r"^downsample_layers\.(\d)\.", r"stages.\1.downsample."),
    (r"^stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
    (r"\.dwconv\.", ".conv_dw."),
    (r"\.pwconv(\d)\.", r".mlp.fc\1."),
    (r"^norm\.", "head.norm."),
    (r"^head\.(weight|bias)$", r"head.fc.\1"),
)


@dataclass(frozen=True)
class ConvnextL(PublishedBackbone):
    """1536 features and 21841 logits of ImageNet-22k, at 224 px."""

    resolution: int = 224
    resize: Resize = Resize.pil_bicubic
    scaling: Scaling = Scaling.imagenet

    about: ClassVar[About] = About(
        name="convnext_l",
        architecture="timm_convnext_large_21841",
        layer="head_norm",
        width=1536,
        classes=21841,
        file=FILE,
        entry="model",
    )

    def network(self) -> nn.Module:
        """The network of timm, unfilled."""
        import timm  # seconds, which a reused cell does not need

        classes = self.about.classes
        return TimmTrunk(timm.create_model("convnext_large", pretrained=False, num_classes=classes))

    def convert(self, state: State) -> State:
        """From the authors' names to those of timm below the trunk."""
        return {TRUNK + _renamed(name): tensor for name, tensor in state.items()}


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED:
        name = re.sub(pattern, replacement, name)
    return name
