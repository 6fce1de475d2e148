"""`salon statistics`: a dataset's moments in one backbone, for salon and for other tools."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from bench.build import build
from bench.cache import FeatureCache
from bench.composed import composed
from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.datasets.naming import absolute
from bench.errors import CheckpointError, ConfigError
from bench.feature_set import FeatureSet
from bench.features import Extractor, has_spatial
from bench.images import ImageSource
from bench.labels import dataset_label
from bench.layout_pixels import check_pixels
from bench.progress import Progress
from bench.rows import drawn_rows
from bench.settings import (
    Protocol,
    Settings,
    full_float32,
    read_protocol,
    read_settings,
    resolve_device,
)
from bench.shared import Shared
from bench.statistics_file import EDM2_ENTRIES, Contents, Layout, contents, write
from bench.typed import schema
from bench.yardstick import REFERENCE_SEED, Source, read_backbones, reference_rows
from models.backbones.precomputed import Precomputed
from models.weights import WeightsError

HELP = """salon statistics - a dataset's mean and covariance in one backbone, as a file

  salon statistics dataset=cifar10 'backbone=[inception]' out=cifar10.npz layout=edm
  salon score dataset=statistics dataset.path=cifar10.npz 'backbone=[inception]' 'metrics=[fid]' ...

  dataset, backbone, protocol   whose rows, in which network; the protocol sets counts and resizing
  out                           the file, an npz (of layout=edm2 a pkl); one that is there is never
                                written over
  layout                        edm          mu, sigma
                                edm2         a pkl, of 'backbone=[inception]' as its entry fid, of
                                             [dinov2_vitl14] as fd_dinov2, or of both;
                                             protocol=edm2. dataset.key=ENTRY reads it
                                pytorch_fid  the same, compressed; protocol=pytorch_fid
                                clean_fid    the same; protocol=clean_fid. Call it
                                             NAME_clean_custom_na.npz in small letters and put it
                                             into cleanfid/stats. For its mode legacy_pytorch take
                                             layout=pytorch_fid, for legacy_tensorflow edm
                                adm          with mu_s, sigma_s and images; backbone=[inception]
                                A backbone that the tool has too is refused with other pixels
                                than that tool shows it
  images                        how many of them layout=adm shows; 10000 as ADM, null for all

Every layout carries one more entry per backbone, `salon`: where the numbers are from. Other tools
ignore it; salon refuses such a file for any other network, weights or resize rule.
"""


@dataclass(frozen=True)
class Request:
    """The keys of conf/statistics.yaml that are this command's own."""

    out: str = "???"
    layout: Layout = Layout.edm
    images: int | None = None


