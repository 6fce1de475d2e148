"""Boards: what may stand in one table, who is ranked, and how."""

import pytest
from made_records import record, score, store

from bench.leaderboard.boards import boards
from bench.leaderboard.competition import competition_ranks
from bench.leaderboard.load import read_results
from bench.leaderboard.numbers import number
from bench.leaderboard.ranking import marks
from bench.records import Record, digest

CONTROL = {"control": True}


def board_of(results, *records):
    (board,) = boards(read_results(store(results, *records)).records)
    return board


def row_of(board, name):
    return next(row for row in board.rows if row.generator == name)


@pytest.mark.parametrize("change", [{"backbone": "other"}, {"protocol": "adm"}, {"num_fake": 50}])
def test_records_that_share_no_comparison_share_no_board(tmp_path, change):
    store(tmp_path, record("a"), record("b", **change))
    found = boards(read_results(tmp_path).records)
    assert [len(board.rows) for board in found] == [1, 1]
    assert all(row.cells[0].mark == "best" for board in found for row in board.rows)


def test_a_column_holds_one_comparison_key_and_says_what_differs(tmp_path):
    board = board_of(tmp_path, record("a", "prdc", k=3), record("a", "prdc", k=5))
    assert [column.name for column in board.columns] == ["prdc.prdc [k=3]", "prdc.prdc [k=5]"]
    assert len({column.comparison_key for column in board.columns}) == 2


def test_boards_of_one_caption_say_what_differs(tmp_path):
    one, two = record("a"), record("b")
    changed = two.comparison | {"protocol": {"name": "demo", "resize": "lanczos"}}
    fields = vars(two) | {"comparison": changed, "comparison_key": digest(changed)}
    store(tmp_path, one, Record(**fields))
    captions = [board.caption for board in boards(read_results(tmp_path).records)]
    assert [caption.rpartition(" · ")[2] for caption in captions] == [
        "protocol.resize=absent",
        "protocol.resize=lanczos",
    ]


def test_the_caption_names_the_key(tmp_path):
    caption = board_of(tmp_path, record(deviations=["k: 3 (preset: 5)"])).caption
    assert caption == (
        "dataset digits ffffffff · backbone net aaaaaaaa · protocol demo · N real 90 · N fake 60 "
        "· deviations: k: 3 (preset: 5)"
    )


def test_the_better_direction_decides(tmp_path):
    board = board_of(
        tmp_path,
        *(record(name, scores={"fid": value}) for name, value in [("a", 1.0), ("b", 2.0)]),
        *(
            record(name, "prdc", {"recall": score(value, "higher")})
            for name, value in [("a", 0.9), ("b", 0.8)]
        ),
        *(
            record(name, "rarity", {"mean": score(value, "neither")})
            for name, value in [("a", 5.0), ("b", 6.0)]
        ),
    )
    assert [column.arrow for column in board.columns] == ["↓", "↑", ""]
    assert [cell.mark for cell in row_of(board, "a").cells] == ["best", "best", ""]
    assert [cell.mark for cell in row_of(board, "b").cells] == ["second", "second", ""]
    assert [row.mean_rank for row in board.rows] == [1.0, 2.0]


def test_equal_values_share_rank_and_mark():
    assert competition_ranks([3.0, 1.0, 2.0, 2.0], "lower") == [4, 1, 2, 2]
    assert competition_ranks([3.0, 1.0, 2.0, 2.0], "higher") == [1, 4, 2, 2]
    assert marks([1.0, 1.0, 2.0, 3.0, None], "lower") == ["best", "best", "second", "", ""]
    assert marks([1.0, 2.0], "neither") == ["", ""]


def test_controls_stand_below_and_are_never_ranked(tmp_path):
    board = board_of(
        tmp_path,
        record("copycat", scores={"fid": 0.0}, config=CONTROL),
        record("worse", scores={"fid": 9.0}),
        record("better", scores={"fid": 8.0}),
    )
    assert [row.generator for row in board.rows] == ["better", "worse", "copycat"]
    assert [row.mean_rank for row in board.rows] == [1.0, 2.0, None]
    assert [row.cells[0].mark for row in board.rows] == ["best", "second", ""]


def test_seeds_of_one_generator_are_one_row(tmp_path):
    values = [1.0, 2.0, 6.0]
    board = board_of(
        tmp_path, *(record(scores={"fid": value}, seed=seed) for seed, value in enumerate(values))
    )
    (row,) = board.rows
    assert row.num_seeds == 3
    assert row.cells[0].value == pytest.approx(3.0)
    assert row.cells[0].spread == pytest.approx(7**0.5)  # divisor n - 1


def test_seeds_of_a_random_backbone_are_one_row_too(tmp_path):
    values = {1: 2.0, 2: 6.0, 3: 7.0}
    (row,) = board_of(
        tmp_path,
        *(
            record(key=f"{seed}" * 64, backbone_config={"seed": seed}, scores={"fid": value})
            for seed, value in values.items()
        ),
    ).rows
    assert row.num_seeds == 3
    assert row.cells[0].value == pytest.approx(5.0)
    assert row.cells[0].spread == pytest.approx(7**0.5)  # divisor n - 1


def test_another_checkpoint_of_one_name_is_another_row(tmp_path):
    board = board_of(tmp_path, record(config={"psi": 0.7}), record(config={"psi": 1.0}))
    assert [row.name for row in board.rows] == ["gan [config.psi=0.7]", "gan [config.psi=1.0]"]


def test_undefined_and_missing_are_last_and_without_rank(tmp_path):
    board = board_of(
        tmp_path,
        record("a", scores={"fid": score(None, undefined="no rows")}),
        record("b", "kid"),
        *(record("c", metric) for metric in ("fid", "kid")),
        *(record("d", metric, {metric: 2.0}) for metric in ("fid", "kid")),
    )
    assert [row.generator for row in board.rows] == ["c", "d", "a", "b"]
    assert [row.mean_rank for row in board.rows] == [1.0, 2.0, None, None]
    assert row_of(board, "a").cells[0].undefined == "no rows"
    assert not row_of(board, "a").cells[0].mark


def test_one_undefined_seed_makes_the_cell_undefined(tmp_path):
    undefined = score(None, undefined="no rows")
    board = board_of(tmp_path, record(), record(scores={"fid": undefined}, seed=1))
    cell = board.rows[0].cells[0]
    assert cell.value is None
    assert cell.undefined == "no rows; 1 of 2 seeds"


def test_records_that_disagree_on_the_direction_are_not_ranked(tmp_path):
    board = board_of(tmp_path, record("a"), record("b", scores={"fid": score(2.0, "higher")}))
    assert board.columns[0].better == "neither"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.34567, "12.35"),
        (0.5, "0.5000"),
        (-0.00123449, "-0.001234"),
        (9999.6, "10000"),
        (12345.6, "12350"),
        (0.0000123456, "1.235e-05"),
        (123456789.0, "1.235e+08"),
        (-0.0, "0"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert number(value) == text
