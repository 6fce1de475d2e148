"""Presets of peers that are not installed: scores of the whole road equal an independent form.

The form resizes, scales and computes in numpy and Pillow; its network is pytorch-fid's code on the
same random weights. Images are 64 px, so studiogan_friendly's pixels are studiogan_legacy's.
"""

import numpy as np
import pytest
import torch
from made_forms import (
    frechet,
    inception_score,
    kernel_distance,
    prdc,
    precision_recall,
    prepared,
)
from made_inception import Sides, made_weights, pytorch_fids_network, scores

CLOSE = 1e-5  # float32 features of two codes of one network
TF1 = ("tf1_bilinear", "tf")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return made_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    return Sides(tmp_path_factory.mktemp("images"), 64)


@pytest.fixture(scope="module")
def rows(weights, sides):
    """Resize and scaling -> what the form's network says of each side."""
    made = {}

    def find(resize, scaling):
        if (resize, scaling) not in made:
            made[resize, scaling] = embed(resize, scaling)
        return made[resize, scaling]

    with pytorch_fids_network(weights) as network:
        maps = []
        branch = network.blocks[2][6].branch1x1  # of Mixed_6d; its output is behind the ReLU
        branch.register_forward_hook(lambda *seen: maps.append(seen[2]))
        assert len(network.blocks[2]) == 8  # 5b to 6e

        def embed(resize, scaling):
            found = {}
            for side in ("real", "fake"):
                images = prepared(getattr(sides, side).numpy(), 299, resize, scaling)
                with torch.inference_mode():
                    features = network(torch.from_numpy(images).float())[0].flatten(1)
                channels = maps.pop()[:, :7].permute(0, 2, 3, 1).flatten(1)
                found[side] = features.double().numpy()
                found[f"{side}_map"] = channels.double().numpy()
            return found

        yield find


@pytest.fixture(scope="module")
def head(weights):
    state = torch.load(weights, weights_only=True)
    return state["fc.weight"].double().numpy(), state["fc.bias"].double().numpy()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def score(measure, sides, weights, cache):
    def run(preset, *words):
        given = sides.words(weights, cache)
        return scores(measure(f"protocol={preset}", *words, *given)[1])

    return run


def test_adm(score, rows, head):
    real, fake, real_map, fake_map = (
        rows(*TF1)[k] for k in ("real", "fake", "real_map", "fake_map")
    )
    found = score(
        *("adm", "metrics=[fid,sfid,inception_score,precision_recall]"),
        "metrics.inception_score.split_size=5",
    )
    parts = [range(0, 5), range(5, 10), range(10, 12)]  # the short one weighs the same
    expected = {
        "fid": frechet(real, fake, 1),
        "sfid": frechet(real_map, fake_map, 1),
        "is_mean": inception_score(fake @ head[0].T, parts).mean(),
        **precision_recall(real, fake, 3),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=CLOSE)


def test_stylegan3(score, rows, head):
    real, fake = rows(*TF1)["real"], rows(*TF1)["fake"]
    found = score("stylegan3", "metrics=[fid,kid_subsets,inception_score,precision_recall]")
    split = inception_score(
        fake @ head[0].T, [range(i * 12 // 10, (i + 1) * 12 // 10) for i in range(10)]
    )
    expected = {
        "fid": frechet(real, fake, 0),
        "kid_mean": kernel_distance(real, fake),  # every subset is all rows
        "is_mean": split.mean(),
        **precision_recall(real, fake, 3),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=CLOSE)
    assert found["is_std"] == pytest.approx(split.std(), rel=1e-4)  # small differences of scores


@pytest.mark.parametrize("preset", ["edm", "edm2"])
def test_edm_and_edm2(score, rows, preset):
    real, fake = rows(*TF1)["real"], rows(*TF1)["fake"]
    found = score(preset, "metrics=[fid]")
    assert found["fid"] == pytest.approx(frechet(real, fake, 1), rel=CLOSE)


def test_dgm_eval(score, rows, head):
    given = rows("torch_bilinear", "unit_symmetric")
    real, fake = given["real"], given["fake"]
    found = score("dgm_eval", "metrics=[fid,kid_subsets,inception_score,prdc]")
    order = np.random.RandomState(2020).permutation(12)
    split = inception_score(fake @ head[0].T, [order[i : i + 1] for i in range(10)])  # 2 dropped
    expected = {
        "fid": frechet(real, fake, 1),
        "kid_mean": kernel_distance(real, fake),
        "is_mean": split.mean(),
        **prdc(real, fake, 5),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize(
    ("preset", "resize"),
    [
        ("studiogan_legacy", "torch_bilinear"),
        ("studiogan_friendly", "torch_bilinear"),  # equal pixels up to 299 px
        ("studiogan_clean", "pil_bicubic_unclipped"),
    ],
)
def test_studiogan(score, rows, head, preset, resize):
    given = rows(resize, "unit_symmetric")
    real, fake = given["real"], given["fake"]
    found = score(preset, "metrics=[fid,inception_score,prdc]")
    expected = {
        "fid": frechet(real, fake, 1),
        "is_mean": inception_score(fake @ head[0].T + head[1], [range(12)])[0],
        **prdc(real, fake, 5),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=CLOSE)
    assert found["is_std"] is None  # one split
