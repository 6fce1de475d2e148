"""From images to features: one pass over the images for all backbones, part by part, cached."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from bench.agreement import relative_bound
from bench.cache import FeatureCache
from bench.cost import Cost
from bench.errors import CheckpointError, StoreError, UndefinedError
from bench.feature_set import FeatureSet
from bench.images import ImageSource
from bench.mapped import MappedRows
from bench.progress import Progress
from bench.read_ahead import read_ahead
from bench.shard import WHOLE, Shard
from models.backbone import Backbone, Embedding, Network
from models.precision import Precision, arithmetic, slow_here

log = logging.getLogger(__name__)
EXTRACTION_VERSION = 3  # bump by hand when the same config gives other features
NARROW_VERSION = 2  # likewise, where only precisions other than fp32 do
PART_ROWS = 2048  # a killed job loses at most this many images

Part = dict[str, Tensor]  # "features", "logits", "spatial" of some rows


@dataclass
class Extractor:
    """Runs backbones over image sources; memory does not grow with the number of images.

    Attributes:
        cache: where finished parts are kept.
        device: where the networks run.
        batch_size: images per call of a network.
        workers: threads that read and resize images ahead of the network.
        spatial: whether spatial maps are kept, of backbones that have them; they can double what
            the cache holds.
    """

    cache: FeatureCache
    device: str
    batch_size: int
    workers: int
    spatial: bool = False
    networks: dict[str, Network] = field(default_factory=dict)

    def extract(
        self,
        source: ImageSource,
        count: int,
        backbones: Mapping[str, Backbone],
        side: str,
        backbone_identities: Mapping[str, Mapping[str, object]],
    ) -> tuple[dict[str, FeatureSet], Cost]:
        """Features of the first `count` images in every backbone.

        Each part of `PART_ROWS` images is read once, for all the backbones that lack it.

        Args:
            source: the images.
            count: how many rows.
            backbones: name -> backbone.
            side: "real" or "fake", for the progress line.
            backbone_identities: name -> what the job's records say the backbone is.

        Raises:
            CheckpointError: if a backbone's weights are no longer those of its identity.
            UndefinedError: if a network gives NaN or infinity; the first image is named.
            StoreError: if the disk is full.
        """
        cost = Cost()
        rows = {name: MappedRows(self.cache.folder) for name in backbones}
        for part in self._parts(source, count, backbones, side, backbone_identities, cost):
            for name, tensors in part.items():
                rows[name].append(tensors)
        labels = source.labels_of(range(count))
        return {name: _feature_set(one.tensors(), labels) for name, one in rows.items()}, cost

    def fill(
        self,
        source: ImageSource,
        count: int,
        backbones: Mapping[str, Backbone],
        side: str,
        backbone_identities: Mapping[str, Mapping[str, object]],
        shard: Shard,
    ) -> Cost:
        """Put a shard of the parts that `extract` would need into the cache.

        Args and errors are those of `extract`.

        Raises:
            StoreError: at the first part that the cache does not take; going on would be in vain.
        """
        cost = Cost()
        parts = self._parts(source, count, backbones, side, backbone_identities, cost, shard)
        for rows, _ in zip(shard.share(part_rows(count)), parts, strict=True):
            for name, backbone in backbones.items():
                if not self._has(source, rows, backbone, backbone_identities[name]):
                    raise StoreError(
                        f"{self.cache.folder} does not take the features of {name}; free some "
                        "space or choose another paths.cache."
                    )
        return cost

    def lacking(
        self, source: ImageSource, count: int, backbone: Backbone, identity: Mapping[str, object]
    ) -> int:
        """How many images of a side are not in the cache; nothing is read."""
        return sum(
            len(rows)
            for rows in part_rows(count)
            if not self._has(source, rows, backbone, identity)
        )

    def _has(
        self, source: ImageSource, rows: range, backbone: Backbone, identity: Mapping[str, object]
    ) -> bool:
        own = self._identity(source, identity)
        entries = [own, _of_map(own)] if self._keeps_map(backbone) else [own]
        return all(self.cache.has(entry, rows) for entry in entries)

    def _parts(
        self,
        source: ImageSource,
        count: int,
        backbones: Mapping[str, Backbone],
        side: str,
        backbone_identities: Mapping[str, Mapping[str, object]],
        cost: Cost,
        shard: Shard = WHOLE,
    ) -> Iterator[dict[str, Part]]:
        """Backbone -> tensors, part by part."""
        parts = shard.share(part_rows(count))
        identities = {name: self._identity(source, backbone_identities[name]) for name in backbones}
        progress = Progress(f"{side} features", sum(map(len, parts)))
        try:
            for rows in parts:
                yield self._part(source, rows, backbones, identities, cost, progress)
        finally:
            progress.close()
        if cost.images:
            log.info("%s: %d images, %.0f images/s", progress.what, cost.images, progress.rate)

    def _part(
        self,
        source: ImageSource,
        rows: range,
        backbones: Mapping[str, Backbone],
        identities: Mapping[str, dict[str, Any]],
        cost: Cost,
        progress: Progress,
    ) -> dict[str, Part]:
        found = {name: self._read(identities[name], rows, backbones[name]) for name in backbones}
        missing = {name: backbones[name] for name, tensors in found.items() if tensors is None}
        part = {name: tensors for name, tensors in found.items() if tensors is not None}
        if not missing:
            cost.reused += len(rows)
            progress.skip(len(rows))
            return part
        started = time.monotonic()
        networks = {
            name: self._network(name, backbone, identities[name]["backbone"])
            for name, backbone in missing.items()
        }
        computed = self._embed(source, rows, missing, networks, progress)
        source.refuse_changed(rows)
        cost.seconds += time.monotonic() - started
        cost.images += len(rows)
        for name, tensors in computed.items():
            bound = relative_bound(identities[name]["backbone"])
            part[name] = self._write(identities[name], rows, tensors, bound)
        return part

    def _read(self, identity: dict[str, object], rows: range, backbone: Backbone) -> Part | None:
        """From the cache; None where anything is missing."""
        found = self.cache.read(identity, rows)
        if found is None or not self._keeps_map(backbone):
            return found
        spatial = self.cache.read(_of_map(identity), rows)
        return None if spatial is None else found | spatial

    def _write(self, identity: dict[str, Any], rows: range, part: Part, bound: float) -> Part:
        """The map has an entry of its own: asking for it or not leaves the features' entry."""
        spatial = {name: part.pop(name) for name in ("spatial",) if name in part}
        written = self.cache.write(identity, rows, part, bound)
        if spatial:
            written = written | self.cache.write(_of_map(identity), rows, spatial, bound)
        return written

    def _embed(
        self,
        source: ImageSource,
        rows: range,
        backbones: Mapping[str, Backbone],
        networks: Mapping[str, Network],
        progress: Progress,
    ) -> dict[str, Part]:
        embedded: dict[str, list[Part]] = {name: [] for name in networks}
        for batch in read_ahead(source, rows, self.batch_size, self.workers, networks):
            for name, network in networks.items():
                embedding = batch.embedding(name, network)
                _refuse_non_finite(embedding.features, source, batch.indices, name)
                embedded[name].append(self._kept(embedding, backbones[name]))
            progress.advance(len(batch.indices))
        return {name: _joined(parts) for name, parts in embedded.items()}

    def _kept(self, embedding: Embedding, backbone: Backbone) -> Part:
        """What goes into the cache, on the CPU."""
        spatial = embedding.spatial if self._keeps_map(backbone) else None
        wanted = {"features": embedding.features, "logits": embedding.logits, "spatial": spatial}
        return {name: tensor.cpu() for name, tensor in wanted.items() if tensor is not None}

    def _keeps_map(self, backbone: Backbone) -> bool:
        return self.spatial and has_spatial(backbone)

    def _identity(self, source: ImageSource, backbone: Mapping[str, object]) -> dict[str, Any]:
        """What a part of features depends on, beside its row range.

        Narrow products are rounded otherwise by each kind of processor. A plan made on another
        machine than the job's takes parts for missing that are there, or the reverse; no more.
        """
        precision = Precision[str(backbone.get("precision") or "fp32")]
        rounding = arithmetic(precision, self.device)
        return {
            **({} if rounding is None else {"arithmetic": rounding}),
            "images": source.content(),
            "backbone": dict(backbone),
            "device_type": self.device.split(":")[0],
            "version": extraction_version(backbone),
            "dtype": "float32",
        }

    def _network(self, name: str, backbone: Backbone, identity: object) -> Network:
        """Loaded once, and refused where it is not what its features are kept as."""
        if name not in self.networks:
            precision = getattr(backbone, "precision", Precision.fp32)
            if reason := slow_here(precision, self.device):
                log.warning("backbone %s: %s", name, reason)
            network = backbone.load(self.device)
            _refuse_changed(name, identity, backbone.identity())
            self.networks[name] = network
        return self.networks[name]


