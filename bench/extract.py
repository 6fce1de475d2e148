"""`salon extract`: fills the cache with the features of one side, or with a shard of them."""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.build import build
from bench.cache import FeatureCache
from bench.composed import composed
from bench.cost import Cost
from bench.datasets.given_moments import GivenMoments
from bench.errors import CheckpointError, ConfigError
from bench.features import Extractor
from bench.images import ImageSource
from bench.inputs import wants_spatial
from bench.prepare import prepare
from bench.progress import Progress
from bench.report import Report
from bench.settings import Settings, full_float32, read_protocol, read_settings, resolve_device
from bench.shard import Shard, read_shard
from bench.shared import Shared
from bench.similar import did_you_mean
from bench.yardstick import Source, read_backbones, reference_rows
from models.weights import WeightsError

SIDES = ("real", "fake", "holdout")
FOLDER = "hydra.run.dir="

HELP = """salon extract - compute features ahead of `salon score`, on one machine or in a job array

  salon extract dataset=imagenet 'backbone=[inception]' shard=0/8      ... shard=7/8
  salon extract dataset=cifar10 generator=folder generator.path=samples/ side=fake

Takes the words of `salon score`, which then finds the features in the cache (paths.cache) and
runs no network. Type the same dataset, backbones, protocol and metrics: they decide which rows
are needed, and whether spatial maps are.

  side       real (default), fake or holdout
  shard      NUMBER/OF: every OF-th part of 2,048 images; all shards together are the whole side
"""


def main(words: Sequence[str]) -> int:
    """Run `salon extract WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words) or not words:
        print(HELP, end="")
        return 0
    own, rest = _own_words(words)
    side, shard = own.get("side", "real"), read_shard(own.get("shard", "0/1"))
    if side not in SIDES:
        raise ConfigError(f"side={side}: {did_you_mean(side, SIDES)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    config = composed("score", rest, hydra_node=True)
    cost = extract(config, side, shard)
    if any(word.startswith(FOLDER) for word in rest):  # a sweep has started it as a job of its own
        Report([]).write(Path(config.hydra.run.dir))
    print(f"{side}, shard {shard}: {cost.images} images computed, {cost.reused} were there")
    return 0


def extract(config: DictConfig, side: str, shard: Shard) -> Cost:
    """Fill the cache with a shard of one side, for every backbone of the config.

    Raises:
        SalonError: naming what is wrong with the config, the images or the weights.
    """
    full_float32()
    settings = read_settings(config)
    device = resolve_device(settings.device)
    backbones = read_backbones(config, read_protocol(config), device, Shared())
    identities = _identities(backbones)
    source, count = _rows(config, settings, side)
    if not isinstance(source, ImageSource):
        raise ConfigError(
            f"the {side} side is features or moments already; `salon score` reads them."
        )
    source.ready()
    extractor = Extractor(
        FeatureCache(Path(settings.paths.cache) / "features"),
        device,
        settings.batch_size,
        settings.workers,
        _wants_maps(config),
    )
    return extractor.fill(source, count, backbones, side, identities, shard)


def _own_words(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The words that only this command knows, and the others."""
    own = {word.partition("=")[0]: word.partition("=")[2] for word in words if _is_own(word)}
    return own, [word for word in words if not _is_own(word)]


def _is_own(word: str) -> bool:
    return word.startswith(("side=", "shard="))


def _identities(backbones: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, backbone in backbones.items():
        try:
            found[name] = backbone.identity()
        except WeightsError as error:
            raise CheckpointError(f"backbone {name}: {error}") from error
        except ValueError as error:
            raise ConfigError(f"backbone {name}: {error}") from error
    return found


def _rows(config: DictConfig, settings: Settings, side: str) -> tuple[Source, int]:
    """The side's images and how many a job would use; other sides are not opened."""
    if side == "fake":
        job = prepare(config)
        return job.fake, job.num_fake
    dataset = build(config.dataset, "dataset")
    split = dataset.split if side == "real" else dataset.holdout_split
    if split is None:
        raise ConfigError("side=holdout: the dataset has none; type dataset.holdout_split=SPLIT.")
    manifests = Path(settings.paths.cache) / "manifests"
    progress = Progress(f"hashing {side}", 0).reach
    source = dataset.open(split, manifests=manifests, progress=progress)
    if isinstance(source, GivenMoments) and source.images is not None:
        source = source.images
    if side == "real":
        source = reference_rows(source, read_protocol(config))
    return source, len(source) if isinstance(source, ImageSource) else 0


def _wants_maps(config: DictConfig) -> bool:
    metrics = config.get("metrics") or {}
    built = [build(node, f"metrics.{name}") for name, node in metrics.items()]
    return any(wants_spatial(metric.compute) for metric in built)
