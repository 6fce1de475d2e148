"""The transformer of a text tower, and what runs it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.precision import Precision, float32_products, narrowed
from models.texts.tokens import CONTEXT, VOCABULARY, Tokeniser

BATCH = 256  # texts per call of the network


@dataclass(frozen=True)
class Tower:
    """Sizes of one transformer.

    Attributes:
        width: of a token.
        heads: of the attention.
        projected: P, how long an embedding is.
    """

    width: int
    heads: int
    projected: int

    def network(self) -> nn.Module:
        """Unfilled: tokens int64 (n, 77) -> (n, P)."""
        from open_clip.transformer import QuickGELU, TextTransformer  # seconds

        return TextTransformer(
            context_length=CONTEXT,
            vocab_size=VOCABULARY,
            width=self.width,
            heads=self.heads,
            layers=12,
            output_dim=self.projected,
            act_layer=QuickGELU,
            pool_type="argmax",  # the end mark is the largest token
        )


TOWERS = {
    "clip_vitb32": Tower(width=512, heads=8, projected=512),
    "clip_vitl14": Tower(width=768, heads=12, projected=768),
    "clip_vitl14_336": Tower(width=768, heads=12, projected=768),
}


class TextExtractor:
    """The network that a text tower loads.

    Args:
        network: filled; tokens int64 (n, 77) -> (n, P).
        device: where it runs.
        truncate: cut long texts instead of refusing them.
    """

    def __init__(self, network: nn.Module, device: str, truncate: bool) -> None:
        self.network = network.eval().requires_grad_(False).to(device)
        self.device = device
        self.tokens = Tokeniser(truncate)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Embed n texts: (n, P) float32 of any length.

        Raises:
            ValueError: if there is none, one is not text, holds a mark, or is too long.
        """
        batches = self.tokens(texts).split(BATCH)
        with torch.inference_mode(), float32_products(), narrowed(Precision.fp32, self.device):
            found = torch.cat([self.network(batch.to(self.device)) for batch in batches])
        return found.clone()  # outside inference mode, whose tensors cannot be changed in place
