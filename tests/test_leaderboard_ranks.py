"""Ranks on boards: which pairs are compared how, from what, and what the files say of it."""

import csv
import json

import numpy as np
import pytest
from made_influences import FAKE, REAL, board_of, draw, standing_of, store_measured, two
from made_records import record, score, store

from bench.leaderboard.write import write_all


def test_equals_share_a_tie_group_and_a_better_one_does_not(tmp_path):
    """Two generators of one expected score and a clearly worse one, on fresh reference images."""
    together = 0
    for seed in range(40):
        common = 5 * np.random.default_rng(seed).normal(size=REAL)
        for at, (name, expected) in enumerate((("a", 0.0), ("b", 0.0), ("worse", 3.0))):
            drawn = draw(100 * seed + at, common=common)
            noise = np.random.default_rng(100 * seed + at + 50)
            own = expected + noise.normal() / FAKE**0.5 + common.mean()
            store_measured(tmp_path / str(seed), name, own, drawn)
        board = board_of(tmp_path / str(seed))
        groups = [standing_of(board, name).tie_group for name in ("a", "b", "worse")]
        together += groups[0] == groups[1] == 1
        assert groups[2] > 1
        assert standing_of(board, "worse").interval == (3, 3)
    assert together >= 36


def test_standard_errors_without_tables_are_independent(tmp_path):
    known = [
        record(n, scores={"fid": score(v, standard_error=3.0)}) for n, v in (("a", 1), ("b", 6))
    ]
    store(tmp_path, *known)
    board = board_of(tmp_path)
    (pairs,) = board.comparisons
    assert (pairs.kinds[0][1], pairs.standard_error[0][1]) == ("independent", 4.243)
    assert not board.unpaired
    assert board.rows[1].cells[0].tied_with_best
    assert [row.mean_rank_bounds for row in board.rows] == [(1, 2), (1, 2)]


def test_several_seeds_are_compared_by_their_means(tmp_path):
    values = {"a": (1.0, 1.1, 0.9), "b": (9.0, 9.2, 8.8)}
    store(
        tmp_path,
        *(
            record(name, scores={"fid": score(value, standard_error=50.0)}, seed=seed)
            for name, each in values.items()
            for seed, value in enumerate(each)
        ),
    )
    board = board_of(tmp_path)
    (pairs,) = board.comparisons
    assert (pairs.kinds[0][1], pairs.standard_error[0][1]) == ("seeds", 0.1291)
    assert [standing_of(board, name).interval for name in "ab"] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    "content",
    [
        lambda seed: {"base": {"fingerprint": "a"}, "seed": seed, "rows_sha256": str(seed)},
        lambda seed: {"fingerprint": "a"},
    ],
    ids=["draws", "all rows"],
)
@pytest.mark.parametrize(("own", "kind"), [(3.0, "independent"), (None, "unknown")])
def test_seeds_that_share_a_stored_sets_images_are_no_replicates(tmp_path, content, own, kind):
    """Their spread is of the draws, or of the metric's own, and not of the generator."""
    store(
        tmp_path,
        *(
            record(
                name,
                scores={"fid": score(value + 0.01 * seed, standard_error=own)},
                seed=seed,
                identities={"generator": content(seed)},
            )
            for name, value in (("a", 1.0), ("b", 2.0))
            for seed in (0, 1, 2)
        ),
    )
    board = board_of(tmp_path)
    (pairs,) = board.comparisons
    assert pairs.kinds[0][1] == kind and len(board.rows) == 2
    assert pairs.standard_error[0][1] == (None if own is None else 4.243)
    assert standing_of(board, "b").tie_group == (2 if own is None else 1)


def test_seeds_of_a_live_generator_have_images_of_their_own_and_are_replicates(tmp_path):
    known = [
        record(
            name,
            scores={"fid": value + seed / 9},
            seed=seed,
            identities={"generator": {"checkpoint_sha256": "a", "seed": seed}},
        )
        for name, value in (("a", 1.0), ("b", 9.0))
        for seed in (0, 1, 2)
    ]
    store(tmp_path, *known)
    (pairs,) = board_of(tmp_path).comparisons
    assert pairs.kinds[0][1] == "seeds"


def test_seeds_that_change_nothing_tell_nothing(tmp_path):
    store(
        tmp_path,
        *(
            record(n, scores={"fid": v}, seed=s)
            for n, v in (("a", 1.0), ("b", 2.0))
            for s in (0, 1)
        ),
    )
    assert board_of(tmp_path).comparisons[0].kinds[0][1] == "unknown"


