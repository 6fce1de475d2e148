"""`salon fetch`: every file is the stated one, noted, or refused in one line."""

import hashlib
import shutil
from dataclasses import replace

import pytest
import torch
from file_server import FileServer
from safetensors.torch import save_file

from bench import fetch as module
from bench.backbone_row import weights_of
from bench.build import build
from bench.cli import main
from bench.composed import composed
from models.backbones import describe, inception
from models.file_kind import FileKind, file_kind
from models.perceptual import lpips
from models.published import note_beside
from models.weights import WeightsError, file_sha256, weights_folder


@pytest.fixture
def weights(tmp_path):
    """A small file of tensors; nothing here needs them to fit a network."""
    path = tmp_path / "made.pth"
    torch.save({"weight": torch.arange(1000.0)}, path)
    return path


@pytest.fixture
def server(weights, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer(weights.read_bytes()).start()
    yield server
    server.stop()


@pytest.fixture
def published(server, weights, monkeypatch):
    """States another hash for inception's file, which then comes from here."""

    def state(sha256="right"):
        sha256 = file_sha256(weights) if sha256 == "right" else sha256
        file = replace(inception.FILE, url=server.url, sha256=sha256)
        about = replace(inception.Inception.about, file=file)
        monkeypatch.setattr(inception.Inception, "about", about)
        return file

    return state


def typed(capsys, *words):
    with pytest.raises(SystemExit) as ending:
        main(["fetch", *words])
    captured = capsys.readouterr()
    return ending.value.code, captured.out, captured.err


def test_a_fetched_file_is_told_with_its_licence_and_hash(published, weights, capsys):
    file = published()
    code, out, err = typed(capsys, "backbone=inception")
    place = weights_folder() / file.name
    assert code == 0 and out.startswith(f"fetched  inception: {file.name}"), err
    for word in ("Apache-2.0", file_sha256(weights), "as stated", str(place)):
        assert word in out
    assert place.read_bytes() == weights.read_bytes() and not note_beside(place).exists()


def test_a_present_file_is_verified_and_not_asked_for(published, server, weights, capsys):
    file = published()
    weights_folder().mkdir(parents=True)
    shutil.copy(weights, weights_folder() / file.aliases[0])  # under torch-fidelity's name
    code, out, _ = typed(capsys, "backbone=[inception]")
    assert code == 0 and out.startswith("present  inception") and server.asked == []


def test_a_present_file_of_another_hash_is_refused_and_left(published, weights, capsys):
    file = published("0" * 64)
    weights_folder().mkdir(parents=True)
    place = shutil.copy(weights, weights_folder() / file.name)
    code, _, err = typed(capsys, "backbone=inception")
    assert code == 4 and file_sha256(weights) in err and "0" * 64 in err and "delete it" in err
    assert place.exists()
    word = f"backbone.inception.weights_sha256={file_sha256(weights)[:12]}"
    assert typed(capsys, "backbone=inception", word)[0] == 0


def test_a_download_of_another_hash_is_refused_unless_it_is_named(published, weights, capsys):
    file = published("0" * 64)
    code, _, err = typed(capsys, "backbone=inception")
    assert code == 4 and f"has sha256 {file_sha256(weights)}, expected {'0' * 64}" in err
    assert "name its hash with weights_sha256=HEX" in err and "network" not in err
    assert not (weights_folder() / file.name).exists()
    word = f"backbone.inception.weights_sha256={file_sha256(weights)}"
    assert typed(capsys, "backbone=inception", word)[0] == 0


@pytest.mark.parametrize("text", ["xyz", ""])
def test_what_is_no_hash_is_told_in_one_line_ahead_of_the_download(published, server, capsys, text):
    published()
    word = f"backbone.inception.weights_sha256={text}"
    code, _, err = typed(capsys, "backbone=inception", word)
    assert code == 4 and f"{text!r} is none; type its hex digits" in err and err.count("\n") == 1
    assert server.asked == []


def test_a_file_without_a_stated_hash_is_noted_and_held_to_the_note(
    published, weights, server, capsys
):
    file = published(None)
    code, out, _ = typed(capsys, "backbone=inception")
    place = weights_folder() / file.name
    assert code == 0 and "stated by nobody, noted in" in out
    assert note_beside(place).read_text() == f"{file_sha256(weights)}  {file.name}\n"
    assert inception.Inception().identity()["weights_sha256"] == file_sha256(weights)
    code, out, _ = typed(capsys, "backbone=inception")
    assert code == 0 and "as noted at its first download" in out
    torch.save({"weight": torch.ones(5)}, place)
    assert typed(capsys, "backbone=inception")[0] == 4
    with pytest.raises(WeightsError, match=file_sha256(weights)):
        inception.Inception().identity()


def test_a_file_of_a_stated_md5_is_held_to_it_and_its_sha256_is_noted(
    published, weights, capsys, monkeypatch
):
    file = published(None)
    for md5, code in (("000000", 4), (hashlib.md5(weights.read_bytes()).hexdigest()[:6], 0)):
        about = replace(inception.Inception.about, file=replace(file, md5=md5))
        monkeypatch.setattr(inception.Inception, "about", about)
        found, out, err = typed(capsys, "backbone=inception")
        assert found == code, err
        assert f"expected {md5}" in err if code else f"of the stated md5 ({md5}...), noted" in out
    place = weights_folder() / file.name
    note_beside(place).unlink()  # as where somebody else put the file
    torch.save({"weight": torch.ones(5)}, place)
    with pytest.raises(WeightsError, match=r"has md5 \w{32}, expected \w{6}; it is damaged or"):
        inception.Inception().identity()
    accepted = inception.Inception(weights_sha256=file_sha256(place)[:8]).identity()
    assert accepted["weights_sha256"] == file_sha256(place)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html>log in</html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a git-LFS pointer"),
        (b"", "empty"),
        (None, "truncated"),
    ],
)
def test_what_is_no_weight_file_is_named_for_what_it_is(published, server, capsys, data, words):
    file = published(None)
    server.data = server.data[:-100] if data is None else data
    code, _, err = typed(capsys, "backbone=inception")
    assert code == 4 and words in err and err.count("\n") == 1
    assert not (weights_folder() / file.name).exists()


