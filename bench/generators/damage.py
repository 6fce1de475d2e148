"""Controls that spoil each held-out real image by itself: blur, noise, JPEG."""

import io
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from bench.generator import Surroundings
from bench.generators.controls import Control, holdout
from bench.identity import NEUTRAL, describe
from bench.images import ImageSource
from models.seeds import ImageSeed


@dataclass(frozen=True)
class Damage(Control):
    """Base of the controls that change images one by one."""

    def open(self, surroundings: Surroundings) -> ImageSource:
        """The holdout, damaged image by image."""
        return _DamagedSource(holdout(surroundings, self.name), self, surroundings.seed)

    @abstractmethod
    def damage(self, image: np.ndarray, seed: ImageSeed) -> np.ndarray:
        """One uint8 (H, W, 3) image -> the same shape."""


@dataclass(frozen=True)
class Blur(Damage):
    """Gaussian blur; sigma in pixels for an image of 32 px, and in proportion for others."""

    sigma: float = 2.0

    def damage(self, image: np.ndarray, seed: ImageSeed) -> np.ndarray:
        """Pillow's Gaussian blur."""
        radius = self.sigma * image.shape[0] / 32
        return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


@dataclass(frozen=True)
class Noise(Damage):
    """Additive Gaussian noise; sigma in grey levels of 255, every channel by itself."""

    sigma: float = 32.0

    def damage(self, image: np.ndarray, seed: ImageSeed) -> np.ndarray:
        """Noise from the image's own seed, rounded and clipped."""
        noise = seed.normal(*image.shape, purpose="noise").numpy()
        return (image + self.sigma * noise).round().clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Jpeg(Damage):
    """JPEG compression by Pillow, 4:2:0."""

    quality: int = 10

    def damage(self, image: np.ndarray, seed: ImageSeed) -> np.ndarray:
        """Encode and decode."""
        encoded = io.BytesIO()
        Image.fromarray(image).save(encoded, "JPEG", quality=self.quality, subsampling=2)
        return np.asarray(Image.open(encoded))


class _DamagedSource(ImageSource):
    def __init__(self, base: ImageSource, control: Damage, seed: int) -> None:
        self.base, self.control, self.seed = base, control, seed
        self.labels, self.num_classes = base.labels, base.num_classes

    @property
    def counts(self) -> dict[str, int]:
        return self.base.counts

    def __len__(self) -> int:
        return len(self.base)

    def read(self, indices: Sequence[int]) -> Tensor:
        images = self.base.read(indices).permute(0, 2, 3, 1).numpy()
        damaged = [
            self.control.damage(image, ImageSeed(self.seed, index))
            for index, image in zip(indices, images, strict=True)
        ]
        return torch.from_numpy(np.stack(damaged)).permute(0, 3, 1, 2).contiguous()

    def refuse_changed(self, indices: Sequence[int]) -> None:
        self.base.refuse_changed(indices)

    def content(self) -> dict[str, object]:
        settings = describe(self.control, NEUTRAL.keys())
        return {"base": self.base.content(), "seed": self.seed, **settings}

    def image_name(self, index: int) -> str:
        return self.base.image_name(index)
