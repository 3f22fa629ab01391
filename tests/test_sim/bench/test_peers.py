"""The benchmark's peers compute what the float forward does."""

import numpy as np
import pytest

from anna.network.activations import CURVES, Activation
from anna.network.forward import forward
from anna.network.graph import Convolution, FullConnection, Graph

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from sim.bench.onnx_peer import float_reader


@pytest.mark.parametrize("kind", list(CURVES))
def test_onnx_runtime_reads_every_activation(kind: str) -> None:
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.4, (4, 1, 3, 3)).astype(np.float32)
    first = Convolution("c", weights, activation=Activation(kind, -0.5, 0.75))
    graph = Graph("small", (1, 8, 8), (first, FullConnection("out", rng.normal(0, 0.2, (5, 144)).astype(np.float32))))
    images = rng.uniform(-1, 1, (6, 1, 8, 8)).astype(np.float32)
    assert float_reader(graph)(images) == pytest.approx(forward(graph, images).scores, abs=2e-6)
