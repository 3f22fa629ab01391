"""Checks byte for byte which files of the data sets a folder holds, and downloads missing ones."""

from __future__ import annotations

import hashlib
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anna.base.container import write_beside
from anna.base.errors import DataError
from lenet.datasets import registry
from lenet.datasets.idx import unpacked
from lenet.datasets.labelled import content_digest
from lenet.datasets.registry import DataFile, data_set

Progress = Callable[[str, int, int | None], None]  # file, bytes so far, total bytes if known
LARGEST_DOWNLOAD = 64 * 2**20  # bytes; the largest file has 10 million


@dataclass(frozen=True)
class Found:
    """The state of one file in a folder."""

    data: str
    file: DataFile
    path: Path
    state: Literal["intact", "missing", "damaged"]
    reason: str = ""


def check_file(file: DataFile, path: Path) -> str:
    """Why the file at `path` is not `file`; empty if it is."""
    try:
        if file.read is None:
            found = hashlib.sha256(unpacked(path)).hexdigest()
            return "" if found == file.sha256 else f"unpacked sha256 is {found}; expected {file.sha256}"
        found = content_digest(file.read(path))
        return "" if found == file.content else f"digest of its images is {found}; expected {file.content}"
    except DataError as error:
        return str(error)


def verify(folder: Path) -> tuple[Found, ...]:
    """The state in `folder` of every file of every data set."""
    return tuple(_found(one.name, file, folder) for one in registry.DATA_SETS.values() for file in one.files)


def _found(data: str, file: DataFile, folder: Path) -> Found:
    path = folder / data / file.name
    plain = path.with_suffix("") if path.suffix == ".gz" and not path.is_file() else path
    if not plain.is_file():
        return Found(data, file, path, "missing")
    reason = check_file(file, plain)
    return Found(data, file, plain, "damaged" if reason else "intact", reason)


def fetch(
    data: str,
    folder: Path,
    *,
    mirrors: tuple[str, ...] | None = None,
    timeout_seconds: float = 30.0,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Downloads the missing and damaged files of a data set into `folder`/`data`; intact files are kept.

    Tries each mirror in turn. A file is checked before it gets its name, so an interrupted download leaves nothing behind.
    """
    one = data_set(data)
    home = folder / data
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{home}: cannot be created ({error.strerror or error}); name another data folder") from None
    paths = []
    for file in one.files:
        if file.on_mirrors:
            paths.append(home / file.name)
            if not paths[-1].is_file() or check_file(file, paths[-1]):
                _fetch_one(file, paths[-1], mirrors or one.mirrors, timeout_seconds, progress)
    return tuple(paths)


def _fetch_one(file: DataFile, path: Path, mirrors: tuple[str, ...], timeout: float, progress: Progress | None) -> None:
    reasons = []
    for mirror in mirrors:
        try:
            content = _download(mirror.rstrip("/") + "/" + file.name, file.name, timeout, progress)
        except (OSError, ValueError, urllib.error.URLError) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
            continue
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.fetched")
        try:
            write_beside(beside, content)
            reason = check_file(file, beside)
            if not reason:
                beside.replace(path)
                return
            reasons.append(f"{mirror}: {reason.replace(str(beside), file.name)}")
        finally:
            beside.unlink(missing_ok=True)
    raise DataError(f"{file.name}: could not be fetched intact; {'; '.join(reasons)}")


def _download(url: str, name: str, timeout: float, progress: Progress | None) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        length = answer.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        data = bytearray()
        while block := answer.read(1 << 16):
            data += block
            if len(data) > LARGEST_DOWNLOAD:
                raise ValueError(f"more than {LARGEST_DOWNLOAD} bytes were sent")
            if progress is not None:
                progress(name, len(data), total)
    if total is not None and len(data) != total:
        raise ValueError(f"was cut off after {len(data)} of {total} bytes")
    return bytes(data)
