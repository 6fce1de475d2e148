"""A weight file as its authors publish it: its name, address, hash and licence."""

from dataclasses import dataclass
from pathlib import Path

from models.weights import WeightsError, weights_folder


@dataclass(frozen=True)
class PublishedFile:
    """One file, which users put, or `salon fetch` downloads, into the weights folder.

    Attributes:
        name: the file's name there.
        url: where it comes from.
        sha256: its hash, or the first digits that its own name states; None where nobody states
            one, so that the first download is trusted and what was found is in the record.
        licence: SPDX identifier of the weights' licence.
        megabytes: its size, rounded.
        aliases: other names under which the same bytes are published.
    """

    name: str
    url: str
    sha256: str | None
    licence: str
    megabytes: int
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it is looked for under."""
        return (self.name, *self.aliases)

    def present(self) -> Path | None:
        """The first of its names that is in the weights folder; nothing is read."""
        paths = (weights_folder() / name for name in self.names)
        return next((path for path in paths if path.exists()), None)

    def find(self, backbone: str, option: str, otherwise: str = "random") -> Path:
        """Where it lies.

        Args:
            backbone: for the message.
            option: the config key that takes another file instead, such as
                "backbone.inception.weights".
            otherwise: what the option takes where there is no file at all.

        Raises:
            WeightsError: if it is not there, with the four ways out.
        """
        path = self.present()
        if path is None:
            raise WeightsError(
                f"backbone {backbone}: {self.name} is not in {weights_folder()}; type "
                f"`salon fetch backbone={backbone}`, or put it there from {self.url}, or type "
                f"{option}=FILE, or {option}={otherwise}"
            )
        return path
