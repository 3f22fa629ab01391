"""The container of every file we write: safetensors, one metadata key of canonical JSON, and a checksum over everything.

Equal content gives equal bytes: safetensors sorts tensors but not metadata keys, hence the single key. Nothing in a file
is ever executed. A file is written beside its target, then renamed.
"""

import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from anna.base.border import JSON, Budget, border, expect_file, read_bytes
from anna.base.errors import FileError

LARGEST_HEADER = 16 << 20  # bytes of the JSON in front of the tensors; as Python objects they take some twenty times as much
MOST_TENSORS = 10_000
CHECKSUM = "sha256"

Tensors = Mapping[str, NDArray[Any]]
Upgrades = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]  # by format: turns its content into that of the next one


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


def unpack(path: Path, key: str, what: str, budget: Budget) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Content and tensors of a file that `pack` made; raises for any other. `what` names the kind: "program"."""
    metadata, tensors = read_safetensors(path, what, budget)
    if set(metadata) != {key}:
        raise FileError(f"{path}: has no {key} description; expected a {what} file")
    try:
        content = json.loads(metadata[key])
    except (ValueError, RecursionError):
        raise FileError(f"{path}: the description inside this {what} file is not JSON") from None
    if not isinstance(content, dict):
        raise FileError(f"{path}: the description inside this {what} file is not an object")
    return content, tensors


def read_safetensors(path: Path, what: str, budget: Budget) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """Metadata and tensors of a safetensors file."""
    with border(path, budget):
        expect_safetensors(path, budget)
        try:
            with safe_open(path, framework="numpy") as file:
                names = file.keys()
                if len(names) > MOST_TENSORS:
                    raise budget.error(f"{path}: holds {len(names):,} tensors; expected at most {MOST_TENSORS:,}")
                return file.metadata() or {}, {name: file.get_tensor(name) for name in names}
        except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise budget.error(f"{path}: is not a valid {what} file ({error})") from None


def expect_safetensors(path: Path, budget: Budget) -> None:
    """Raise for a file that is none or too long, or whose header is, before a library reads it."""
    expect_file(path, budget)
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if LARGEST_HEADER < header < path.stat().st_size:
        raise budget.error(f"{path}: describes itself in {header:,} bytes; expected at most {LARGEST_HEADER:,}")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """The JSON object in a file; raises FileError for anything else."""
    budget = JSON.called(f"a {what}")
    data = read_bytes(path, budget)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise FileError(f"{path}: is not a {what}: the file is not JSON") from None
    if not isinstance(content, dict):
        raise FileError(f"{path}: is not a {what}: the JSON in it is not an object")
    return content


def upgraded(
    where: Path | str, what: str, content: Mapping[str, Any], newest: int, upgrades: Upgrades, *, unmarked: int | None = None
) -> dict[str, Any]:
    """Content in the newest format: an older one is upgraded format by format; raises for any other.

    `unmarked` is the format of content that names none. A checksum is kept, and is that of the original content.
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
            raise FileError(f"{where}: is not a complete {what} file of format {older} ({error})") from None
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
        with _created(beside) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)


def expect_writable(path: Path) -> None:
    """Raise if `write_beside` would: call this before the work whose result goes there."""
    with _place(path) as (target, beside):
        if beside is not None:
            _created(beside).close()
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
            beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
        yield target, beside
    except OSError as error:
        reason = (error.strerror or error) if target.parent.exists() else f"there is no folder {target.parent}"
        raise FileError(f"{path}: cannot be written ({reason})") from None
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink()


def _created(path: Path) -> BinaryIO:
    """A new file under a name that nobody can foresee; what stands there already, a link too, is an error."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666), "wb")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return stat.S_IFREG  # what it will be
