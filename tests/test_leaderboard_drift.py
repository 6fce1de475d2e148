"""check=true: nothing is written, and what differs is named."""

import logging

import pytest
from made_records import record, store

from bench.leaderboard.command import Request, run
from bench.leaderboard.drift import drift
from bench.leaderboard.write import write_all


@pytest.fixture
def folders(tmp_path):
    results = store(tmp_path / "results", record("a"), record("b", scores={"fid": 2.0}))
    for name in ("fresh", "kept"):
        write_all(results, tmp_path / name, "x", True)
    return results, tmp_path / "fresh", tmp_path / "kept"


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_equal_folders_do_not_drift(folders):
    assert drift(*folders[1:]) == []


def test_the_cell_of_a_csv_is_named(folders):
    _, fresh, kept = folders
    changed(kept / "x.csv", ",2.0,", ",2.5,")
    head, cell = drift(fresh, kept)
    assert head == "x.csv: differs from what the records give"
    assert cell.endswith("fid, value: committed '2.5', records give '2.0'")
    assert cell.startswith("  runs/digits/b/net/fid-")


def test_the_place_in_the_json_and_the_line_of_a_text_are_named(folders):
    _, fresh, kept = folders
    changed(kept / "x.json", '"value": 2.0', '"value": 3.0')
    changed(kept / "x.md", "2.000", "3.000")
    lines = drift(fresh, kept)
    assert "  boards[0].rows[1].cells[0].value: committed 3.0, records give 2.0" in lines
    assert any(line.startswith("  line ") for line in lines)


def test_a_change_that_no_cell_shows_is_still_found(folders):
    _, fresh, kept = folders
    (kept / "x.csv").write_bytes((kept / "x.csv").read_bytes().replace(b"\n", b"\r\n"))
    assert drift(fresh, kept)[1] == "  line 1"


def test_absent_torn_and_foreign_files_are_named(folders):
    _, fresh, kept = folders
    (kept / "x.tex").unlink()
    (kept / "x.json").write_text("{")
    for folder in (fresh, kept):
        (folder / "x.files").mkdir(exist_ok=True)
        (folder / "x.files" / "one.png").write_bytes(b"1")
    (kept / "x.files" / "old.png").write_bytes(b"old")
    lines = drift(fresh, kept)
    assert "x.tex: absent" in lines and "x.files/old.png: not of this leaderboard" in lines
    assert "x.json: differs from what the records give" in lines


def test_many_cells_are_counted(tmp_path):
    first = store(tmp_path / "1", *(record(f"g{n}", scores={"fid": float(n)}) for n in range(40)))
    write_all(first, tmp_path / "fresh", "x", True)
    write_all(first, tmp_path / "kept", "x", True)
    path = tmp_path / "kept" / "x.csv"
    path.write_text(path.read_text().replace("lower", "LOWER"))
    assert drift(tmp_path / "fresh", tmp_path / "kept")[-1] == "  and 20 more"


def test_the_check_writes_nothing_and_exits_with_8(folders, caplog):
    results, _, kept = folders
    request = Request(results, kept, "x", check=True)
    assert run(request) == 0
    store(results, record("c", scores={"fid": 3.0}))
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    with caplog.at_level(logging.INFO):
        assert run(request) == 8
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before
    assert "x.csv: differs" in caplog.text and "digits/c/net" in caplog.text


def test_a_leaderboard_that_was_never_written_drifts(folders, tmp_path):
    assert run(Request(folders[0], tmp_path / "nowhere", "x", check=True)) == 8
    assert not (tmp_path / "nowhere").exists()
