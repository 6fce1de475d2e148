"""From uint8 images to an embedding: resize, input scaling, network, one way for all backbones."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.backbone import Embedding
from models.fold import fold
from models.precision import (
    Precision,
    float32_products,
    narrow_convolutions,
    narrowed,
    refuse_unsupported,
    to_float32,
)
from models.resize import Resize, resize
from models.slices import in_slices

SLICE = 8  # images that are resized at a time: the intermediate arrays stay small


@dataclass(frozen=True)
class Extractor:
    """The network that a backbone loads.

    Calling it is `embed(prepare(images))`; `prepare` may run ahead in other threads.

    Attributes:
        trunk: scaled images float32 (n, 3, S, S) -> Embedding.
        resolution: S, in pixels.
        rule: how images meet S.
        scaling: float32 0..255 -> what the trunk was trained on.
        device: where the trunk is.
        precision: of the trunk's arithmetic.
        optimise: fold batch normalisation into convolutions, keep channels last in memory, and on a
            CPU give each core some of the images, unless hooks watch the trunk, which see whole
            batches; it moves the last bits.
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
        refuse_unsupported(self.precision, self.device)
        self.trunk.eval().requires_grad_(False)
        if self.optimise:
            x = torch.zeros(1, 3, self.resolution, self.resolution)
            fold(self.trunk, x)
            narrow_convolutions(self.trunk, self.precision, x)
        self.trunk.to(self.device, memory_format=self._memory_format)  # type: ignore[call-overload]

    def __call__(self, images: Tensor) -> Embedding:
        """Embed uint8 (n, 3, H, W) images, 0..255 RGB.

        Raises:
            ValueError: if the images have another type or shape.
        """
        return self.embed(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        """What the CPU does for the network; safe to call from several threads.

        Args:
            images: uint8 (n, 3, H, W), 0..255 RGB.

        Returns:
            Scaled images float32 (n, 3, S, S), or the images as they are where another device
            resizes them itself.

        Raises:
            ValueError: if the images have another type or shape.
        """
        _check(images)
        with torch.inference_mode():
            return self._scaled(images.cpu()) if self._cpu_resizes else images

    def embed(self, prepared: Tensor) -> Embedding:
        """Run the network on what `prepare` gave; float32 whatever the precision."""
        with torch.inference_mode(), float32_products(self.precision):
            x = prepared.to(self.device)
            found = self._run(x if self._cpu_resizes else self._scaled(x))
        return Embedding(
            _plain(found.features),
            None if found.logits is None else _plain(found.logits),
            None if found.spatial is None else _plain(found.spatial),
        )

    def _run(self, x: Tensor) -> Embedding:
        by_core = self.optimise and x.device.type == "cpu" and not _is_watched(self.trunk)
        return in_slices(self._trunk, x) if by_core else self._trunk(x)

    def _trunk(self, x: Tensor) -> Embedding:
        """In the settings that torch keeps per thread."""
        with torch.inference_mode(), narrowed(self.precision, self.device):
            found: Embedding = self.trunk(x)
        return found

    @property
    def _cpu_resizes(self) -> bool:
        return self.rule.uses_pillow or torch.device(self.device).type == "cpu"

    def _scaled(self, images: Tensor) -> Tensor:
        """Resized and scaled, (n, 3, S, S) where the images are; bit-equal for every SLICE."""
        shape = (len(images), 3, self.resolution, self.resolution)
        scaled = torch.empty(shape, device=images.device, memory_format=self._memory_format)
        for source, target in zip(images.split(SLICE), scaled.split(SLICE), strict=True):
            target.copy_(self.scaling(resize(source, self.resolution, self.rule)))
        return scaled

    @property
    def _memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.optimise else torch.contiguous_format


def _is_watched(network: nn.Module) -> bool:
    """Whether anybody has hung hooks into it."""
    hooks = (
        hook
        for part in network.modules()
        for hook in (*part._forward_hooks.values(), *part._forward_pre_hooks.values())
    )
    return any(hook is not to_float32 for hook in hooks)


def _plain(tensor: Tensor) -> Tensor:
    """Cloned outside inference mode: its tensors cannot be changed in place later."""
    return tensor.float().clone()


def _check(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3 or not len(images):
        raise ValueError(
            f"backbone: images are {images.dtype} {tuple(images.shape)}, "
            "expected uint8 (n, 3, H, W), n >= 1, RGB 0..255"
        )
