"""The one container of all our files: safetensors with one metadata key of canonical JSON, and a checksum over it all.

Equal content makes equal bytes: safetensors orders tensors by itself but writes several metadata keys in no fixed order,
hence one key. Nothing in a file is ever executed. Writing goes beside the file and is then renamed.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from anna.errors import FileError

LARGEST_BYTES = 1 << 30
CHECKSUM = "sha256"

Tensors = Mapping[str, NDArray[Any]]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no blanks: one text for one value."""
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
    """A file's bytes: a function of content and tensors alone."""
    whole = {**content, CHECKSUM: checksum(content, tensors)}
    return save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, {key: canonical_json(whole)})


def unpack(path: Path, key: str, what: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Content and tensors of a file that `pack` made; anything else is refused. `what` names the kind: "program"."""
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
        raise FileError(f"{path}: is not a whole {what} file ({error})") from None
    try:
        content = json.loads(metadata[key])
    except (ValueError, RecursionError):
        raise FileError(f"{path}: the description inside this {what} file is not JSON") from None
    if not isinstance(content, dict):
        raise FileError(f"{path}: the description inside this {what} file is not an object")
    return content, tensors


def expect_checksum(path: Path, content: Mapping[str, Any], tensors: Tensors, what: str) -> None:
    """Refuse a file whose content is not what was written."""
    if content.get(CHECKSUM) != checksum(content, tensors):
        raise FileError(f"{path}: the checksum does not match; this {what} file was changed or damaged")


def write_beside(path: Path, data: bytes) -> None:
    """Write next to `path`, then rename: a reader sees the old file or the whole new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        beside.unlink(missing_ok=True)
