"""The fingerprint of a row of images, and the manifest that remembers it.

fingerprint = sha256 over, for each image in order, the image's own sha256 (height and width as
little-endian uint32, then the uint8 pixels after the crop, channel by channel) followed by its
label as little-endian int64, -1 where there is none.
"""

import hashlib
import json
import logging
import os
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from bench.atomic import replace_file
from bench.errors import StoreError
from bench.images import ImageSource
from bench.records import digest

log = logging.getLogger(__name__)

NO_LABEL = -1
CHUNK = 64  # images per task: enough to make the pool's own cost vanish
VERSION = 1  # bump when decoding, cropping or the manifest's layout changes

ProgressCall = Callable[[int, int], None]  # (done, total)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Scan:
    """What one look at every image found; the content of a manifest.

    Attributes:
        fingerprint: sha256 of the images that were kept, in order.
        count: how many were kept.
        height, width: of every one of them.
        counts: conversions by kind.
        skipped: name -> reason, for images that were left out.
    """

    fingerprint: str
    count: int
    height: int
    width: int
    counts: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def image_digest(pixels: Tensor) -> bytes:
    """sha256 of one uint8 (3, H, W) image, its size included."""
    height, width = pixels.shape[-2:]
    hashed = hashlib.sha256(struct.pack("<II", height, width))
    hashed.update(pixels.contiguous().numpy().data)
    return hashed.digest()


def combine(images: Iterable[tuple[bytes, int]]) -> str:
    """The fingerprint of a row of (image digest, label)."""
    hashed = hashlib.sha256()
    for image, label in images:
        hashed.update(image + struct.pack("<q", label))
    return hashed.hexdigest()


def fingerprint(
    source: ImageSource, *, workers: int = 0, progress: ProgressCall | None = None
) -> str:
    """The fingerprint of any source that ends, read in chunks.

    Args:
        source: images and labels.
        workers: threads; 0 is one per core.
        progress: called as progress(done, total) after each chunk.
    """

    def digests(indices: Sequence[int]) -> list[bytes]:
        return [image_digest(image) for image in source.read(indices)]

    total = len(source)
    labels = [NO_LABEL] * total if source.labels is None else source.labels.tolist()
    parts = in_chunks(digests, total, workers=workers, progress=progress)
    return combine(zip((one for part in parts for one in part), labels, strict=True))


def in_chunks(
    work: Callable[[Sequence[int]], Result],
    total: int,
    *,
    workers: int = 0,
    progress: ProgressCall | None = None,
) -> Iterator[Result]:
    """Run `work` on consecutive ranges of 0..total-1 in a thread pool, results in order.

    Only a few chunks are under way at a time, so memory does not grow with the total, and the
    first error ends the work.
    """
    threads = workers or cores()
    chunks = deque(range(i, min(i + CHUNK, total)) for i in range(0, total, CHUNK))
    running: deque[tuple[int, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="images")
    try:
        while chunks or running:
            while chunks and len(running) < 2 * threads:
                chunk = chunks.popleft()
                running.append((chunk.stop, pool.submit(work, chunk)))
            done, future = running.popleft()
            yield future.result()
            if progress is not None:
                progress(done, total)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many cores this process may use; SLURM gives fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def stamp_files(files: Iterable[tuple[str, int, int]]) -> str:
    """sha256 over a list of (relative name, size, mtime in ns): cheap, and moves with the files."""
    hashed = hashlib.sha256()
    for name, size, modified in files:
        hashed.update(os.fsencode(name) + b"\0" + struct.pack("<qq", size, modified))
    return hashed.hexdigest()


def remembered(
    scan: Callable[[], Scan],
    *,
    manifests: Path,
    identity: dict[str, object],
    stamp: str,
    verify: bool = False,
) -> Scan:
    """The scan of the manifest while the files' stamp is unchanged, else a new one.

    Args:
        scan: looks at every image; slow.
        manifests: folder of the manifests.
        identity: what is scanned, e.g. its absolute path and the decoding settings, as JSON
            values; its hash names the manifest.
        stamp: of the files as they are now.
        verify: scan again whatever the manifest says.
    """
    path = manifests / f"{digest({'version': VERSION, **identity})}.json"
    known = _read(path, stamp)
    if known is not None and not verify:
        return known
    fresh = scan()
    if known is not None and known != fresh:
        log.warning("the images have changed though names, sizes and times have not: %s", path)
    _write(path, stamp, fresh)
    return fresh


def _read(path: Path, stamp: str) -> Scan | None:
    """None for whatever is absent, torn, foreign or out of date."""
    try:
        content = json.loads(path.read_bytes())
        scan = Scan(**content["scan"])
        whole = content["check"] == digest(content["scan"]) and content["stamp"] == stamp
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return scan if whole else None


def _write(path: Path, stamp: str, scan: Scan) -> None:
    content = {"stamp": stamp, "scan": asdict(scan), "check": digest(asdict(scan))}
    try:
        replace_file(path, json.dumps(content, indent=1).encode())
    except (StoreError, OSError) as error:  # a manifest only saves time
        log.warning("the fingerprint is not remembered: %s", error)
