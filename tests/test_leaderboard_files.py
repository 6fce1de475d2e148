"""The leaderboard's files: what they hold, that they are pure, and that they are safe."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser

import pandas
import pytest
from made_records import path_of, record, score, store

import bench.leaderboard
from bench.beside import described
from bench.errors import ConfigError, StoreError
from bench.leaderboard.command import Request, run
from bench.leaderboard.markdown import escaped
from bench.leaderboard.template import policy
from bench.leaderboard.write import write_all
from bench.records import encode

NASTY = ("<script>alert(1)</script>", "a|b", "=1+1", "two\nlines", '" onload="x')
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x04" + b"rest"


def write(results, out, **changes):
    return write_all(results, out, **({"name": "demo", "strict": False} | changes))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_load_gives_one_row_per_record_and_score(tmp_path):
    undefined = score(None, undefined="no rows")
    kid = score(0.1, standard_error=0.01, interval=[0.08, 0.12])
    store(tmp_path, record("b", "kid", {"kid": kid, "none": undefined}), record("a"))
    frame = bench.leaderboard.load(tmp_path)
    assert list(frame["generator"]) == ["a", "b", "b"]
    assert list(frame["score"]) == ["fid", "kid", "none"]
    assert frame["low"][1] == 0.08
    assert pandas.isna(frame["value"][2])
    assert frame["undefined"][2] == "no rows"
    assert frame["path"][0] == path_of(tmp_path).relative_to(tmp_path).as_posix()


def test_load_of_nothing_has_the_columns(tmp_path):
    frame = bench.leaderboard.load(tmp_path)
    assert len(frame) == 0
    assert "comparison_key" in frame.columns


def test_load_knows_controls(tmp_path):
    store(tmp_path, record("blur", config={"control": True}), record("gan"))
    assert list(bench.leaderboard.load(tmp_path)["control"]) == [True, False]


def test_a_failed_comparison_is_exit_code_8(tmp_path):
    measured = store(tmp_path / "m", record())
    committed = store(tmp_path / "c", record(scores={"fid": 2.0}))
    settings = {"results": measured, "out": tmp_path / "out", "name": "demo"}
    assert run(Request(**settings, compare=measured)) == 0
    assert run(Request(**settings, compare=committed)) == 8


def test_an_empty_folder_says_what_to_type(tmp_path):
    with pytest.raises(StoreError, match="salon score"):
        run(Request(results=tmp_path, out=tmp_path / "out", name="demo"))


@pytest.mark.parametrize("name", ["", "..", "a/b", "/tmp/x"])
def test_the_name_is_one_plain_file_name(tmp_path, name):
    with pytest.raises(ConfigError, match="name="):
        run(Request(results=tmp_path, out=tmp_path, name=name))


def test_files_are_byte_identical_wherever_and_whenever_they_are_made(tmp_path):
    results = tmp_path / "results"
    store(results, *(record(name, seed=seed) for name in ("a", "b", "é") for seed in (0, 1)))
    (results / "runs" / "torn.json").write_text("{")
    (tmp_path / "elsewhere").mkdir()
    write(results, tmp_path / "one")
    script = (
        "import sys; from pathlib import Path; from bench.leaderboard import write_all; "
        "write_all(Path(sys.argv[1]), Path(sys.argv[2]), 'demo', False)"
    )
    moved = os.environ | {
        "TZ": "Pacific/Auckland",
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": os.getcwd(),
    }
    arguments = [sys.executable, "-c", script, "../results", "../two"]
    subprocess.run(arguments, cwd=tmp_path / "elsewhere", env=moved, check=True)
    write(results, tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert b"\r" not in b"".join(contents(tmp_path / "one").values())


def test_no_torch_is_imported():
    script = (
        "import sys, bench.leaderboard.command; "
        "sys.exit(any(name.startswith(('torch', 'models.', 'hydra')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


class Page(HTMLParser):
    """Collects tags, and the texts of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.script = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.lasttag == "script":
            self.script += data
        self.texts.append(data)


def nasty_page(tmp_path):
    store(tmp_path, *(record(name) for name in NASTY))
    write(tmp_path, tmp_path / "out")
    return (tmp_path / "out" / "demo.html").read_text()


def test_the_page_shows_names_and_runs_none_of_them(tmp_path):
    page = Page(nasty_page(tmp_path))
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert "alert(1)" not in page.script
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {attributes.get("data-name") for _, attributes in page.tags} >= set(NASTY)


def test_the_page_asks_nothing_of_anyone(tmp_path):
    text = nasty_page(tmp_path)
    assert not re.search(r"https?://|//cdn|@import|url\(", text)
    assert not any("style" in attributes for _, attributes in Page(text).tags)
    metas = [attributes for tag, attributes in Page(text).tags if tag == "meta"]
    wanted = [meta["content"] for meta in metas if "http-equiv" in meta]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL).group(1)
    assert wanted[0] == policy(style=style, script=script)
    assert wanted[0].startswith("default-src 'none'; style-src 'sha256-")


