"""Influences beside records: generators are compared image by image where both have them."""

from dataclasses import replace

import numpy as np
import pytest
from made_influences import REAL, board_of, draw, error_of, store_measured, two

from bench.beside import described
from bench.leaderboard.boards import boards
from bench.leaderboard.load import read_results
from bench.leaderboard.write import write_all
from metrics.pairwise import superiority


def test_the_common_reference_cancels_in_the_comparison(tmp_path):
    two(tmp_path, gap=0.5)
    board = board_of(tmp_path)
    (pairs,) = board.comparisons
    a, b = (row.cells[0].single.standard_error for row in board.rows)
    assert pairs.kinds[0][1] == "paired"
    assert pairs.standard_error[0][1] < 0.5 * (a**2 + b**2) ** 0.5
    assert pairs.probability[0][1] == pytest.approx(
        superiority(0.5 / pairs.standard_error[0][1]), abs=1e-3
    )


def test_missing_tables_make_it_independent_and_less_sure(tmp_path):
    paths = two(tmp_path, gap=0.5)
    paired = board_of(tmp_path).comparisons[0].probability[0][1]
    paths[1].unlink()
    board = board_of(tmp_path)
    (pairs,) = board.comparisons
    assert pairs.kinds[0][1] == "independent"
    assert 0.5 < pairs.probability[0][1] < paired
    (item,) = board.unpaired
    assert item.path == "runs/digits/b/net/t.images.csv"
    assert item.reason.startswith("is absent")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "holds rows"),
        (lambda text: text.replace("side", "edge"), "holds rows"),
        (lambda text: "", "No columns"),
        (lambda text: text.replace("NA7,real,", "NA7,real,9"), "its record says"),
        (lambda text: text.replace("NA7,real,", "NA7,real,x"), "could not convert"),
        (lambda text: text + '"', "EOF"),
    ],
)
def test_a_foreign_table_is_named_and_not_used(tmp_path, damage, reason):
    two(tmp_path, gap=0.5, damage=damage)
    board = board_of(tmp_path)
    assert board.comparisons[0].kinds[0][1] == "independent"
    (item,) = board.unpaired
    assert reason in item.reason and str(tmp_path) not in item.reason


def test_a_table_changed_after_it_was_written_is_named_and_not_used(tmp_path):
    path, _ = two(tmp_path, gap=0.5)
    path.write_bytes(path.read_bytes().replace(b"NA7,real,", b"NA9,real,"))
    board = board_of(tmp_path)
    assert board.comparisons[0].kinds[0][1] == "independent"
    (item,) = board.unpaired
    assert item.path == "runs/digits/a/net/t.images.csv" and "sha256 differs" in item.reason


@pytest.mark.parametrize("name", ["../t.images.csv", 7, "a\0b"])
def test_a_table_elsewhere_is_not_read(tmp_path, name):
    two(tmp_path, gap=0.5)
    reading = read_results(tmp_path)
    led_astray = [
        replace(one, record=replace(one.record, artifacts={"images": described(name, b"")}))
        for one in reading.records
    ]
    (board,) = boards(led_astray)
    assert board.comparisons[0].kinds[0][1] == "independent"
    assert all("plain file name" in item.reason for item in board.unpaired)


@pytest.mark.parametrize(("factor", "larger"), [(1.2, True), (0.5, False)])
def test_the_larger_error_counts_of_the_records_and_the_influences(tmp_path, factor, larger):
    common = 5 * np.random.default_rng(0).normal(size=REAL)
    for at, name in enumerate("ab"):
        drawn = draw(at, common=common)
        own = factor * error_of(*drawn)
        store_measured(tmp_path, name, at, drawn, error=own, method="U-statistic of second order")
    two(tmp_path / "plain", gap=1.0)
    (pairs,), (plain,) = (board_of(place).comparisons for place in (tmp_path, tmp_path / "plain"))
    assert pairs.kinds[0][1] == "paired"
    assert (pairs.standard_error[0][1] > 1.1 * plain.standard_error[0][1]) is larger
    assert pairs.standard_error[0][1] >= plain.standard_error[0][1]


def test_other_reference_images_are_not_paired(tmp_path):
    two(tmp_path, gap=0.5, damage=lambda text: text.replace("NA3,real", "other,real"))
    assert board_of(tmp_path).comparisons[0].kinds[0][1] == "independent"


def test_tables_do_not_change_how_often_the_files_come_out_alike(tmp_path):
    two(tmp_path, gap=0.5)
    written = [write_all(tmp_path, tmp_path / out, "demo", False).written for out in ("one", "two")]
    assert [path.read_bytes() for path in written[0]] == [path.read_bytes() for path in written[1]]
