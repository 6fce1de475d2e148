"""The picture of the images at the ends of per-image scores, from the job to the page."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_records import beside, record
from PIL import Image

from bench.artifacts import write_per_image
from bench.ends import columns_with_ends, ends
from bench.leaderboard.extremes import extremes
from bench.leaderboard.leaderboard import leaderboard
from bench.leaderboard.load import Reading
from bench.leaderboard.panel import panel_page, panels, write_panels
from bench.leaderboard.stored import Stored
from bench.records import read_record
from bench.thumbnails import write_extremes, write_nearest
from metrics.metric import Better, Outcome

BETTER = {"fid": Better.LOWER, "precision": Better.HIGHER}
NAMES = {"real": str, "fake": str}


def grey(indices):
    """Image k is of shade k."""
    shades = torch.tensor(list(indices), dtype=torch.uint8)
    return shades[:, None, None, None].expand(-1, 3, 8, 8).contiguous()


def outcome(**columns):
    return Outcome(scores={}, per_image={"fake": columns, "real": {}})


def shades(path):
    """The shade of each thumbnail, row by row."""
    return np.asarray(Image.open(path))[4::8, 4::8, 0].tolist()


def test_each_end_is_a_row_with_the_utmost_image_on_the_left(tmp_path):
    rarity = torch.arange(20).double()
    rarity[3] = torch.nan
    found = write_extremes(tmp_path / "a.json", outcome(rarity=rarity), BETTER, grey)
    assert found["extremes"]["file"] == "a.extremes.png"
    low, high = shades(tmp_path / "a.extremes.png")
    assert low == [0, 1, 2, 4, 5, 6]
    assert high == [19, 18, 17, 16, 15, 14]


def test_the_page_shows_the_rows_that_the_job_drew(tmp_path):
    generator = torch.Generator().manual_seed(0)
    columns = {name: torch.randn(50, generator=generator).double() for name in ("rarity", "depth")}
    columns |= {"fid_influence": torch.randn(50, generator=generator).double()}
    columns |= {
        "authentic": (torch.arange(50) % 2).double(),
        "precision_influence": columns["depth"],
    }
    made, path = outcome(**columns), tmp_path / "a.json"
    artifacts = write_per_image(path, made, NAMES) | write_extremes(path, made, BETTER, grey)
    one = Stored("runs/a.json", tmp_path, replace(record(), artifacts=artifacts))
    rows = shades(tmp_path / "a.extremes.png")
    found = extremes(one)
    assert [end.column for end in found] == ["depth"] * 2 + ["fid_influence"] * 2 + ["rarity"] * 2
    for end in found:
        assert [int(image.name) for image in end.images] == rows[end.strip.top // end.strip.height]


def with_nearest(folder):
    """A stored record whose image k has distance k, and real image 100 + k nearest to it."""
    made = replace(
        outcome(nearest_real_distance=torch.arange(30).double()),
        nearest_real=torch.arange(100, 130),
    )
    path = folder / "a.json"
    artifacts = write_per_image(path, made, NAMES) | write_extremes(path, made, BETTER, grey)
    artifacts |= write_nearest(path, made, BETTER, grey)
    return Stored("runs/a.json", folder, replace(record(), artifacts=artifacts))


def test_below_each_image_stands_the_real_one_nearest_to_it(tmp_path):
    one = with_nearest(tmp_path)
    assert shades(tmp_path / "a.nearest.png")[0] == [100, 101, 102, 103, 104, 105]
    assert shades(tmp_path / "a.nearest.png")[1] == [129, 128, 127, 126, 125, 124]
    for end in extremes(one):
        sheet = shades(tmp_path / "a.nearest.png")
        row = sheet[end.nearest.top // end.nearest.height]
        assert [int(image.nearest) for image in end.images] == row


def test_the_generators_page_shows_the_pairs_with_names_and_distances(tmp_path):
    board = leaderboard("demo", Reading([with_nearest(tmp_path)], []))
    text = panel_page(board, next(panels(board)))
    assert text.count('<svg class="strip"') == 4  # two ends, generated and real
    assert text.count("The real image nearest to each") == 4  # a caption, and for readers aloud
    assert ">Distance</th>" in text and ">Nearest real</th>" in text
    assert '<th scope="row">29</th><td>29.00</td><td>129</td>' in text
    write_panels(tmp_path / "out", board)
    pictures = {path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {path.read_bytes() for path in tmp_path.glob("a.*.png")}


def test_records_without_such_a_picture_show_the_generated_images_alone(tmp_path):
    one = with_nearest(tmp_path)
    artifacts = {role: name for role, name in one.record.artifacts.items() if role != "nearest"}
    one = replace(one, record=replace(one.record, artifacts=artifacts))
    board = leaderboard("demo", Reading([one], []))
    text = panel_page(board, next(panels(board)))
    assert text.count('<svg class="strip"') == 2 and "nearest to each" not in text


def test_a_metric_that_knows_no_neighbour_reads_no_real_image(tmp_path):
    made = outcome(rarity=torch.arange(20))
    assert write_nearest(tmp_path / "a.json", made, BETTER, None) == {}
    assert not list(tmp_path.iterdir())


def test_a_job_writes_the_pairs_beside_its_record(measure, small):
    _, report = measure("dataset=digits", "generator=holdout", *small, "metrics=[authenticity]")
    (line,) = report.lines
    stored = read_record(Path(line.record))
    assert stored.artifacts["nearest"]["file"].endswith(".nearest.png")
    folder = Path(line.record).parent
    files = [stored.artifacts[role]["file"] for role in ("extremes", "nearest")]
    sizes = [Image.open(folder / file).size for file in files]
    assert sizes[0] == sizes[1]


def test_large_images_become_small(tmp_path):
    def read(indices):
        return torch.zeros(len(indices), 3, 200, 100, dtype=torch.uint8)

    write_extremes(tmp_path / "a.json", outcome(rarity=torch.arange(12)), BETTER, read)
    assert Image.open(tmp_path / "a.extremes.png").size == (6 * 32, 2 * 64)


def test_the_same_images_make_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_extremes(tmp_path / f"{name}.json", outcome(rarity=torch.arange(12)), BETTER, grey)
    first, second = ((tmp_path / f"{name}.extremes.png").read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_metric_without_ends_reads_no_image(tmp_path):
    made = outcome(authentic=torch.ones(50), precision_influence=torch.arange(50))
    assert write_extremes(tmp_path / "a.json", made, BETTER, None) == {}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(48, 15), (47, 16)])
def test_a_picture_of_another_shape_is_not_shown(tmp_path, size):
    artifacts = write_per_image(tmp_path / "a.json", outcome(rarity=torch.arange(12)), NAMES)
    data = io.BytesIO()
    Image.new("RGB", size).save(data, "PNG")
    artifacts |= beside(tmp_path, extremes=("a.png", data.getvalue()))
    one = replace(record(), artifacts=artifacts)
    assert [end.strip for end in extremes(Stored("a.json", tmp_path, one))] == [None, None]


def test_equal_values_stand_in_the_order_of_the_images():
    low, high = ends(np.array([5.0, 5, 1, *range(10, 20)]))
    assert low[:3] == [2, 0, 1]
    assert high[:2] == [12, 11]


def test_influences_on_distances_have_ends_and_other_influences_do_not():
    names = ["image", "side", "nearest_real", "fid_influence", "recall_influence", "density"]
    assert columns_with_ends(names, {"fid": "lower", "recall": "higher"}) == [
        "density",
        "fid_influence",
    ]
