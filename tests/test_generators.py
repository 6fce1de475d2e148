"""The fake side: seeds decide images, checkpoints are data, controls mean what they say."""

import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bench.datasets.digits import Digits
from bench.errors import CheckpointError, ConfigError, DatasetError
from bench.generator import Surroundings
from bench.generators.checkpoint import Checkpoint, WeightFile
from bench.generators.controls import Copycat, DropClasses, Holdout, OnePerClass
from bench.generators.custom import Custom
from bench.generators.damage import Blur, Jpeg, Noise
from bench.generators.torchscript import TorchScript
from models.generators.dcgan import Dcgan
from models.quantise import Quantise, to_uint8
from models.samplers import Plain, Truncated
from models.seeds import ImageSeed

PLAN = Dcgan(resolution=8, channels=1, width=16, latent_dim=4)
CONDITIONAL = Dcgan(resolution=8, channels=1, width=16, latent_dim=4, num_classes=3)


def around(tmp_path, **changes):
    values = {
        "dataset": Digits(),
        "reference": Digits().open("train", manifests=tmp_path),
        "sampler": Plain(),
        "quantise": Quantise.stylegan,
        "config": {"make": {"_target_": "x"}},
        "seed": 0,
        "device": "cpu",
        "manifests": tmp_path / "manifests",
    }
    return Surroundings(**values | changes)


@pytest.fixture
def surroundings(tmp_path):
    return around(tmp_path)


@pytest.fixture
def weights(tmp_path):
    return store(PLAN, tmp_path / "plain.safetensors")


def store(plan, path):
    torch.manual_seed(0)
    save_file({k: v for k, v in plan.network().state_dict().items() if v.is_floating_point()}, path)
    return path


def checkpoint(path, plan=PLAN, **fields):
    return Checkpoint(name="toy", model=plan, weights=WeightFile(path=str(path)), **fields)


def test_an_image_is_drawn_from_its_seed_and_index_alone(weights, surroundings):
    source = checkpoint(weights, sampling_batch=4).open(surroundings)
    together = source.read(range(10))
    alone = torch.cat([source.read([index]) for index in (9, 3)])
    assert torch.equal(alone, together[[9, 3]])


def test_another_run_seed_gives_other_images(weights, surroundings, tmp_path):
    other = around(tmp_path, seed=1)
    first, second = (checkpoint(weights).open(s) for s in (surroundings, other))
    assert not torch.equal(first.read(range(4)), second.read(range(4)))
    assert first.content() != second.content()


def test_labels_are_balanced(tmp_path, surroundings):
    path = store(CONDITIONAL, tmp_path / "conditional.safetensors")
    source = checkpoint(path, CONDITIONAL).open(surroundings)
    assert source.labels_of(range(7)).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_the_sampler_is_part_of_the_identity(weights, surroundings, tmp_path):
    truncated = around(tmp_path, sampler=Truncated(0.5))
    first, second = (checkpoint(weights).open(s) for s in (surroundings, truncated))
    assert first.content() != second.content()


def test_the_quantise_rule_is_part_of_the_identity(weights, surroundings, tmp_path):
    adm = around(tmp_path, quantise=Quantise.adm)
    first, second = (checkpoint(weights).open(s) for s in (surroundings, adm))
    assert first.content() != second.content()


def test_fifty_thousand_image_seeds_draw_fifty_thousand_different_latents():
    first = [ImageSeed(0, index).normal(2) for index in range(50_000)]
    assert len(torch.stack(first).unique(dim=0)) == 50_000


def test_purposes_share_no_numbers():
    seed = ImageSeed(3, 5)
    assert not torch.equal(seed.normal(4), seed.normal(4, purpose="noise"))
    assert torch.equal(seed.normal(4), ImageSeed(3, 5).normal(4))


def test_truncated_latents_stay_within_the_threshold():
    latents = Truncated(0.5).latents([ImageSeed(0, k) for k in range(100)], 8)
    assert latents.abs().max() <= 0.5 and latents.std() > 0.2


def test_a_wrong_hash_is_refused(weights, surroundings):
    pinned = Checkpoint(
        name="toy", model=PLAN, weights=WeightFile(path=str(weights), sha256="0" * 64)
    )
    with pytest.raises(CheckpointError, match="000000"):
        pinned.open(surroundings)


def test_an_absent_checkpoint_is_named(tmp_path, surroundings):
    with pytest.raises(CheckpointError, match="nowhere"):
        checkpoint(tmp_path / "nowhere.safetensors").open(surroundings)


@pytest.mark.parametrize("spoil", ["missing", "unknown", "misshapen", "nan"])
def test_a_checkpoint_that_does_not_fit_is_never_loaded_in_part(weights, surroundings, spoil):
    state = load_file(weights)
    name = "to_image.weight"
    if spoil == "missing":
        state.pop(name)
    elif spoil == "unknown":
        state["other.weight"] = state[name].clone()
    elif spoil == "misshapen":
        state[name] = torch.zeros(1)
    else:
        state[name][0] = float("nan")
    save_file(state, weights)
    with pytest.raises(CheckpointError, match="other.weight" if spoil == "unknown" else name):
        checkpoint(weights).open(surroundings).ready()


def test_torchscript_runs_only_with_the_users_word(tmp_path, surroundings):
    path = tmp_path / "program.pt"
    torch.jit.save(torch.jit.trace(PLAN.network().eval(), torch.zeros(2, 4)), path)
    spec = dict(name="program", path=str(path), latent_dim=4, resolution=8)
    with pytest.raises(CheckpointError, match="trust_code=true"):
        TorchScript(**spec).open(surroundings)
    source = TorchScript(**spec, trust_code=True).open(surroundings)
    assert source.read(range(5)).shape == (5, 3, 8, 8)


