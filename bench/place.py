"""Where jobs run: on this machine, or on nodes that a plan cannot look at."""

from dataclasses import dataclass

from bench.settings import resolve_device
from models.precision import Precision, refuse_unsupported


@dataclass(frozen=True)
class Place:
    """What a plan takes for granted of the machine that a job will run on.

    Attributes:
        auto: the device that `device=auto` means there; None: this machine, which can be asked.
    """

    auto: str | None = None

    def device(self, name: str) -> str:
        """The device of a config's `device`.

        Raises:
            ConfigError: for one that this machine does not have; nodes say so themselves.
        """
        if self.auto is None:
            return resolve_device(name)
        return self.auto if name == "auto" else name

    def refuse_unsupported(self, precision: Precision, device: str) -> None:
        """Refuse arithmetic that the device does not have, where that can be known.

        Raises:
            ValueError: saying what to type instead.
        """
        if self.auto is None:
            refuse_unsupported(precision, device)
