"""Where a network's weights come from: files or a seed, their identity, and the filled network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from models.fill import fill
from models.initialise import INITIALISATION, initialise
from models.state_memory import remember, remembered
from models.weights import (
    State,
    WeightsError,
    check_file,
    file_sha256,
    home,
    load_state,
    state_sha256,
)

Build = Callable[[], nn.Module]
Convert = Callable[[State], State]


class WeightSource(Protocol):
    """What a backbone's network is filled from."""

    def identity(self) -> dict[str, object]:
        """What fixes every weight."""

    def network(self) -> nn.Module:
        """The network with these weights."""


@dataclass(frozen=True)
class RandomWeights:
    """Untrained weights of a seed.

    Attributes:
        architecture: names what `build` makes; equal names must mean equal shapes.
        build: makes the network; its own initialisation is overwritten.
        seed: which random weights.
    """

    architecture: str
    build: Build = field(compare=False)
    seed: int

    def identity(self) -> dict[str, object]:
        """What fixes every weight."""
        return {
            "initialisation": INITIALISATION,
            "seed": self.seed,
            "state_sha256": _random_state_sha256(self),
        }

    def network(self) -> nn.Module:
        """The network with these weights.

        Raises:
            WeightsError: if they are not the ones that `identity` has named.
        """
        network = self._made()
        found = state_sha256(network.state_dict())
        if remembered(self._name, lambda: found) != found:
            remember(self._name, found)
            raise WeightsError(
                f"the random weights of {self.architecture}, seed {self.seed}, are not those that "
                f"{home()} remembers; the memory is mended now: run the command again"
            )
        return network

    @property
    def _name(self) -> dict[str, object]:
        return {"architecture": self.architecture, "seed": self.seed, "rule": INITIALISATION}

    def _made(self) -> nn.Module:
        return initialise(build_quietly(self.build), self.seed)


def _random_state_sha256(weights: RandomWeights) -> str:
    return remembered(weights._name, lambda: state_sha256(weights._made().state_dict()))


def as_it_is(state: State) -> State:
    """The file's names are the network's."""
    return state


@dataclass(frozen=True)
class WeightFile:
    """One file of tensors.

    Attributes:
        path: the file.
        sha256: expected hash or its first digits; None accepts any file.
        option: the config key that names the file, such as "backbone.swav_resnet50.head".
        entry: where in the file's dict the tensors are, as "teacher" or "state_dict"; None: it is
            a flat dict of tensors.
        convert: from the file's names and shapes to the network's.
    """

    path: Path
    sha256: str | None
    option: str
    entry: str | None = None
    convert: Convert = field(default=as_it_is, compare=False)

    @property
    def sha256_found(self) -> str:
        """Of the whole file.

        Raises:
            WeightsError: if it is absent, damaged or not the expected one.
        """
        check_file(self.path, self.sha256, option=self.option)
        return file_sha256(self.path)

    def state(self) -> State:
        """Tensors under the network's names.

        Raises:
            WeightsError: if it is absent, damaged or not the expected one.
        """
        read = load_state(self.path, self.sha256, option=self.option, entry=self.entry)
        return self.convert(read)


@dataclass(frozen=True)
class FileWeights:
    """Weights of one or several files, which together fill the network.

    Attributes:
        build: makes the network.
        files: in the identity each is `<last part of its option>_sha256`.
    """

    build: Build = field(compare=False)
    files: tuple[WeightFile, ...]

    def identity(self) -> dict[str, object]:
        """The files' contents, wherever they lie."""
        return {f"{one.option.rpartition('.')[2]}_sha256": one.sha256_found for one in self.files}

    def network(self) -> nn.Module:
        """The network with these weights."""
        state: State = {}
        for one in self.files:
            _add(one.state(), state, str(one.path))
        where = " and ".join(str(one.path) for one in self.files)
        return fill(build_quietly(self.build), state, f"weights file {where}")


def _add(found: State, state: State, path: str) -> None:
    """No file overwrites another's tensors: its own would be used without a word."""
    twice = sorted(found.keys() & state.keys())
    if twice:
        raise WeightsError(
            f"weights file {path} holds {', '.join(twice[:5])} a second time; "
            "name a file without them"
        )
    state |= found


def build_quietly(build: Build) -> nn.Module:
    """Call a constructor that draws random numbers, and leave the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        return build()
