"""Peers to compare with: the same networks in ONNX Runtime, PyTorch, aihwkit and Brevitas, one thread each.

Peers get prepared float32 images in the batch size that suits them best; the simulated chip gets raw images and does the
preparation too. Peers that are not installed are skipped and listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from anna.network.graph import Graph
from sim.bench.reader import Reader

ONNX_RUNTIME = "ONNX Runtime, float32"
PYTORCH = "PyTorch, float32"
NOISY_PYTORCH = "PyTorch, 3-bit states, weight errors and noise"
AIHWKIT = "aihwkit, noisy inference"
BREVITAS = "Brevitas, 6-bit weights and 3-bit states"
NOT_INSTALLED = {"onnxruntime": ONNX_RUNTIME, "torch": PYTORCH, "aihwkit": "aihwkit", "brevitas": "Brevitas"}
BATCHES = (32, 64, 128, 512, 2048)


@dataclass(frozen=True)
class Peer:
    """Something that reads prepared images, one batch after another."""

    name: str
    read: Reader

    def run(self, images: NDArray[np.float32], batch: int) -> None:
        """Reads all images, in batches."""
        for start in range(0, len(images), batch):
            self.read(images[start : start + batch])


def missing() -> list[str]:
    """Names of peers that are not installed."""
    return [name for package, name in NOT_INSTALLED.items() if find_spec(package) is None]


def peers(graph: Graph) -> list[Peer]:
    """All installed peers, each limited to one thread."""
    found = []
    if find_spec("onnxruntime") and find_spec("onnx"):
        from sim.bench import onnx_peer

        found.append(Peer(ONNX_RUNTIME, onnx_peer.float_reader(graph)))
    if find_spec("torch"):
        from sim.bench import torch_peers

        found.append(Peer(PYTORCH, torch_peers.float_reader(graph)))
        found.append(Peer(NOISY_PYTORCH, torch_peers.noisy_reader(graph)))
    if find_spec("torch") and find_spec("aihwkit"):
        from sim.bench import aihwkit_peer

        found.append(Peer(AIHWKIT, aihwkit_peer.noisy_reader(graph)))
    if find_spec("torch") and find_spec("brevitas"):
        from sim.bench import brevitas_peer

        found.append(Peer(BREVITAS, brevitas_peer.quantised_reader(graph)))
    return found
