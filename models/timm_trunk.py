"""The features and the logits of any timm network."""

from typing import Any

from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import head_in_float32

TRUNK = "network."  # where the trunk keeps timm's network


class TimmTrunk(nn.Module):
    """Scaled images (n, 3, S, S) -> the features before the classifier, and logits if any.

    Args:
        network: a timm model that pools its features to one vector; several branches, each with a
            map of its own, may give it together.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Embedding:
        """Features and logits of one pass through the trunk.

        Raises:
            ValueError: if the network does not pool.
        """
        maps = self.network.forward_features(x)  # type: ignore[operator]
        with head_in_float32(x.device):
            return self._head(_floats(maps))

    def _head(self, maps: Any) -> Embedding:
        features = self.network.forward_head(maps, pre_logits=True)  # type: ignore[operator]
        _require_pooled(features)
        if self.network.num_classes == 0:
            return Embedding(features, None)
        return Embedding(features, self.network.forward_head(maps))  # type: ignore[operator]


def _floats(maps: Any) -> Any:
    """In float32, of one branch or of several."""
    if isinstance(maps, list | tuple):
        return type(maps)(_floats(one) for one in maps)
    return maps.float() if isinstance(maps, Tensor) else maps


def _require_pooled(features: Any) -> None:
    if not isinstance(features, Tensor) or features.ndim != 2:
        found = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(
            f"backbone timm: features are {found}, expected (n, D); "
            "name a model that pools its features"
        )
