"""DINO and DINOv2: vision transformers whose position table fits any resolution, by their rule."""

from dataclasses import dataclass
from typing import ClassVar

from models.position_table import resample
from models.vit import VitBackbone, below_trunk
from models.weights import State

_TRAINING_ONLY = ("mask_token",)  # stands for hidden patches while training; nothing reads it


@dataclass(frozen=True)
class DinoBackbone(VitBackbone):
    """The class token after the last norm, at any whole number of patches. No logits."""

    patch: ClassVar[int]

    def __post_init__(self) -> None:
        if self.resolution < self.patch or self.resolution % self.patch:
            near = self.patch * max(1, round(self.resolution / self.patch))
            name = self.about.name
            raise ValueError(
                f"{name} has patches of {self.patch} px, and resolution={self.resolution} is no "
                f"multiple of that; type backbone.{name}.resolution={near}"
            )

    def convert(self, state: State) -> State:
        """From the file to the trunk: the position table in the grid of the resolution.

        Raises:
            WeightsError: if the position table is not a class token and a square of patches.
        """
        kept = {name: tensor for name, tensor in state.items() if name not in _TRAINING_ONLY}
        if "pos_embed" in kept:
            kept["pos_embed"] = resample(kept["pos_embed"], self.resolution // self.patch)
        return below_trunk(kept)
