import pytest
import torch
from plain_vit import (
    class_tokens,
    dinov2_layout,
    hub_rule,
    layout_bytes,
    meta_state,
    pictures,
    random_state,
    scaled,
    shapes_of,
    vit_layout,
)

from models.backbones import describe, load
from models.backbones.dino_vits8_blocks4 import HEAD
from models.weights import WeightsError

VITS8 = vit_layout(width=384, depth=12, patch=8, positions=1 + 28**2)


PUBLISHED = {  # name: (layout, tensors, bytes of the published file)
    "dino_vits8": (VITS8, 150, 86_728_949),
    "dino_vits8_blocks4": (VITS8, 150, 86_728_949),
    "dinov2_vits14": (dinov2_layout(384, 12), 175, 88_283_115),
    "dinov2_vitb14": (dinov2_layout(768, 12), 175, 346_378_731),
    "dinov2_vitl14": (dinov2_layout(1024, 24), 343, 1_217_586_395),
}


@pytest.fixture(scope="module")
def dino_file(tmp_path_factory):
    return saved(tmp_path_factory, random_state(VITS8))


@pytest.fixture(scope="module")
def head_file(tmp_path_factory):
    """As DINO's training saved it: the head inside DistributedDataParallel, with its optimiser."""
    head = {"module.linear.weight": (1000, 1536), "module.linear.bias": (1000,)}
    state = random_state(head, seed=1)
    momentum = {number: {"momentum_buffer": torch.zeros(3)} for number in range(2)}
    extra = {
        "epoch": 100,
        "optimizer": {"state": momentum, "param_groups": [{"lr": 0.0, "params": [0, 1]}]},
        "scheduler": {"T_max": 100, "eta_min": 0, "_step_count": 101, "_last_lr": [0.0]},
        "best_acc": 79.7,
    }
    return saved(tmp_path_factory, {**extra, "state_dict": state})


@pytest.fixture(scope="module")
def dinov2_file(tmp_path_factory):
    return saved(tmp_path_factory, random_state(dinov2_layout(384, 12)))


def saved(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(content, path)
    return path


def gap(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_tensor_has_its_place(name):
    layout, tensors, size = PUBLISHED[name]
    assert len(layout) == tensors
    assert layout_bytes(layout) < size < 1.001 * layout_bytes(layout) + 60_000  # names, alignment
    backbone = describe(name, head="none") if "blocks4" in name else describe(name)
    with torch.device("meta"):
        network = backbone.network()
    assert shapes_of(backbone.convert(meta_state(layout))) == shapes_of(network.state_dict())


@pytest.mark.parametrize("side", [64, 224])
def test_dino_is_the_class_token_of_plain_torch(dino_file, side):
    images = pictures(side, count=1 if side == 224 else 2)
    state = random_state(VITS8)
    state["pos_embed"] = state["pos_embed"] if side == 224 else hub_rule(state["pos_embed"], 8)
    found = load("dino_vits8", weights=dino_file, resolution=side)(images)
    assert gap(found.features, class_tokens(state, scaled(images), heads=6)[-1]) < 1e-5
    assert found.logits is None


def test_blocks4_are_the_last_four_class_tokens_and_the_head(dino_file, head_file):
    images, state = pictures(64), random_state(VITS8)
    state["pos_embed"] = hub_rule(state["pos_embed"], 8)
    expected = torch.cat(class_tokens(state, scaled(images), heads=6)[-4:], 1)
    options = {"weights": dino_file, "resolution": 64}
    found = load("dino_vits8_blocks4", head=head_file, **options)(images)
    assert found.features.shape == (2, 1536) and gap(found.features, expected) < 1e-5
    head = torch.load(head_file, weights_only=True)["state_dict"]
    logits = expected @ head["module.linear.weight"].T + head["module.linear.bias"]
    assert gap(found.logits, logits) < 1e-5
    headless = load("dino_vits8_blocks4", head="none", **options)(images)
    assert headless.logits is None and torch.equal(headless.features, found.features)


def test_the_head_is_in_the_identity(dino_file, head_file):
    whole = describe("dino_vits8_blocks4", weights=dino_file, head=str(head_file)).identity()
    headless = describe("dino_vits8_blocks4", weights=dino_file, head="none").identity()
    assert set(whole) - set(headless) == {"head_sha256"}
    assert whole["weights_sha256"] == headless["weights_sha256"]


def test_an_absent_head_says_where_it_is_from(dino_file):
    with pytest.raises(WeightsError, match=f"{HEAD.name} is not in .*https.*head=none"):
        describe("dino_vits8_blocks4", weights=str(dino_file)).identity()


def test_a_head_of_a_file_on_random_weights_is_refused():
    with pytest.raises(ValueError, match="makes the head random too"):
        describe("dino_vits8_blocks4", weights="random", head="head.pth")
    with pytest.raises(ValueError, match="no multiple of that"):
        describe("dino_vits8_blocks4", resolution=100)


def test_random_weights_have_a_random_head():
    images = pictures(64, count=1)
    found = load("dino_vits8_blocks4", weights="random", resolution=64)(images)
    assert found.logits.shape == (1, 1000) and found.logits.std() > 0


def test_dinov2_is_the_class_token_under_the_hubs_position_table(dinov2_file):
    images, state = pictures(224, count=1), random_state(dinov2_layout(384, 12))
    state["pos_embed"] = hub_rule(state["pos_embed"], 16)
    found = load("dinov2_vits14", weights=dinov2_file)(images)
    assert gap(found.features, class_tokens(state, scaled(images), heads=6)[-1]) < 1e-5
    assert found.logits is None


def test_dinov2_at_518_px_takes_the_table_as_it_is(dinov2_file):
    network = describe("dinov2_vits14", weights=dinov2_file, resolution=518).source().network()
    published = torch.load(dinov2_file, weights_only=True)["pos_embed"]
    assert torch.equal(network.state_dict()["network.pos_embed"], published)


@pytest.mark.parametrize(
    ("name", "resolution", "near"),
    [("dino_vits8", 100, 96), ("dinov2_vits14", 256, 252), ("dinov2_vitl14", 3, 14)],
)
def test_a_fraction_of_a_patch_is_refused_with_the_nearest_size(name, resolution, near):
    with pytest.raises(
        ValueError, match=f"resolution={resolution} is no multiple.*resolution={near}$"
    ):
        describe(name, resolution=resolution)


def test_the_weights_of_another_width_are_refused(dinov2_file):
    with pytest.raises(WeightsError, match="does not fit the network"):
        load("dinov2_vitb14", weights=dinov2_file)
    with pytest.raises(WeightsError, match="does not fit the network"):
        load("dino_vits8", weights=dinov2_file)
