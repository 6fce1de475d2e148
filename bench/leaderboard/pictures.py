"""Sample grids of the generators, found beside their records and named by their content."""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.atomic import replace_file
from bench.leaderboard.beside import usable
from bench.leaderboard.differing import differences
from bench.leaderboard.stored import Stored

ROLE = "grid"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """One PNG.

    Attributes:
        dataset, generator: whose samples it shows.
        control: whether the generator is one.
        file: the name of the copy, the first digits of its sha256.
        width, height: in pixels.
        data: the file's bytes.
        note: how these samples differ from others of the generator, such as a truncation.
    """

    dataset: str
    generator: str
    control: bool
    file: str
    width: int
    height: int
    data: bytes = field(repr=False)
    note: str = ""

    @property
    def name(self) -> str:
        """As the rows of tables are named."""
        return f"{self.generator} [{self.note}]" if self.note else self.generator


def pictures(records: Sequence[Stored]) -> list[Picture]:
    """One picture per dataset and variant of a generator; absent or foreign files: none.

    The first by path: of the first seed, backbone and metric.
    """
    groups: dict[tuple[str, str], dict[str, list[Stored]]] = {}
    for stored in records:
        names = stored.record.dataset["name"], stored.record.generator["name"]
        variants = groups.setdefault(names, {})
        variants.setdefault(stored.variant_digest, []).append(stored)
    found = [one for variants in groups.values() for one in _noted(list(variants.values()))]
    return sorted(found, key=lambda one: (one.dataset, one.control, one.generator, one.note))


def _noted(variants: Sequence[Sequence[Stored]]) -> Iterator[Picture]:
    """Of one generator."""
    notes = differences([group[0].variant for group in variants])
    for group, note in zip(variants, notes, strict=True):
        picture = next(filter(None, (picture_of(stored, ROLE) for stored in group)), None)
        if picture:
            yield replace(picture, note=note)


def picture_of(stored: Stored, role: str) -> Picture | None:
    """The PNG with this role beside a record; None where there is none, or it is foreign."""
    data = usable(stored, role)
    if not data.startswith(SIGNATURE) or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])  # the header chunk comes first
    return Picture(
        dataset=stored.record.dataset["name"],
        generator=stored.record.generator["name"],
        control=stored.is_control,
        file=f"{hashlib.sha256(data).hexdigest()[:12]}.png",
        width=width,
        height=height,
        data=data,
    )


def copy_pictures(folder: Path, shown: Sequence[Picture]) -> None:
    """Make the folder hold these pictures; those of an earlier leaderboard are removed."""
    contents = {picture.file: picture.data for picture in shown}
    for name, data in sorted(contents.items()):
        replace_file(folder / name, data)
    for path in folder.glob("[0-9a-f]" * 12 + ".png"):
        if path.name not in contents:
            path.unlink(missing_ok=True)
