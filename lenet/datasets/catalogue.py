"""The data sets that can be fetched: where they lie publicly, their checksums, and what of them a folder holds.

A checksum is that of the unpacked file, so that a copy packed anew is as good as the original. The USPS text files
are checked by their content: the digits, in whatever order, must be those of the published set.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anna.base.container import write_beside
from anna.base.errors import DataError
from lenet.datasets.idx import unpacked
from lenet.datasets.usps import Pair, read_zip_text

Progress = Callable[[str, int, int | None], None]  # file, bytes so far, bytes in all if known
MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "usps": ("https://hastie.su.domains/ElemStatLearn/datasets/",),
}
LARGEST_DOWNLOAD = 64 * 2**20  # bytes; the largest file has 10 million


@dataclass(frozen=True)
class DataFile:
    """One file of a data set: `sha256` is of the unpacked bytes, `content` of the digits it holds, in any order."""

    data: str
    name: str
    sha256: str | None = None
    content: str | None = None


FILES = (
    DataFile("mnist", "train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    DataFile("mnist", "train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    DataFile("mnist", "t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    DataFile("mnist", "t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    DataFile("usps", "zip.train.gz", content="c3c6960b90da53d7a2dc6edf7b5532927c811f299b4243f2082f8f41e1aff844"),
    DataFile("usps", "zip.test.gz", content="07008def38962ef5f40e1f4af72365ef6a7372e676af5b871a874f2b2d87aa5a"),
)
HDF5 = DataFile("usps", "usps.h5", "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36")  # has no mirror here


@dataclass(frozen=True)
class Found:
    """What a folder holds of one file."""

    file: DataFile
    path: Path
    state: Literal["whole", "missing", "damaged"]
    reason: str = ""


def content_digest(pair: Pair) -> str:
    """SHA-256 over the sorted hashes of labelled pictures: the same for the same digits in any order."""
    images, labels = pair
    labelled = zip(images, labels, strict=True)
    ones = sorted(hashlib.sha256(bytes([label]) + image.tobytes()).digest() for image, label in labelled)
    return hashlib.sha256(b"".join(ones)).hexdigest()


def check_file(file: DataFile, path: Path) -> str:
    """Why the file at `path` is not `file`, or nothing."""
    try:
        if file.sha256 is not None:
            found = hashlib.sha256(unpacked(path)).hexdigest()
            return "" if found == file.sha256 else f"unpacked sha256 is {found}; expected {file.sha256}"
        found = content_digest(read_zip_text(path))
        return "" if found == file.content else f"digest of its digits is {found}; expected {file.content}"
    except DataError as error:
        return str(error)


def verify(folder: Path) -> tuple[Found, ...]:
    """Every file of the catalogue, as `folder` holds it."""
    out = []
    for file in (*FILES, HDF5):
        path = folder / file.data / file.name
        plain = path.with_suffix("") if path.suffix == ".gz" and not path.is_file() else path
        if not plain.is_file():
            out.append(Found(file, path, "missing"))
            continue
        reason = check_file(file, plain)
        out.append(Found(file, plain, "damaged" if reason else "whole", reason))
    return tuple(out)


def fetch(
    data: str,
    folder: Path,
    *,
    mirrors: tuple[str, ...] | None = None,
    timeout_seconds: float = 30.0,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Fetch the missing and damaged files of a data set into `folder`/`data`; what is whole is left alone.

    Each mirror is tried in turn. A file is checked before it takes its name: a fetch that is cut off leaves nothing.
    """
    wanted = [file for file in FILES if file.data == data]
    if not wanted:
        raise DataError(f"data set {data!r} is not known; expected one of {', '.join(MIRRORS)}")
    home = folder / data
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{home}: cannot be made ({error.strerror or error}); name another data folder") from None
    paths = []
    for file in wanted:
        path = home / file.name
        if not path.is_file() or check_file(file, path):
            _fetch_one(file, path, mirrors or MIRRORS[data], timeout_seconds, progress)
        paths.append(path)
    return tuple(paths)


def _fetch_one(file: DataFile, path: Path, mirrors: tuple[str, ...], timeout: float, progress: Progress | None) -> None:
    reasons = []
    for mirror in mirrors:
        try:
            content = _download(mirror.rstrip("/") + "/" + file.name, file.name, timeout, progress)
        except (OSError, ValueError, urllib.error.URLError) as error:
            reasons.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
            continue
        beside = path.with_name(f".{path.name}.{os.getpid()}.fetched")
        try:
            write_beside(beside, content)
            reason = check_file(file, beside)
            if not reason:
                beside.replace(path)
                return
            reasons.append(f"{mirror}: {reason.replace(str(beside), file.name)}")
        finally:
            beside.unlink(missing_ok=True)
    raise DataError(f"{file.name}: could not be fetched whole; {'; '.join(reasons)}")


def _download(url: str, name: str, timeout: float, progress: Progress | None) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        length = answer.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        data = bytearray()
        while block := answer.read(1 << 16):
            data += block
            if len(data) > LARGEST_DOWNLOAD:
                raise ValueError(f"sends more than {LARGEST_DOWNLOAD} bytes")
            if progress is not None:
                progress(name, len(data), total)
    if total is not None and len(data) != total:
        raise ValueError(f"was cut off after {len(data)} of {total} bytes")
    return bytes(data)