def test_a_text_file_is_no_torchscript(tmp_path, surroundings):
    path = tmp_path / "program.pt"
    path.write_text("hello")
    spec = TorchScript(name="x", path=str(path), latent_dim=4, resolution=8, trust_code=True)
    with pytest.raises(CheckpointError, match=r"program\.pt is .*torch\.jit\.save"):
        spec.open(surroundings)


def test_custom_code_is_identified_by_source_and_first_images(tmp_path, surroundings, monkeypatch):
    code = """
import torch
class Flat:
    resolution, num_classes, level = 4, 0, {level}
    def sample(self, seeds, labels=None, condition=None, pose=None):
        rows = [torch.full((3, 4, 4), self.level + s.index, dtype=torch.uint8) for s in seeds]
        return torch.stack(rows)
"""
    monkeypatch.syspath_prepend(tmp_path)
    contents = []
    for level in (5, 6):
        (tmp_path / f"mine{level}.py").write_text(code.format(level=level))
        module = __import__(f"mine{level}")
        contents.append(Custom(name="mine", make=module.Flat()).open(surroundings).content())
    assert contents[0]["probe"] != contents[1]["probe"]
    assert contents[0]["source_sha256"] != contents[1]["source_sha256"]


def test_custom_code_is_told_apart_by_its_settings_and_classes(tmp_path, monkeypatch):
    (tmp_path / "classy.py").write_text("""
import torch
class Classy:
    resolution = 4
    def __init__(self, num_classes):
        self.num_classes = num_classes
    def sample(self, seeds, labels=None, condition=None, pose=None):
        return torch.stack([torch.full((3, 4, 4), int(k), dtype=torch.uint8) for k in labels])
""")
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("classy")
    contents = [
        Custom(name="c", make=module.Classy(n)).open(around(tmp_path)).content() for n in (20, 40)
    ]
    assert contents[0]["labels"] != contents[1]["labels"]
    assert contents[0]["probe"] != contents[1]["probe"]
    arguments = around(tmp_path, config={"make": {"_target_": "x", "level": 2}})
    assert Custom(name="c", make=module.Classy(20)).open(arguments).content() != contents[0]


def test_custom_code_without_the_contract_is_refused(surroundings):
    with pytest.raises(ConfigError, match="`sample`"):
        Custom(name="mine", make=sys).open(surroundings)


def test_a_broken_generator_is_found_in_its_first_images(tmp_path, surroundings):
    path = tmp_path / "zero.safetensors"
    state = {k: torch.zeros_like(v) for k, v in PLAN.network().state_dict().items()}
    save_file({k: v for k, v in state.items() if v.is_floating_point()}, path)
    with pytest.raises(CheckpointError, match="one single value"):
        checkpoint(path).open(surroundings).read(range(4))


def test_quantise_rules_differ_by_half_a_level():
    levels = torch.linspace(-1, 1, 511)
    stylegan, adm = (to_uint8(levels, rule).int() for rule in Quantise)
    assert (stylegan - adm).unique().tolist() == [0, 1]
    with pytest.raises(ValueError, match="NaN"):
        to_uint8(torch.tensor([float("nan")]), Quantise.adm)


def test_copycat_is_the_reference_and_holdout_shares_no_image_with_it(surroundings):
    reference, copy, held = (
        source.read(range(len(source)))
        for source in (
            Digits().open("train", manifests=surroundings.manifests),
            Copycat(name="copycat").open(surroundings),
            Holdout(name="holdout").open(surroundings),
        )
    )
    assert torch.equal(copy, reference)
    assert len(held) + len(reference) == 1797


def test_one_per_class_is_one_reference_image_per_class(surroundings):
    source = OnePerClass(name="one_per_class").open(surroundings)
    images = source.read(range(len(source)))
    assert len(images.flatten(1).unique(dim=0)) == 10
    assert source.labels_of(range(len(source))).bincount().min() >= 89


def test_drop_classes_keeps_every_image_of_the_classes_it_keeps(surroundings):
    source = DropClasses(name="drop_classes").open(surroundings)
    assert source.labels.unique().tolist() == list(range(7))
    held = Digits().open("holdout", manifests=surroundings.manifests)
    assert len(source) == int((held.labels < 7).sum())


@pytest.mark.parametrize("damage", [Blur(name="b"), Noise(name="n"), Jpeg(name="j")])
def test_damage_changes_images_but_not_their_count_or_labels(surroundings, damage):
    held, source = Holdout(name="h").open(surroundings), damage.open(surroundings)
    first, second = held.read(range(20)), source.read(range(20))
    assert first.shape == second.shape and not torch.equal(first, second)
    assert torch.equal(source.labels, held.labels)
    assert torch.equal(source.read([7]), second[7:8])


def test_noise_has_the_spread_it_names(surroundings):
    held, noisy = (
        control.open(surroundings).read(range(200)).numpy().astype(float)
        for control in (Holdout(name="h"), Noise(name="n", sigma=8.0))
    )
    inside = (held > 50) & (held < 200)
    assert np.std((noisy - held)[inside]) == pytest.approx(8.0, rel=0.05)


def test_controls_say_what_the_dataset_lacks(tmp_path):
    class Bare:
        name, split, holdout_split = "bare", "all", None

    bare = around(tmp_path, dataset=Bare())
    with pytest.raises(DatasetError, match="no holdout"):
        Holdout(name="holdout").open(bare)
