"""What else reads digits: the same networks in ONNX Runtime and PyTorch, with and without noise, one thread each.

Peers get prepared float32 pictures, a batch size that suits them, and no part of the preparation to do; the simulated
chip gets raw pictures. What is not installed is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.errors import GraphError
from anna.graph import Convolution, FullConnection, Graph, Layer, Prepare, Rbf, Subsample
from anna.layer_parts import Activation

ONNX_RUNTIME = "ONNX Runtime, float32"
PYTORCH = "PyTorch, float32"
NOISY_PYTORCH = "PyTorch, 3-bit states, weight errors and noise"
NOT_INSTALLED = {"onnxruntime": ONNX_RUNTIME, "torch": PYTORCH, "aihwkit": "aihwkit", "brevitas": "Brevitas"}
BATCHES = (32, 128, 512, 2048)
STATE_STEP, WEIGHT_ERROR, NOISE = 2.0 / 7, 0.02, 0.05  # of the noisy model: of the order of the chip's own

Reader = Callable[[NDArray[np.float32]], Any]


@dataclass(frozen=True)
class Peer:
    """Something that reads prepared pictures, one batch after another."""

    name: str
    read: Reader

    def run(self, pictures: NDArray[np.float32], batch: int) -> None:
        """All pictures, in batches."""
        for start in range(0, len(pictures), batch):
            self.read(pictures[start : start + batch])


def missing() -> list[str]:
    """Names of peers that are not installed."""
    return [name for package, name in NOT_INSTALLED.items() if find_spec(package) is None]


def peers(graph: Graph) -> list[Peer]:
    """All that are installed, each held to one thread."""
    found = []
    if find_spec("onnxruntime") and find_spec("onnx"):
        found.append(Peer(ONNX_RUNTIME, _onnx_reader(graph)))
    if find_spec("torch"):
        found += [Peer(PYTORCH, _torch_reader(graph)), Peer(NOISY_PYTORCH, _noisy_reader(graph))]
    return found


def _torch_reader(graph: Graph) -> Reader:
    import torch

    from lenet.torch_net import TorchNet

    torch.set_num_threads(1)
    net = TorchNet(graph).eval()

    def read(pictures: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            return net(torch.from_numpy(pictures))

    return read


def _noisy_reader(graph: Graph) -> Reader:
    """As one writes it by hand: fixed errors of the weights, fresh noise on every sum, states in eight steps."""
    import torch

    from lenet.torch_net import TorchNet, squash

    torch.set_num_threads(1)
    net = TorchNet(graph).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(WEIGHT_ERROR * parameter.abs().max() * torch.randn_like(parameter))

    def read(pictures: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            x = torch.from_numpy(pictures)
            last = len(net.chain) - 1
            for place, module in enumerate(net.chain):
                sums = module.sums(x)
                if place == last:
                    return sums
                sums = sums + NOISE * torch.randn_like(sums)
                x = torch.round(squash(module.layer.activation, sums) / STATE_STEP).clamp(-3.5, 3.5) * STATE_STEP
        raise AssertionError("a network has layers")

    return read


def _onnx_reader(graph: Graph) -> Reader:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_model(graph), options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"x": pictures})[0]


class _Nodes:
    """Collects ONNX nodes in a chain."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []
        self.at = "x"

    def array(self, value: Any) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def then(self, kind: str, *others: str, **attributes: Any) -> None:
        from onnx import helper

        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.at, *others], [out], **attributes))
        self.at = out


def onnx_model(graph: Graph) -> bytes:
    """The graph as an ONNX file that takes prepared pictures and gives scores."""
    from onnx import TensorProto, helper

    nodes = _Nodes()
    for layer in graph.layers:
        _add(nodes, layer)
    nodes.then("Flatten")
    first = next(step.input_shape for step in graph.steps if not isinstance(step.layer, Prepare))
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *first])
    scores = helper.make_tensor_value_info(nodes.at, TensorProto.FLOAT, ["n", graph.classes])
    body = helper.make_graph(nodes.nodes, graph.name, [image], [scores], nodes.arrays)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _add(nodes: _Nodes, layer: Layer) -> None:
    match layer:
        case Prepare():
            return
        case Convolution():
            bias = [] if layer.bias is None else [nodes.array(layer.bias)]
            nodes.then("Conv", nodes.array(layer.weights_oiyx * layer.table[:, :, None, None]), *bias,
                       kernel_shape=list(layer.kernel), strides=list(layer.stride))  # fmt: skip
        case Subsample():
            size = layer.window[0] * layer.window[1]
            nodes.then("AveragePool", kernel_shape=list(layer.window), strides=list(layer.window))
            nodes.then("Mul", nodes.array(size * layer.coefficient_o[:, None, None]))
            nodes.then("Add", nodes.array(layer.bias_o[:, None, None]))
        case FullConnection():
            nodes.then("Flatten")
            bias = [] if layer.bias_o is None else [nodes.array(layer.bias_o)]
            nodes.then("Gemm", nodes.array(layer.weights_oi), *bias, transB=1)
        case Rbf():  # -(x - c)^2 = 2 x c - c^2 - x^2, and x^2 is the same for all classes
            nodes.then("Flatten")
            nodes.then("Gemm", nodes.array(2 * layer.centres_oi), nodes.array(-(layer.centres_oi**2).sum(1)), transB=1)
        case _:
            raise GraphError(f"{layer.name}: the benchmark's networks have no {layer.kind} layer")
    _add_activation(nodes, layer.activation)


def _add_activation(nodes: _Nodes, activation: Activation) -> None:
    if activation.kind == "scaled_tanh":
        nodes.then("Mul", nodes.array(2.0 / 3.0))
        nodes.then("Tanh")
        nodes.then("Mul", nodes.array(1.7159))
    elif activation.kind != "none":
        raise GraphError(f"the benchmark's networks have no {activation.kind}")
