"""From images to features: one pass over the images for all backbones, part by part, cached."""

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from bench.cache import FeatureCache
from bench.errors import UndefinedError
from bench.images import ImageSource
from bench.progress import Progress
from models.backbone import Backbone, Embedding, Network

log = logging.getLogger(__name__)
EXTRACTION_VERSION = 1  # bump by hand when the same config gives other features
PART_ROWS = 2048  # a killed job loses at most this many images


@dataclass(frozen=True)
class FeatureSet:
    """One side in one backbone.

    Attributes:
        features: (N, D) float32 (or what a feature file holds).
        logits: (N, C) float32, or None.
        labels: (N,) int64, or None.
        spatial: (N, S) float32, or None where it was not asked for or the backbone has none.
    """

    features: Tensor
    logits: Tensor | None = None
    labels: Tensor | None = None
    spatial: Tensor | None = None

    @cached_property
    def duplicates(self) -> int:
        """Rows that are equal to an earlier row, bit for bit."""
        rows = self.features.contiguous().numpy()
        packed = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
        return len(packed) - len(np.unique(packed))


@dataclass
class Cost:
    """What an extraction took; zero images where everything came from the cache."""

    images: int = 0
    seconds: float = 0.0
    reused: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Both together."""
        return Cost(
            self.images + other.images, self.seconds + other.seconds, self.reused + other.reused
        )

    def summary(self) -> dict[str, float | int]:
        """Images computed and reused, seconds, and images per second."""
        rate = round(self.images / self.seconds, 1) if self.seconds else 0.0
        return {
            "images": self.images,
            "reused": self.reused,
            "seconds": round(self.seconds, 2),
            "images_per_second": rate,
        }


@dataclass
class Extractor:
    """Runs backbones over image sources.

    Attributes:
        cache: where finished parts are kept.
        device: where the networks run.
        batch_size: images per call of a network.
        workers: threads that read images ahead of the network.
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
            UndefinedError: if a network gives NaN or infinity; the first image is named.
        """
        cost = Cost()
        identities = {
            name: self._identity(source, backbone_identities[name], self._keeps_map(backbone))
            for name, backbone in backbones.items()
        }
        found: dict[str, list[dict[str, Tensor]]] = {name: [] for name in backbones}
        progress = Progress(f"{side} features", count)
        try:
            for start in range(0, count, PART_ROWS):
                rows = range(start, min(start + PART_ROWS, count))
                part = self._part(source, rows, backbones, identities, cost, progress)
                for name in backbones:
                    found[name].append(part[name])
        finally:
            progress.close()
        if cost.images:
            log.info("%s: %d images, %.0f images/s", progress.what, cost.images, progress.rate)
        return {name: _join(parts, source, count) for name, parts in found.items()}, cost

    def _part(
        self,
        source: ImageSource,
        rows: range,
        backbones: Mapping[str, Backbone],
        identities: Mapping[str, dict[str, object]],
        cost: Cost,
        progress: Progress,
    ) -> dict[str, dict[str, Tensor]]:
        part = {name: self.cache.read(identities[name], rows) for name in backbones}
        missing = {name: backbones[name] for name, tensors in part.items() if tensors is None}
        if missing:
            started = time.monotonic()
            computed = self._embed(source, rows, missing, progress)
            cost.seconds += time.monotonic() - started
            cost.images += len(rows)
            for name, tensors in computed.items():
                part[name] = self.cache.write(identities[name], rows, tensors)
        else:
            cost.reused += len(rows)
            progress.advance(len(rows))
        return {name: tensors for name, tensors in part.items() if tensors is not None}

    def _embed(
        self,
        source: ImageSource,
        rows: range,
        backbones: Mapping[str, Backbone],
        progress: Progress,
    ) -> dict[str, dict[str, Tensor]]:
        networks = {name: self._network(name, backbone) for name, backbone in backbones.items()}
        embedded: dict[str, list[Embedding]] = {name: [] for name in networks}
        for indices, images in read_ahead(source, rows, self.batch_size, self.workers):
            for name, network in networks.items():
                embedding = network(images)
                _refuse_non_finite(embedding.features, source, indices, name)
                embedded[name].append(embedding)
            progress.advance(len(indices))
        return {name: self._stack(parts) for name, parts in embedded.items()}

    def _keeps_map(self, backbone: Backbone) -> bool:
        return self.spatial and has_spatial(backbone)

    def _identity(
        self, source: ImageSource, backbone: Mapping[str, object], spatial: bool
    ) -> dict[str, object]:
        """What a part of features depends on, beside its row range."""
        return {
            "images": source.content(),
            "backbone": dict(backbone),
            "device_type": self.device.split(":")[0],
            "version": EXTRACTION_VERSION,
            "dtype": "float32",
            **({"spatial": True} if spatial else {}),
        }

    def _stack(self, parts: Sequence[Embedding]) -> dict[str, Tensor]:
        wanted = ("features", "logits", "spatial") if self.spatial else ("features", "logits")
        found = {name: [getattr(part, name) for part in parts] for name in wanted}
        return {
            name: torch.cat([tensor.cpu() for tensor in tensors])
            for name, tensors in found.items()
            if tensors[0] is not None
        }

    def _network(self, name: str, backbone: Backbone) -> Network:
        if name not in self.networks:
            self.networks[name] = backbone.load(self.device)
        return self.networks[name]


def has_spatial(backbone: object) -> bool:
    """Whether a backbone's embeddings have a spatial map; its class says so."""
    return getattr(backbone, "has_spatial", False)


def read_ahead(
    source: ImageSource, rows: range, batch_size: int, workers: int
) -> Iterator[tuple[Sequence[int], Tensor]]:
    """Batches in order, read by a few threads while the caller works on earlier ones."""
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    pool = ThreadPoolExecutor(workers)
    try:
        ahead = iter(batches)
        waiting: deque[tuple[range, Future[Tensor]]] = deque()
        for batch in islice(ahead, workers + 1):
            waiting.append((batch, pool.submit(source.read, batch)))
        while waiting:
            batch, images = waiting.popleft()
            for following in islice(ahead, 1):
                waiting.append((following, pool.submit(source.read, following)))
            yield batch, images.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _join(parts: Sequence[dict[str, Tensor]], source: ImageSource, count: int) -> FeatureSet:
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    labels = source.labels_of(range(count))
    return FeatureSet(joined["features"], joined.get("logits"), labels, joined.get("spatial"))


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
