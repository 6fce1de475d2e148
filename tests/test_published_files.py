"""What is published: addresses, the line of an absent file, and a listing that reads none."""

from bench.backbone_list import backbones
from bench.backbone_row import weights_of
from bench.composed import composed
from bench.config_folder import yamls
from bench.errors import CheckpointError
from bench.prepare import prepare
from models.backbones import inception
from models.perceptual import lpips
from models.weights import weights_folder


def fetchable():
    """Every backbone of conf/ whose options name a published file."""
    specs = backbones([], every=True)
    return {
        name: files
        for name, spec in specs.items()
        if (files := getattr(spec, "published_files", tuple)())
    }


def test_every_absent_published_file_is_one_line_that_says_what_to_type(tmp_path):
    names = sorted(fetchable())
    job = prepare(composed("score", [f"backbone=[{','.join(names)}]"]))
    assert sorted(job.broken) == names and "inception" in names
    for name, error in job.broken.items():
        assert isinstance(error, CheckpointError) and "\n" not in str(error)
        assert any(
            all(fact in str(error) for fact in (file.name, file.url, (file.sha256 or "")[:12]))
            for file in fetchable()[name]
        )
        assert str(weights_folder()) in str(error) and f"salon fetch backbone={name}" in str(error)


def test_every_published_file_has_an_https_address_a_size_and_a_licence():
    addresses = {}
    trunks = {net.name: (recipe.file,) for net, recipe in lpips.RECIPES.items()}
    for files in (*fetchable().values(), *trunks.values()):
        for file in files:
            assert addresses.setdefault(file.name, file.url) == file.url  # one folder for all
            assert file.url.startswith("https://") and file.megabytes > 0 and file.licence
            assert "/" not in file.name and not file.name.startswith(".")
            assert file.sha256 is None or 8 <= len(file.sha256) <= 64


def test_listing_hashes_nothing_and_draws_no_weights(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("listing must be fast")

    for name in ("file_sha256", "state_sha256", "load_state", "check_file"):
        monkeypatch.setattr(f"models.weights.{name}", forbidden)
    monkeypatch.setattr("models.weight_source.initialise", forbidden)
    monkeypatch.setattr("models.weight_source.file_sha256", forbidden)
    place = weights_folder() / inception.FILE.name
    place.parent.mkdir(parents=True)
    place.write_bytes(b"anything")
    specs = backbones([], every=True)
    states = {name: weights_of(spec, name).state for name, spec in specs.items()}
    assert states["inception"] == "present" and states["resnet18_random"] == "random only"
    assert set(specs) | {"timm"} == set(yamls("backbone"))
