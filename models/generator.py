"""What every live generator is: image seeds in, uint8 images out."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from models.seeds import ImageSeed


class Generator(Protocol):
    """Draws image k from its seed alone; call it with batches of one fixed size."""

    resolution: int
    num_classes: int  # 0: not class-conditional

    def sample(
        self,
        seeds: Sequence[ImageSeed],
        labels: Tensor | None = None,
        condition: object | None = None,
        pose: object | None = None,
    ) -> Tensor:
        """Generate one image per seed.

        Args:
            seeds: n image seeds.
            labels: (n,) int64 classes, for class-conditional generators only.
            condition: text or other conditions, for generators that take them.
            pose: camera poses, for 3-D aware generators.

        Returns:
            uint8 (n, 3, H, W), RGB, 0..255.
        """