def main(words: Sequence[str]) -> int:
    """Run `salon statistics WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    config = composed("statistics", words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    request = _request(config)
    path = _free(request)
    found = _measured(config, request)
    write(path, request.layout, found)
    for name, one in found.items():
        count, width, moments = one.origin.count, len(one.pooled.mean), one.origin.moments
        print(f"{path}: {name}, {count} images, {width} features, {moments[:8]}")
    return 0


def _request(config: DictConfig) -> Request:
    own = {field.name: config.get(field.name) for field in fields(Request) if field.name in config}
    try:
        request: Request = OmegaConf.to_object(OmegaConf.merge(schema(Request), own))  # type: ignore[assignment]
    except MissingMandatoryValue as error:
        raise ConfigError("out is mandatory here: type out=FILE.") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).strip().splitlines()[0]}") from error
    if request.images is not None and request.images < 1:
        raise ConfigError(f"images: found {request.images}, expected 1 or more, or null.")
    return request


def _without_own(config: DictConfig) -> DictConfig:
    own = {field.name for field in fields(Request)}
    return OmegaConf.masked_copy(config, [str(key) for key in config if key not in own])


def _free(request: Request) -> Path:
    """Where the file will be."""
    path, layout = absolute(request.out), request.layout
    if path.suffix != layout.suffix:
        raise ConfigError(
            f"out={request.out}: layout={layout.name} is for a name that ends in {layout.suffix}."
        )
    if path.exists():
        raise ConfigError(f"out={request.out} exists; delete it, or choose another name.")
    return path


def _measured(config: DictConfig, request: Request) -> dict[str, Contents]:
    """Everything that can be refused is refused before the network runs."""
    settings = read_settings(_without_own(config))
    protocol = read_protocol(config)
    device = resolve_device(settings.device)
    backbones = read_backbones(config, protocol, device, Shared())
    _check_names(list(backbones), request.layout)
    for name in backbones:
        check_pixels(config, name, request.layout)
    identities = {name: _identity(name, backbone) for name, backbone in backbones.items()}
    reference, label = _reference(config, settings, protocol)
    for name, backbone in backbones.items():
        _check(reference, name, backbone, request)
    images = _images(reference, request) if request.layout.has_images else None
    known = {"dataset": {"name": label, **reference.content()}, "protocol": protocol.name}
    features = _features(reference, backbones, identities, settings, request)
    return {
        name: contents(
            features[name],
            images=images,
            spatial=request.layout.has_images,
            known={**known, "backbone_name": name, "backbone": identities[name]},
        )
        for name in backbones
    }


def _reference(config: DictConfig, settings: Settings, protocol: Protocol) -> tuple[Source, str]:
    """The rows, and what the dataset is called."""
    dataset = build(config.dataset, "dataset")
    manifests = Path(settings.paths.cache) / "manifests"
    hashing = Progress("hashing real", 0).reach
    opened = dataset.open(dataset.split, manifests=manifests, progress=hashing)
    return reference_rows(opened, protocol), dataset_label(dataset, opened)


def _check_names(names: Sequence[str], layout: Layout) -> None:
    told = ", ".join(names)
    if layout is Layout.edm2:
        if set(names) - set(EDM2_ENTRIES):
            raise ConfigError(
                f"layout=edm2: EDM2 has inception and dinov2_vitl14, found {told}; take one or "
                "both of them, or layout=edm."
            )
    elif len(names) != 1:
        raise ConfigError(
            f"one file holds the statistics of one backbone, found {told}; type 'backbone=[NAME]'."
        )


def _identity(name: str, backbone: Any) -> dict[str, Any]:
    try:
        identity: dict[str, Any] = backbone.identity()
    except WeightsError as error:
        raise CheckpointError(str(error)) from error
    except ValueError as error:
        raise ConfigError(f"backbone {name}: {error}") from error
    return identity


def _check(reference: Source, name: str, backbone: Any, request: Request) -> None:
    if isinstance(reference, GivenMoments):
        raise ConfigError("dataset=statistics has no rows to take statistics of; choose another.")
    if isinstance(reference, FeatureFile) is not isinstance(backbone, Precomputed):
        raise ConfigError(
            f"backbone {name}: features go with backbone=precomputed, images with a network."
        )
    if request.layout.has_images and not has_spatial(backbone):
        raise ConfigError(
            f"layout=adm needs spatial features, and backbone {name} has none; take "
            "'backbone=[inception]', or layout=edm."
        )


def _images(reference: Source, request: Request) -> tuple[ImageSource, Sequence[int]]:
    if not isinstance(reference, ImageSource):
        raise ConfigError("layout=adm needs images, and the dataset has none; take layout=edm.")
    count = min(request.images or len(reference), len(reference))
    return reference, drawn_rows(len(reference), count, REFERENCE_SEED, "images")


def _features(
    reference: Source,
    backbones: dict[str, Any],
    identities: dict[str, dict[str, Any]],
    settings: Settings,
    request: Request,
) -> dict[str, FeatureSet]:
    if isinstance(reference, FeatureFile):
        return {name: FeatureSet(reference.rows()) for name in backbones}
    assert isinstance(reference, ImageSource)  # moments were refused
    full_float32()
    extractor = Extractor(
        FeatureCache(Path(settings.paths.cache) / "features"),
        resolve_device(settings.device),
        settings.batch_size,
        settings.workers,
        request.layout.has_images,
    )
    count = len(reference)
    found, _ = extractor.extract(reference, count, backbones, "real", identities)
    return found
