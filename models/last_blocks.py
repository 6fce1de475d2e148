"""The class tokens of a vision transformer's last blocks, side by side, and a linear classifier."""

import torch
from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import head_in_float32


class LastBlocks(nn.Module):
    """Scaled images (n, 3, S, S) -> features (n, blocks * D) and logits if there is a head.

    Args:
        network: a vision transformer of timm, of width D.
        blocks: how many of its last blocks; the last norm is applied to each, earliest first.
        classes: C, or None for no head.
    """

    def __init__(self, network: nn.Module, *, blocks: int, classes: int | None) -> None:
        super().__init__()
        self.network = network
        self.blocks = blocks
        width = blocks * int(network.num_features)  # type: ignore[arg-type]
        self.head = None if classes is None else nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Embedding:
        """Features and logits of one pass."""
        pairs = self.network.get_intermediate_layers(  # type: ignore[operator]
            x, n=self.blocks, return_prefix_tokens=True, norm=True
        )
        features = torch.cat([prefix[:, 0] for _, prefix in pairs], dim=1)
        with head_in_float32(x.device):
            return Embedding(features, None if self.head is None else self.head(features.float()))
