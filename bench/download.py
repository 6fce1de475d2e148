"""Files over HTTP: resumed where the server allows it, checked on disk, whole or absent."""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3

from bench.errors import StoreError
from bench.partial import Partial
from bench.progress import Progress

Check = Callable[[Path], str | None]  # None, or what is wrong with the file
PIECE = 256 * 1024  # bytes that a cut connection loses at most
MEGABYTE = 1_000_000


class DownloadError(Exception):
    """No file: the server cannot be reached, refuses, or sends something else."""


class NoNetworkError(DownloadError):
    """No file, and no word of any server."""


class OtherFileError(DownloadError):
    """A whole file, which is not the expected one."""


class _CutError(Exception):
    """An answer that ended early; another request may go on from there."""


class _UnreachedError(_CutError):
    """No answer at all: a cut where the server was reached before, else no network."""


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try.

    Attributes:
        connect: seconds until a connection stands.
        stall: seconds without one byte.
        attempts: requests for one file; each goes on where the one before ended.
        pause: seconds before the second one; doubled before each further one.
    """

    connect: float = 10.0
    stall: float = 60.0
    attempts: int = 5
    pause: float = 1.0


def download(url: str, path: Path, *, check: Check, patience: Patience | None = None) -> bool:
    """Fetch a file, unless another process does so first.

    Several processes and nodes may fetch into one folder: each fills a partial file of its own
    (see `bench.partial`), and the first whole one gets the name. A file that is there is never
    overwritten. What an earlier process left is continued if the server still has that version.

    Args:
        url: http or https.
        path: the final name; its folder is made.
        check: looks at the whole file on disk before it gets its name.
        patience: how long to wait.

    Returns:
        Whether this call made the file; False: another process was faster, and its file stands.

    Raises:
        DownloadError: in one line. What has come is kept, but for a file that fails the check.
        StoreError: if the disk is full or the folder cannot be written.
    """
    patience = patience or Patience()
    while not path.exists():
        partial = Partial.claim(path)
        continued = partial.size > 0
        try:
            _fill(url, partial, patience)
            reason = check(partial.data)
        except BaseException:
            partial.release()
            raise
        if reason is None:
            return partial.publish()
        partial.discard()
        if not continued:  # else the fault may lie in what was left: once more from the start
            raise OtherFileError(f"{url} sent a file that {reason}")
    return False


def _fill(url: str, partial: Partial, patience: Patience) -> None:
    """Ask until the file is whole."""
    for attempt in range(patience.attempts):
        if attempt:
            time.sleep(patience.pause * 2 ** (attempt - 1))
        try:
            return _ask(url, partial, patience)
        except _CutError as error:
            if isinstance(error, _UnreachedError) and not (attempt or partial.size):
                raise NoNetworkError(f"{url} {error}") from error
            cut = error
    raise DownloadError(f"{url} was cut {patience.attempts} times (last: {cut}); {_kept(partial)}")


def _kept(partial: Partial) -> str:
    if not partial.size:
        return "nothing of it has come"
    return f"{_told(partial.size)} of it are kept: the same command goes on from there"


def _ask(url: str, partial: Partial, patience: Patience) -> None:
    """One request, for what is missing; whatever the server makes of it, no byte is misplaced."""
    version = partial.version(url)
    start = partial.size if version else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "salon"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": str(version)}
    with _answer(url, headers, patience) as answer:
        if answer.status_code == 416 and _range(answer)[1] == start:
            return  # the earlier process was killed between the last byte and the name
        if answer.status_code == 416 or (start and answer.status_code == 206):
            if _range(answer)[0] != start:
                partial.begin(url, None)
                raise _CutError("the server sent another part than asked for")
        elif answer.status_code == 200:
            start = 0
            partial.begin(url, _version(answer))
        else:
            _refuse(url, answer)
        _receive(answer, partial, start)


def _answer(url: str, headers: dict[str, str], patience: Patience) -> requests.Response:
    try:
        timeout = (patience.connect, patience.stall)
        answer = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _UnreachedError(f"cannot be reached: {_cause(error)}") from error
    except requests.RequestException as error:
        raise NoNetworkError(f"{url} cannot be reached: {_cause(error)}") from error
    steps = [one.url for one in (*answer.history, answer)]
    plain = [step for step in steps if not step.startswith("https:")]
    if url.startswith("https:") and plain:  # also on the way: it could lead anywhere from there
        answer.close()
        raise DownloadError(f"{url} leads to {plain[0]}, which is not encrypted")
    return answer


def _refuse(url: str, answer: requests.Response) -> None:
    told = f"HTTP {answer.status_code} {answer.reason or ''}".strip()
    if answer.status_code >= 500 or answer.status_code == 429:
        raise _CutError(told)
    raise DownloadError(f"{url}: {told}")


def _receive(answer: requests.Response, partial: Partial, start: int) -> None:
    """Write what comes behind `start`, and refuse to call less than all of it a file."""
    length = _number(answer.headers.get("Content-Length", ""))
    total = None if length is None else start + length
    _check_space(partial, (total or start) - start)
    done, bar = start, Progress(partial.path.name, _megabytes((total or start) - start), "MB")
    try:
        with partial.data.open("r+b") as file:
            file.seek(start)
            for piece in answer.raw.stream(PIECE, decode_content=False):
                _write(file.write, piece, partial)
                done += len(piece)
                bar.advance((done - start) // MEGABYTE - bar.done)
            _write(file.truncate, done, partial)
    except urllib3.exceptions.HTTPError as error:
        raise _CutError(_cause(error)) from error
    finally:
        bar.close()
    if total is not None and done < total:
        raise _CutError(f"{done} of {total} bytes came")


def _write(call: Callable[..., object], argument: object, partial: Partial) -> None:
    try:
        call(argument)
    except OSError as error:
        raise StoreError(_no_room(partial, str(error.strerror))) from error


def _check_space(partial: Partial, needed: int) -> None:
    free = shutil.disk_usage(partial.folder).free
    if needed > free:
        raise StoreError(_no_room(partial, f"{_told(needed)} are needed, {_told(free)} are free"))


def _no_room(partial: Partial, reason: str) -> str:
    return (
        f"cannot write {partial.path}: {reason}; free some space, or choose another folder "
        "(SALON_HOME); the same command goes on from there"
    )


def _version(answer: requests.Response) -> str | None:
    """What If-Range may hold: a strong entity tag, or a date."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified")


def _range(answer: requests.Response) -> tuple[int | None, int | None]:
    """Start and total of `Content-Range: bytes START-END/TOTAL` or `bytes */TOTAL`."""
    part, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    start = part.partition("-")[0]
    return _number(start), _number(total)


def _number(text: str) -> int | None:
    """Of bytes; None where a header holds no number that a file could have."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _cause(error: BaseException) -> str:
    """The innermost reason; the outer ones repeat the address."""
    while (inner := getattr(error, "reason", None) or error.__cause__ or _argument(error)) and (
        isinstance(inner, BaseException)
    ):
        error = inner
    return str(error) or type(error).__name__


def _argument(error: BaseException) -> object:
    return next((one for one in reversed(error.args) if isinstance(one, BaseException)), None)


def _megabytes(count: int) -> int:
    return math.ceil(count / MEGABYTE)


def _told(count: int) -> str:
    return f"{count / MEGABYTE:.1f} MB"
