"""The peak stands little above the network and one batch, however many images there are."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from made_inception import made_weights

BENCHMARK = Path(__file__).parent / "benchmarks" / "extraction.py"
BATCH, FEW, MANY = 64, 128, 448
GIGABYTES = 1.5
WAITING = 0.5  # GB: few images never fill the 0.4 that batches may wait in


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """As the benchmark lays it out: folders of small images, and Inception's weights beside."""
    spec = spec_from_file_location("extraction", BENCHMARK)
    benchmark = module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    folder = tmp_path_factory.mktemp("home")
    made_weights(folder).rename(folder / "weights.pth")
    for count in (FEW, MANY):
        benchmark.write_images(folder / str(count), count, side=64, seed=1)
    return folder


def growth(home, count):
    """GB above the loaded network and one batch, by the benchmark in a process of its own."""
    words = ["--memory-of", str(home / str(count)), "--batch-size", str(BATCH)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *words], capture_output=True, text=True, check=True
    )
    told, _, unit = done.stdout.rpartition(": ")[2].strip().partition(" ")
    assert f"{count} images" in done.stdout and unit == "GB"
    return float(told)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_inception_stays_below_a_gigabyte_and_a_half_whatever_the_number_of_images(home):
    few, many = growth(home, FEW), growth(home, MANY)
    assert few < GIGABYTES and many < GIGABYTES
    assert many - few < WAITING