def test_markdown_tables_keep_their_columns(tmp_path):
    nasty_page(tmp_path)
    text = (tmp_path / "out" / "demo.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(table) == 2 + len(NASTY)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {4}
    assert "<script>" not in text


@pytest.mark.parametrize(
    ("name", "text"),
    [("a_b", "a_b"), ("_a_", "\\_a\\_"), ("a\nb", "a b"), ("<b>", "&lt;b&gt;"), ("*", "\\*")],
)
def test_markdown_acts_on_no_name(name, text):
    assert escaped(name) == text


def test_csv_holds_no_formula_and_numbers_in_full(tmp_path):
    store(tmp_path, record("=1+1", scores={"fid": -1 / 3}))
    write(tmp_path, tmp_path / "out")
    with open(tmp_path / "out" / "demo.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["generator"] == "'=1+1"
    assert row["value"] == repr(-1 / 3)


def test_json_holds_boards_rows_and_marks(tmp_path):
    store(tmp_path, record("a"), record("b", scores={"fid": 2.0}))
    write(tmp_path, tmp_path / "out")
    (board,) = json.loads((tmp_path / "out" / "demo.json").read_text())["boards"]
    assert [column["name"] for column in board["columns"]] == ["fid.fid"]
    assert [row["cells"][0]["mark"] for row in board["rows"]] == ["best", "second"]
    assert [row["cells"][0]["value"] for row in board["rows"]] == [1.0, 2.0]


def test_the_sample_grid_is_copied_and_shown(tmp_path):
    store(tmp_path, record(artifacts={"grid": described("grid.png", PNG)}))
    (path_of(tmp_path).parent / "grid.png").write_bytes(PNG)
    old = tmp_path / "out" / "demo.files" / f"{'0' * 12}.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(PNG)
    write(tmp_path, tmp_path / "out")
    (copy,) = (tmp_path / "out" / "demo.files").glob("*.png")
    assert copy.read_bytes() == PNG
    page = Page((tmp_path / "out" / "demo.html").read_text())
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert image["src"] == f"demo.files/{copy.name}"
    assert (image["width"], image["height"]) == ("8", "4")
    assert image["alt"] == "Sample images of gan on digits"


@pytest.mark.parametrize("name", ["absent.png", "../grid.png", "/etc/passwd"])
def test_a_grid_that_is_absent_or_elsewhere_is_not_shown_and_named(tmp_path, name):
    store(tmp_path, record(artifacts={"grid": described(name, PNG)}))
    (path_of(tmp_path).parent.parent / "grid.png").write_bytes(PNG)
    write(tmp_path, tmp_path / "out")
    assert "<img" not in (tmp_path / "out" / "demo.html").read_text()
    (item,) = json.loads((tmp_path / "out" / "demo.json").read_text())["unfit"]
    assert item["reason"] in ("is absent", "is not a plain file name")


def test_a_grid_that_is_no_picture_is_not_shown(tmp_path):
    store(tmp_path, record(artifacts={"grid": described("text.png", b"not a picture")}))
    (path_of(tmp_path).parent / "text.png").write_bytes(b"not a picture")
    write(tmp_path, tmp_path / "out")
    assert "<img" not in (tmp_path / "out" / "demo.html").read_text()


@pytest.mark.parametrize("change", [PNG[:-1], PNG[:-1] + b"x"])
def test_a_picture_changed_after_it_was_written_is_named_and_fails_under_strict(tmp_path, change):
    store(tmp_path, record(artifacts={"grid": described("grid.png", PNG)}))
    (path_of(tmp_path).parent / "grid.png").write_bytes(change)
    report = write_all(tmp_path, tmp_path / "out", "demo", True)
    (item,) = report.unfit
    assert item.path == "runs/digits/gan/net/grid.png"
    assert "bytes, its record says" in item.reason or "sha256 differs" in item.reason
    assert report.code == 8
    assert "<img" not in (tmp_path / "out" / "demo.html").read_text()


def test_the_page_draws_intervals_of_generators(tmp_path):
    kid = [score(value, interval=[value - 0.1, value + 0.1]) for value in (1.0, 2.0)]
    store(
        tmp_path, *(record(name, "kid", {"kid": one}) for name, one in zip("ab", kid, strict=True))
    )
    write(tmp_path, tmp_path / "out")
    text = (tmp_path / "out" / "demo.html").read_text()
    assert text.count("<svg aria-hidden") == 2
    assert "[0.9000, 1.100]" in text


def test_two_thousand_records_take_seconds(tmp_path):
    results = store(tmp_path, record())
    path = path_of(tmp_path)
    for number in range(2000):
        one = record(f"gan{number // 4}", scores={"fid": number / 7}, seed=number % 4)
        (path.parent / f"{number}.json").write_text(encode(one).decode())
    start = time.process_time()
    report = write(results, tmp_path / "out")
    assert report.num_records == 2001
    assert time.process_time() - start < 20  # 3 s here; a bound against quadratic work
