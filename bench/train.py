"""`salon train`: reads its config, loads the images, trains, prints what the yaml needs."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.build import build
from bench.composed import composed
from bench.errors import ConfigError
from bench.settings import resolve_device
from bench.training import train
from models.weights import file_sha256

HELP = """salon train - train the small DCGAN; averaged weights as safetensors

  salon train experiment=train_dcgan_digits out=checkpoints
  salon train dataset=cifar10 recipe.name=dcgan_cifar10 recipe.steps=20000 device=cuda

  dataset                images of one size, 8, 16, 32 or 64 px, all held in memory
  model.*, recipe.*      architecture and recipe, see conf/train.yaml
  out                    folder for the .safetensors files
"""


def main(words: Sequence[str]) -> int:
    """Run `salon train WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    config = composed("train", words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    dataset = build(config.dataset, "dataset")
    plan, recipe = build(config.model, "model"), build(config.recipe, "recipe")
    source = dataset.open(dataset.split, manifests=Path(config.paths.cache) / "manifests")
    rows = range(len(source))
    labels = source.labels_of(rows) if plan.num_classes else None
    if plan.num_classes and labels is None:
        raise ConfigError(f"model.num_classes={plan.num_classes}, but the dataset has no labels.")
    images = source.read(rows)
    source.refuse_changed(rows)
    written = train(
        images,
        labels,
        plan=plan,
        recipe=recipe,
        folder=Path(config.out),
        device=resolve_device(config.device),
    )
    for path in written:
        print(f"weights: {{path: {path}, sha256: {file_sha256(path)}}}")
    return 0
