"""Row ranges that keep a block of a large matrix within memory."""

from collections.abc import Iterator

ENTRIES = 2**22  # 4 million float64 entries are 34 MB


def blocks(rows: int, *, width: int, entries: int = ENTRIES) -> Iterator[slice]:
    """Cut `rows` rows into consecutive ranges of at most `entries` matrix entries each.

    Args:
        rows: rows to cover, >= 0.
        width: entries that one row takes.
        entries: entries that one block may take; a block always holds at least one row.

    Yields:
        Slices that cover range(rows) in order, without gaps.
    """
    height = max(1, entries // max(1, width))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
