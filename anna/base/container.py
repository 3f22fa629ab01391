"""The container of every file we write: safetensors, one metadata key of canonical JSON, and a checksum over everything.

Equal content gives equal bytes: safetensors sorts tensors but not metadata keys, hence the single key. Nothing in a file
is ever executed. A file is written beside its target, then renamed.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from anna.base.errors import FileError

LARGEST_BYTES = 1 << 30
CHECKSUM = "sha256"

Tensors = Mapping[str, NDArray[Any]]
Upgrades = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]  # by format: what makes the content of the next one


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no whitespace: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def checksum(content: Mapping[str, Any], tensors: Tensors) -> str:
    """SHA-256 over everything but the checksum itself."""
    digest = hashlib.sha256(canonical_json({key: content[key] for key in content if key != CHECKSUM}).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def pack(key: str, content: Mapping[str, Any], tensors: Tensors) -> bytes:
    """A file's bytes, determined by content and tensors alone."""
    sealed = {**content, CHECKSUM: checksum(content, tensors)}
    return save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, {key: canonical_json(sealed)})


def unpack(path: Path, key: str, what: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Content and tensors of a file that `pack` made; raises for any other. `what` names the kind: "program"."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise FileError(f"{path}: is not a file; expected a {what} file")
        if not 0 < size <= LARGEST_BYTES:
            raise FileError(f"{path}: has {size} bytes; expected a {what} file of 1 to {LARGEST_BYTES} bytes")
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if set(metadata) != {key}:
                raise FileError(f"{path}: has no {key} description; expected a {what} file")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error}); expected a {what} file") from None
    except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise FileError(f"{path}: is not a valid {what} file ({error})") from None
    try:
        content = json.loads(metadata[key])
    except (ValueError, RecursionError):
        raise FileError(f"{path}: the description inside this {what} file is not JSON") from None
    if not isinstance(content, dict):
        raise FileError(f"{path}: the description inside this {what} file is not an object")
    return content, tensors


def read_json(path: Path, what: str) -> dict[str, Any]:
    """The JSON object that a file holds; anything else is refused."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error}); expected a {what}") from None
    except (ValueError, RecursionError):
        raise FileError(f"{path}: is not a {what}: the file is not JSON") from None
    if not isinstance(content, dict):
        raise FileError(f"{path}: is not a {what}: the JSON in it is not an object")
    return content


def upgraded(
    where: Path | str, what: str, content: Mapping[str, Any], newest: int, upgrades: Upgrades, *, unmarked: int | None = None
) -> dict[str, Any]:
    """Content as the newest format has it: an older one is carried over format by format, any other is refused.

    `unmarked` is the format of content that names none. The checksum, if any, is that of the content as it was.
    """
    number = content.get("format", unmarked)
    if not isinstance(number, int) or isinstance(number, bool):
        raise FileError(f"{where}: has format {number!r:.60}; expected the number of a format of {what} files")
    if number > newest:
        raise FileError(f"{where}: has format {number}; this version of anna reads up to format {newest}: update anna")
    found = {key: value for key, value in content.items() if key != "format"}
    for older in range(number, newest):
        if older not in upgrades:
            raise FileError(f"{where}: has format {number}; this version of anna does not read {what} files of that format")
        try:
            found = upgrades[older](found)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise FileError(f"{where}: is no complete {what} file of format {older} ({error})") from None
    return found


def expect_checksum(path: Path, content: Mapping[str, Any], tensors: Tensors, what: str) -> None:
    """Raise if the content of a file is not what was written."""
    if content.get(CHECKSUM) != checksum(content, tensors):
        raise FileError(f"{path}: the checksum does not match; this {what} file was changed or damaged")


def write_beside(path: Path, data: bytes) -> None:
    """Write beside `path`, then rename: a reader sees the old file or the complete new one.

    A link is kept and its target written; a device or pipe receives the bytes directly.
    """
    with _place(path) as (target, beside):
        if beside is None:
            target.write_bytes(data)
            return
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)


def expect_writable(path: Path) -> None:
    """Raise if `write_beside` would: call this before the work whose result goes there."""
    with _place(path) as (target, beside):
        if beside is not None:
            beside.touch()
        elif not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _place(path: Path) -> Iterator[tuple[Path, Path | None]]:
    """The target, and a temporary path beside it that is removed at the end; none for a device or pipe."""
    target, beside = path, None
    try:
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            raise FileError(f"{path}: cannot be written (it is a folder); expected a file name")
        if stat.S_ISREG(mode):
            target = Path(os.path.realpath(path))
            beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        yield target, beside
    except OSError as error:
        reason = (error.strerror or error) if target.parent.exists() else f"there is no folder {target.parent}"
        raise FileError(f"{path}: cannot be written ({reason})") from None
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink()


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return stat.S_IFREG  # what it will be
