"""`salon verify`: published values beside ours, and the experiments that measure them."""

import hashlib
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_inception import made_weights
from made_records import record, store
from made_weights import made_state
from torchvision.models import vgg16

from bench.cli import main
from bench.composed import composed
from bench.records import read_record, record_paths
from bench.stated_values import stated_values
from bench.verify import AGREES, DIFFERS, NOT_COMPARABLE, NOT_MEASURED, verdicts

EXPERIMENTS = [
    "reference_values",
    "reference_values_256",
    "reference_values_train",
    "reference_values_clip",
    "reference_values_adm",
]


def measured(stated, value, *more, **changes):
    """A record of the cell that a stated value belongs to, with further (score, value) pairs."""
    rows = {"rows": stated.num_fake, "rows_rule": stated.rows} if stated.rows else {"rows": None}
    setting = dict([stated.setting.split("=")]) if stated.setting else {}
    fields = {
        "dataset": {
            "name": stated.dataset,
            "config": {"split": stated.real_split, **(rows if stated.num_real else {})},
        },
        "generator": {
            "name": stated.generator,
            "config": {"source": {"split": stated.fake_split, **rows}},
        },
        "protocol": {"name": stated.protocol, "config": {}},
        "metric": {"name": stated.metric, "config": setting},
        "identities": {"backbone": {"weights_sha256": stated.weights + "0" * 56}},
        "num_real": stated.num_real or 10_000,
        "num_fake": stated.num_fake,
    }
    made = record(
        metric=stated.metric,
        backbone=stated.backbone,
        scores={stated.score: value, **dict(more)},
        config=[stated.dataset, stated.num_fake],
        num_fake=stated.num_fake,
    )
    return replace(made, **fields | changes)


def whole_table():
    """One record a metric and count, as a sweep writes them, each equal to the stated values."""
    cells = {}
    for one in stated_values():
        cells.setdefault((one.dataset, one.backbone, one.metric, one.num_fake), []).append(one)
    pairs = [[(one.score, one.stated) for one in cell] for cell in cells.values()]
    return [
        measured(cell[0], cell[0].stated, *pair)
        for cell, pair in zip(cells.values(), pairs, strict=True)
    ]


def only(results, stated):
    """The verdicts on one stated value."""
    return [one for one in verdicts(results) if one.stated == stated]


def test_records_equal_to_the_stated_values_agree(tmp_path, capsys):
    stated = stated_values()
    store(tmp_path, *whole_table())
    assert [one.verdict for one in verdicts(tmp_path)] == [AGREES] * len(stated)
    code, out, _ = typed(capsys, tmp_path)
    assert code == 0 and f"{len(stated)} agrees, 0 differs" in out
    assert "10.32333" in out and "torch_versions_ge_1_13_0" in out


@pytest.mark.parametrize("stated", stated_values(), ids=lambda one: f"{one.score}{one.num_fake}")
def test_a_difference_beyond_the_tolerance_differs_and_within_it_agrees(tmp_path, stated):
    for step, verdict in ((0.9, AGREES), (-1.1, DIFFERS)):
        results = tmp_path / verdict
        store(results, measured(stated, stated.stated + step * stated.tolerance))
        assert [one.verdict for one in only(results, stated)] == [verdict]


FID = stated_values()[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"num_fake": 4000}, "fake images 4000, stated with 5000"),
        ({"num_real": 4000}, "real images 4000, stated with 5000"),
        ({"deviations": ["metrics.fid.ddof: 0 (torch_fidelity: 1)"]}, "deviates: metrics.fid.ddof"),
        ({"deviations": ["backbone.inception.resize: x (y)"]}, "deviates: backbone.inception.res"),
        (
            {"generator": {"name": FID.generator, "config": {"source": {"split": "test"}}}},
            "fake split test, stated with train",
        ),
        (
            {"dataset": {"name": FID.dataset, "config": {"split": "test", "rows": None}}},
            "real rows , stated with numpy_2020",
        ),
    ],
)
def test_what_was_measured_otherwise_is_not_comparable_even_at_the_same_value(
    tmp_path, changes, reason, capsys
):
    store(tmp_path, measured(FID, FID.stated, **changes))
    found = only(tmp_path, FID)
    assert [one.verdict for one in found] == [NOT_COMPARABLE] and reason in found[0].reason
    code, out, _ = typed(capsys, tmp_path)
    assert code == 8 and "0 agrees, 0 differs" in out and reason in out


