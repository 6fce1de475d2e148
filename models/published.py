"""A weight file as its authors publish it: its name, address, hash and licence."""

from dataclasses import dataclass, replace
from pathlib import Path

from models.weights import WeightsError, weights_folder

NOTE = ".sha256"  # NAME.sha256 beside a file: what its first download had, as sha256sum writes it


@dataclass(frozen=True)
class PublishedFile:
    """One file, which users put, or `salon fetch` downloads, into the weights folder.

    Attributes:
        name: the file's name there.
        url: where it comes from.
        sha256: its hash, or the first digits that its own name states; None where nobody states
            one, so that the first download is trusted, and noted beside the file for later ones.
        licence: SPDX identifier of the weights' licence.
        megabytes: its size, rounded.
        aliases: other names under which the same bytes are published.
        md5: first digits of it, which older files state instead of a sha256.
    """

    name: str
    url: str
    sha256: str | None
    licence: str
    megabytes: int
    aliases: tuple[str, ...] = ()
    md5: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it is looked for under."""
        return (self.name, *self.aliases)

    def present(self) -> Path | None:
        """The first of its names that is in the weights folder; nothing is read."""
        paths = (weights_folder() / name for name in self.names)
        return next((path for path in paths if path.exists()), None)

    def pinned(self, sha256: str | None) -> "PublishedFile":
        """The same under the hash that a user names; None changes nothing."""
        return self if sha256 is None else replace(self, sha256=sha256, md5=None)

    @property
    def stated(self) -> str | None:
        """The hash that its authors state, as `other_hash` takes it."""
        md5 = None if self.md5 is None else f"md5:{self.md5}"
        return md5 if self.sha256 is None else self.sha256

    def expected(self, path: Path) -> str | None:
        """The stated sha256 or its digits, else the one noted beside the file, else the md5."""
        noted = noted_sha256(path) if self.sha256 is None else None
        return noted or self.stated

    def find(
        self, name: str, option: str, otherwise: str = "random", *, group: str = "backbone"
    ) -> Path:
        """Where it lies.

        Args:
            name: of the backbone, or of what else needs it; for the message.
            option: the config key that takes another file instead, such as
                "backbone.inception.weights".
            otherwise: what the option takes where there is no file at all.
            group: `salon fetch GROUP=NAME` downloads it.

        Raises:
            WeightsError: if it is not there, with the four ways out.
        """
        path = self.present()
        if path is None:
            known = "" if self.sha256 is None else f" (sha256 {self.sha256[:12]}...)"
            raise WeightsError(
                f"{group} {name}: {self.name} is not in {weights_folder()}; type "
                f"`salon fetch {group}={name}`, or put it there from {self.url}{known}, or type "
                f"{option}=FILE, or {option}={otherwise}"
            )
        return path


def note_beside(path: Path) -> Path:
    """Where the hash of a file's first download is noted."""
    return path.with_name(path.name + NOTE)


def noted_sha256(path: Path) -> str | None:
    """The hash noted beside a file, or None where there is no note."""
    try:
        words = note_beside(path).read_text().split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0].lower() if words else None
