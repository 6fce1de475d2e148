"""Who may import whom, read from the syntax trees."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "metrics": {"bench", "models", "hydra", "omegaconf", "pandas", "wandb", "torchvision", "timm"},
    "models": {"bench", "metrics", "hydra", "omegaconf", "pandas", "wandb"},
    "bench/leaderboard": {"torch", "models", "metrics", "hydra"},
}
WITHOUT_TORCH = {"metrics.pairwise", "metrics.ranks"}  # formulas that the leaderboard shares
ORDER = ["cli", "score", "job", "inputs", "features", "cache"]  # imports go to the right only


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_forbidden_import(folder):
    for file in (ROOT / folder).rglob("*.py"):
        names = {name for name in imported(file) if name.rpartition(".")[0] not in WITHOUT_TORCH}
        tops = {name.split(".")[0] for name in names}
        assert not tops & FORBIDDEN[folder], file


def test_bench_imports_go_one_way():
    for position, name in enumerate(ORDER):
        names = {n.split(".")[1] for n in imported(ROOT / f"bench/{name}.py") if n[:6] == "bench."}
        assert not names & set(ORDER[:position]), name


def test_metrics_touch_no_file_and_print_nothing():
    for file in (ROOT / "metrics").rglob("*.py"):
        calls = [
            node.func.id
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        ]
        assert not {"open", "print"} & set(calls), file


def test_no_drawers():
    banned = {"utils", "helpers", "misc", "common", "manager", "handler"}
    for package in ("bench", "models", "metrics", "tests"):
        assert not {file.stem for file in (ROOT / package).rglob("*.py")} & banned


SLOW = {"torchvision", "timm", "scipy", "sklearn", "pandas", "matplotlib", "wandb", "torch._dynamo"}
WITHOUT = f"""
import atexit, sys
from bench.cli import main
atexit.register(lambda: print("loaded:", *({SLOW} & set(sys.modules))))
main(sys.argv[1:])
"""


def loaded(folder, *words):
    """Those of the slow modules that a command has loaded, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rpartition("loaded:")[2].split()


SMALL = ("backbone=[efficientnet_lite0]", "metrics=[fid,kid,prdc,prd,data_copying,authenticity]")
SMALL += ("protocol.num_real=60", "protocol.num_fake=60")


def test_a_plan_loads_no_library_that_only_measuring_needs(tmp_path):
    generators = "generator=holdout,blur,dcgan_digits"
    assert loaded(tmp_path, "sweep", "plan=true", "dataset=digits", generators, *SMALL) == []


def test_a_reused_cell_loads_no_library_that_only_measuring_needs(salon, tmp_path):
    words = ("score", "generator=holdout", *SMALL)
    assert salon(*words).returncode == 0
    assert loaded(tmp_path, *words) == []
