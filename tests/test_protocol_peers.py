"""Presets named after installed packages give those packages' own scores on the same files.

Every test runs the package from its files or images to its score, on random weights of the
published layout. 12 images a side leave covariances of 2048 features without full rank, where the
packages' matrix roots keep few digits, and their kernels are of float32: hence 1e-4 of a FID and of
a KID (seen: 2e-5 and 4e-5); the presets lie 1e-3 and more apart. Roots of 2048 features take up to
30 s, so `make test` compares FIDs of 192, and `make test-long` those of all.
"""

import numpy as np
import pytest
import torch
from made_inception import Sides, made_weights, pytorch_fids_network, scores

from models.quantise import Quantise, to_uint8

SIZES = [pytest.param(32, marks=pytest.mark.long), 400]  # around the network's 299; FIDs: of 64 px
LAYERS = [192, pytest.param(2048, marks=pytest.mark.long)]
CLOSE = 1e-4


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return made_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=SIZES)
def sides(request, tmp_path_factory):
    return Sides(tmp_path_factory.mktemp("images"), request.param)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return Sides(tmp_path_factory.mktemp("images"), 64)


@pytest.fixture(scope="module")
def network(weights):
    with pytorch_fids_network(weights) as network:
        yield network


@pytest.fixture
def score(measure, weights, cache):
    def run(sides, *words):
        return scores(measure(*words, *sides.words(weights, cache))[1])

    return run


def of_layer(layer):
    """A FID of the outputs of one of Inception's four poolings."""
    return "metrics=[fid]", f"backbone.inception.layer={layer}"


def torch_fidelity(sides, weights, **what):
    peer = pytest.importorskip("torch_fidelity")
    return peer.calculate_metrics(
        input1=str(sides.folders["fake"]),
        input2=str(sides.folders["real"]),
        **{"cuda": False, "cache": False, "verbose": False, "batch_size": 12},
        feature_extractor="inception-v3-compat",
        feature_extractor_weights_path=weights,
        **what,
    )


def test_torch_fidelity_kid_with_its_draws_and_inception_score_and_precision_and_recall(
    score, sides, weights
):
    what = {"kid": True, "isc": True, "prc": True}
    expected = torch_fidelity(sides, weights, **what, kid_subset_size=8, kid_subsets=20)
    found = score(
        *(
            sides,
            "protocol=torch_fidelity",
            "metrics=[kid_subsets,inception_score,precision_recall]",
        ),
        *("metrics.kid_subsets.subset_size=8", "metrics.kid_subsets.subsets=20"),
    )
    for kind in ("mean", "std"):
        kid, isc = f"kernel_inception_distance_{kind}", f"inception_score_{kind}"
        assert found[f"kid_{kind}"] == pytest.approx(expected[kid], rel=CLOSE)
        assert found[f"is_{kind}"] == pytest.approx(expected[isc], rel=CLOSE)
    assert found["precision"] == expected["precision"]
    assert found["recall"] == expected["recall"]
    assert found["is_mean"] > 1.0005 and found["recall"] > 0


@pytest.mark.parametrize("layer", LAYERS)
def test_torch_fidelity_fid(score, usual, weights, layer):
    told = torch_fidelity(usual, weights, fid=True, feature_layer_fid=str(layer))
    expected = told["frechet_inception_distance"]
    found = score(usual, "protocol=torch_fidelity", *of_layer(layer))
    assert found["fid"] == pytest.approx(expected, rel=CLOSE)


def pytorch_fid(monkeypatch, weights):
    peer = pytest.importorskip("pytorch_fid.inception")
    state = torch.load(weights, weights_only=True)
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: state)


def nuclear_norm_distance(real, fake):
    """The Frechet distance with ddof 1, exact for few rows."""
    rows = [(x - x.mean(0)) / (len(x) - 1) ** 0.5 for x in (real, fake)]
    overlap = np.linalg.norm(rows[0] @ rows[1].T, "nuc")
    gap = real.mean(0) - fake.mean(0)
    return gap @ gap + sum((x**2).sum() for x in rows) - 2 * overlap


def test_pytorch_fid_by_its_features(score, sides, weights, monkeypatch):
    pytorch_fid(monkeypatch, weights)
    peer = pytest.importorskip("pytorch_fid.fid_score")
    files = {name: sorted(folder.iterdir()) for name, folder in sides.folders.items()}
    network = peer.InceptionV3([3])
    rows = {n: peer.get_activations(f, network, 12, num_workers=0) for n, f in files.items()}
    found = score(sides, "protocol=pytorch_fid", "metrics=[fid]")
    assert found["fid"] == pytest.approx(nuclear_norm_distance(**rows), rel=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_pytorch_fid_as_its_command_gives_it(score, usual, weights, monkeypatch, layer):
    pytorch_fid(monkeypatch, weights)
    peer = pytest.importorskip("pytorch_fid.fid_score")
    paths = [str(usual.folders[name]) for name in ("real", "fake")]
    expected = peer.calculate_fid_given_paths(paths, 12, "cpu", layer, num_workers=0)
    found = score(usual, "protocol=pytorch_fid", *of_layer(layer))
    assert found["fid"] == pytest.approx(expected, rel=CLOSE)


def torchmetrics_network(weights, layer, antialias=True):
    peer = pytest.importorskip("torchmetrics.image.fid")
    return peer.NoTrainInceptionV3("peer", [layer], str(weights), antialias)


@pytest.mark.parametrize(
    ("preset", "antialias"), [("torchmetrics", True), ("torchmetrics_no_antialias", False)]
)
def test_torchmetrics_kid_of_everything_and_inception_score(
    score, sides, weights, monkeypatch, preset, antialias
):
    """Its order of images for the splits is random there, so it is taken out on both sides."""
    peer = pytest.importorskip("torchmetrics.image")
    kid = peer.KernelInceptionDistance(
        torchmetrics_network(weights, "2048", antialias), subsets=1, subset_size=12
    )
    kid.update(sides.real, real=True)
    kid.update(sides.fake, real=False)
    isc = peer.InceptionScore(torchmetrics_network(weights, "logits_unbiased", antialias))
    isc.update(sides.fake)
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.arange(n))
    mean, deviation = map(float, isc.compute())
    expected = float(kid.compute()[0])
    monkeypatch.undo()
    found = score(
        *(sides, f"protocol={preset}", "metrics=[kid_subsets,inception_score]"),
        *("metrics.inception_score.shuffle=none", "metrics.kid_subsets.subset_size=12"),
    )
    assert found["kid_mean"] == pytest.approx(expected, rel=CLOSE)
    assert found["is_mean"] == pytest.approx(mean, rel=1e-5)
    assert found["is_std"] == pytest.approx(deviation, rel=1e-4)