def extraction_version(backbone: Mapping[str, object]) -> int | str:
    """Of the features of a backbone, by its identity: "3.2" where its products are narrow."""
    narrow = (backbone.get("precision") or "fp32") != "fp32"
    return f"{EXTRACTION_VERSION}.{NARROW_VERSION}" if narrow else EXTRACTION_VERSION


def has_spatial(backbone: object) -> bool:
    """Whether a backbone's embeddings have a spatial map; its class says so."""
    return getattr(backbone, "has_spatial", False)


def part_rows(count: int) -> list[range]:
    """The fixed row ranges of the cache; the last one ends with the count."""
    return [range(start, min(start + PART_ROWS, count)) for start in range(0, count, PART_ROWS)]


def _of_map(identity: dict[str, object]) -> dict[str, object]:
    return {**identity, "spatial": True}


def _joined(parts: Sequence[Part]) -> Part:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _feature_set(tensors: Part, labels: Tensor | None) -> FeatureSet:
    return FeatureSet(tensors["features"], tensors.get("logits"), labels, tensors.get("spatial"))


def _refuse_changed(name: str, expected: object, found: object) -> None:
    """A file may be overwritten between the job's start, which hashes it, and its reading."""
    if found != expected:
        raise CheckpointError(
            f"backbone {name}: its weights changed after the job began, as where a training "
            "overwrites their file; name a copy that nothing writes to, and run the command again."
        )


def _refuse_non_finite(
    features: Tensor, source: ImageSource, indices: Sequence[int], backbone: str
) -> None:
    finite = torch.isfinite(features).all(dim=1)
    if not finite.all():
        first = indices[int((~finite).nonzero()[0])]
        raise UndefinedError(
            f"backbone {backbone} gives NaN or infinity for {int((~finite).sum())} images of a "
            f"batch, the first is {source.image_name(first)}."
        )
