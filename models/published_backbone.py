"""What backbones of one published file share: their options, identity, weights and loading."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from torch import nn

from models.backbone import Network
from models.extractor import Extractor
from models.precision import Precision
from models.published import PublishedFile
from models.resize import Resize
from models.scaling import Scaling, scale
from models.weight_source import FileWeights, RandomWeights, WeightFile, WeightSource
from models.weights import State, WeightsError


@dataclass(frozen=True)
class About:
    """What does not depend on options.

    Attributes:
        name: of the backbone: its module, its yaml and its config node.
        architecture: the network; equal names mean equal shapes.
        layer: where the features are taken.
        width: D, how many features.
        classes: C, how many logits; None for a network without a classifier.
        file: the published weights; None where there are none to fetch.
        entry: the key under which the file keeps its tensors; None where it is flat.
        head: the published classifier of a network that has it in a file of its own.
        head_entry: the key under which that file keeps its tensors; None where it is flat.
    """

    name: str
    architecture: str
    layer: str
    width: int
    classes: int | None
    file: PublishedFile | None
    entry: str | None = None
    head: PublishedFile | None = None
    head_entry: str | None = None

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """Everything there is to fetch."""
        return tuple(file for file in (self.file, self.head) if file is not None)


@dataclass(frozen=True)
class PublishedBackbone(ABC):
    """A network whose weights are published, a file of the same tensors, or random.

    Subclasses give `about` and `network`, `convert` where the file has other names than the
    network, and their own defaults.

    Attributes:
        weights: "published", "random", or a file of the published layout.
        weights_sha256: expected hash of the file or its first digits; a check only.
        seed: which random weights; without effect on a file.
        resolution: side of the input in pixels.
        resize: how images meet the resolution; the whole image becomes a square.
        scaling: from 0..255 to the network's input.
        precision: of the network's arithmetic.
        optimise: fold batch normalisation into convolutions and keep channels last in memory:
            faster, and within 1e-5 relative in the features.
    """

    weights: str = "published"
    weights_sha256: str | None = None
    seed: int = 0
    resolution: int = 224
    resize: Resize = Resize.pil_bicubic
    scaling: Scaling = Scaling.imagenet
    precision: Precision = Precision.fp32
    optimise: bool = True

    about: ClassVar[About]

    @property
    def architecture(self) -> str:
        """Names the tensors' shapes; a subclass with options that change them adds those."""
        return self.about.architecture

    @abstractmethod
    def network(self) -> nn.Module:
        """The unfilled network: scaled images float32 (n, 3, S, S) -> Embedding."""

    def convert(self, state: State) -> State:
        """From the published file's names to those of `network`."""
        return state

    def identity(self) -> dict[str, object]:
        """Everything that moves a feature; reads the weight file.

        Raises:
            WeightsError: if the file is absent or not the expected one.
        """
        return {
            "architecture": self.architecture,
            "layer": self.about.layer,
            "width": self.about.width,
            "resolution": self.resolution,
            "resize": self.resize.name,
            "scaling": self.scaling.name,
            "precision": self.precision.name,
            "optimise": self.optimise,
            **self.source().identity(),
        }

    def load(self, device: str = "cpu") -> Network:
        """Build the network on the device.

        Raises:
            WeightsError: if the file is absent, damaged or not the expected one.
        """
        return Extractor(
            self.source().network(),
            self.resolution,
            self.resize,
            partial(scale, rule=self.scaling),
            device=device,
            precision=self.precision,
            optimise=self.optimise,
        )

    def published_files(self) -> tuple[PublishedFile, ...]:
        """The files of the weights folder that the options name: what `salon fetch` downloads.

        A subclass with a second file, such as a head, adds it where its option names it.
        """
        if self.weights != "published" or self.about.file is None:
            return ()
        return (self.about.file.pinned(self.weights_sha256),)

    def source(self) -> WeightSource:
        """Where the weights come from; raises WeightsError where the published file is absent."""
        if self.weights == "random":
            self._refuse_pin()
            return RandomWeights(self.architecture, self.network, self.seed)
        return FileWeights(self.network, self.files())

    def _refuse_pin(self) -> None:
        if self.weights_sha256 is not None:
            option = f"backbone.{self.about.name}.weights"
            raise ValueError(
                f"{option}_sha256={self.weights_sha256} is of a file, and {option}=random reads "
                f"none; type {option}_sha256=null"
            )

    def files(self) -> tuple[WeightFile, ...]:
        """The files that fill the network: one, unless a subclass adds a head."""
        option = f"backbone.{self.about.name}.weights"
        path, pinned = _located(self.about, self.weights, option)
        sha256 = pinned if self.weights_sha256 is None else self.weights_sha256
        return (WeightFile(path, sha256, option, self.about.entry, self.convert),)


def _located(about: About, weights: str, option: str) -> tuple[Path, str | None]:
    """The path, and the hash that its publisher states or its first download had."""
    if weights != "published":
        path = Path(weights).expanduser()
        if path.name == weights and not path.suffix and not path.exists():  # rather a word
            raise WeightsError(
                f"{option}={weights} is neither published nor random, and no file here"
            )
        return path, None
    if about.file is None:
        raise ValueError(f"{option}=published: no file is published; type {option}=FILE or =random")
    path = about.file.find(about.name, option)
    return path, about.file.expected(path)
