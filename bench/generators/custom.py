"""Any callable as a generator: your own code, named by `_target_`."""

import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import ConfigError
from bench.generator import Surroundings
from bench.generators.live import ProbedSource
from bench.identity import plain


@dataclass(frozen=True)
class Custom:
    """Wraps an object with `sample(seeds, labels)`, see `models.generator.Generator`.

    Attributes:
        name: what records call it.
        make: a node with `_target_`: your class or function; its module's name must begin with a
            prefix in the environment variable SALON_ALLOW_TARGETS.
        trained_on: the dataset's name, or None.
        sampling_batch: images per call, part of the identity.
    """

    name: str
    make: Any
    trained_on: str | None = None
    sampling_batch: int = 64

    def open(self, surroundings: Surroundings) -> ProbedSource:
        """Check the object, and identify it by its source file."""
        for attribute in ("sample", "num_classes"):
            if not hasattr(self.make, attribute):
                raise ConfigError(
                    f"generator {self.name}: {type(self.make).__name__} has no `{attribute}`; "
                    "generator.make must give an object with sample(seeds, labels) and num_classes."
                )
        return ProbedSource(
            lambda: self.make,
            num_classes=self.make.num_classes,
            identity={
                "source_sha256": _source_sha256(self.make),
                "make": plain(surroundings.config["make"]),
                "sampling_batch": self.sampling_batch,
                "device_type": surroundings.device.split(":")[0],
            },
            seed=surroundings.seed,
            sampling_batch=self.sampling_batch,
        )


def _source_sha256(made: object) -> str:
    """Hash of the file that defines the class; weights it loads are seen by the probe batch."""
    file = inspect.getsourcefile(type(made))
    if file is None:
        raise ConfigError(f"{type(made).__name__} has no source file; define it in a module.")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
