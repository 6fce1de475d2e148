"""LPIPS 0.1 as a description: which trunk, which weights, and the network that they make.

Source: R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
2018, and the authors' package `lpips` (BSD-2-Clause), whose linear heads are read from its
installed files; its code is not run.
"""

import importlib.util
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models.backbones.vgg16 import FILE as VGG16
from models.perceptual.lpips_distance import LpipsDistance
from models.published import PublishedFile
from models.weight_source import FileWeights, RandomWeights, WeightFile, WeightSource
from models.weights import State, WeightsError, check_file, load_state

OPTION = "lpips.weights"
PUBLISHED_URL = "https://download.pytorch.org/models/"


class Net(Enum):
    """The trunk, a classifier trained on ImageNet."""

    alex = "alex"  # the paper's choice for comparing images
    vgg = "vgg"  # the choice of perceptual path lengths
    squeeze = "squeeze"


@dataclass(frozen=True)
class Recipe:
    """What LPIPS takes from one trunk.

    Attributes:
        build: name of torchvision's constructor.
        layers: indices into its `features` whose outputs are compared.
        smallest: side below which its poolings leave nothing, in pixels.
        file: torchvision's ImageNet weights; the digits in its name begin its sha256.
        heads_sha256: of the heads' file.
    """

    build: str
    layers: tuple[int, ...]
    smallest: int
    file: PublishedFile
    heads_sha256: str


def _published(name: str, megabytes: int) -> PublishedFile:
    """A file of torchvision's, whose name ends in the first digits of its sha256."""
    sha256 = Path(name).stem.rsplit("-", 1)[-1]
    return PublishedFile(name, PUBLISHED_URL + name, sha256, "BSD-3-Clause", megabytes)


RECIPES = {
    Net.alex: Recipe(
        build="alexnet",
        layers=(1, 4, 7, 9, 11),
        smallest=31,
        file=_published("alexnet-owt-7be5be79.pth", megabytes=244),
        heads_sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    Net.vgg: Recipe(
        build="vgg16",
        layers=(3, 8, 15, 22, 29),
        smallest=16,
        file=VGG16,
        heads_sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    ),
    Net.squeeze: Recipe(
        build="squeezenet1_1",
        layers=(1, 4, 7, 9, 10, 11, 12),
        smallest=17,
        file=_published("squeezenet1_1-b8a52dc0.pth", megabytes=5),
        heads_sha256="4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
    ),
}


@dataclass(frozen=True)
class Lpips:
    """LPIPS version 0.1 with the authors' heads; making one touches no file.

    Attributes:
        net: the trunk.
        weights: "published" (torchvision's ImageNet file in the weights folder), "random", or a
            file of the same layout; a classifier's own layers in it are not read.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
    """

    net: Net = Net.alex
    weights: str = "published"
    weights_sha256: str | None = None
    seed: int = 0

    def identity(self) -> dict[str, object]:
        """Everything that moves a distance; reads the weight files.

        Raises:
            WeightsError: if a file is absent or not the expected one.
        """
        check_file(_heads_file(self.net), self._recipe.heads_sha256, option=OPTION)
        return {
            "distance": "lpips",
            "lpips_version": "0.1",
            "net": self.net.name,
            "heads_sha256": self._recipe.heads_sha256,
            **self._source().identity(),
        }

    def load(self, device: str = "cpu") -> LpipsDistance:
        """Build the network on the device.

        Raises:
            WeightsError: if a file is absent, damaged or not the expected one.
        """
        trunk = cast(nn.Sequential, self._source().network())
        recipe = self._recipe
        return LpipsDistance(trunk, _heads(self.net), recipe.layers, recipe.smallest).to(device)

    def published_files(self) -> tuple[PublishedFile, ...]:
        """The trunk's file, where the options name it: what `salon fetch` downloads."""
        if self.weights != "published":
            return ()
        return (self._recipe.file.pinned(self.weights_sha256),)

    @property
    def _recipe(self) -> Recipe:
        return RECIPES[self.net]

    def _source(self) -> WeightSource:
        build = partial(_trunk, self.net)
        if self.weights == "random":
            return RandomWeights(f"lpips_{self.net.name}_trunk", build, self.seed)
        if self.weights == "published":
            published = self._recipe.file.pinned(self.weights_sha256)
            path = published.find(self.net.name, OPTION, group="lpips")
            file = WeightFile(path, published.expected(path), OPTION, convert=_features)
            return FileWeights(build, (file,))
        path = Path(self.weights).expanduser()
        file = WeightFile(path, self.weights_sha256, OPTION, convert=_features)
        return FileWeights(build, (file,))


def _features(state: State) -> State:
    """The trunk's part of a classifier's file."""
    start = "features."
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}


def _trunk(net: Net) -> nn.Module:
    """The `features` of torchvision's network, with memory for weights that the caller fills."""
    import torchvision  # seconds, which a reused cell does not need

    build = getattr(torchvision.models, RECIPES[net].build)
    with torch.device("meta"):  # the classifier's hundred million weights are never made
        whole = build(weights=None)
    return cast(nn.Module, whole.features).to_empty(device="cpu")


def _heads(net: Net) -> list[Tensor]:
    """Per compared layer, (C,) channel weights."""
    recipe = RECIPES[net]
    state: State = load_state(_heads_file(net), recipe.heads_sha256, option=OPTION)
    return [state[f"lin{index}.model.1.weight"].flatten() for index in range(len(recipe.layers))]


def _heads_file(net: Net) -> Path:
    package = importlib.util.find_spec("lpips")
    if package is None or package.origin is None:
        raise WeightsError("lpips: the package that holds the heads is absent; pip install lpips")
    return Path(package.origin).parent / "weights" / "v0.1" / f"{net.name}.pth"
