"""The command: help, one-line errors, exit codes."""

import pytest

from bench.cli import VERBS, main

OWN_DATASET = "_target_: bench.datasets.folder.ImageFolder\nname: own\nresolution: 8\n"
OWN_BACKBONE = "  _target_: models.backbones.resnet18_random.Resnet18Random\n  seed: 3\n"


def typed(capsys, *words):
    with pytest.raises(SystemExit) as ending:
        main(list(words))
    captured = capsys.readouterr()
    return ending.value.code, captured.out, captured.err


def test_help_names_every_verb(capsys):
    code, out, _ = typed(capsys, "--help")
    assert code == 0
    for verb in VERBS:
        assert f"\n  {verb}" in out


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"score"}))  # whose help is Hydra's
def test_each_verb_has_help(capsys, verb):
    code, out, _ = typed(capsys, verb, "--help")
    assert code == 0 and out.startswith(f"salon {verb} - ")


def test_a_misspelt_verb_is_met_with_the_right_one(capsys):
    code, _, err = typed(capsys, "scores")
    assert code == 2 and "did you mean score?" in err and err.count("\n") == 1


def test_list_says_what_is_there(capsys):
    code, out, _ = typed(capsys, "list", "generators", "backbones")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert "present" in lines["dcgan_digits"] and "generator.path" in lines["folder"]
    assert "random only" in lines["resnet18_random"] and "fetchable" in lines["inception"]
    for word in ("2048", "299", "96", "Apache-2.0", "FID Inception"):
        assert word in lines["inception"]
    assert "in package" in lines["efficientnet_lite0"] and "given" in lines["precomputed"]
    assert "needs backbone.timm.model" in lines["timm"]


def test_list_of_an_unknown_group_names_the_groups(capsys):
    code, _, err = typed(capsys, "list", "backbons")
    assert code == 2 and "did you mean backbones?" in err


def test_list_shows_yamls_of_the_users_own_beside_salons(capsys, tmp_path):
    (tmp_path / "data").mkdir()
    yamls = {
        "dataset/flowers": f"# Flowers: 40 photographs.\n{OWN_DATASET}path: {tmp_path / 'data'}\n",
        "dataset/trees": f"{OWN_DATASET}path: {tmp_path / 'gone'}\n",
        "generator/biggan_flowers": f"# BigGAN.\nname: x\nsource: {{path: {tmp_path / 'gone'}}}\n",
        "generator/named": "name: x\nsource: {path: '${paths.data}/${generator.name}'}\n",
        "generator/home": "name: x\nsource: {path: ~/}\n",
        "dataset/wrong": OWN_DATASET.replace("ImageFolder", "NoSuchClass"),
        "backbone/nets": f"# A small draw.\nshallow:\n{OWN_BACKBONE}",
    }
    for name, text in yamls.items():
        (tmp_path / f"conf/{name}.yaml").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"conf/{name}.yaml").write_text(text)
    wanted = ["datasets", "generators", "backbones"]
    code, out, err = typed(capsys, "list", *wanted, "--config-dir", str(tmp_path / "conf"))
    assert code == 0, err
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ")}
    assert "present" in lines["flowers"] and "Flowers: 40 photographs" in lines["flowers"]
    assert "absent" in lines["trees"] and "absent" in lines["biggan_flowers"]
    assert f"absent: {tmp_path / 'home/data/x'}" in lines["named"]
    assert "present" in lines["home"]
    assert "error: " in lines["wrong"] and "NoSuchClass" in lines["wrong"]
    assert "random only" in lines["shallow"] and "digits" in lines


def test_list_refuses_a_flag_that_it_does_not_know(capsys):
    code, _, err = typed(capsys, "list", "--config-dri=x")
    assert code == 2 and "did you mean --config-dir?" in err
    code, _, err = typed(capsys, "list", "--config-dir=nowhere")
    assert code == 2 and "no such folder" in err


def test_a_yaml_that_is_none_hides_no_other(capsys, tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/flowers.yaml").write_text("a: [")
    code, out, _ = typed(capsys, "list", "datasets", f"--config-dir={tmp_path}")
    (line,) = [line for line in out.splitlines() if line.startswith("  flowers")]
    assert code == 0 and "flowers.yaml: no yaml" in line and "  digits" in out


def test_a_leaderboard_of_nothing_says_what_to_type(capsys, tmp_path):
    code, _, err = typed(capsys, "leaderboard", f"paths.results={tmp_path}")
    assert code == 6 and "salon" in err and err.count("\n") == 1


ERRORS = [
    (["score", "metrics=[fidd]"], 2, "did you mean fid?"),
    (["score", "sed=1"], 2, "did you mean seed?"),
    (["score", "metrics=null"], 2, "names no choice"),
    (["score", "metrics=[fid"], 2, "close every bracket"),
    (["score", "dataset=../../x"], 2, "plain name"),
    (["score", "generator=folder"], 2, "type generator.path=VALUE"),
    (["score", "generator=folder", "generator.path=nowhere"], 3, "nowhere"),
    (["score", "backbone=[inception]"], 4, "pt_inception-2015-12-05-6726825d.pth"),
    (["score", "generator=dcgan_digits", "dataset.name=other"], 2, "was trained on digits"),
    (["score", "metrics.fid.dof=1"], 2, "did you mean metrics.fid.ddof?"),
    (["score", "protocol.num_fakes=9"], 2, "did you mean protocol.num_fake?"),
    (["score", "backbone.resnet18_random.zzz=9"], 2, "no such key; salon score --help"),
    (["score", "hydra.zzz=1"], 2, "no such key"),
    (["score", "experiment.zzz=1"], 2, "no such key"),
    (["score", "protocol=StyleGAN3"], 2, "did you mean stylegan3?"),
    (["score", "backbone=[inception]", "backbone.inception.weights=randon"], 4, "nor random"),
    (["statistics", "backbone=[resnet18_random]"], 2, "type out=FILE"),
    (["sweep", "experiment=nothing"], 2, "there is no 'nothing'"),
    (["leaderboard", "nam=x"], 2, "nam"),
    (["score", "paths.results=/dev/null/x"], 6, "Not a directory"),
]


@pytest.mark.parametrize(
    ("words", "code", "message"), ERRORS, ids=lambda v: " ".join(v) if isinstance(v, list) else None
)
def test_an_error_is_one_line_with_its_exit_code(salon, words, code, message):
    done = salon(*words)
    assert done.returncode == code, done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_score_help_is_for_a_newcomer(salon):
    done = salon("score", "--help")
    assert done.returncode == 0
    for group in ("dataset", "generator", "backbone", "metrics", "protocol", "experiment"):
        assert f"\n  {group} " in done.stdout
    assert "Exit codes" in done.stdout


def test_another_folder_with_a_package_of_the_same_name_is_refused(tmp_path):
    import os
    import subprocess
    import sys

    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "__init__.py").write_text("")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0 and str(tmp_path) in done.stderr and "PYTHONSAFEPATH" in done.stderr
