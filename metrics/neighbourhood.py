"""What lies near what, in one pass over all pairs for everything that is asked of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from torch import Tensor

from metrics.balls import BallCounter, Radii, Ties, zero_radii
from metrics.distances import Rows
from metrics.k_nearest import KNearest
from metrics.metric import check_features
from metrics.neighbours import (
    Nearest,
    check_rank,
    nearest_within,
    offer_columns,
    offer_rows,
)
from metrics.rounded import Side, frame, side
from metrics.screen import Tile, screening_dtype, tiles


class Visitor(Protocol):
    """Sees every tile of (fake, real) pairs once."""

    def see(self, tile: Tile) -> None:
        """Take from the tile what is needed."""

    def results(self) -> dict[Any, Any]:
        """What was found, by the want that asked for it."""


class Want(Protocol):
    """Something that a metric needs of the pass; a frozen dataclass."""

    def check(self, neighbours: "Neighbours") -> None:
        """Refuse sides that cannot give it, with a ValueError."""

    def radius_rank(self) -> int:
        """The largest k whose radii it needs on both sides; 0 for none."""

    @staticmethod
    def visitor(neighbours: "Neighbours", wants: Sequence[Any]) -> Visitor:
        """One visitor for all wants of this class."""


class Neighbours:
    """Neighbours within and between two sides; each thing is made once, on demand.

    Args:
        real: (N, D) features of reference images.
        fake: (M, D) features of generated images, from the same backbone.
        wants: what will be asked for, so that one pass serves all; what was not announced gets a
            pass of its own. It cannot change a result.

    Raises:
        ValueError: if a side is empty, holds NaN or infinity, or the widths differ.
    """

    def __init__(self, *, real: Tensor, fake: Tensor, wants: Iterable[Want] = ()) -> None:
        check_features(real=real, fake=fake)
        self.real, self.fake = real, fake
        self.wants = list(dict.fromkeys(wants))
        self.made: dict[Want, Any] = {}
        self.within: dict[str, KNearest] = {}

    def __getitem__(self, want: Want) -> Any:
        if want not in self.made:
            want.check(self)
            self._visit([want, *(other for other in self.wants if self._may_join(other, want))])
        return self.made[want]

    def squared_radii(self, side: str, k: int) -> Tensor:
        """Squared distance of each row of "real" or "fake" to its k-th neighbour, (n,) float64."""
        return self._within(side, k).squared_distances[:, k - 1]

    def indices_within(self, side: str, k: int) -> Tensor:
        """The k nearest other rows of each row of a side, (n, k) int64."""
        return self._within(side, k).indices[:, :k]

    def _within(self, side: str, k: int) -> KNearest:
        check_rank(k, **{side: len(getattr(self, side))})
        known = self.within.get(side)
        if known is None or known.k < k:
            self.within[side] = nearest_within(self.sides[side], max(k, self._rank(side)))
        return self.within[side]

    @property
    def nearest_real(self) -> Nearest:
        """The nearest real of each fake."""
        found: Nearest = self[NearestReal()]
        return found

    @property
    def nearest_fake(self) -> Nearest:
        """The nearest fake of each real."""
        found: Nearest = self[NearestFake()]
        return found

    @cached_property
    def sides(self) -> dict[str, Side]:
        """Both sides, made ready for products in one frame."""
        shared = frame(self.real, self.fake)
        count = max(len(self.real), len(self.fake))
        dtype = screening_dtype(count, count, self.real.device)
        return {name: side(Rows(getattr(self, name)), shared, dtype) for name in ("real", "fake")}

    def _rank(self, side: str) -> int:
        """The largest k that anyone will ask for and this side can serve."""
        ranks = [want.radius_rank() for want in self.wants]
        return max([k for k in ranks if k < len(getattr(self, side))], default=1)

    def _may_join(self, other: Want, asked: Want) -> bool:
        """Whether it is still missing and possible; what is not says so when it is asked for."""
        if other == asked or other in self.made:
            return False
        try:
            other.check(self)
        except ValueError:
            return False
        return True

    def _visit(self, wants: list[Want]) -> None:
        kinds: list[Any] = list(dict.fromkeys(map(type, wants)))
        visitors = [
            kind.visitor(self, [want for want in wants if type(want) is kind]) for kind in kinds
        ]
        for tile in tiles(self.sides["fake"], self.sides["real"]):
            for visitor in visitors:
                visitor.see(tile)
        for visitor in visitors:
            self.made |= visitor.results()


@dataclass(frozen=True)
class Balls:
    """`metrics.balls.Overlap` of balls that reach the k-th neighbour, on both sides.

    Attributes:
        k: neighbour that a ball reaches, not counting its own centre.
        ties: whether the surface belongs to a ball.
    """

    k: int
    ties: Ties

    def check(self, neighbours: Neighbours) -> None:
        """K rows and one more on both sides."""
        check_rank(self.k, real=len(neighbours.real), fake=len(neighbours.fake))

    def radius_rank(self) -> int:
        """The ball's own k."""
        return self.k

    def radii(self, neighbours: Neighbours) -> Radii:
        """Of both sides."""
        real, fake = (neighbours.squared_radii(name, self.k) for name in ("real", "fake"))
        return Radii(real, fake, self.ties)

    @staticmethod
    def visitor(neighbours: Neighbours, wants: Sequence["Balls"]) -> Visitor:
        """One counter for all rules."""
        rules = {want: want.radii(neighbours) for want in wants}
        return BallCounter(neighbours.sides["fake"], neighbours.sides["real"], rules)

    def flags(self, neighbours: Neighbours) -> dict[str, int]:
        """How many radii are zero, by side."""
        radii = self.radii(neighbours)
        return zero_radii(real=radii.real, fake=radii.fake)


