"""The figures: which there are, that they are pure, and that no label is lost or meets another."""

import math
import os
import subprocess
import sys
from itertools import combinations

import pytest
from made_records import record, score, store
from scipy.stats import kendalltau

pytest.importorskip("matplotlib")

from bench.leaderboard.leaderboard import leaderboard
from bench.leaderboard.load import read_results
from bench.leaderboard.plots.agreement import backbone_figures, correlation, metric_figure
from bench.leaderboard.plots.files import plain, write_plots
from bench.leaderboard.plots.ranks import rank_figure
from bench.leaderboard.plots.scatter import scatters
from bench.leaderboard.plots.style import styled
from bench.leaderboard.write import write_all

NAMES = ("a_gan", "$x_1$ & <b>", "../up", "two\nlines", "é")
SCRIPT = """
import sys
from pathlib import Path
from bench.leaderboard import write_all
write_all(Path(sys.argv[1]), Path(sys.argv[2]), "demo", False, plots=True)
"""


def records(names=NAMES):
    for backbone in ("net", "other"):
        for at, name in enumerate(names):
            known = {"better": "higher", "standard_error": 0.02}
            shares = {"precision": score(0.1 + at / 100, **known)}
            shares["recall"] = score(0.9 - at / 90, **known)
            yield record(name, "precision_recall", shares, backbone=backbone)
            yield record(name, "fid", {"fid": 1.0 + at**2}, backbone=backbone)
        yield record("blur", "fid", {"fid": 9.0}, backbone=backbone, config={"control": True})


def shown(tmp_path, *made):
    return leaderboard("demo", read_results(store(tmp_path, *made)))


def test_every_figure_is_there_as_png_and_pdf(tmp_path):
    written = write_plots(shown(tmp_path, *records()), tmp_path / "plots")
    kinds = [path.name.split("-", 1)[1].partition(".")[2] for path in written]
    stems = {name.rpartition(".")[0] for name in kinds}
    pair = "precision_recall.precision-precision_recall.recall"
    assert stems == {pair, "fid.fid-precision_recall.recall", "ranks", "metrics", "backbones"}
    assert len(written) == 2 * (2 * 4 + 1)
    for path in written:
        assert path.read_bytes()[:4] == {".png": b"\x89PNG", ".pdf": b"%PDF"}[path.suffix]


def test_figures_are_byte_identical_wherever_and_whenever_they_are_made(tmp_path):
    results = store(tmp_path / "results", *records(("$a_b$", "b", "é")))
    write_all(results, tmp_path / "one", "demo", False, plots=True)
    moved = os.environ | {"TZ": "Pacific/Auckland", "LC_ALL": "POSIX", "PYTHONHASHSEED": "7"}
    moved |= {"PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    command = [sys.executable, "-c", SCRIPT, "results", "two"]
    subprocess.run(command, cwd=tmp_path, env=moved, check=True)
    one, two = (contents(tmp_path / place) for place in ("one", "two"))
    assert one == two and sum(name.endswith(".pdf") for name in one) == 9


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def texts(figure):
    figure.draw_without_rendering()
    yield from figure.texts
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        found = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis):
            found += [
                tick.label1
                for tick in axis.get_major_ticks()
                if tick.label1.get_visible()
                and axis.get_view_interval()[0] <= tick.get_loc() <= axis.get_view_interval()[1]
            ]
        legend = axes.get_legend()
        found += legend.get_texts() if legend else []
        yield from (one for one in found if one.get_visible() and one.get_text())


@pytest.mark.parametrize("count", [3, 30])
def test_no_labels_overlap_and_none_is_cut(tmp_path, count):
    names = [f"a_generator_with_a_long_name_{at}" for at in range(count)]
    made = shown(tmp_path, *records(names))
    with styled():
        (board, _) = made.boards
        figures = [rank_figure(board), metric_figure(board), *(one for _, one in scatters(board))]
        figures += [figure for _, _, figure in backbone_figures(made.boards)]
        for figure in figures:
            boxes = [(one.get_text(), one.get_window_extent()) for one in texts(figure)]
            assert boxes and not any("mathdefault" in text for text, _ in boxes)
            width, height = figure.get_size_inches() * figure.dpi
            for text, box in boxes:
                assert box.x0 > -1 and box.y0 > -1, text
                assert box.x1 < width + 1 and box.y1 < height + 1, text
            for (first, a), (second, b) in combinations(boxes, 2):
                across = min(a.x1, b.x1) - max(a.x0, b.x0)
                down = min(a.y1, b.y1) - max(a.y0, b.y0)
                assert across < 1 or down < 1, (first, second)


def test_kendalls_tau_takes_the_generators_of_both():
    first = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 9.0}
    second = {"a": 3.0, "b": 3.0, "c": 1.0, "e": 0.0}
    assert correlation(first, second) == pytest.approx(kendalltau([1, 2, 3], [3, 3, 1]).statistic)
    assert correlation(first, first) == 1
    assert math.isnan(correlation(first, {"a": 1.0, "b": 2.0}))


def test_metrics_that_agree_correlate_whichever_way_they_are_better(tmp_path):
    (board, _) = shown(tmp_path, *records()).boards
    with styled():
        cells = [one.get_text() for one in metric_figure(board).axes[0].texts]
    # fid ascends (worse), precision ascends (better), recall descends (worse)
    assert cells == ["1.00", "-1.00", "1.00", "-1.00", "1.00", "-1.00", "1.00", "-1.00", "1.00"]


def test_of_two_generators_there_is_no_correlation(tmp_path):
    made = shown(tmp_path, *records(("a", "b")))
    assert metric_figure(made.boards[0]) is None
    assert list(backbone_figures(made.boards)) == []


@pytest.mark.parametrize(
    ("title", "name"), [("a/b · c", "a_b.c"), ("..", "board"), ("é$", "board")]
)
def test_file_names_are_plain(title, name):
    assert plain(title) == name


def test_earlier_figures_go(tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "old.png").write_bytes(b"old")
    (tmp_path / "plots" / "notes.txt").write_text("mine")
    write_plots(shown(tmp_path, *records(("a", "b"))), tmp_path / "plots")
    assert not (tmp_path / "plots" / "old.png").exists()
    assert (tmp_path / "plots" / "notes.txt").exists()
