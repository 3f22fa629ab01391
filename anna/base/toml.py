"""Reads TOML files that come from anywhere: too large, too deep, or no TOML, each ends in one sentence."""

import tomllib
from pathlib import Path
from typing import Any

from anna.base.errors import FileError

LARGEST_BYTES = 1 << 22  # no file that a person writes comes near


def read_toml(path: Path | str, expected: str) -> dict[str, Any]:
    """What a TOML file holds; `expected` says what it should, for the reader of an error."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error}); expected {expected}") from None
    if len(data) > LARGEST_BYTES:
        raise FileError(f"{path}: has more than {LARGEST_BYTES:,} bytes; expected {expected}")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: is not TOML ({error})") from None
    except RecursionError:
        raise FileError(f"{path}: is nested too deeply; expected {expected}") from None
