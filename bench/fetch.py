"""`salon fetch`: puts published weight files where networks look for them, each one checked."""

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.atomic import create_file
from bench.backbone_list import backbones
from bench.download import DownloadError, NoNetworkError, OtherFileError, download
from bench.errors import CheckpointError, ConfigError, SalonError, StoreError
from bench.lpips_nets import GROUP as LPIPS
from bench.lpips_nets import lpips_nets
from models.backbones.timm_model import OPTION, TimmModel
from models.file_kind import LOADABLE, file_kind
from models.published import PublishedFile, note_beside, noted_sha256
from models.timm_hub import cached_hub_file, hub_file
from models.weights import WeightsError, file_sha256, kind_and_digits, other_hash, weights_folder

HELP = """salon fetch - download published weights into $SALON_HOME, resumed and checked

  salon fetch backbone=inception
  salon fetch backbone=[inception,timm] backbone.timm.model=resnet18.a1_in1k
  salon fetch lpips=alex                     the trunk of LPIPS; or vgg, squeeze, [alex,vgg]
  salon fetch all                            every backbone whose files are published, and LPIPS

Options of a backbone count: backbone.NAME.weights_sha256=HEX names the file that you accept.
Where there is no network: fetch on a machine that has one, and copy or share the folder.
Exit code 4: a file could not be fetched, or is not the named one; 6: the disk.

  SALON_HOME     the folder; weights go into its folder weights/     (~/.cache/salon)
"""
ALL = "all"
NAMES_HASH = "name its hash with weights_sha256=HEX (of a head: head_sha256)"
GROUP = "backbone="


@dataclass(frozen=True)
class Fetched:
    """What became of one file.

    Attributes:
        state: present or fetched.
        detail: what is known of it.
    """

    state: str
    detail: str


def main(words: Sequence[str]) -> int:
    """Run `salon fetch WORDS`; returns the exit code of the first failure, or 0."""
    if {"-h", "--help"} & set(words) or not words:
        print(HELP, end="")
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    others = [word for word in words if word != ALL and not word.startswith(LPIPS)]
    every = ALL in words
    wanted = {**backbones(_as_list(others), every=every), **lpips_nets(words, every=every)}
    if not wanted:
        raise ConfigError(
            "salon fetch needs backbone=NAME, backbone=[NAME,NAME], lpips=NET or all."
        )
    codes = [_fetch(name, spec) for name, spec in wanted.items()]
    return next((code for code in codes if code), 0)


def fetch(file: PublishedFile) -> Fetched:
    """Download a file, or verify the one that is there; either way it is the stated one.

    Raises:
        CheckpointError: if it is not to be had, or is another file.
        StoreError: if the disk is full or the folder cannot be written.
    """
    _refuse_no_hash(file.stated)
    path = file.present()
    if path is not None:
        return _verified(file, path)
    path = weights_folder() / file.name
    try:
        made = download(file.url, path, check=lambda whole: _fault(whole, file.stated))
    except DownloadError as error:
        raise CheckpointError(
            f"{file.name} is not in {path.parent} and was not fetched: {error}; {_way_out(error)}"
        ) from error
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    return Fetched("fetched", _detail(file, path)) if made else _verified(file, path)


def _way_out(error: DownloadError) -> str:
    if isinstance(error, NoNetworkError):
        return "fetch it where there is a network and copy it there, or share that SALON_HOME"
    if isinstance(error, OtherFileError):
        return f"if that file is the one you want, {NAMES_HASH}"
    return "try again later, or put the file there from elsewhere"


def _as_list(words: Sequence[str]) -> list[str]:
    """`backbone=inception` as the list that the config wants."""
    for word in words:
        if word.startswith("-") or (word.partition("=")[0] + "=" != GROUP and "." not in word):
            raise ConfigError(
                "salon fetch takes backbone=NAME, keys below backbone, lpips=NET, or all; "
                f"found {word}."
            )
    bare = {word for word in words if word.startswith(GROUP) and "[" not in word}
    return [f"{GROUP}[{word.removeprefix(GROUP)}]" if word in bare else word for word in words]


def _fetch(name: str, spec: Any) -> int:
    """The files of one network, a line each; the exit code of the first failure."""
    calls = _calls(spec)
    if not calls:
        print(f"{name}: nothing to fetch", flush=True)
    codes = [_say(name, file, call) for file, call in calls.items()]
    return next((code for code in codes if code), 0)


def _calls(spec: Any) -> dict[str, Callable[[], Fetched]]:
    """File name -> what brings it here."""
    if isinstance(spec, TimmModel):
        return {spec.model: partial(_from_hub, spec)} if spec.weights == "hub" else {}
    files = spec.published_files() if hasattr(spec, "published_files") else ()
    return {file.name: partial(fetch, file) for file in files}


def _say(name: str, file: str, call: Callable[[], Fetched]) -> int:
    try:
        found = call()
    except SalonError as error:
        print(f"failed   {name}: {error}", file=sys.stderr, flush=True)
        return error.code
    print(f"{found.state.ljust(8)} {name}: {file} ({found.detail})", flush=True)
    return 0


def _from_hub(spec: TimmModel) -> Fetched:
    """A timm model's file, which the hub's own client downloads, resumes and keeps."""
    _refuse_no_hash(spec.weights_sha256)
    try:
        there = cached_hub_file(spec.model)
        path = hub_file(spec.model, option=OPTION)
    except WeightsError as error:
        raise CheckpointError(str(error)) from error
    fault = _fault(path, spec.weights_sha256)
    if fault:
        raise CheckpointError(f"{path} {fault}; name its hash with {OPTION}_sha256=HEX")
    return Fetched("present" if there else "fetched", f"sha256 {file_sha256(path)}; {path}")


def _refuse_no_hash(expected: str | None) -> None:
    """Also ahead of a download that could not be compared with it."""
    if expected is None:
        return
    try:
        kind_and_digits(expected)
    except WeightsError as error:
        raise CheckpointError(str(error)) from error


def _verified(file: PublishedFile, path: Path) -> Fetched:
    fault = _fault(path, file.expected(path))
    if fault:
        raise CheckpointError(f"{path} {fault}; delete it and fetch again, or {NAMES_HASH}")
    return Fetched("present", _detail(file, path))


def _fault(path: Path, expected: str | None) -> str | None:
    """What is wrong with a whole weight file, as the end of a sentence that begins with it."""
    kind = file_kind(path)
    if kind not in LOADABLE:
        return f"is {kind.value}"
    _refuse_no_hash(expected)
    return None if expected is None else other_hash(path, expected)


def _detail(file: PublishedFile, path: Path) -> str:
    size, sha256 = f"{path.stat().st_size / 1e6:.0f} MB", file_sha256(path)
    return f"{size}, {file.licence}, sha256 {sha256} {_standing(file, path, sha256)}; {path}"


def _standing(file: PublishedFile, path: Path, sha256: str) -> str:
    """What the hash was compared with; where nobody states one, this one is noted."""
    if file.sha256 is not None:
        return "as stated" if len(file.sha256) == 64 else f"as stated ({file.sha256}...)"
    if noted_sha256(path) is not None:
        return "as noted at its first download"
    stated = "stated by nobody" if file.md5 is None else f"of the stated md5 ({file.md5}...)"
    try:
        create_file(note_beside(path), f"{sha256}  {path.name}\n".encode())
    except StoreError:
        return f"{stated}; it cannot be noted beside the file"
    return f"{stated}, noted in {note_beside(path).name}"