@dataclass(frozen=True)
class RealBalls(Balls):
    """The same with balls on the real side only, so that a single fake is enough."""

    def check(self, neighbours: Neighbours) -> None:
        """K rows and one more on the real side."""
        check_rank(self.k, real=len(neighbours.real))

    def radii(self, neighbours: Neighbours) -> Radii:
        """Of the real side; a fake ball of negative radius holds nothing."""
        none = neighbours.sides["fake"].rounded.error.new_full((len(neighbours.fake),), -1.0)
        return Radii(neighbours.squared_radii("real", self.k), none, self.ties)

    def flags(self, neighbours: Neighbours) -> dict[str, int]:
        """How many real radii are zero."""
        return zero_radii(real=self.radii(neighbours).real)


@dataclass(frozen=True)
class NearestReal:
    """`metrics.neighbours.Nearest` real of each fake."""

    def check(self, neighbours: Neighbours) -> None:
        """Any two sides will do."""

    def radius_rank(self) -> int:
        """No radii."""
        return 0

    @staticmethod
    def visitor(neighbours: Neighbours, wants: Sequence["NearestReal"]) -> Visitor:
        """A search along the rows of the tiles."""
        return _NearestRow(neighbours, wants[0])


@dataclass(frozen=True)
class NearestFake(NearestReal):
    """`metrics.neighbours.Nearest` fake of each real."""

    @staticmethod
    def visitor(neighbours: Neighbours, wants: Sequence[NearestReal]) -> Visitor:
        """A search along the columns of the tiles."""
        return _NearestColumn(neighbours, wants[0])


class _NearestRow:
    """Nearest columns of the tiles' rows."""

    def __init__(self, neighbours: Neighbours, want: NearestReal) -> None:
        fakes, reals = neighbours.sides["fake"].rows, neighbours.sides["real"].rows
        self.want, self.found = want, KNearest(fakes, reals, 1)

    def see(self, tile: Tile) -> None:
        offer_rows(tile, self.found)

    def results(self) -> dict[NearestReal, Nearest]:
        self.found.settle()
        distances = self.found.squared_distances[:, 0].sqrt()
        return {self.want: Nearest(distances, self.found.indices[:, 0])}


class _NearestColumn(_NearestRow):
    """Nearest rows of the tiles' columns."""

    def __init__(self, neighbours: Neighbours, want: NearestReal) -> None:
        fakes, reals = neighbours.sides["fake"].rows, neighbours.sides["real"].rows
        self.want, self.found = want, KNearest(reals, fakes, 1)

    def see(self, tile: Tile) -> None:
        offer_columns(tile, self.found)
