"""DINO ViT-S/8 as its linear classifier sees it: the class tokens of the last four blocks."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from models.backbones.dino_vits8 import FILE
from models.dino import DinoBackbone
from models.headed_backbone import HeadedBackbone
from models.last_blocks import LastBlocks
from models.published import PublishedFile
from models.published_backbone import About
from models.resize import Resize
from models.vit import vit
from models.weights import State

BLOCKS = 4
HEAD = PublishedFile(
    name="dino_deitsmall8_linearweights.pth",
    url="https://dl.fbaipublicfiles.com/dino/dino_deitsmall8_pretrain/"
    "dino_deitsmall8_linearweights.pth",
    sha256=None,
    licence="Apache-2.0",
    megabytes=12,
)
_WRAPPED = "module.linear."  # the head was saved from a classifier wrapped for several GPUs


@dataclass(frozen=True)
class DinoVits8Blocks4(DinoBackbone, HeadedBackbone):
    """1536 features, earliest block first, and 1000 ImageNet logits of the head; at 224 px."""

    resize: Resize = Resize.pil_bilinear

    patch: ClassVar[int] = 8
    about: ClassVar[About] = About(
        name="dino_vits8_blocks4",
        architecture="vit_small_patch8_224",
        layer="class_tokens_of_last_4_blocks",
        width=1536,
        classes=1000,
        file=FILE,
        head=HEAD,
        head_entry="state_dict",
    )

    def __post_init__(self) -> None:
        DinoBackbone.__post_init__(self)
        HeadedBackbone.__post_init__(self)

    @property
    def architecture(self) -> str:
        """The head's shape follows the number of blocks."""
        return f"{super().architecture}_blocks{BLOCKS}"

    def network(self) -> nn.Module:
        """The unfilled network, and its head if there is one."""
        classes = self.about.classes if self.has_head else None
        network = vit(self.about.architecture, self.resolution)
        return LastBlocks(network, blocks=BLOCKS, classes=classes)

    def convert_head(self, state: State) -> State:
        """From `module.linear.weight` to `head.weight`, and so on."""
        return {f"head.{name.removeprefix(_WRAPPED)}": state[name] for name in state}
