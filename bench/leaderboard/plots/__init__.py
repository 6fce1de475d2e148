"""Figures of a leaderboard as PNG and PDF, for papers; the only part that needs matplotlib."""

from bench.leaderboard.plots.files import write_plots

__all__ = ["write_plots"]
