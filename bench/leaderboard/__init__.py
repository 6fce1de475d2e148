"""Leaderboards: a pure function of the records, and nothing that needs torch."""

from bench.leaderboard.load import load
from bench.leaderboard.write import Report, write_all

__all__ = ["Report", "load", "write_all"]
