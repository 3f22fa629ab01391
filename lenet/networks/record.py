"""The record beside trained weights, whichever version of anna wrote it."""

from pathlib import Path
from typing import Any

from anna.base.container import Upgrades, read_json, upgraded

FORMAT = 1  # which files do not name
UPGRADES: Upgrades = {}  # none is older


def read_record(path: Path) -> dict[str, Any]:
    """How the weights came about: command, versions, hashes of the data, curve, results."""
    return upgraded(path, "training record", read_json(path, "training record"), FORMAT, UPGRADES, unmarked=1)
