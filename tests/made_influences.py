"""Made-up records with the influences of their images beside them, and the boards they give."""

import csv
import io

import numpy as np
from made_records import record, score, store

from bench.beside import described
from bench.leaderboard.boards import boards
from bench.leaderboard.load import read_results
from bench.records import record_path

REAL, FAKE = 90, 60  # the counts of made records


def draw(seed, *, common):
    """Influences of one generator: what it shares with the others, and its own."""
    rng = np.random.default_rng(seed)
    real = common + 0.1 * rng.normal(size=REAL)
    fake = rng.normal(size=FAKE)
    return real - real.mean(), fake - fake.mean()


def error_of(real, fake):
    return float((real.var(ddof=1) / REAL + fake.var(ddof=1) / FAKE) ** 0.5)


def store_measured(results, name, value, influences, **changes):
    """A record with its table beside it; returns the table's path."""
    known = score(value, standard_error=changes.pop("error", error_of(*influences)))
    known["interval_method"] = changes.pop("method", None)
    data = changes.pop("damage", str)(table_of(influences)).encode()
    known = {"scores": {"fid": known}, "artifacts": {"images": described("t.images.csv", data)}}
    one = record(name, **known, **changes)
    store(results, one)
    path = record_path(
        results, dataset="digits", generator=name, backbone="net", metric="fid", key=one.key
    ).with_name("t.images.csv")
    path.write_bytes(data)
    return path


def table_of(influences):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["image", "side", "fid_influence", "nearest_real"])
    for side, values in zip(("real", "fake"), influences, strict=True):
        writer.writerows([f"NA{row}", side, f"{x:.7g}", ""] for row, x in enumerate(values))
    return text.getvalue()


def board_of(results):
    (board,) = boards(read_results(results).records)
    return board


def standing_of(board, name, column=0):
    return next(row.cells[column].standing for row in board.rows if row.generator == name)


def two(results, *, gap, seed=0, damage=str):
    """Generators a and b on the same reference images, whose noise rules both scores."""
    common = 5 * np.random.default_rng(seed).normal(size=REAL)
    return [
        store_measured(
            results,
            name,
            10 + gap * at,
            draw(10 * seed + at, common=common),
            damage=damage if name == "a" else str,
        )
        for at, name in enumerate("ab")
    ]
