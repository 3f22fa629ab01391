"""Peers to compare with: the same networks in ONNX Runtime, PyTorch, aihwkit, Brevitas and CrossSim, one thread each.

Peers get prepared float32 images in the batch size that suits them best; the simulated chip gets raw images and does the
preparation too. Peers that are not installed are skipped and listed, and so are those that cannot express a network. CrossSim
is no package: it is read from a folder that the user names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import GraphError
from anna.network.graph import Graph
from sim.bench.reader import Reader

ONNX_RUNTIME = "ONNX Runtime, float32"
PYTORCH = "PyTorch, float32"
NOISY_PYTORCH = "PyTorch, 3-bit states, weight errors and noise"
AIHWKIT = "aihwkit, noisy inference"
BREVITAS = "Brevitas, 6-bit weights and 3-bit states"
CROSSSIM = "CrossSim, noisy inference"
NOT_INSTALLED = {"onnxruntime": ONNX_RUNTIME, "torch": PYTORCH, "aihwkit": "aihwkit", "brevitas": "Brevitas"}
BATCHES = (32, 64, 128, 512, 2048)
SMALL_BATCHES = (1, 4, 16)  # of a peer that keeps a copy of all weights for each image


@dataclass(frozen=True)
class Peer:
    """Something that reads prepared images, one batch after another."""

    name: str
    read: Reader
    version: str | None = None
    batches: tuple[int, ...] = BATCHES

    def run(self, images: NDArray[np.float32], batch: int) -> None:
        """Reads all images, in batches."""
        for start in range(0, len(images), batch):
            self.read(images[start : start + batch])


Named = tuple[str, Callable[[], Peer]]  # a peer's name, and what makes it


@dataclass(frozen=True)
class Kind:
    """How a peer is made of packages that are installed."""

    name: str
    packages: tuple[str, ...]  # needed; the last one is the peer, whose version is told
    module: str  # of this room
    maker: str  # its function from a graph to a reader
    calibrated: bool = False  # the function takes calibration images too


KINDS = (
    Kind(ONNX_RUNTIME, ("onnx", "onnxruntime"), "onnx_peer", "float_reader"),
    Kind(PYTORCH, ("torch",), "torch_peers", "float_reader"),
    Kind(NOISY_PYTORCH, ("torch",), "torch_peers", "noisy_reader"),
    Kind(AIHWKIT, ("torch", "aihwkit"), "aihwkit_peer", "noisy_reader"),
    Kind(BREVITAS, ("torch", "brevitas"), "brevitas_peer", "quantised_reader", calibrated=True),
)


def missing() -> list[str]:
    """Names of peers that are not installed."""
    return [name for package, name in NOT_INSTALLED.items() if find_spec(package) is None]


def peers(graph: Graph, calibration: NDArray[Any], crosssim: Path | None = None) -> tuple[list[Peer], list[str]]:
    """All peers that are there, each limited to one thread, and a sentence for each that cannot express the network."""
    found, refused = [], []
    for name, make in (*_installed(graph, calibration), *_from_folder(graph, calibration, crosssim)):
        try:
            found.append(make())
        except GraphError as error:
            refused.append(f"{graph.name}, {name}: {error}")
    return found, refused


def _installed(graph: Graph, calibration: NDArray[Any]) -> Iterator[Named]:
    for kind in KINDS:
        if all(map(find_spec, kind.packages)):
            yield kind.name, partial(_made, kind, graph, calibration)


def _made(kind: Kind, graph: Graph, calibration: NDArray[Any]) -> Peer:
    make = getattr(import_module(f"sim.bench.{kind.module}"), kind.maker)
    read = make(graph, calibration) if kind.calibrated else make(graph)
    return Peer(kind.name, read, version(kind.packages[-1]))


def _from_folder(graph: Graph, calibration: NDArray[Any], folder: Path | None) -> Iterator[Named]:
    if folder is not None:
        from sim.bench import crosssim_peer as peer

        read = partial(peer.noisy_reader, graph, calibration, folder)
        yield CROSSSIM, lambda: Peer(CROSSSIM, read(), peer.version(folder), SMALL_BATCHES)


def version(package: str) -> str | None:
    """The version of an installed package; None if it does not tell one."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
