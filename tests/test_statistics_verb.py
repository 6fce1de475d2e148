"""`salon statistics`: what it writes is what salon and the peers read."""

import json
from itertools import product

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import calculate_frechet_distance, compute_statistics_of_path

from bench.cli import main
from bench.composed import composed
from bench.datasets.statistics import Statistics
from bench.datasets.statistics_origin import Origin
from bench.errors import ConfigError, DatasetError
from bench.feature_set import FeatureSet
from bench.images import ImageSource
from bench.layout_pixels import check_pixels
from bench.records import read_record, record_paths
from bench.statistics import main as statistics
from bench.statistics_file import Layout, contents, write

NETWORK = ["backbone=[resnet18_random]", "backbone.resnet18_random.resolution=16"]


def rows(count, *, seed, width=6):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


@pytest.fixture
def features(tmp_path):
    """Words that write statistics of 200 ready features, and the features."""
    np.save(tmp_path / "real.npy", rows(200, seed=0))
    np.save(tmp_path / "fake.npy", rows(90, seed=1) + 0.2)
    return ["dataset=features", f"dataset.path={tmp_path}/real.npy", "backbone=[precomputed]"]


def score_words(tmp_path, *words):
    fake = ["generator=features", f"generator.path={tmp_path}/fake.npy", "backbone=[precomputed]"]
    return [*fake, *words, "metrics=[fid]"]


def fid(report):
    return report.lines[0].scores["fid"]


def test_the_fid_to_the_statistics_is_that_to_the_dataset(tmp_path, measure, small):
    out = tmp_path / "digits.npz"
    assert statistics(["dataset=digits", *NETWORK, "protocol.num_real=600", f"out={out}"]) == 0
    words = [*NETWORK, "protocol.num_fake=100", "metrics=[fid]"]
    _, whole = measure(*words, "dataset=digits", "protocol.num_real=600")
    fake = [
        "generator=dataset",
        "dataset@generator.source=digits",
        "generator.source.split=holdout",
    ]
    _, given = measure(*words, "dataset=statistics", f"dataset.path={out}", *fake)
    assert fid(given) == pytest.approx(fid(whole), rel=1e-10)
    record = read_record_of(tmp_path, "digits-holdout")
    assert record.num_real == 600 and "reference.moments_of_unknown_origin" not in record.flags
    origin = record.identities["reference"]["origin"]
    assert origin["dataset"]["name"] == "digits" and origin["protocol"] == "salon"


def read_record_of(tmp_path, generator):
    records = map(read_record, record_paths(tmp_path / "results"))
    return next(record for record in records if record.generator["name"] == generator)


def test_the_error_is_the_fakes_alone(tmp_path, measure, features):
    statistics([*features, f"out={tmp_path}/s.npz"])
    _, whole = measure(*score_words(tmp_path, *features[:2]))
    _, given = measure(
        *score_words(tmp_path, "dataset=statistics", f"dataset.path={tmp_path}/s.npz")
    )
    assert fid(given) == pytest.approx(fid(whole), rel=1e-10)
    errors = {
        "reference given" in entry["interval_method"]: entry["standard_error"]
        for record in map(read_record, record_paths(tmp_path / "results"))
        for entry in record.scores.values()
    }
    assert 0 < errors[True] < errors[False]


@pytest.mark.parametrize("layout", ["edm", "clean_fid", "pytorch_fid"])
def test_peers_read_mean_and_covariance(layout, tmp_path, features):
    path = tmp_path / f"{layout}.npz"
    statistics([*features, f"out={path}", f"layout={layout}"])
    mean, covariance = compute_statistics_of_path(str(path), None, 1, 6, "cpu")
    real, fake = rows(200, seed=0).astype(float), (rows(90, seed=1) + 0.2).astype(float)
    np.testing.assert_allclose(mean, real.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(real, rowvar=False), rtol=1e-12)
    sides = fake.mean(axis=0), np.cov(fake, rowvar=False)
    found = calculate_frechet_distance(mean, covariance, *sides)
    assert found == pytest.approx(
        calculate_frechet_distance(real.mean(axis=0), np.cov(real, rowvar=False), *sides), rel=1e-9
    )
    with np.load(path, allow_pickle=False) as file:
        assert set(file) == {"mu", "sigma", "salon"}
        assert json.loads(bytes(file["salon"]))["count"] == 200


