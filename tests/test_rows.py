"""Rows that a protocol draws: other rows are other images, whatever the rule says in words."""

import numpy as np
import pytest
from made_images import Ramp

from bench.rows import DRAW_VERSION, RowsOf, drawn_rows

COUNT, ROWS = 60, 24
SMALL = ["backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"]


def test_the_two_sides_draw_other_rows_and_their_contents_tell():
    real, fake = (drawn_rows(COUNT, ROWS, 0, side) for side in ("real", "fake"))
    assert list(real) != list(fake)
    drawn = [RowsOf(Ramp(COUNT), rows, {"rows": ROWS, "seed": 0}) for rows in (real, fake, real)]
    contents = [source.content() for source in drawn]
    assert contents[0] != contents[1] and contents[0] == contents[2]
    assert not np.array_equal(drawn[0].read(range(ROWS)), drawn[1].read(range(ROWS)))


def test_a_drawn_reference_names_its_draw_in_the_comparison(measure, images):
    words = [*SMALL, "metrics=[fid]", "dataset=npy", f"dataset.path={images}"]
    words += ["generator=npy", f"generator.path={images}"]
    drawn, _ = measure(*words, f"protocol.num_real={ROWS}")
    whole, _ = measure(*words)
    assert drawn.measurements[0].comparison["dataset"]["draw"] == DRAW_VERSION
    assert "draw" not in whole.measurements[0].comparison["dataset"]


def scores(measured):
    return {name: value for line in measured[1].lines for name, value in line.scores.items()}


@pytest.fixture
def images(tmp_path):
    """One set of images, for both sides."""
    made = np.random.default_rng(0).integers(0, 256, (COUNT, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", made)
    return tmp_path / "images.npy"


def test_the_same_set_on_both_sides_is_split_and_never_scored_against_itself(
    measure, tmp_path, images
):
    """Also where both draws have one size and one seed, and one cache."""
    words = [f"paths.cache={tmp_path / 'cache'}", *SMALL, "metrics=[fid,precision_recall]"]
    words += ["dataset=npy", f"dataset.path={images}", "generator=npy", f"generator.path={images}"]
    split = scores(measure(*words, f"protocol.num_real={ROWS}", f"protocol.num_fake={ROWS}"))
    itself = scores(measure(*words))
    assert abs(itself["fid"]) < 1e-6 and itself["precision"] == itself["recall"] == 1
    assert split["fid"] > 1 and split["precision"] < 1 and split["recall"] < 1


def test_what_one_job_draws_as_fake_is_no_other_jobs_reference(measure, tmp_path, images):
    """A score does not depend on which job ran first."""
    other = tmp_path / "other.npy"
    made = np.random.default_rng(1).integers(0, 200, (ROWS, 16, 16, 3), dtype=np.uint8)
    np.save(other, made)

    def measured(cache, path, metric):
        return measure(
            *(f"paths.cache={tmp_path / cache}", *SMALL, f"metrics=[{metric}]", "dataset=npy"),
            *(f"dataset.path={images}", "generator=npy", f"generator.path={path}"),
            *(f"protocol.num_real={ROWS}", f"protocol.num_fake={ROWS}"),
            f"paths.results={tmp_path / cache / 'results'}",
        )

    measured("warm", images, "inception_score")  # of the generated side alone
    assert scores(measured("warm", other, "fid")) == scores(measured("cold", other, "fid"))
