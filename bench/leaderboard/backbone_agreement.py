"""Whether two backbones put the generators into the same order, trained or not."""

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

from bench.leaderboard.board import Board
from bench.leaderboard.heatmap import LEAST, Heatmap, heatmap
from bench.leaderboard.kendall import kendall


def backbone_agreement(boards: Sequence[Board]) -> list[Heatmap]:
    """Between the backbones of each set of boards that share all but the backbone."""
    groups: dict[tuple[object, ...], list[Board]] = {}
    for board in boards:
        shared = (board.dataset, board.fingerprint, board.protocol, board.num_real, board.num_fake)
        groups.setdefault((*shared, board.deviations), []).append(board)
    found = [_between(group) for group in groups.values() if len(group) > 1]
    return [one for one in found if one]


def _between(boards: Sequence[Board]) -> Heatmap | None:
    values, hints = np.eye(len(boards)), {}
    for (at, first), (to, second) in itertools.combinations(enumerate(boards), 2):
        found = _shared_scores(first, second)
        values[at, to] = values[to, at] = _mean(found.values())
        told = [f"{name}: {value:.2f}" for name, value in found.items()]
        hints[at, to] = hints[to, at] = "\n".join(told)
    if not any(hints.values()):
        return None
    return heatmap(
        f"Between backbones: {boards[0].dataset} · {boards[0].protocol}",
        "Kendall's τ of the generators, controls left out, averaged over the scores that both "
        "backbones have",
        [_backbone(board) for board in boards],
        values,
        hints,
    )


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _backbone(board: Board) -> str:
    """With a note where the comparison names no weights: a random network, or none at all."""
    return board.backbone if board.weights else f"{board.backbone} (untrained)"


def _shared_scores(first: Board, second: Board) -> dict[str, float]:
    """Score -> Kendall's tau of the generators that both boards have, three of them at least."""
    sides = [_scores(board) for board in (first, second)]
    found = {}
    for name in sorted(sides[0].keys() & sides[1].keys()):
        shared = sorted(sides[0][name].keys() & sides[1][name].keys())
        if len(shared) >= LEAST:
            both = np.array([[side[name][row] for side in sides] for row in shared])
            found[name] = float(kendall(both)[0, 1])
    return found


def _scores(board: Board) -> dict[str, dict[str, float]]:
    """Name of a score with a direction -> name of a generator -> value."""
    return {
        column.name: {
            row.name: value
            for row in board.rows
            if not row.control and (value := row.cells[at].value) is not None
        }
        for at, column in enumerate(board.columns)
        if column.better != "neither"
    }
