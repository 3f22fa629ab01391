"""The benchmark's peers compute what the float forward does."""

import numpy as np
import pytest

from anna.network.activations import CURVES, Activation
from anna.network.forward import forward
from anna.network.graph import Convolution, FullConnection, Graph

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from sim.bench.onnx_peer import float_reader

ON_CHIP = [kind for kind in CURVES if Activation(kind).curve.adc is not None]


@pytest.mark.parametrize("kind", [kind for kind in CURVES if kind not in ON_CHIP])
def test_onnx_runtime_computes_what_only_the_host_does(kind: str) -> None:
    graph = Graph("alone", (64, 1, 1), (FullConnection("f", np.eye(64, dtype=np.float32), activation=Activation(kind)),))
    images = np.random.default_rng(3).normal(0, 2, (6, 64, 1, 1)).astype(np.float32)
    scores = forward(graph, images).scores
    assert float_reader(graph)(images) == pytest.approx(scores, rel=1e-5, abs=2e-6, nan_ok=True)


@pytest.mark.parametrize("kind", ON_CHIP)
def test_onnx_runtime_reads_every_activation(kind: str) -> None:
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.4, (4, 1, 3, 3)).astype(np.float32)
    first = Convolution("c", weights, activation=Activation(kind, -0.5, 0.75))
    graph = Graph("small", (1, 8, 8), (first, FullConnection("out", rng.normal(0, 0.2, (5, 144)).astype(np.float32))))
    images = rng.uniform(-1, 1, (6, 1, 8, 8)).astype(np.float32)
    assert float_reader(graph)(images) == pytest.approx(forward(graph, images).scores, abs=2e-6)
