"""What a wandb run holds: one per images, protocol and seed, whatever the order."""

import pytest
from made_records import record, score

from bench.records import record_path
from bench.wandb_login import has_login
from bench.wandb_run import runs_of, without_secrets


def by_file(tmp_path, *records):
    return {
        record_path(
            tmp_path,
            key=one.key,
            **{role: getattr(one, role)["name"] for role in ("dataset", "generator")},
            **{role: getattr(one, role)["name"] for role in ("backbone", "metric")},
        ): one
        for one in records
    }


def test_metrics_and_backbones_share_a_run_and_seeds_do_not(tmp_path):
    records = [record(), record(metric="kid"), record(backbone="other"), record(seed=1)]
    runs = runs_of(by_file(tmp_path, *records), {}, "g")
    assert sorted(run.name for run in runs) == ["digits/gan", "digits/gan/seed1"]
    assert len({run.id for run in runs}) == 2
    (first,) = (run for run in runs if run.name == "digits/gan")
    assert set(first.summary) == {"net/fid.fid", "net/kid.kid", "other/fid.fid"}


def test_another_protocol_or_another_generator_is_another_run(tmp_path):
    changed = [record(identities={"generator": {"sha256": "b" * 64}}), record(protocol="other")]
    ids = [run.id for one in (record(), *changed) for run in runs_of({tmp_path: one}, {}, "g")]
    assert len(set(ids)) == 3


def test_runs_do_not_depend_on_the_order_of_records(tmp_path):
    records = by_file(tmp_path, record(), record(metric="kid"), record("gan2"))
    assert runs_of(records, {}, "g") == runs_of(dict(reversed(records.items())), {}, "g")


def test_a_metric_of_two_settings_keeps_both_scores(tmp_path):
    old = record(scores={"fid": 2.0}, k=3, deviations=["metrics.fid.k: 3 (preset: 5)"])
    new = record(scores={"fid": 4.0}, created="2026-02-02T00:00:00Z")
    (run,) = runs_of(by_file(tmp_path, old, new), {}, "g")
    assert run.summary == {
        "net/fid.fid": 4.0,
        f"net/fid@{old.comparison_key[:6]}.fid": 2.0,
    }
    assert "deviates" in run.tags and run.config["metrics"]["fid"] == {"k": 5}


def test_an_undefined_score_is_told_in_the_table_alone(tmp_path):
    undefined = score({"value": None, "better": "lower", "undefined": "one image", **ERROR})
    (run,) = runs_of(by_file(tmp_path, record(scores={"fid": undefined})), {}, "g")
    assert run.summary == {} and "one image" in run.scores[0]


ERROR = {"standard_error": None, "interval": None, "interval_method": None}


def test_groups_are_the_sweeps_that_are_known(tmp_path):
    records = by_file(tmp_path, record(), record("gan2"))
    first = next(path.name for path in records if "gan2" not in path.parts)
    groups = {run.name: run.group for run in runs_of(records, {first: "sweep-1"}, "else")}
    assert groups == {"digits/gan": "sweep-1", "digits/gan2": "else"}


def test_secrets_are_left_out_at_any_depth():
    value = {"a": [{"hf_token": 1, "k": 2}], "password": "x", "u": "https://u:p@h/x?token=1#f"}
    assert without_secrets(value) == {"a": [{"k": 2}], "u": "https://h/x"}


NETRC = "machine {} login user password {}\n"


@pytest.mark.parametrize(
    ("environment", "host", "expected"),
    [
        ({}, None, False),
        ({"WANDB_API_KEY": "0" * 40}, None, True),
        ({}, "api.wandb.ai", True),
        ({}, "elsewhere.org", False),
        ({"WANDB_BASE_URL": "https://elsewhere.org:8443"}, "elsewhere.org", True),
    ],
)
def test_a_login_is_a_key_or_a_netrc_entry_of_the_server(
    tmp_path, monkeypatch, environment, host, expected
):
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    if host:
        (tmp_path / "netrc").write_text(NETRC.format(host, "0" * 40))
    assert has_login() is expected
