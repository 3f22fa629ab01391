"""The catalogue: networks by name, and their trained weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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
VARIANTS = ("distorted", "chip", "distorted-chip", "1990", "reject", "reject-chip")  # of shipped weights
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
    """The name with aliases resolved; a DataError lists the networks."""
    found = ALIASES.get(name, name)
    if found not in DEFINITIONS:
        raise DataError(f"network {name!r} is not known; expected one of {', '.join(names)}")
    return found


def native_data(name: str) -> str:
    """The data set of the network's paper: usps for the 1989 network, mnist for all others."""
    return "usps" if full_name(name) == "lenet1" else "mnist"


def define(name: str, data: str | None = None) -> Network:
    """The untrained network: shapes, tables and counts, with zero weights."""
    name = full_name(name)
    return DEFINITIONS[name](data or native_data(name))


def stem(name: str, data: str, weights_seed: int, variant: str = "") -> str:
    """The file name of a trained network, without suffix."""
    return f"{full_name(name)}-{data}-seed{weights_seed}" + (f"-{variant}" if variant else "")


def shipped() -> tuple[str, ...]:
    """The stems of all weights in the package."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob("*.safetensors")))


class Named(NamedTuple):
    """What identifies trained weights."""

    network: str
    data: str | None  # None: the data set of the network's paper
    weights_seed: int = 1
    variant: str = ""


def named(name: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> Named:
    """The weights that a name stands for: a network, or the stem of shipped weights, which says the rest itself."""
    if name not in shipped():
        _expect_no_stem(name)
        return Named(full_name(name), data, weights_seed, variant)
    network, own_data, seed, *words = name.split("-")
    own = Named(network, own_data, int(seed.removeprefix("seed")), "-".join(words))
    if data not in (None, own.data) or weights_seed not in (1, own.weights_seed) or variant not in ("", own.variant):
        raise DataError(f"{name}: says its data set, seed and variant itself; expected no others beside it")
    return own


def _expect_no_stem(name: str) -> None:
    """Raises if the name is a stem that ships with no weights."""
    network, hyphen, _ = name.partition("-")
    if hyphen and ALIASES.get(network, network) in DEFINITIONS:
        there = [one for one in shipped() if one.startswith(f"{full_name(network)}-")]
        raise DataError(f"no trained weights {name} ship with anna; for this network there are: {', '.join(there) or 'none'}")


def _weights_path(name: str, data: str | None, weights_seed: int, variant: str) -> Path:
    found = named(name, data, weights_seed, variant)
    wanted = stem(found.network, found.data or native_data(found.network), found.weights_seed, found.variant)
    if wanted not in shipped():
        _expect_no_stem(wanted)
    return WEIGHTS / f"{wanted}.safetensors"


@renamed(seed="weights_seed")
def load(name: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> Network:
    """A network with trained weights that ship with anna. Needs no PyTorch.

    `name` is a network or the stem of shipped weights, such as lenet5-mnist-seed1-chip. `data` is the data set it was trained
    on (default: that of its paper); `variant` is "", "distorted" (also trained on distorted copies), "chip" (trained further
    for the chip), "distorted-chip", "1990" (the recipe of that year), or "reject" and "reject-chip" (trained to reject partial
    characters).
    """
    return load_graph(_weights_path(name, data, weights_seed, variant))


@renamed(seed="weights_seed")
def record(name: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> dict[str, Any]:
    """The record of the weights: command, versions, hashes of the data, curve, results."""
    path = _weights_path(name, data, weights_seed, variant).with_suffix(".json")
    return read_record(path)