@pytest.mark.parametrize(
    ("preset", "switch"),
    [
        ("torchmetrics", {}),
        pytest.param("torchmetrics_no_antialias", {"antialias": False}, marks=pytest.mark.long),
    ],
)
def test_torchmetrics_fid_as_by_default_and_without_antialias(
    score, usual, weights, preset, switch
):
    peer = pytest.importorskip("torchmetrics.image")
    fid = peer.FrechetInceptionDistance(feature_extractor_weights_path=str(weights), **switch)
    fid.update(usual.real, real=True)
    fid.update(usual.fake, real=False)
    found = score(usual, f"protocol={preset}", "metrics=[fid]")
    assert found["fid"] == pytest.approx(float(fid.compute()), rel=CLOSE)


@pytest.mark.parametrize(
    ("preset", "antialias"), [("torchmetrics", True), ("torchmetrics_no_antialias", False)]
)
def test_torchmetrics_mifid(score, usual, weights, preset, antialias):
    """On 192 features, whose root takes no time."""
    peer = pytest.importorskip("torchmetrics.image.mifid")
    network = torchmetrics_network(weights, "192", antialias)
    mifid = peer.MemorizationInformedFrechetInceptionDistance(network)
    mifid.update(usual.real, real=True)
    mifid.update(usual.fake, real=False)
    words = (f"protocol={preset}", "backbone.inception.layer=192", "metrics=[fid,mifid]")
    found = score(usual, *words)
    assert found["mifid"] == pytest.approx(float(mifid.compute()), rel=CLOSE)
    assert found["mifid"] > 2 * found["fid"]


def test_torchmetrics_default_is_not_torch_fidelity(score, usual):
    """It was up to 1.7; a change upstream shows here and above."""
    found = [score(usual, f"protocol={p}", "metrics=[fid]")["fid"] for p in PAIR]
    assert abs(found[0] / found[1] - 1) > 1e-3


PAIR = ("torchmetrics", "torch_fidelity")


def test_torchmetrics_quantises_normalised_images_as_adm_does():
    unit = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    theirs, ours = (unit * 255).byte(), to_uint8(2 * unit - 1, Quantise.adm)
    assert (theirs == ours).double().mean() > 0.9999  # rounding of floats at the steps
    assert (theirs == to_uint8(2 * unit - 1, Quantise.stylegan)).double().mean() < 0.6


def clean_fids_network(network):
    """The graph behind its TorchScript file, in pytorch-fid's code; images 0..255 at 299 px."""
    return lambda images: network((images - 128) / 128)[0].mean((2, 3))


CLEAN = {"device": torch.device("cpu"), "num_workers": 0, "verbose": False}


def test_clean_fid_kid_of_everything(score, sides, network, monkeypatch):
    peer = pytest.importorskip("cleanfid.fid")
    monkeypatch.setattr(
        peer, "build_feature_extractor", lambda *_, **__: clean_fids_network(network)
    )
    folders = str(sides.folders["real"]), str(sides.folders["fake"])
    expected = peer.compute_kid(*folders, mode="clean", **CLEAN)
    found = score(sides, "protocol=clean_fid", "metrics=[kid_subsets]")
    assert found["kid_mean"] == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("layer", LAYERS)
def test_clean_fid_fid(score, usual, weights, layer):
    peer = pytest.importorskip("cleanfid.fid")
    folders = str(usual.folders["real"]), str(usual.folders["fake"])
    with pytorch_fids_network(weights, layer) as network:
        own = {"custom_feat_extractor": clean_fids_network(network)}
        expected = peer.compute_fid(*folders, mode="clean", **own, **CLEAN)
    found = score(usual, "protocol=clean_fid", *of_layer(layer))
    assert found["fid"] == pytest.approx(expected, rel=CLOSE)


def test_clean_fids_mode_legacy_pytorch_is_pytorch_fid(score, sides, weights, monkeypatch):
    """Its own copy of the network and its own resizer; all rows make a subset."""
    peer = pytest.importorskip("cleanfid.fid")
    state = torch.load(weights, weights_only=True)
    monkeypatch.setattr(
        "cleanfid.inception_pytorch.load_state_dict_from_url", lambda *_, **__: state
    )
    folders = str(sides.folders["real"]), str(sides.folders["fake"])
    legacy = {"mode": "legacy_pytorch", "use_dataparallel": False}
    expected = peer.compute_kid(*folders, **legacy, **CLEAN)
    found = score(sides, "protocol=pytorch_fid", "metrics=[kid]")
    assert found["kid"] == pytest.approx(expected, rel=CLOSE)