def test_truncated_safetensors_are_named(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(10), "b": torch.ones(7)}, path, metadata={"format": "pt"})
    assert file_kind(path) is FileKind.SAFETENSORS
    path.write_bytes(path.read_bytes()[:-1])
    assert file_kind(path) is FileKind.TRUNCATED


def test_without_a_network_the_line_has_file_address_and_folder(capsys, monkeypatch):
    def offline(url, path, **_):
        raise module.NoNetworkError(f"{url} cannot be reached: Name or service not known")

    monkeypatch.setattr(module, "download", offline)
    code, out, err = typed(capsys, "backbone=inception")
    assert code == 4 and out == "" and err.count("\n") == 1
    for word in (inception.FILE.name, inception.FILE.url, str(weights_folder()), "copy it there"):
        assert word in err


def test_one_failure_stops_no_other_and_gives_the_code(published, capsys, monkeypatch):
    published()
    monkeypatch.setattr("models.timm_hub._cached", lambda *_: None)
    monkeypatch.setattr("models.timm_hub._fetch", {}.__getitem__)  # fails
    words = ["backbone=[timm,resnet18_random,inception]", "backbone.timm.model=resnet18.a1_in1k"]
    code, out, err = typed(capsys, *words)
    assert code == 4 and err.startswith("failed   timm: ") and err.count("\n") == 1
    assert "resnet18_random: nothing to fetch" in out and "fetched  inception" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["backbone=[incepton]"], "did you mean inception?"),
        (["inception"], "takes backbone=NAME"),
        (["backbone.inception.seed=1"], "needs backbone=NAME"),
        (["all", "backbone=inception"], "leave one out"),
        (["backbone=timm"], "backbone.timm.model"),
        (["lpips=alexx"], "did you mean alex?"),
        (["lpips="], "There are: alex, squeeze, vgg"),
    ],
)
def test_wrong_words_say_what_to_type(capsys, words, message):
    code, _, err = typed(capsys, *words)
    assert code == 2 and message in err and err.count("\n") == 1


@pytest.fixture
def trunk(server, weights, monkeypatch):
    """AlexNet's file of LPIPS, which then comes from here."""
    recipe = lpips.RECIPES[lpips.Net.alex]
    file = replace(recipe.file, url=server.url, sha256=file_sha256(weights)[:8])
    monkeypatch.setitem(lpips.RECIPES, lpips.Net.alex, replace(recipe, file=file))
    return file


