"""A generator's page: the ends of its scores, its curves, and where its numbers come from."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_records import beside, record, score
from PIL import Image

from bench.leaderboard.curves import curves
from bench.leaderboard.extremes import extremes
from bench.leaderboard.leaderboard import leaderboard
from bench.leaderboard.load import Reading
from bench.leaderboard.panel import panel_page, panels, write_panels
from bench.leaderboard.panel_file import panel_file
from bench.leaderboard.stored import Stored

NASTY = ("<script>alert(1)</script>", "../../etc/passwd", '" onload="x', "a b'c", "\udcff")


def stored(folder, one, **files):
    """The record as if it lay in the folder, with these artifacts: role -> text."""
    written = {
        role.replace("_", "."): (f"a.{role}.csv", text.encode()) for role, text in files.items()
    }
    known = beside(folder, **written)
    return Stored("runs/digits/gan/net/a.json", folder, replace(one, artifacts=known))


def shown(*records):
    return leaderboard("demo", Reading(list(records), []))


def page_of(one):
    board = shown(one)
    return panel_page(board, next(panels(board)))


def images(column, values):
    rows = [f"{at},fake,{value},{at + 100}" for at, value in enumerate(values)]
    return "\n".join([f"image,side,{column},nearest_real", "0,real,99,", *rows, ""])


def test_the_utmost_image_comes_first_at_either_end(tmp_path):
    one = stored(tmp_path, record(), images=images("rarity", [5, 0, *range(10, 30), ""]))
    low, high = extremes(one)
    assert (low.title, high.title) == ("Most common", "Rarest")
    assert [image.name for image in low.images] == ["1", "0", "2", "3", "4", "5"]
    assert [image.score for image in high.images] == [29, 28, 27, 26, 25, 24]
    assert high.images[0].nearest == "121"  # image 21 + 100: the real side is in no list


def test_what_raises_a_distance_hurts_it(tmp_path):
    one = stored(tmp_path, record(), images=images("fid_influence", range(20)))
    assert [end.title for end in extremes(one)] == ["Lower fid most", "Hurt fid most"]


@pytest.mark.parametrize("better", ["higher", "neither"])
def test_influences_on_other_scores_are_not_shown(tmp_path, better):
    one = record(scores={"fid": score(1.0, better=better)})
    assert not extremes(stored(tmp_path, one, images=images("fid_influence", range(20))))


def test_zeros_and_ones_order_no_images(tmp_path):
    assert not extremes(stored(tmp_path, record(), images=images("authentic", [0, 1] * 20)))


@pytest.mark.parametrize("text", ["", "image,side\n", "a,b\n1\n", "a\n1\n", "\0", 'a,"b\n1,2'])
def test_torn_and_foreign_tables_show_nothing(tmp_path, text):
    one = stored(tmp_path, record(), images=text, curve_prd=text)
    assert not extremes(one) and not curves(one)


def test_a_table_outside_the_folder_is_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    known = beside(tmp_path / "in", **{"curve.x": ("../a.csv", b"x,y\n1,2\n2,3\n")})
    one = Stored("a.json", tmp_path / "in", replace(record(), artifacts=known))
    assert not curves(one)


def test_a_curve_is_drawn_and_told_in_numbers(tmp_path):
    one = stored(tmp_path, record(), curve_prd="precision,recall\n1,0\n0.5,0.25\n0,1\n")
    (curve,) = curves(one)
    assert (curve.drawn.x_name, curve.drawn.y_name) == ("recall", "precision")
    first, _, last = curve.drawn.lines[0].split()
    assert float(first.split(",")[0]) < float(last.split(",")[0])  # recall 0 is left of recall 1
    assert float(first.split(",")[1]) < float(last.split(",")[1])  # and precision 1 above 0
    assert curve.rows == (("1", "0"), ("0.5", "0.25"), ("0", "1"))
    assert "<polyline" in page_of(one)


def test_classes_are_a_table_without_a_line(tmp_path):
    rows = "\n".join(f"{at},{at / 7}" for at in range(100))
    (curve,) = curves(stored(tmp_path, record(), curve_classes=f"class,fid\n{rows}\n"))
    assert curve.drawn is None
    assert len(curve.rows) + curve.left == 100


def test_every_number_has_its_record_and_the_command_that_reproduces_it(tmp_path):
    text = page_of(stored(tmp_path, record()))
    assert "<code>salon reproduce results/runs/digits/gan/net/a.json</code>" in text


def test_the_page_of_a_generator_runs_no_script_and_no_name(tmp_path):
    for name in NASTY:
        text = page_of(stored(tmp_path, record(name)))
        assert "script-src &#39;none&#39;" in text or "script-src 'none'" in text
        assert "<script" not in text
        assert not re.search(r"https?://|//cdn|@import|url\(", text)


def test_every_generator_has_a_plain_file_of_its_own():
    names = [panel_file("digits", name) for name in (*NASTY, "GAN", "gan", "x" * 500, "")]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,60}\.html", name) for name in names)


def test_samples_of_each_truncation_are_shown_as_such(tmp_path):
    records = []
    for threshold in (0.5, 1.0):
        name = f"grid-{threshold}.png"
        data = io.BytesIO()
        Image.new("RGB", (8, 8), (int(threshold * 100), 0, 0)).save(data, "PNG")
        known = beside(tmp_path, grid=(name, data.getvalue()))
        sampler = {"kind": "models.samplers.Truncated", "threshold": threshold}
        one = record(identities={"generator": {"sampler": sampler}}, artifacts=known)
        records.append(Stored(f"runs/{threshold}.json", tmp_path, one))
    board = shown(*records)
    assert [one.note for one in board.pictures] == [
        "sampler.threshold=0.5",
        "sampler.threshold=1.0",
    ]
    text = panel_page(board, next(panels(board)))
    for picture in board.pictures:
        assert picture.file in text and f"not chosen; {picture.note}" in text


def test_pages_of_an_earlier_leaderboard_are_removed(tmp_path):
    old = tmp_path / panel_file("digits", "old")
    old.write_text("old")
    (tmp_path / "notes.html").write_text("mine")
    write_panels(tmp_path, shown(stored(tmp_path, record())))
    pages = {path.name for path in Path(tmp_path).glob("*.html")}
    assert pages == {panel_file("digits", "gan"), "notes.html"}