def test_the_same_statistics_are_the_same_bytes(tmp_path, features):
    for name in ("a", "b"):
        statistics([*features, f"out={tmp_path}/{name}.npz"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


class Squares(ImageSource):
    """150 images of one grey each."""

    def __len__(self):
        return 150

    def read(self, indices):
        greys = torch.tensor(list(indices), dtype=torch.uint8)
        return greys[:, None, None, None].expand(-1, 3, 8, 4).contiguous()

    def content(self):
        return {"fingerprint": "squares"}


def adm(path):
    found = contents(
        FeatureSet(
            torch.from_numpy(rows(150, seed=0)), spatial=torch.from_numpy(rows(150, seed=1))
        ),
        images=(Squares(), range(0, 150, 2)),
        spatial=True,
        known={
            "dataset": {"name": "squares"},
            "backbone_name": "inception",
            "backbone": {"architecture": "net", "resize": "tf1_bilinear", "width": 6},
            "protocol": "adm",
        },
    )
    write(path, Layout.adm, {"inception": found})
    return path


def test_adms_layout_holds_what_its_evaluator_asks_for(tmp_path):
    with np.load(adm(tmp_path / "ref.npz")) as file:
        assert list(file) == ["arr_0", "mu", "sigma", "mu_s", "sigma_s", "salon"]
        images = file["arr_0"]
        assert images.shape == (75, 8, 4, 3) and images.dtype == np.uint8
        assert images[:, 0, 0, 0].tolist() == list(range(0, 150, 2))
        spatial = rows(150, seed=1).astype(float)
        np.testing.assert_allclose(file["sigma_s"], np.cov(spatial, rowvar=False), rtol=1e-12)


def test_adms_layout_comes_back_with_its_images(tmp_path):
    path = adm(tmp_path / "ref.npz")
    given = Statistics(path=str(path), images=True).open("reference", manifests=tmp_path)
    assert len(given.images) == 75 and given.count == 150 and given.backbone == "inception"
    assert given.spatial is not None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"resize": "pytorch"}, r"resize tf1_bilinear \(here pytorch\)"),
        ({"weights_sha256": "1"}, r"weights_sha256 None \(here 1\)"),
        ({"width": 7}, "moments of 6 features, and backbone inception gives 7"),
    ],
)
def test_another_network_is_refused(changed, words, tmp_path):
    given = Statistics(path=str(adm(tmp_path / "ref.npz"))).open("reference", manifests=tmp_path)
    same = {"architecture": "net", "resize": "tf1_bilinear", "width": 6}
    given.check_backbone("inception", {**same, "logits_bias": True, "optimise": True})
    with pytest.raises(DatasetError, match=words):
        given.check_backbone("inception", {**same, **changed})


def test_another_extraction_is_refused(tmp_path, monkeypatch):
    given = Statistics(path=str(adm(tmp_path / "ref.npz"))).open("reference", manifests=tmp_path)
    monkeypatch.setattr("bench.features.EXTRACTION_VERSION", 99)
    with pytest.raises(DatasetError, match=r"extraction \d+ \(here 99\)"):
        given.check_backbone("inception", given.origin.backbone)


def test_statistics_of_another_seed_are_refused_by_the_job(tmp_path, measure):
    out = tmp_path / "digits.npz"
    statistics(["dataset=digits", *NETWORK, "protocol.num_real=20", f"out={out}"])
    np.save(tmp_path / "images.npy", np.zeros((4, 8, 8, 3), np.uint8))
    words = ["generator=npy", f"generator.path={tmp_path}/images.npy", "metrics=[fid]", *NETWORK]
    words += ["dataset=statistics", f"dataset.path={out}", "backbone.resnet18_random.seed=1"]
    _, report = measure(*words)
    (line,) = report.lines
    assert line.code == 3 and "seed 0 (here 1)" in line.reason


def test_a_file_whose_arrays_were_changed_is_refused(tmp_path):
    with np.load(adm(tmp_path / "ref.npz")) as file:
        arrays = dict(file)
    np.savez(tmp_path / "other.npz", **{**arrays, "mu": arrays["mu"] + 1e-9})
    with pytest.raises(DatasetError, match="not those that salon wrote"):
        Statistics(path=str(tmp_path / "other.npz")).open("reference", manifests=tmp_path)