@pytest.mark.parametrize("word", ["lpips=alex", "lpips=[alex]"])
def test_a_trunk_of_lpips_is_fetched_once_and_found(trunk, server, weights, capsys, word):
    code, out, err = typed(capsys, word)
    assert code == 0 and out.startswith(f"fetched  lpips alex: {trunk.name}"), err
    assert trunk.find("alex", "lpips.weights", group="lpips").read_bytes() == weights.read_bytes()
    code, out, _ = typed(capsys, word)
    assert code == 0 and out.startswith("present  lpips alex") and len(server.asked) == 1


def test_backbones_and_trunks_are_fetched_by_one_command(published, trunk, capsys):
    published()
    code, out, _ = typed(capsys, "backbone=inception", "lpips=alex")
    assert code == 0 and out.count("fetched") == 2


def test_all_fetches_every_trunk_of_lpips(monkeypatch, capsys):
    monkeypatch.setattr(module, "backbones", lambda *_, **__: {})
    fetched = []

    def one(file):
        fetched.append(file.name)
        return module.Fetched("fetched", "")

    monkeypatch.setattr(module, "fetch", one)
    assert typed(capsys, "all")[0] == 0
    assert fetched == [recipe.file.name for recipe in lpips.RECIPES.values()]


def test_a_timm_model_counts_as_fetchable_until_it_is_in_the_hubs_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    words = ["backbone=[timm]", "backbone.timm.model=resnet18.a1_in1k"]
    spec = build(composed("score", words).backbone.timm, "backbone.timm")
    monkeypatch.setattr("models.timm_hub._cached", lambda *_: None)
    assert weights_of(spec, "").state == "fetchable"
    monkeypatch.setattr("models.timm_hub._cached", lambda *_: tmp_path)
    assert weights_of(spec, "").state == "present"


def test_a_timm_file_comes_through_the_hubs_client(monkeypatch, weights, capsys):
    monkeypatch.setattr("models.timm_hub._cached", lambda *_: None)
    monkeypatch.setattr("models.timm_hub._fetch", lambda *_: weights)
    words = ["backbone=timm", "backbone.timm.model=resnet18.a1_in1k"]
    code, out, _ = typed(capsys, *words)
    assert code == 0 and out.startswith("fetched  timm: resnet18.a1_in1k (sha256 ")
    code, _, err = typed(capsys, *words, "backbone.timm.weights_sha256=abcd1234")
    assert code == 4 and "expected abcd1234" in err


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 2),
        ({"head": "none"}, 1),
        ({"head": "mine.pth"}, 1),
        ({"weights": "mine.pth"}, 1),
        ({"weights": "mine.pth", "head": "mine.pth"}, 0),
        ({"weights": "random"}, 0),
    ],
)
def test_only_the_files_that_the_options_name_are_fetched(options, count):
    assert len(describe("swav_resnet50", **options).published_files()) == count


def test_a_noted_head_is_held_to_its_note(tmp_path):
    spec = describe("swav_resnet50", weights=str(tmp_path / "trunk.pth"))
    place = weights_folder() / spec.about.head.name
    place.parent.mkdir(parents=True)
    torch.save({"state_dict": {"module.linear.weight": torch.ones(2)}}, place)
    note_beside(place).write_text(f"{'0' * 64}  {place.name}\n")
    found = file_sha256(place)[:12]
    with pytest.raises(WeightsError, match=rf"expected 0+; .*\.head_sha256={found}$"):
        spec.files()[1].state()
    accepted = replace(spec, head_sha256=found)
    assert accepted.files()[1].state()
    other = replace(spec, head=str(place), head_sha256="abcd")
    with pytest.raises(WeightsError, match="expected abcd"):
        other.files()[1].state()


@pytest.mark.parametrize("options", [{"head": "none"}, {"weights": "random"}])
def test_a_heads_hash_without_a_heads_file_is_refused(options):
    with pytest.raises(ValueError, match=r"type backbone\.swav_resnet50\.head_sha256=null"):
        describe("swav_resnet50", head_sha256="abcd", **options)
