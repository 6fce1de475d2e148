"""Where a network's weights come from: a file or a seed, its identity, and the filled network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from models.initialise import INITIALISATION, initialise
from models.weights import check_file, file_sha256, fill, load_state, state_sha256


@dataclass(frozen=True)
class RandomWeights:
    """Untrained weights of a seed.

    Attributes:
        architecture: names what `build` makes; equal names must mean equal shapes.
        build: makes the network; its own initialisation is overwritten.
        seed: which random weights.
    """

    architecture: str
    build: Callable[[], nn.Module] = field(compare=False)
    seed: int

    def identity(self) -> dict[str, object]:
        """What fixes every weight."""
        return {
            "initialisation": INITIALISATION,
            "seed": self.seed,
            "state_sha256": _random_state_sha256(self),
        }

    def network(self) -> nn.Module:
        """The network with these weights."""
        return initialise(build_quietly(self.build), self.seed)


@lru_cache(maxsize=64)
def _random_state_sha256(weights: RandomWeights) -> str:
    return state_sha256(weights.network().state_dict())


@dataclass(frozen=True)
class FileWeights:
    """Weights of a file.

    Attributes:
        build: makes the network.
        path: the file.
        sha256: expected hash or its first digits; None accepts any file.
        option: the config key that names the file, for messages.
    """

    build: Callable[[], nn.Module] = field(compare=False)
    path: Path
    sha256: str | None
    option: str

    def identity(self) -> dict[str, object]:
        """The file's content, wherever it lies."""
        check_file(self.path, self.sha256, option=self.option)
        return {"weights_sha256": file_sha256(self.path)}

    def network(self) -> nn.Module:
        """The network with these weights."""
        state = load_state(self.path, self.sha256, option=self.option)
        return fill(build_quietly(self.build), state, f"weights file {self.path}")


def build_quietly(build: Callable[[], nn.Module]) -> nn.Module:
    """Call a constructor that draws random numbers, and leave the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        return build()