def test_without_errors_there_is_a_rank_and_nothing_else(tmp_path):
    store(
        tmp_path, *(record(n, scores={"fid": v}) for n, v in (("a", 1.0), ("b", 1.0), ("c", 2.0)))
    )
    board = board_of(tmp_path)
    found = [standing_of(board, name) for name in "abc"]
    assert [one.rank for one in found] == [1, 1, 3]
    assert [one.tie_group for one in found] == [1, 1, 2]
    assert [one.interval for one in found] == [None] * 3
    assert board.comparisons[0].probability[0][1] is None
    assert [row.mean_rank_bounds for row in board.rows] == [None] * 3


def test_controls_and_scores_without_direction_have_no_standing(tmp_path):
    store(
        tmp_path,
        record("blur", config={"control": True}),
        *(record(n, "rarity", {"mean": score(1.0, "neither")}) for n in ("gan", "blur")),
    )
    board = board_of(tmp_path)
    assert all(cell.standing is None for row in board.rows for cell in row.cells)


def test_mean_ranks_are_among_rows_without_a_gap_and_so_are_their_bounds(tmp_path):
    for metric in ("fid", "kid"):
        each = {"a": 0.0, "b": 50.0, "gap": 25.0}
        store(
            tmp_path,
            *(
                record(name, metric, {metric: score(value, standard_error=1.0)})
                for name, value in each.items()
                if (name, metric) != ("gap", "kid")
            ),
        )
    board = board_of(tmp_path)
    rows = {row.generator: row for row in board.rows}
    assert rows["b"].cells[0].standing.interval == (3, 3)
    assert (rows["b"].mean_rank, rows["b"].mean_rank_bounds) == (2.0, (2.0, 2.0))
    assert rows["gap"].mean_rank_bounds is None


def test_a_column_that_is_undefined_for_all_takes_no_mean_rank_away(tmp_path):
    nothing = {**score(None), "undefined": "too few"}
    for name, value in (("a", 0.0), ("b", 50.0)):
        store(
            tmp_path,
            record(name, scores={"fid": score(value, standard_error=1.0)}),
            record(name, "kid", {"kid": nothing}),
        )
    assert [row.mean_rank for row in board_of(tmp_path).rows] == [1.0, 2.0]


def test_a_column_without_errors_allows_every_rank_in_the_bounds(tmp_path):
    for name, value in (("a", 0.0), ("b", 50.0)):
        store(
            tmp_path,
            record(name, scores={"fid": score(value, standard_error=1.0)}),
            record(name, "kid", {"kid": value}),
        )
    assert [row.mean_rank_bounds for row in board_of(tmp_path).rows] == [(1.0, 1.5), (1.5, 2.0)]


def test_the_files_tell_ranks_probabilities_and_what_was_not_paired(tmp_path):
    paths = two(tmp_path, gap=0.05)
    paths[0].unlink()
    report = write_all(tmp_path, tmp_path / "out", "demo", True)
    assert report.code == 8 and len(report.unfit) == 1
    main = [path for path in report.written if path.stem == "demo"]  # not demo.wide.csv
    texts = {path.suffix: path.read_text() for path in main}
    content = json.loads(texts[".json"])
    (column,) = content["boards"][0]["columns"]
    probability = column["comparisons"]["probability"]
    assert probability[0][1] + probability[1][0] == pytest.approx(1, abs=1e-12)
    assert column["comparisons"]["generators"] == ["a", "b"]
    assert content["unfit"][0]["path"].endswith("a/net/t.images.csv")
    assert [row["cells"][0]["rank_interval"] for row in content["boards"][0]["rows"]] == [
        [1, 2]
    ] * 2
    rows = list(csv.DictReader(texts[".csv"].splitlines()))
    assert [(row["rank"], row["rank_low"], row["rank_high"]) for row in rows] == [
        ("1", "1", "2"),
        ("2", "1", "2"),
    ]
    assert "†" in texts[".md"].split("## How")[0] and "## Unfit files" in texts[".md"]
    assert "beats b: 0.5" in texts[".html"] and "Unfit files" in texts[".html"]


def test_many_generators_have_ranks_but_not_every_pair_in_writing(tmp_path):
    store(
        tmp_path,
        *(record(f"g{at}", scores={"fid": score(at, standard_error=1.0)}) for at in range(201)),
    )
    board = board_of(tmp_path)
    assert board.comparisons == (None,)
    assert standing_of(board, "g100").interval[0] > 90
