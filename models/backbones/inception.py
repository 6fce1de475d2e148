"""FID Inception: pool3 features of TensorFlow's 2015-12-05 graph, that of most published FIDs."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from models.backbone import Network
from models.extractor import Extractor
from models.fid_inception import FEATURES, RESOLUTION, FidInception
from models.resize import Resize
from models.scaling import Scaling, scale
from models.weight_source import FileWeights, RandomWeights
from models.weights import WeightsError, weights_folder

PUBLISHED_FILES = (
    "pt_inception-2015-12-05-6726825d.pth",
    "weights-inception-2015-12-05-6726825d.pth",
)
PUBLISHED_SHA256 = "6726825d"  # the digits in the names above, which we check
PUBLISHED_URL = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/" + PUBLISHED_FILES[0]
)
OPTION = "backbone.inception.weights"


@dataclass(frozen=True)
class Inception:
    """2048 features after the global average and 1008 logits, at 299 px.

    Attributes:
        weights: "published" (one of the two known files in the weights folder), "random", or a
            file of the same 472 tensors.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
        resize: how images meet 299 px.
        scaling: from 0..255 to the network's input.
        logits_bias: whether logits include the bias of the last layer. False is what most
            Inception Scores use; published code differs on it.
        channels_last: memory order; about 1e-6 relative in the features, faster on some CPUs.
    """

    weights: str = "published"
    weights_sha256: str | None = None
    seed: int = 0
    resize: Resize = Resize.tf1_bilinear
    scaling: Scaling = Scaling.tf
    logits_bias: bool = False
    channels_last: bool = False

    has_spatial: ClassVar[bool] = True

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature; reads the weight file.

        Raises:
            WeightsError: if the file is absent or not the expected one.
        """
        return {
            "architecture": "inception_2015_12_05",
            "layer": "pool3",
            "width": FEATURES,
            "resolution": RESOLUTION,
            "resize": self.resize.name,
            "scaling": self.scaling.name,
            "logits_bias": self.logits_bias,
            "channels_last": self.channels_last,
            **self._source().identity(),
        }

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device.

        Raises:
            WeightsError: if the file is absent, damaged or not the expected one.
        """
        trunk = self._source().network()
        scaling = partial(scale, rule=self.scaling)
        return Extractor(trunk, RESOLUTION, self.resize, scaling, device, self.channels_last)

    def _source(self) -> FileWeights | RandomWeights:
        build = partial(FidInception, logits_bias=self.logits_bias)
        if self.weights == "random":
            return RandomWeights("inception_2015_12_05", build, self.seed)
        if self.weights == "published":
            pinned = self.weights_sha256 or PUBLISHED_SHA256
            return FileWeights(build, _published_file(), pinned, OPTION)
        path = Path(self.weights).expanduser()
        return FileWeights(build, path, self.weights_sha256, OPTION)


def _published_file() -> Path:
    """The first of the known files that is there."""
    for name in PUBLISHED_FILES:
        if (weights_folder() / name).exists():
            return weights_folder() / name
    raise WeightsError(
        f"backbone inception: {PUBLISHED_FILES[0]} is not in {weights_folder()}; "
        f"put it there from {PUBLISHED_URL}, or type {OPTION}=FILE, or {OPTION}=random"
    )
