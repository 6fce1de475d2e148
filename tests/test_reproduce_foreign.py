"""A record of another lab is read, not obeyed: it runs no code, opens no file, tells no secret."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.cli import main
from bench.errors import ConfigError
from bench.recorded_config import recorded_config
from bench.records import encode, read_record, record_path

RUNS = Path(__file__).parents[1] / "results" / "runs" / "digits"
(RECORD,) = (RUNS / "holdout" / "resnet18_random").glob("fid-*.json")
OWN_CODE = """
from pathlib import Path
Path("IMPORTED").touch()
class Noise:
    resolution, num_classes = 8, 0
    def sample(self, seeds, labels=None, condition=None, pose=None):
        import torch
        return torch.stack([(40 * s.normal(3, 8, 8) + 128).clamp(0, 255) for s in seeds]).byte()
"""


def foreign(**changes):
    """The committed record, with a part that its author has changed."""
    record = read_record(RECORD)
    return replace(record, **{r: {**getattr(record, r), **c} for r, c in changes.items()})


def typed(capsys, record, *words):
    Path("record.json").write_bytes(encode(record))
    with pytest.raises(SystemExit) as ending:
        main(["reproduce", "record.json", *words])
    captured = capsys.readouterr()
    return ending.value.code, captured.out, captured.err


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_record_calls_no_function_of_ours(capsys, tmp_path):
    (tmp_path / "precious").touch()
    config = {"_target_": "bench.partial._remove", "left": "precious"}
    code, _, err = typed(capsys, foreign(dataset={"config": config}))
    assert code == 2 and "no part of salon's" in err and err.count("\n") == 1
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"config": {"name": "${oc.env:MY_SECRET}"}}},
        {"dataset": {"config": {"path": "x${oc.env:MY_SECRET}"}}},
        {"dataset": {"config": {"${oc.env:MY_SECRET}": 1}}},
        {"generator": {"config": {"name": "x", "list": [{"y": "${oc.env:MY_SECRET}"}]}}},
        {
            "generator": {
                "sampler": {"_target_": "models.samplers.Plain", "x": "${oc.env:MY_SECRET}"}
            }
        },
        {"protocol": {"config": {"name": "demo", "num_real": "${oc.env:MY_SECRET}"}}},
        {"metric": {"config": {"ddof": "\\${oc.env:MY_SECRET}"}}},
        {"backbone": {"config": {"resize": "\x1b[2J"}}},
    ],
)
def test_an_interpolation_out_of_a_record_is_refused_unresolved(capsys, monkeypatch, changes):
    monkeypatch.setenv("MY_SECRET", "abc123")
    code, out, err = typed(capsys, foreign(**changes))
    assert code == 2 and "interpolation" in err and err.count("\n") == 1
    assert "abc123" not in out + err and "\x1b" not in err


@pytest.mark.parametrize("role", ["dataset", "generator", "backbone", "metric"])
@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "..", "", "a/b", "x" * 101])
def test_a_name_that_could_climb_out_of_a_folder_is_refused(capsys, role, name):
    code, _, err = typed(capsys, foreign(**{role: {"name": name}}))
    assert code == 2 and f"{role}.name=" in err and err.count("\n") == 1


@pytest.mark.parametrize("role", ["dataset", "generator", "backbone", "metric"])
def test_no_record_is_kept_under_a_name_that_climbs(role, tmp_path):
    names = {"dataset": "d", "generator": "g", "backbone": "b", "metric": "m"}
    with pytest.raises(ConfigError, match=rf"{role}\.name="):
        record_path(tmp_path, **names | {role: "../x"}, key="0" * 64)


@pytest.mark.parametrize("path", ["/etc", "../photos", "./photos", "~/photos", "..", "none", 7])
def test_whatever_path_a_record_holds_is_typed_or_not_used(path):
    config = {"_target_": "bench.datasets.folder.ImageFolder", "name": "mine", "path": path}
    record = foreign(dataset={"config": config})
    with pytest.raises(ConfigError, match=r"type dataset\.path=PATH/TO/"):
        recorded_config(record, [])
    assert recorded_config(record, ["dataset.path=/data/photos"]).dataset.path == "/data/photos"


@pytest.mark.parametrize("text", ["/etc/passwd", "../x", ".."])
def test_a_path_where_none_is_asked_for_is_refused(text):
    config = {"name": "digits", "folders": {"train": text}}
    with pytest.raises(ConfigError, match=r"dataset\.config\.folders\.train|folders\.train: "):
        recorded_config(foreign(dataset={"config": config}), [])


class Noise(torch.nn.Module):
    def forward(self, z: torch.Tensor):
        return torch.tanh(z[:, :192].reshape(-1, 3, 8, 8))


PROGRAM = {
    "_target_": "bench.generators.torchscript.TorchScript",
    "name": "program",
    "path": "program.pt",
    "latent_dim": 192,
    "resolution": 8,
    "trust_code": True,
}


@pytest.mark.parametrize("permission", [True, "yes", 1])
def test_that_a_program_is_trusted_is_typed_and_not_recorded(permission):
    record = foreign(generator={"config": PROGRAM | {"trust_code": permission}})
    path, trust = "generator.path=/data/program.pt", "generator.trust_code=true"
    with pytest.raises(ConfigError, match=r"only if you trust it, type generator\.trust_code=true"):
        recorded_config(record, [path])
    assert recorded_config(record, [path, trust]).generator.trust_code is True


def test_a_program_is_reproduced_where_it_is_trusted(capsys, measure, small, tmp_path):
    torch.jit.save(torch.jit.script(Noise()), tmp_path / "program.pt")
    words = [f"generator.path={tmp_path}/program.pt", "generator.trust_code=true"]
    own = ["generator=torchscript", "generator.name=program", "metrics=[fid]"]
    shape = ["generator.latent_dim=192", "generator.resolution=8"]
    _, report = measure(*small, *own, *shape, *words)
    code, out, _ = typed(capsys, read_record(Path(report.lines[0].record)), *words)
    assert code == 0 and out.splitlines()[1].startswith("agrees")


def test_code_that_a_record_names_is_allowed_and_typed_by_the_user(
    capsys, measure, small, tmp_path, monkeypatch
):
    (tmp_path / "own_code.py").write_text(OWN_CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SALON_ALLOW_TARGETS", "own_code")
    target = "generator.make._target_=own_code.Noise"
    own = ["generator=custom", "generator.name=mine", "generator.make={_target_: own_code.Noise}"]
    _, report = measure(*small, *own, "metrics=[fid]")
    record = read_record(Path(report.lines[0].record))
    code, _, err = typed(capsys, record)
    assert code == 2 and f"type {target}" in err
    assert typed(capsys, record, target)[0] == 0
    monkeypatch.delenv("SALON_ALLOW_TARGETS")
    code, _, err = typed(capsys, record, target)
    assert code == 2 and "SALON_ALLOW_TARGETS=own_code" in err


def test_a_metric_of_the_users_own_is_typed_exactly_as_it_is_recorded():
    record = foreign(metric={"name": "gap", "config": {"_target_": "own_code.Gap"}})
    target = "metrics.gap._target_=own_code.Gap"
    with pytest.raises(ConfigError, match=f"type {target}"):
        recorded_config(record, [])
    assert recorded_config(record, [target]).metrics.gap._target_ == "own_code.Gap"
    with pytest.raises(ConfigError, match="is the record's"):
        recorded_config(record, ["metrics.gap._target_=own_code.Other"])


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"name": "x"}},
        {"dataset": [1]},
        {"metric": None},
        {"seed": "x"},
        {"scores": {"fid": 7}},
        {"scores": {"fid": {"value": "7"}}},
        {"scores": {"fid": {"value": 7.0, "interval": 3}}},
        {"scores": []},
        {"identities": [1]},
    ],
)
def test_a_record_of_another_shape_is_told_in_one_line(capsys, changes):
    code, _, err = typed(capsys, replace(read_record(RECORD), **changes))
    assert code == 2 and "not a record: " in err and err.count("\n") == 1


def test_a_record_of_another_shape_in_our_own_folder_is_measured_anew(measure, small):
    words = ("generator=holdout", "metrics=[image_statistics]")
    _, report = measure(*small, *words)
    path = Path(report.lines[0].record)
    record = read_record(path)
    path.write_bytes(encode(replace(record, scores={"fid": 7})))
    _, again = measure(*small, *words)
    assert again.lines[0].state == "done" and path.with_suffix(".damaged").exists()
    assert json.loads(path.read_text())["scores"] == record.scores
