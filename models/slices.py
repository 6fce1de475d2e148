"""A batch in slices, one core each: on a CPU quicker than all cores in each operation.

Operations of a network are too short to be shared well: cores wait for each other at the end of
every one, and most of all where another process uses a core too. Slices wait once per batch, and
their maps stay in the cores' caches.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import torch
from torch import Tensor

from models.backbone import Embedding

LARGEST = 8  # images; beyond it only memory grows

Trunk = Callable[[Tensor], Embedding]


def in_slices(trunk: Trunk, x: Tensor) -> Embedding:
    """What the trunk says of x, (n, 3, S, S) on the CPU, asked for at most 8 images at a time.

    The trunk is called from several threads at once, each computing with one.
    """
    cores = torch.get_num_threads()
    parts = x.split(min(LARGEST, -(-len(x) // cores)))
    if len(parts) == 1:
        return trunk(x)
    if cores == 1:
        return _joined([trunk(part) for part in parts])
    return _joined(list(_pool(cores).map(trunk, parts)))


def _joined(found: list[Embedding]) -> Embedding:
    return Embedding(
        torch.cat([one.features for one in found]),
        _cat([one.logits for one in found]),
        _cat([one.spatial for one in found]),
    )


def _cat(tensors: list[Tensor | None]) -> Tensor | None:
    there = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(there) if there else None


@cache
def _pool(cores: int) -> ThreadPoolExecutor:
    return lone_threads(cores, "slices")


def lone_threads(count: int, name: str) -> ThreadPoolExecutor:
    """Threads that compute with one core each; the calling thread keeps its number of cores.

    torch holds that number per thread, and the last one set as that of threads to come.

    Raises:
        RuntimeError: if the system starts no more threads.
    """
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    ready = Barrier(count)
    try:
        for waiting in [pool.submit(_compute_alone, ready) for _ in range(count)]:
            waiting.result()
    except BaseException:  # no more threads, or interrupted: nobody may wait for the others
        ready.abort()
        pool.shutdown(wait=False)
        raise
    finally:
        torch.set_num_threads(before)
    return pool


def _compute_alone(ready: Barrier) -> None:
    torch.get_num_threads()  # a thread takes torch's number at its first use of it: now, not later
    torch.set_num_threads(1)
    ready.wait()  # so that every thread of the pool starts, and none takes two turns
