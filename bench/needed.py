"""What a job needs that is not there: data, samples, weights; and where to put it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from bench.errors import SalonError
from bench.shared import Shared
from bench.yardstick import yardstick
from models.weights import weights_folder


@dataclass(frozen=True)
class Need:
    """One thing that is absent.

    Attributes:
        kind: "data", "samples" or "weights".
        name: of the dataset, the generator or the backbone.
        advice: where it belongs, or what to type.
    """

    kind: str
    name: str
    advice: str


def needs(config: DictConfig, shared: Shared) -> list[Need]:
    """Of a job's config; nothing is read, only looked for.

    Raises:
        ConfigError: naming what is wrong with the config.
    """
    held = yardstick(config, shared)
    generator = shared.built(config.generator, "generator")
    found = [*_absent("data", str(held.dataset.name), held.dataset)]
    if getattr(generator, "source", None) is not None:
        found += _absent("samples", str(generator.name), generator.source)
    return found + shared.once(("weights", held.backbones), lambda: _weights(held.backbones))


def _absent(kind: str, name: str, dataset: Any) -> Iterator[Need]:
    try:
        dataset.locate()
    except SalonError as error:
        text = str(error)
        yield Need(kind, name, _for_samples(text) if kind == "samples" else text)


def _for_samples(text: str) -> str:
    """What a dataset says of itself, as the source of a generator has to be told."""
    found, _, advice = text.partition(";")
    if "dataset.download" in advice:  # it is a published set
        return f"{found};{advice.replace('dataset.', 'generator.source.')}"
    return f"{found}; put the samples there"


def _weights(backbones: dict[str, Any]) -> list[Need]:
    """Weight files that are not in their folder, each with the command that brings it."""
    return [
        Need("weights", name, _how_to_get(name, file))
        for name, spec in backbones.items()
        for file in (spec.published_files() if hasattr(spec, "published_files") else ())
        if file.present() is None
    ]


def _how_to_get(name: str, file: Any) -> str:
    return (
        f"{file.name} ({file.megabytes} MB) is not in {weights_folder()}; type "
        f"`salon fetch backbone={name}`, or put it there from {file.url}"
    )