def test_deviations_that_are_not_of_the_score_do_not_matter(tmp_path):
    others = [
        "metrics.kid_subsets.subset_size: 64 (torch_fidelity: 1000)",
        "backbone.inception.weights: file.pth (torch_fidelity: published)",
    ]
    store(tmp_path, measured(FID, FID.stated, deviations=others))
    assert only(tmp_path, FID)[0].verdict == AGREES


def test_other_weights_are_told_beside_the_verdict(tmp_path):
    identities = {"backbone": {"weights_sha256": "ab" * 32}}
    store(tmp_path, measured(FID, 12.0, identities=identities))
    found = only(tmp_path, FID)[0]
    assert found.verdict == DIFFERS and found.reason == "weights abababab, not 6726825d"


@pytest.mark.parametrize("stated", stated_values(), ids=lambda one: f"{one.score}{one.num_fake}")
def test_random_weights_agree_with_no_stated_value(tmp_path, stated):
    store(tmp_path, measured(stated, stated.stated, identities={"backbone": {"seed": 0}}))
    found = only(tmp_path, stated)[0]
    assert found.verdict == NOT_COMPARABLE
    assert found.reason == f"weights random, stated with {stated.weights}" and stated.weights


def test_values_that_were_not_measured_fail_nothing(tmp_path, capsys):
    store(tmp_path, measured(FID, FID.stated))
    seen = {one.verdict for one in verdicts(tmp_path)}
    assert seen == {AGREES, NOT_MEASURED}
    assert typed(capsys, tmp_path)[0] == 0


def test_no_record_at_all_says_what_to_type(tmp_path, capsys):
    code, _, err = typed(capsys, tmp_path)
    assert code == 6 and "salon sweep experiment=reference_values" in err


def typed(capsys, results):
    with pytest.raises(SystemExit) as ending:
        main(["verify", f"paths.results={results}"])
    captured = capsys.readouterr()
    return ending.value.code, captured.out, captured.err


CIFAR10 = [name for name in EXPERIMENTS if name != "reference_values_adm"]


@pytest.mark.parametrize("name", CIFAR10)
def test_the_experiment_compares_the_training_split_with_the_test_split(name):
    config = composed("score", [f"experiment={name}", "dataset.path=here"])
    source = config.generator.source
    assert (config.dataset.split, source.split) == ("test", "train")
    assert (source.path, source.rows) == ("here", config.dataset.rows)
    assert source.rows_rule == config.dataset.rows_rule == "numpy_2020"
    assert config.protocol.name == "torch_fidelity" and len(config.backbone)


def test_every_stated_value_belongs_to_an_experiment():
    counts = set()
    for name in EXPERIMENTS:
        config = composed("score", [f"experiment={name}"])
        counts |= {(config.dataset.get("rows"), metric) for metric in config.metrics}
    for one in stated_values():
        rows = one.num_fake if one.rows else None
        assert (rows, one.metric) in counts | {(100, "inception_score"), (None, "inception_score")}


