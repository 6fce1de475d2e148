"""From uint8 images to an embedding: resize, input scaling, network, one way for all backbones."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import Precision
from models.resize import Resize, resize


@dataclass(frozen=True)
class Extractor:
    """The network that a backbone loads.

    Attributes:
        trunk: scaled images float32 (n, 3, S, S) -> Embedding.
        resolution: S, in pixels.
        rule: how images meet S.
        scaling: float32 0..255 -> what the trunk was trained on.
        device: where the trunk is.
        precision: of the trunk's arithmetic.
        optimise: run the trunk in the faster memory order; it moves the last bits.
    """

    trunk: nn.Module
    resolution: int
    rule: Resize
    scaling: Callable[[Tensor], Tensor]
    device: str = "cpu"
    precision: Precision = Precision.fp32
    optimise: bool = False

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise ValueError(
                f"backbone: resolution={self.resolution}; type a number of pixels >= 1"
            )
        self.trunk.eval().requires_grad_(False)
        self.trunk.to(self.device, memory_format=self._memory_format)  # type: ignore[call-overload]

    def __call__(self, images: Tensor) -> Embedding:
        """Embed uint8 (n, 3, H, W) images, 0..255 RGB.

        Raises:
            ValueError: if the images have another type or shape.
        """
        _check(images)
        with torch.inference_mode():
            found: Embedding = self.trunk(self._prepare(images))
        return Embedding(
            _plain(found.features),
            None if found.logits is None else _plain(found.logits),
            None if found.spatial is None else _plain(found.spatial),
        )

    def _prepare(self, images: Tensor) -> Tensor:
        """Resize and scale, (n, 3, S, S) on the device."""
        resize_device = "cpu" if self.rule.uses_pillow else self.device
        pixels = resize(images.to(resize_device), self.resolution, self.rule).to(self.device)
        return self.scaling(pixels).contiguous(memory_format=self._memory_format)

    @property
    def _memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.optimise else torch.contiguous_format


def _plain(tensor: Tensor) -> Tensor:
    """Cloned outside inference mode: its tensors cannot be changed in place later."""
    return tensor.float().clone()


def _check(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3 or not len(images):
        raise ValueError(
            f"backbone: images are {images.dtype} {tuple(images.shape)}, "
            "expected uint8 (n, 3, H, W), n >= 1, RGB 0..255"
        )
