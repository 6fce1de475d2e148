"""An untrained ResNet-18: no download, no training set to favour.

Source: K. He et al., "Deep Residual Learning", 2015; for random features as a yardstick,
M. Naeem et al., "Reliable Fidelity and Diversity Metrics", 2020, section 4.1.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from models.backbone import Embedding, Network
from models.extractor import Extractor
from models.precision import Precision, head_in_float32, pool_in_float32
from models.resize import Resize
from models.scaling import Scaling, scale
from models.weight_source import RandomWeights

FEATURES, CLASSES = 512, 1000


class Resnet18Trunk(nn.Module):
    """Scaled images (n, 3, S, S) -> pooled features (n, 512) and logits (n, 1000)."""

    def __init__(self) -> None:
        from torchvision.models import resnet18  # seconds, which a reused cell does not need

        super().__init__()
        network = resnet18(weights=None)
        self.head = network.fc
        network.fc = nn.Identity()  # type: ignore[assignment]
        self.body = pool_in_float32(network)

    def forward(self, x: Tensor) -> Embedding:
        """Features after the global average, and the random classifier's logits."""
        features = self.body(x)
        with head_in_float32(x.device):
            return Embedding(features, self.head(features))


@dataclass(frozen=True)
class Resnet18Random:
    """512 features and 1000 logits that mean no class.

    Attributes:
        weights: "random"; there are no others, and other backbones take the same word.
        seed: which random weights; the cache and the record tell seeds apart.
        resolution: side of the input in pixels.
        resize: how images meet the resolution.
        scaling: from 0..255 to the network's input.
        precision: of the network's arithmetic.
        optimise: fold batch normalisation into convolutions and keep channels last in memory:
            faster, and within 1e-5 relative in the features.
    """

    weights: str = "random"
    seed: int = 0
    resolution: int = 64
    resize: Resize = Resize.torch_antialias
    scaling: Scaling = Scaling.imagenet
    precision: Precision = Precision.fp32
    optimise: bool = True

    width: ClassVar[int] = FEATURES
    classes: ClassVar[int] = CLASSES

    def __post_init__(self) -> None:
        if self.weights != "random":
            raise ValueError(
                f"resnet18_random has no weights but random ones; found weights={self.weights} "
                "(a trained one: backbone=[timm] backbone.timm.model=resnet18.a1_in1k)"
            )

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature."""
        return {
            "architecture": "resnet18",
            "layer": "pooled",
            "width": FEATURES,
            "resolution": self.resolution,
            "resize": self.resize.name,
            "scaling": self.scaling.name,
            "precision": self.precision.name,
            "optimise": self.optimise,
            **self._source().identity(),
        }

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device."""
        trunk = self._source().network()
        scaling = partial(scale, rule=self.scaling)
        return Extractor(
            trunk,
            self.resolution,
            self.resize,
            scaling,
            device=device,
            precision=self.precision,
            optimise=self.optimise,
        )

    def _source(self) -> RandomWeights:
        return RandomWeights("torchvision_resnet18", Resnet18Trunk, self.seed)
