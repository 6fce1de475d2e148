"""Vision transformers of timm whose feature is the class token after the last norm."""

from dataclasses import dataclass

from torch import nn

from models.published_backbone import PublishedBackbone
from models.timm_trunk import TRUNK, TimmTrunk
from models.weights import State


def vit(architecture: str, resolution: int) -> nn.Module:
    """Timm's unfilled network without a classifier, its position table for the resolution.

    Args:
        architecture: timm's name without a tag.
        resolution: side of the input in pixels.
    """
    import timm  # seconds, which a reused cell does not need

    return timm.create_model(architecture, num_classes=0, img_size=resolution)


def below_trunk(state: State) -> State:
    """From the names of timm to those of a trunk around it."""
    return {TRUNK + name: tensor for name, tensor in state.items()}


@dataclass(frozen=True)
class VitBackbone(PublishedBackbone):
    """The class token after the last norm; files have timm's names. No logits."""

    @property
    def architecture(self) -> str:
        """The position table's shape follows the resolution."""
        return f"{super().architecture}_{self.resolution}"

    def network(self) -> nn.Module:
        """The network of timm, unfilled."""
        return TimmTrunk(vit(self.about.architecture, self.resolution))

    def convert(self, state: State) -> State:
        """From the names of timm to those below the trunk."""
        return below_trunk(state)


def require_resolution(name: str, resolution: int, trained: int) -> None:
    """Refuse a resolution for which the published network has no positions.

    Args:
        name: of the backbone.
        resolution: asked for, in pixels.
        trained: what the position tables are for, in pixels.

    Raises:
        ValueError: if the two differ.
    """
    if resolution != trained:
        raise ValueError(
            f"{name} has positions for {trained} px, not for resolution={resolution}, and no rule "
            f"of its authors for others; type backbone.{name}.resolution={trained}"
        )
