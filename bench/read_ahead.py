"""Batches of images, read and prepared by a few threads while the networks run on earlier ones."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from torch import Tensor

from bench.images import ImageSource
from models.backbone import Embedding, Network
from models.slices import lone_threads

BYTES_AHEAD = 400_000_000  # of batches that wait; the networks come on top


@dataclass(frozen=True)
class Batch:
    """Some images as the networks take them.

    Attributes:
        indices: which images.
        images: uint8 (n, 3, H, W); None where every network has prepared ones of its own.
        prepared: network's name -> what its `prepare` made of them.
    """

    indices: Sequence[int]
    images: Tensor | None
    prepared: Mapping[str, Tensor]

    @property
    def bytes(self) -> int:
        """What it holds."""
        kept = [*self.prepared.values(), *([] if self.images is None else [self.images])]
        return sum(tensor.nbytes for tensor in kept)

    def embedding(self, name: str, network: Network) -> Embedding:
        """What a network says of it."""
        if name in self.prepared:
            found: Embedding = network.embed(self.prepared[name])  # type: ignore[attr-defined]
            return found
        assert self.images is not None  # kept wherever a network did not prepare its own
        return network(self.images)


def read_ahead(
    source: ImageSource,
    rows: range,
    batch_size: int,
    workers: int,
    networks: Mapping[str, Network],
) -> Iterator[Batch]:
    """Batches in order; as many wait as there are workers, and fewer where they are large."""
    waiting: deque[Future[Batch]] = deque()
    ahead = iter([rows[start : start + batch_size] for start in range(0, len(rows), batch_size)])
    pool = lone_threads(workers, "images")
    depth = 1

    def fill() -> None:
        while len(waiting) < depth and (batch := next(ahead, None)) is not None:
            waiting.append(pool.submit(_read, source, batch, networks))

    try:
        fill()
        while waiting:
            batch = waiting.popleft().result()
            depth = _depth(batch, workers)
            fill()
            yield batch
            del batch  # else it would be kept while the next one is waited for
    finally:
        pool.shutdown(cancel_futures=True)


def _depth(batch: Batch, workers: int) -> int:
    return max(1, min(workers, BYTES_AHEAD // max(batch.bytes, 1)))


def _read(source: ImageSource, indices: Sequence[int], networks: Mapping[str, Network]) -> Batch:
    images = source.read(indices)
    prepares = {name: _prepare_of(network) for name, network in networks.items()}
    prepared = {name: call(images) for name, call in prepares.items() if call is not None}
    return Batch(indices, images if len(prepared) < len(networks) else None, prepared)


def _prepare_of(network: Network) -> Callable[[Tensor], Tensor] | None:
    return getattr(network, "prepare", None)