def cifar10(folder, batch, test):
    """Random images in the published layout, and the words that name them and their md5.

    Args:
        folder: where to.
        batch: images of each of the five files of the training split.
        test: images of the test split.
    """
    stream, sums = np.random.default_rng(0), []
    folder.mkdir()
    counts = {f"data_batch_{number}": batch for number in range(1, 6)} | {"test_batch": test}
    for name, count in counts.items():
        data = stream.integers(0, 256, (count, 3072), dtype=np.uint8)
        labels = [index % 10 for index in range(count)]
        content = pickle.dumps({b"data": data, b"labels": labels}, protocol=2)
        (folder / name).write_bytes(content)
        sums.append(f"{name}:'{hashlib.md5(content).hexdigest()}'")
    return [
        *(f"dataset.path={folder}", f"+dataset.md5={{{','.join(sums)}}}"),
        "+generator.source.md5=${dataset.md5}",
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Backbone -> random weights of the published layout."""
    folder = tmp_path_factory.mktemp("weights")
    made = {"inception": made_weights(folder), "vgg16": folder / "vgg16.pth"}
    torch.save(made_state(vgg16(init_weights=False).state_dict()), made["vgg16"])
    yield made
    made["vgg16"].unlink()  # 553 MB


def lines_of(out, score):
    return [line for line in out.splitlines() if f" {score} " in line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "count"),
    [
        ("reference_values", 5000),
        pytest.param("reference_values_256", 256, marks=pytest.mark.long),
    ],
)
def test_the_experiment_runs_up_to_the_comparison(
    salon, tmp_path, capsys, files, experiment, count
):
    done = salon(
        *("sweep", f"experiment={experiment}", "paths.results=results"),
        *cifar10(tmp_path / "cifar", batch=30, test=30),
        *(f"backbone.{name}.weights={path}" for name, path in files.items()),
        *("dataset.rows=12", "metrics.kid_subsets.subset_size=8"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    code, out, _ = typed(capsys, tmp_path / "results")
    assert code == 8 and "0 agrees, 0 differs" in out
    for score in (
        *("fid.fid", "kid_subsets.kid_mean", "kid_subsets.kid_std"),
        *("inception_score.is_mean", "inception_score.is_std"),
        *("precision_recall.precision", "precision_recall.recall"),
    ):
        (line,) = (one for one in lines_of(out, score) if re.search(rf"stated with {count}\b", one))
        assert line.startswith("not comparable") and "fake images 12" in line


def adm_files(folder):
    """A reference and samples as guided-diffusion publishes them, with random values; words."""
    stream = np.random.default_rng(0)
    images = {name: stream.integers(0, 256, (12, 64, 64, 3), dtype=np.uint8) for name in "rf"}
    moments = {}
    for end, width in (("", 2048), ("_s", 2023)):
        rows = stream.normal(size=(2 * width, width))
        moments |= {f"mu{end}": rows.mean(axis=0), f"sigma{end}": np.cov(rows, rowvar=False)}
    np.savez(folder / "reference.npz", arr_0=images["r"], **moments)
    np.savez(folder / "samples.npz", arr_0=images["f"], arr_1=np.arange(12))
    return [f"dataset.path={folder}/reference.npz", f"generator.path={folder}/samples.npz"]


@pytest.mark.long
def test_the_experiment_of_adm_runs_on_files_of_its_layout(salon, tmp_path, capsys, files):
    done = salon(
        *("sweep", "experiment=reference_values_adm", "paths.results=results"),
        *(*adm_files(tmp_path), f"backbone.inception.weights={files['inception']}"),
        "protocol.num_fake=12",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    code, out, _ = typed(capsys, tmp_path / "results")
    assert code == 8 and "0 agrees, 0 differs, 5 not comparable" in out
    for score in ("fid.fid", "sfid.sfid", "inception_score.is_mean"):
        (line,) = (one for one in lines_of(out, score) if "adm_g_adm_u" in one)
        assert "fake images 12, stated with 50000" in line


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_experiment_of_the_training_split_measures_it_whole_and_in_part(
    salon, tmp_path, capsys, files
):
    done = salon(
        *("sweep", "experiment=reference_values_train", "paths.results=results"),
        *cifar10(tmp_path / "cifar", batch=21, test=105),
        f"backbone.inception.weights={files['inception']}",
        timeout=900,
    )
    assert done.returncode == 0 and "2 done" in done.stdout, done.stdout + done.stderr
    records = map(read_record, record_paths(tmp_path / "results"))
    assert sorted(one.num_fake for one in records) == [100, 105]
    code, out, _ = typed(capsys, tmp_path / "results")
    assert code == 8 and "0 agrees, 1 differs" in out
