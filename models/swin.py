"""Swin transformers: mean of the last map after the norm, and ImageNet logits.

Source: Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows",
2021; files of https://github.com/microsoft/Swin-Transformer.
"""

import re
from dataclasses import dataclass

from torch import nn

from models.published_backbone import PublishedBackbone
from models.timm_trunk import TimmTrunk
from models.vit import below_trunk, require_resolution
from models.weights import State

RESOLUTION = 224  # pixels; the windows of 7 patches and their masks are made for it
_COMPUTED = ("relative_position_index", "attn_mask")  # buffers that the network makes itself


@dataclass(frozen=True)
class SwinBackbone(PublishedBackbone):
    """Features after the norm and the mean over the last map, and 1000 ImageNet logits."""

    def __post_init__(self) -> None:
        require_resolution(self.about.name, self.resolution, RESOLUTION)

    def network(self) -> nn.Module:
        """The network of timm, unfilled."""
        import timm  # seconds, which a reused cell does not need

        return TimmTrunk(timm.create_model(self.about.architecture))

    def convert(self, state: State) -> State:
        """From the authors' names to those of timm below the trunk."""
        read = {name: state[name] for name in state if not name.endswith(_COMPUTED)}
        return below_trunk({_timm_name(name): tensor for name, tensor in read.items()})


def _timm_name(name: str) -> str:
    """The merging of patches ends a stage in the file and starts the next one in timm."""
    name = re.sub(r"^layers\.(\d+)\.downsample\.", _next_stage, name)
    return re.sub(r"^head\.", "head.fc.", name)


def _next_stage(found: re.Match[str]) -> str:
    return f"layers.{int(found[1]) + 1}.downsample."