NO_COUNT = Origin(
    **{"moments": "", "dataset": {}, "backbone_name": "a", "backbone": {}, "protocol": "salon"},
    **{"count": "many", "ddof": 1, "extraction": 3},
).encode()


@pytest.mark.parametrize("entry", [b"{", b"[]", b'{"schema": 1}', b'{"schema": 2}', b"3", NO_COUNT])
def test_a_damaged_entry_is_refused(entry, tmp_path):
    with pytest.raises(DatasetError, match="its entry `salon`"):
        Origin.read(entry, where=tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["out=a.txt"], r"ends in \.npz"),
        ([], "out"),
        (["out=a.npz", "layout=tf"], "layout"),
        (["out=a.npz", "images=0"], "images: found 0"),
        (["out=a.npz", "layuot=edm"], "layuot"),
        (["out=a.npz", "backbone=[resnet18_random,efficientnet_lite0]"], "one backbone"),
        (["out=a.npz", "layout=adm", "backbone=[resnet18_random]"], "spatial"),
        (["out=a.npz", "layout=edm2"], r"layout=edm2 is for a name that ends in \.pkl"),
        (["out=a.pkl", "layout=edm2", "backbone=[resnet18_random]"], "EDM2 has inception and"),
        (["out=a.npz", "backbone=[precomputed]"], "features go with"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        statistics(["dataset=digits", *words])
    assert not list(tmp_path.glob("*.npz"))


LAYOUTS = [layout.name for layout in Layout]
INCEPTION = ["backbone=[inception]", "backbone.inception.weights=random"]


def pixels_are_refused(*words, layout, name="inception"):
    """The refusal, or None; nothing is measured."""
    try:
        check_pixels(composed("statistics", ["out=a.npz", *words]), name, Layout[layout])
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_goes_with_the_protocol_of_its_name(layout):
    assert pixels_are_refused(*INCEPTION, f"protocol={layout}", layout=layout) is None


def test_the_layouts_and_protocols_that_go_together_are_those_of_equal_pixels():
    together = {
        (layout, protocol)
        for layout, protocol in product(LAYOUTS, [*LAYOUTS, "salon"])
        if pixels_are_refused(*INCEPTION, f"protocol={protocol}", layout=layout) is None
    }
    tf1 = ["adm", "edm", "edm2"]
    assert together == {
        *product(tf1, [*tf1, "salon"]),
        ("pytorch_fid", "pytorch_fid"),
        ("clean_fid", "clean_fid"),
    }


@pytest.mark.parametrize("key", ["resize=pil_box", "scaling=clip", "resolution=224"])
def test_other_pixels_beside_the_right_protocol_are_refused_too(key):
    words = [*INCEPTION, "protocol=pytorch_fid", f"backbone.inception.{key}"]
    assert key in pixels_are_refused(*words, layout="pytorch_fid")


def test_a_backbone_that_the_tool_does_not_have_is_written_in_any_layout():
    assert pixels_are_refused(*NETWORK, layout="pytorch_fid", name="resnet18_random") is None


@pytest.mark.parametrize("layout", ["clean_fid", "pytorch_fid"])
def test_the_command_names_the_protocol_to_type(layout, tmp_path, capsys):
    words = ["dataset=digits", *INCEPTION, f"out={tmp_path}/s.npz", f"layout={layout}"]
    with pytest.raises(SystemExit) as ending:
        main(["statistics", *words])
    (line,) = capsys.readouterr().err.splitlines()
    assert ending.value.code == 2 and f"type protocol={layout}" in line
    assert not (tmp_path / "s.npz").exists()


def test_a_file_that_is_there_is_never_written_over(tmp_path, features):
    statistics([*features, f"out={tmp_path}/s.npz"])
    with pytest.raises(ConfigError, match=r"s\.npz exists"):
        statistics([*features, f"out={tmp_path}/s.npz"])


def test_statistics_of_statistics_are_refused(tmp_path, features, capsys):
    statistics([*features, f"out={tmp_path}/s.npz"])
    words = ["dataset=statistics", f"dataset.path={tmp_path}/s.npz", "backbone=[precomputed]"]
    with pytest.raises(SystemExit) as ending:
        main(["statistics", *words, f"out={tmp_path}/t.npz"])
    assert ending.value.code == 2 and "no rows" in capsys.readouterr().err
