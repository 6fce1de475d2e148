"""One of several equal shares of an extraction, for job arrays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.errors import ConfigError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Every `of`-th part, starting with `number`.

    Attributes:
        number: 0 .. of - 1.
        of: how many shards there are.
    """

    number: int = 0
    of: int = 1

    def share(self, parts: Sequence[Item]) -> Sequence[Item]:
        """The parts of this shard; those of all shards are all parts, each once."""
        return parts[self.number :: self.of]

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.number}/{self.of}"


WHOLE = Shard()


def read_shard(text: str) -> Shard:
    """From "0/8".

    Raises:
        ConfigError: for anything else than NUMBER/OF with 0 <= NUMBER < OF.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or int(found[1]) >= int(found[2]):
        raise ConfigError(f"shard={text}: expected NUMBER/OF, counted from 0, such as 0/8 ... 7/8.")
    return Shard(int(found[1]), int(found[2]))
