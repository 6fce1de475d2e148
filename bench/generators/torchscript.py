"""A TorchScript program as a generator. It is code: it runs only where the user says so."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from bench.errors import CheckpointError
from bench.generator import Surroundings
from bench.generators.checkpoint import refuse_changed
from bench.generators.live import LiveSource, live_identity
from models.file_kind import FileKind, file_kind
from models.generators.latent import LatentGenerator
from models.weights import file_sha256


@dataclass(frozen=True)
class TorchScript:
    """A scripted or traced module (z, labels where there are classes) -> images in [-1, 1].

    Attributes:
        name: what records call it.
        path: the file made by torch.jit.save.
        latent_dim: width of z.
        resolution: side of the images.
        num_classes: 0 for an unconditional generator.
        trust_code: TorchScript is a program; true says that you trust this one. In the record,
            out of which `salon reproduce` does not take it.
        sha256: the file's pinned hash.
        trained_on: the dataset's name, or None.
        sampling_batch: images per call, part of the identity.
    """

    name: str
    path: str
    latent_dim: int
    resolution: int
    num_classes: int = 0
    trust_code: bool = False
    sha256: str | None = None
    trained_on: str | None = None
    sampling_batch: int = 64

    def open(self, surroundings: Surroundings) -> LiveSource:
        """Check the file; the program is loaded when the first image is asked for."""
        if not self.trust_code:
            raise CheckpointError(
                f"generator {self.name}: {Path(self.path).name} is a TorchScript program and "
                "would run code; if you trust it, type generator.trust_code=true."
            )
        found = self._checked_sha256()
        return LiveSource(
            partial(self._load, surroundings, found),
            num_classes=self.num_classes,
            identity={
                **live_identity(self, surroundings),
                "checkpoint_sha256": found,
            },
            seed=surroundings.seed,
            sampling_batch=self.sampling_batch,
        )

    def _load(self, surroundings: Surroundings, sha256: str) -> LatentGenerator:
        program = self._program(surroundings.device)
        refuse_changed(self.name, Path(self.path), sha256)
        return LatentGenerator(
            program,
            sampler=surroundings.sampler,
            latent_dim=self.latent_dim,
            resolution=self.resolution,
            num_classes=self.num_classes,
            quantise=surroundings.quantise,
            device=surroundings.device,
        )

    def _checked_sha256(self) -> str:
        path = Path(self.path)
        kind = file_kind(path)
        if kind is not FileKind.TORCHSCRIPT:
            found = f"is {kind.value}" if path.exists() else "does not exist"
            raise CheckpointError(
                f"generator {self.name}: {path} {found}; expected a file made by torch.jit.save."
            )
        found = file_sha256(path)
        if self.sha256 is not None and found != self.sha256:
            raise CheckpointError(
                f"generator {self.name}: {path.name} has sha256 {found}, expected {self.sha256}."
            )
        return found

    def _program(self, device: str) -> torch.nn.Module:
        try:
            return torch.jit.load(self.path, map_location=device)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"generator {self.name}: {Path(self.path).name} is no TorchScript file ({first})."
            ) from error
