"""Which networks there are, and where their trained weights lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anna.base.errors import DataError
from anna.base.renamed import renamed
from anna.network.file import load_graph
from anna.network.graph import Network
from lenet.networks.dense import linear, mlp300, mlp1000
from lenet.networks.lenet1 import lenet1, lenet1_28
from lenet.networks.lenet4 import boosted_lenet4, lenet4
from lenet.networks.lenet5 import lenet5, lenet5_modern
from lenet.networks.recognizer import recognizer
from lenet.networks.record import read_record

WEIGHTS = Path(__file__).parents[1] / "weights"
DEFINITIONS: dict[str, Callable[[str], Network]] = {
    "lenet1": lenet1,
    "lenet1_28": lenet1_28,
    "recognizer": recognizer,
    "lenet4": lenet4,
    "boosted_lenet4": boosted_lenet4,
    "lenet5": lenet5,
    "lenet5_modern": lenet5_modern,
    "linear": linear,
    "mlp300": mlp300,
    "mlp1000": mlp1000,
}
ALIASES = {"zip1989": "lenet1"}
names = tuple(DEFINITIONS)


def full_name(name: str) -> str:
    """The name without alias, or a DataError that lists the networks."""
    found = ALIASES.get(name, name)
    if found not in DEFINITIONS:
        raise DataError(f"network {name!r} is not known; expected one of {', '.join(names)}")
    return found


def native_data(name: str) -> str:
    """The data set of the network's paper: usps for the 1989 network, mnist for all others."""
    return "usps" if full_name(name) == "lenet1" else "mnist"


def define(name: str, data: str | None = None) -> Network:
    """The network untrained: shapes, tables and counts, weights of zero."""
    name = full_name(name)
    return DEFINITIONS[name](data or native_data(name))


def stem(name: str, data: str, seed: int, variant: str = "") -> str:
    """What the files of a trained network are called, before the ending."""
    return f"{full_name(name)}-{data}-seed{seed}" + (f"-{variant}" if variant else "")


def shipped() -> tuple[str, ...]:
    """The stems of all weights in the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


def _weights_path(name: str, data: str | None, seed: int, variant: str) -> Path:
    wanted = stem(name, data or native_data(name), seed, variant)
    path = WEIGHTS / f"{wanted}.safetensors"
    if not path.is_file():
        there = [one for one in shipped() if one.startswith(f"{full_name(name)}-")]
        raise DataError(f"no trained weights {wanted} are shipped; of this network there are: {', '.join(there) or 'none'}")
    return path


@renamed(seed="weights_seed")
def load(name: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> Network:
    """A trained network as shipped.

    `data` is "mnist" or "usps" and defaults to that of the network's paper; `variant` is "", "distorted" (trained on
    distorted copies too) or "chip" (trained on for the chip). Needs no PyTorch.
    """
    return load_graph(_weights_path(name, data, weights_seed, variant))


@renamed(seed="weights_seed")
def record(name: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> dict[str, Any]:
    """How the shipped weights came about: command, versions, hashes of the data, curve, results."""
    path = _weights_path(name, data, weights_seed, variant).with_suffix(".json")
    return read_record(path)
