"""The features and the logits of any timm network."""

from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import head_in_float32

TRUNK = "network."  # where the trunk keeps timm's network


class TimmTrunk(nn.Module):
    """Scaled images (n, 3, S, S) -> the features before the classifier, and logits if any.

    Args:
        network: a timm model that pools its features to one vector.
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
        with head_in_float32(maps.device):
            return self._head(maps.float())

    def _head(self, maps: Tensor) -> Embedding:
        features = self.network.forward_head(maps, pre_logits=True)  # type: ignore[operator]
        if features.ndim != 2:
            raise ValueError(
                f"backbone timm: features are {tuple(features.shape)}, expected (n, D); "
                "name a model that pools its features"
            )
        if self.network.num_classes == 0:
            return Embedding(features, None)
        return Embedding(features, self.network.forward_head(maps))  # type: ignore[operator]
