"""The benchmark's peers compute what the float forward does."""

import numpy as np
import pytest

import lenet
from anna.base.errors import GraphError
from anna.network.activations import CURVES, Activation
from anna.network.forward import forward, network_input
from anna.network.graph import Convolution, FullConnection, Graph

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from sim.bench import onnx_peer
from sim.bench.onnx_peer import float_reader
from sim.bench.peers import ONNX_RUNTIME, peers

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


@pytest.mark.parametrize("name", [name for name in lenet.names if name != "boosted_lenet4"])
def test_onnx_runtime_reads_every_shipped_network(name: str) -> None:
    graph = lenet.load(name, **({"data": "mnist"} if name == "lenet1" else {}))
    assert isinstance(graph, Graph)
    images = lenet.holdout()[0][:20]
    if graph.prepare is not None and graph.prepare.source != images.shape[1:]:
        images = images[:, 6:22, 6:22]
    x = np.ascontiguousarray(network_input(graph, images).transpose(3, 0, 1, 2))
    scores = forward(graph, images).scores.reshape(20, -1)
    centred = scores - scores.mean(axis=1, keepdims=True)  # of a radial layer only the differences are computed
    found = np.asarray(float_reader(graph)(x)).reshape(20, -1)
    assert found - found.mean(axis=1, keepdims=True) == pytest.approx(centred, abs=1e-3)


def test_a_peer_that_cannot_express_a_network_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(graph: Graph) -> None:
        raise GraphError(f"{graph.name}: has branches")

    monkeypatch.setattr(onnx_peer, "float_reader", refuse)
    graph = lenet.load("linear")
    assert isinstance(graph, Graph)
    found, refused = peers(graph, lenet.calibration()[0])
    assert ONNX_RUNTIME not in [peer.name for peer in found]
    assert "linear: has branches" in refused[0]
