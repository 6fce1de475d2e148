"""A leaderboard: everything that its files are written from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.leaderboard.beside import unfit
from bench.leaderboard.board import Board
from bench.leaderboard.boards import boards
from bench.leaderboard.composite import Composite, with_composites
from bench.leaderboard.load import Reading
from bench.leaderboard.pictures import Picture, pictures
from bench.leaderboard.published import Publication
from bench.leaderboard.reported import with_reported
from bench.leaderboard.stored import LeftOut, Stored


@dataclass(frozen=True)
class Options:
    """What a leaderboard shows only when asked for.

    Attributes:
        composite: the composite columns.
        published: values of others, to stand beside the measured ones.
    """

    composite: Composite = field(default_factory=Composite)
    published: Publication | None = None


@dataclass(frozen=True)
class Leaderboard:
    """What every format shows.

    Attributes:
        name: of the files, and their title.
        boards: the tables.
        records: behind them, in the order of their paths.
        left_out: files that no table uses.
        unfit: files beside records that could not be used.
        pictures: samples of the generators.
    """

    name: str
    boards: Sequence[Board]
    records: Sequence[Stored]
    left_out: Sequence[LeftOut]
    unfit: Sequence[LeftOut]
    pictures: Sequence[Picture]


def leaderboard(name: str, reading: Reading, options: Options | None = None) -> Leaderboard:
    """Make the tables of these records.

    Raises:
        ConfigError: if a composite column weighs what no table has.
    """
    options = options or Options()
    made = with_composites(boards(reading.records), options.composite)
    if options.published:
        made = with_reported(made, reading.records, options.published)
    return Leaderboard(
        name=name,
        boards=made,
        records=reading.records,
        left_out=reading.left_out,
        unfit=_unfit(reading.records, made),
        pictures=pictures(reading.records),
    )


def _unfit(records: Sequence[Stored], made: Sequence[Board]) -> list[LeftOut]:
    """Each file once, by path; of two reasons that which tells what follows for the ranks."""
    found = {item.path: item for item in unfit(records)}
    found |= {item.path: item for board in made for item in board.unpaired}
    return [found[path] for path in sorted(found)]
