"""From PNG files to Inception features: ours and torch-fidelity's road, in turn, on one machine.

Both read the same files into the same network (random weights of the published layout). Seconds
of the processor, worker processes included, and of the clock; ratios are of the fastest rounds.
Hashing the images is timed apart: it happens once per dataset. Then: what bf16 does to features
and to a FID, and the memory above the loaded network and one batch, for two numbers of images.

    python tests/benchmarks/extraction.py --images 192 --side 256 --rounds 3
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch_fidelity.utils import create_feature_extractor, extract_featuresdict_from_input_id

from bench.cache import FeatureCache
from bench.datasets.folder import ImageFolder
from bench.environment import peak_memory_mb
from bench.features import Extractor
from bench.images import ImageSource
from metrics.fid import frechet_distance
from models.backbones import describe
from models.fid_inception import FidInception
from models.initialise import initialise


@dataclass
class Round:
    """Of one road, the fastest seen."""

    processor: float = np.inf
    clock: float = np.inf

    def time(self, call: Callable[[], Tensor]) -> Tensor:
        """Run it and keep the seconds if they are fewer."""
        started, used = time.perf_counter(), processor_seconds()
        found = call()
        self.clock = min(self.clock, time.perf_counter() - started)
        self.processor = min(self.processor, processor_seconds() - used)
        return found


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def write_images(folder: Path, count: int, side: int, seed: int) -> None:
    """Smooth random colours with some noise, as photographs have."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (6 + seed, 6 + seed, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)).astype(int)
        noisy = (smooth + rng.integers(-9, 10, smooth.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:05d}.png")


def write_weights(path: Path) -> None:
    """The 472 tensors, with statistics as if trained."""
    network = initialise(FidInception(), seed=0)
    rng = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1, generator=rng)
        if name.endswith("running_var"):
            tensor.uniform_(0.8, 1.2, generator=rng)
    state = {n: t for n, t in network.state_dict().items() if "num_batches" not in n}
    torch.save(state, path)


def peer(folder: Path, weights: Path) -> Callable[[], Tensor]:
    """As `torch_fidelity.calculate_metrics` reads a folder, batch 32."""
    extractor = create_feature_extractor(
        "inception-v3-compat",
        ["2048"],
        cuda=False,
        feature_extractor_weights_path=str(weights),
        verbose=False,
    )

    def road() -> Tensor:
        words = {"input1": str(folder), "batch_size": 32, "cuda": False, "verbose": False}
        return extract_featuresdict_from_input_id(1, extractor, **words)["2048"]

    return road


class Ours:
    """Our road: a folder, a backbone, a new cache each time."""

    def __init__(self, home: Path, batch_size: int, workers: int) -> None:
        self.home, self.batch_size, self.workers = home, batch_size, workers
        self.networks: dict[str, object] = {}

    def open(self, folder: Path) -> ImageSource:
        """Hashed, or remembered."""
        return ImageFolder(path=str(folder)).open("all", manifests=self.home / "manifests")

    def features(self, folder: Path, name: str, **options: object) -> Tensor:
        """Of all images in the folder."""
        source, backbone = self.open(folder), describe(name, **options)
        key = f"{name} {options}"
        cache = FeatureCache(Path(tempfile.mkdtemp(dir=self.home)))
        made = Extractor(cache, "cpu", self.batch_size, self.workers)
        made.networks = {key: self.networks.get(key) or backbone.load()}
        self.networks |= made.networks
        found, _ = made.extract(source, len(source), {key: backbone}, "real", {key: {"key": key}})
        return found[key].features


def gap(found: Tensor, expected: Tensor) -> float:
    """Largest difference relative to the largest feature."""
    return float((found - expected).abs().max() / expected.abs().max())


def measure_memory(folder: Path, weights: Path, ours: Ours) -> None:
    """In a process of its own: what the peak grows by, beyond the network and one batch."""
    source = ours.open(folder)
    network = describe("inception", weights=str(weights)).load()
    network(source.read(range(ours.batch_size)))
    before = peak_memory_mb()
    ours.features(folder, "inception", weights=str(weights))
    after = peak_memory_mb()
    print(f"  {len(source)} images: {(after - before) / 1024:.2f} GB")


def compare(home: Path, asked: argparse.Namespace, weights: Path) -> None:
    """Alternate the roads, print ratios."""
    ours = Ours(home, asked.batch_size, asked.workers)
    started = time.perf_counter()
    ours.open(home / "real")
    print(f"hashing {asked.images} images once: {time.perf_counter() - started:.1f} s")
    fixed = {"weights": str(weights)}
    folder = home / "real"
    roads: dict[str, Callable[[], Tensor]] = {
        "torch-fidelity": peer(folder, weights),
        "ours, optimise=false": lambda: ours.features(folder, "inception", **fixed, optimise=False),
        "ours, fp32": lambda: ours.features(folder, "inception", **fixed),
        "ours, bf16": lambda: ours.features(folder, "inception", **fixed, precision="bf16"),
    }
    rounds = {name: Round() for name in roads}
    found = {name: road() for name, road in roads.items()}  # loads networks, warms the disk
    for _ in range(asked.rounds):
        for name, road in roads.items():
            found[name] = rounds[name].time(road)
    theirs = rounds["torch-fidelity"]
    for name, best in rounds.items():
        print(
            f"{name:20} {asked.images / best.clock:6.1f} images/s   "
            f"ratio: clock {theirs.clock / best.clock:5.2f}, "
            f"processor {theirs.processor / best.processor:5.2f}   "
            f"largest gap {gap(found[name], found['torch-fidelity']):.1e}"
        )


def show_fid_shift(home: Path, asked: argparse.Namespace, weights: Path) -> None:
    """FID between two sets of images, in both precisions."""
    ours = Ours(home, asked.batch_size, asked.workers)
    for name, options in (("inception", {"weights": str(weights)}), ("efficientnet_lite0", {})):
        values = []
        for precision in ("fp32", "bf16"):
            real, fake = (
                ours.features(home / side, name, **options, precision=precision)
                for side in ("real", "fake")
            )
            values.append(frechet_distance(real=real, fake=fake))
        shift = values[1] / values[0] - 1
        print(f"FID in {name}: fp32 {values[0]:.4f}, bf16 {values[1]:.4f}, shift {shift:+.2%}")


def main() -> None:
    """Ratios, then the FID, then memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--memory-of", type=Path, help="used by the benchmark itself")
    asked = parser.parse_args()
    if asked.memory_of is not None:
        ours = Ours(asked.memory_of.parent, asked.batch_size, asked.workers)
        measure_memory(asked.memory_of, asked.memory_of.parent / "weights.pth", ours)
        return
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_weights(home / "weights.pth")
        for seed, (side, count) in enumerate(
            (("real", asked.images), ("fake", asked.images), ("more", 3 * asked.images))
        ):
            write_images(home / side, count, asked.side, seed)
        compare(home, asked, home / "weights.pth")
        show_fid_shift(home, asked, home / "weights.pth")
        print("memory above the network and one batch:", flush=True)
        for side in ("real", "more"):
            words = [sys.executable, __file__, "--memory-of", str(home / side)]
            subprocess.run([*words, "--batch-size", str(asked.batch_size)], check=True)


if __name__ == "__main__":
    main()
