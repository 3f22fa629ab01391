"""Reads TOML files that come from anywhere: too large, too deep, or no TOML, each ends in one sentence."""

import tomllib
from pathlib import Path
from typing import Any

from anna.base.border import TOML, border, read_bytes
from anna.base.errors import FileError


def read_toml(path: Path | str, expected: str) -> dict[str, Any]:
    """What a TOML file holds; `expected` says what it should, for the reader of an error."""
    budget = TOML.called(expected)
    data = read_bytes(path, budget)
    with border(path, budget):
        try:
            return tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FileError(f"{path}: is not TOML ({error})") from None
