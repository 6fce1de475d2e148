"""What every backbone is: a description that costs nothing, and the network that it loads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Embedding:
    """What a backbone says of a batch of images.

    Attributes:
        features: (n, D) float32.
        logits: (n, C) float32, or None for a network without a classifier.
        spatial: (n, S) float32, a flattened map that still knows where things are, or None.
    """

    features: Tensor
    logits: Tensor | None
    spatial: Tensor | None = None


Network = Callable[[Tensor], Embedding]
"""uint8 (n, 3, H, W) images, 0..255 RGB -> Embedding; resize and input scaling are inside."""


class Backbone(Protocol):
    """A frozen dataclass whose fields are the yaml's keys; making one touches no file.

    A class whose embeddings have a spatial map says `has_spatial: ClassVar[bool] = True`.
    """

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature, as plain JSON values.

        Architecture, layer, resize rule, input scaling, and either `weights_sha256` of the file or
        `initialisation`, `seed` and `state_sha256`. Never a path.
        """

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device, in evaluation mode.

        Raises:
            models.weights.WeightsError: if a weight file is absent, damaged or not the named one.
        """
