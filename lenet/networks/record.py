"""Reads the record beside trained weights, whichever version of anna wrote it."""

from pathlib import Path
from typing import Any

from anna.base.container import Upgrades, read_json, upgraded

FORMAT = 1  # files do not store it
UPGRADES: Upgrades = {}  # there is no older format


def read_record(path: Path) -> dict[str, Any]:
    """The record of the weights: command, versions, hashes of the data, curve, results."""
    return upgraded(path, "training record", read_json(path, "training record"), FORMAT, UPGRADES, unmarked=1)
