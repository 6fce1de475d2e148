"""Random projector: the feature space in which the discriminators of Projected GANs look.

Source: A. Sauer et al., "Projected GANs Converge Faster", 2021; StyleGAN-XL (2022) measures a FID
in it. Differs: each mixed map is averaged over its positions, because a score needs one vector an
image; the random layers are of He's normal initialisation with zero bias, as the paper says, where
the authors' code keeps PyTorch's own.
"""

from dataclasses import dataclass
from typing import ClassVar, cast

from torch import nn

from models.backbones.efficientnet_lite0 import PACKAGE
from models.efficientnet_lite import LiteBackbone, Package
from models.initialise import INITIALISATION, initialise
from models.projector import FEATURES, STRIDE, Mixing, Projector
from models.published_backbone import About
from models.resize import Resize
from models.scaling import Scaling
from models.timm_trunk import TimmTrunk
from models.weight_source import WeightSource, build_quietly
from models.weights import state_sha256


@dataclass(frozen=True)
class RandomProjector(LiteBackbone):
    """512 features, 64 + 64 + 128 + 256 from the finest scale to the coarsest; no logits.

    `seed` is that of the random layers; with weights=random, of the whole network.
    """

    resolution: int = 224
    resize: Resize = Resize.torch_bilinear
    scaling: Scaling = Scaling.unit_symmetric

    package: ClassVar[Package] = PACKAGE
    about: ClassVar[About] = About(
        name="random_projector",
        architecture="tf_efficientnet_lite0_projector",
        layer="mixed_scales",
        width=FEATURES,
        classes=None,
        file=None,
    )

    def __post_init__(self) -> None:
        if self.resolution % STRIDE:
            raise ValueError(
                f"backbone.random_projector.resolution={self.resolution} is not a multiple of "
                f"{STRIDE}, so the scales do not fit; type 224"
            )

    def network(self) -> nn.Module:
        """EfficientNet-Lite0 whole, unfilled, as its weights come."""
        import timm  # seconds, which a reused cell does not need

        return TimmTrunk(timm.create_model("tf_efficientnet_lite0", pretrained=False))

    def source(self) -> WeightSource:
        """The network's weights and the seed of the layers behind it."""
        return ProjectorWeights(super().source(), self.seed)


@dataclass(frozen=True)
class ProjectorWeights:
    """A filled EfficientNet-Lite0 and seeded mixing layers.

    Attributes:
        base: of the network.
        seed: of the layers.
    """

    base: WeightSource
    seed: int

    def identity(self) -> dict[str, object]:
        """What fixes the network, and what fixes the layers; the hash is of all that is random."""
        base = self.base.identity()
        drawn = self.network() if "state_sha256" in base else self._mixing()
        return {
            **base,
            "initialisation": INITIALISATION,
            "seed": self.seed,
            "state_sha256": state_sha256(drawn.state_dict()),
        }

    def network(self) -> nn.Module:
        """The network cut into stages, with the layers behind them."""
        trunk = cast(TimmTrunk, self.base.network())
        return Projector(trunk.network, self._mixing())

    def _mixing(self) -> Mixing:
        return cast(Mixing, initialise(build_quietly(Mixing), self.seed))
