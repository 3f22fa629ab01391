"""A network in ONNX Runtime: float32, one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anna.base.errors import GraphError
from anna.network.activations import Maths
from anna.network.graph import Convolution, FullConnection, Graph, Layer, Pool, Prepare, Rbf, Subsample
from sim.bench.reader import Reader


def float_reader(graph: Graph) -> Reader:
    """The float network."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_model(graph), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"x": images})[0]


class _Nodes:
    """Collects ONNX nodes in a chain."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []
        self.at = "x"

    def array(self, value: Any, kind: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), name))
        return name

    def then(self, kind: str, *others: str, **attributes: Any) -> None:
        self.at = self.node(kind, self.at, *others, **attributes)

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out


@dataclass(frozen=True)
class _Value:
    """The output of a node, which the formulas of activations compute with."""

    nodes: _Nodes
    name: str

    def through(self, kind: str, *others: _Value | float) -> _Value:
        names = (other.name if isinstance(other, _Value) else self.nodes.array(other) for other in others)
        return _Value(self.nodes, self.nodes.node(kind, self.name, *names))

    def __add__(self, other: _Value | float) -> _Value:
        return self.through("Add", other)

    def __mul__(self, other: _Value | float) -> _Value:
        return self.through("Mul", other)

    __radd__, __rmul__ = __add__, __mul__


MATHS = Maths(
    tanh=lambda x: x.through("Tanh"),
    sigmoid=lambda x: x.through("Sigmoid"),
    relu=lambda x: x.through("Relu"),
    clip=lambda x, low, high: x.through("Clip", low, high),
    exp=lambda x: x.through("Exp"),
    log=lambda x: x.through("Log"),
    sqrt=lambda x: x.through("Sqrt"),
    erf=lambda x: x.through("Erf"),
    reciprocal=lambda x: x.through("Reciprocal"),
    step=lambda x: x.through("Sign").through("Relu"),
    round=lambda x: x.through("Round"),
)


def onnx_model(graph: Graph) -> bytes:
    """The graph as an ONNX model from prepared images to scores."""
    from onnx import TensorProto, helper

    if not graph.is_chain:
        raise GraphError(f"{graph.name}: has branches; expected a chain of layers")
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


def _pads(padding: tuple[int, int, int, int]) -> list[int]:
    """Top, bottom, left and right in the order of ONNX."""
    top, bottom, left, right = padding
    return [top, left, bottom, right]


def _add(nodes: _Nodes, layer: Layer) -> None:
    match layer:
        case Prepare():
            return
        case Convolution():
            pads = _pads(layer.padding)
            if any(pads) and layer.padding_value:
                around = [0, 0, *pads[:2], 0, 0, *pads[2:]]  # of images and maps there are no more
                nodes.then("Pad", nodes.array(around, np.int64), nodes.array(layer.padding_value))
                pads = [0, 0, 0, 0]
            bias = [nodes.array(layer.bias)] if layer.bias is not None and layer.bias_kind == "map" else []
            nodes.then("Conv", nodes.array(layer.weights_oiyx * layer.table[:, :, None, None]), *bias,
                       kernel_shape=list(layer.kernel), strides=list(layer.stride), pads=pads)  # fmt: skip
            if layer.bias is not None and layer.bias_kind == "unit":
                nodes.then("Add", nodes.array(layer.bias))
        case Subsample():
            size = layer.window[0] * layer.window[1]
            if layer.source_o is not None:
                nodes.then("Gather", nodes.array(layer.source_o, np.int64), axis=1)
            nodes.then("AveragePool", kernel_shape=list(layer.window), strides=list(layer.window))
            nodes.then("Mul", nodes.array(size * layer.coefficient_o[:, None, None]))
            nodes.then("Add", nodes.array(layer.bias_o[:, None, None]))
        case Pool(mode="max"):
            nodes.then("MaxPool", kernel_shape=list(layer.window), strides=list(layer.stride), pads=_pads(layer.padding),
                       dilations=list(layer.dilation))  # fmt: skip
        case Pool(mode="average", dilation=(1, 1)):
            nodes.then("AveragePool", kernel_shape=list(layer.window), strides=list(layer.stride), pads=_pads(layer.padding))
        case FullConnection():
            nodes.then("Flatten")
            bias = [] if layer.bias_o is None else [nodes.array(layer.bias_o)]
            nodes.then("Gemm", nodes.array(layer.weights_oi), *bias, transB=1)
        case Rbf():  # -(x - c)^2 = 2 x c - c^2 - x^2, and x^2 is the same for all classes
            nodes.then("Flatten")
            nodes.then("Gemm", nodes.array(2 * layer.centres_oi), nodes.array(-(layer.centres_oi**2).sum(1)), transB=1)
        case _:
            raise GraphError(f"{layer.name}: the benchmark's networks have no {layer.kind} layer")
    nodes.at = layer.activation.value(_Value(nodes, nodes.at), MATHS).name
