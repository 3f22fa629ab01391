"""Random ONNX graphs with branches, as hypothesis draws them: several readers of one map, joins, several outputs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

ACTIVATIONS: list[tuple[str, dict[str, float]]] = [
    ("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", {"alpha": 0.2}), ("Elu", {"alpha": 0.7}), ("Selu", {}),
    ("Celu", {"alpha": 1.5}), ("HardSigmoid", {"alpha": 0.3}), ("HardSwish", {}), ("Mish", {}), ("Softplus", {}),
    ("Softsign", {}), ("ThresholdedRelu", {"alpha": -0.5}), ("Abs", {}), ("Neg", {}), ("Erf", {}), ("Gelu", {}),
]  # fmt: skip


@dataclass
class Builder:
    """A graph being drawn. `dims` are maps, rows and columns of the tensors that may be read."""

    draw: Any
    dims: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)
    arrays: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.number(0, 2**32 - 1))

    def number(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def any_of(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), name))
        return name

    def normal(self, *shape: int) -> np.ndarray:
        return self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))

    def node(self, op: str, inputs: list[str], dims: tuple[int, int, int], count: int = 1, **attributes: Any) -> str:
        outputs = [f"t{len(self.nodes)}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=f"n{len(self.nodes)}", **attributes))
        self.dims.update(dict.fromkeys(outputs, dims))
        return outputs[0]

    # --- one step of each kind ---------------------------------------------------------------------------------------
    def activation(self, x: str) -> None:
        op, attributes = self.any_of(ACTIVATIONS)
        self.node(op, [x], self.dims[x], **attributes)

    def convolution(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        groups, kernel = self.any_of([1, maps]), self.number(1, min(3, rows, columns))
        out = groups * self.number(1, 3)
        stride, pads = self.number(1, 2), [self.number(0, 1) for _ in range(4)]
        weights = self.constant(self.normal(out, maps // groups, kernel, kernel))
        sizes = ((n + pads[k] + pads[k + 2] - kernel) // stride + 1 for k, n in enumerate((rows, columns)))
        self.node("Conv", [x, weights, self.constant(self.normal(out))], (out, *sizes), group=groups, pads=pads,
                  strides=[stride, stride])  # fmt: skip

    def transposed(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        weights = self.constant(self.normal(maps, 2, 2, 3))
        stride = self.number(1, 2)
        dims = (2, (rows - 1) * stride + 2, (columns - 1) * stride + 3)
        self.node("ConvTranspose", [x, weights], dims, strides=[stride, stride])

    def pool(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        op, kernel, stride = self.any_of(["AveragePool", "MaxPool"]), self.number(1, 3), self.number(1, 3)
        attributes: dict[str, Any] = {"kernel_shape": [kernel, kernel], "strides": [stride, stride]}
        if op == "AveragePool":
            attributes["count_include_pad"] = self.number(0, 1)
        if stride <= kernel and self.number(0, 1):
            attributes["auto_pad"] = self.any_of(["SAME_UPPER", "SAME_LOWER"])
            sizes = [-(-n // stride) for n in (rows, columns)]
        elif min(rows, columns) < kernel:
            return
        else:
            pad = self.number(0, kernel - 1) if kernel > 1 else 0
            attributes["pads"] = [pad, 0, pad, pad]
            sizes = [(n + p - kernel) // stride + 1 for n, p in ((rows, 2 * pad), (columns, pad))]
        self.node(op, [x], (maps, *sizes), **attributes)

    def normalisation(self, x: str) -> None:
        maps, _, columns = self.dims[x]
        scale, bias = self.constant(self.normal(maps) + 1), self.constant(self.normal(maps))
        match self.number(0, 3):
            case 0:
                spread = self.constant(self.rng.uniform(0.5, 2, maps))
                self.node("BatchNormalization", [x, scale, bias, bias, spread], self.dims[x])
            case 1:
                self.node("InstanceNormalization", [x, scale, bias], self.dims[x], epsilon=0.1)
            case 2:
                last = self.constant(self.normal(columns) + 1)
                self.node("LayerNormalization", [x, last], self.dims[x], epsilon=0.1, axis=self.any_of([-1, 3]))
            case 3:
                self.node("Softmax", [x], self.dims[x], axis=self.number(1, 3))

    def constant_step(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        shape = self.any_of([(maps, 1, 1), (1, maps, 1, 1), (maps, rows, columns), (1, columns), ()])
        value = self.constant(self.rng.normal(size=shape))
        op = self.any_of(["Add", "Mul", "Sub", "PRelu"])
        swapped = op in ("Add", "Mul", "Sub") and self.number(0, 1)
        self.node(op, [value, x] if swapped else [x, value], self.dims[x])

    def movement(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        match self.number(0, 4):
            case 0:
                pads = self.constant([0, 0, 1, 0, 0, 0, 0, 2], np.int64)
                mode = self.any_of(["constant", "edge"])
                self.node("Pad", [x, pads], (maps, rows + 1, columns + 2), mode=mode)
            case 1:
                step = self.constant([2], np.int64)
                start, end, axis = (self.constant([n], np.int64) for n in (0, 1 << 30, 3))
                self.node("Slice", [x, start, end, axis, step], (maps, rows, -(-columns // 2)))
            case 2:
                scales = self.constant([1, 1, 2, 3])
                self.node("Resize", [x, "", scales], (maps, rows * 2, columns * 3), mode="nearest",
                          coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
            case 3:
                last = self.node("Transpose", [x], (rows, columns, maps), perm=[0, 2, 3, 1])
                self.node(self.any_of(["Relu", "Tanh"]), [last], (rows, columns, maps))
            case 4 if maps > 1:
                parts = self.constant([1, maps - 1], np.int64)
                name = self.node("Split", [x, parts], (1, rows, columns), 2, axis=1)
                self.dims[name[:-1] + "1"] = (maps - 1, rows, columns)

    def reduction(self, x: str) -> None:
        maps, rows, columns = self.dims[x]
        axes = self.any_of([[2, 3], [1], [3]])
        dims = tuple(1 if k + 1 in axes else n for k, n in enumerate((maps, rows, columns)))
        self.node(self.any_of(["ReduceMean", "ReduceMax"]), [x], dims, axes=axes, keepdims=1)  # type: ignore[arg-type]

    def join(self, x: str) -> None:
        dims = self.dims[x]
        if self.number(0, 1):
            fits = [y for y, other in self.dims.items() if all(1 in (a, b) or a == b for a, b in zip(dims, other, strict=True))]
            y = self.any_of(fits)
            joined = tuple(np.broadcast_shapes(dims, self.dims[y]))
            self.node(self.any_of(["Add", "Mul", "Sub", "Max", "Min"]), [x, y], joined)  # type: ignore[arg-type]
            return
        axis = self.number(0, 2)
        same = [y for y, other in self.dims.items() if dims[:axis] + dims[axis + 1 :] == other[:axis] + other[axis + 1 :]]
        y = self.any_of(same)
        joined = (*dims[:axis], dims[axis] + self.dims[y][axis], *dims[axis + 1 :])
        self.node("Concat", [x, y], joined, axis=axis + 1)  # type: ignore[arg-type]


STEPS = (Builder.activation, Builder.convolution, Builder.convolution, Builder.transposed, Builder.pool, Builder.normalisation,
         Builder.constant_step, Builder.movement, Builder.reduction, Builder.join, Builder.join, Builder.join)  # fmt: skip
LARGEST = 4000  # units of a tensor that is read on


@st.composite
def models(draw: Any) -> tuple[bytes, tuple[int, int, int]]:
    """A model, and the shape of its image."""
    build = Builder(draw)
    shape = (build.number(1, 3), build.number(2, 7), build.number(2, 7))
    build.dims["x"] = shape
    for _ in range(build.number(2, 10)):
        small = [name for name, dims in build.dims.items() if np.prod(dims) <= LARGEST]
        recent = small[-3:] if build.number(0, 2) else small
        build.any_of(STEPS)(build, build.any_of(recent))
    if not build.nodes:
        build.activation("x")
    made = [output for node in build.nodes for output in node.output]
    outputs = list(dict.fromkeys([made[-1], *(build.any_of(made) for _ in range(build.number(0, 2)))]))
    if build.number(0, 1):
        flat = build.node("Flatten", [outputs[0]], (1, 1, 1))
        weights = build.constant(build.normal(5, int(np.prod(build.dims[outputs[0]]))))
        outputs[0] = build.node("Gemm", [flat, weights, build.constant(build.normal(5))], (5, 1, 1), transB=1)
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])
    results = [helper.make_tensor_value_info(one, TensorProto.FLOAT, None) for one in outputs]
    graph = helper.make_graph(build.nodes, "random", [image], results, build.arrays)
    opsets = [helper.make_opsetid("", 17 if not any(node.op_type in ("Mish", "Gelu") for node in build.nodes) else 20)]
    if opsets[0].version == 20:  # there the axes of a reduction are an input
        for node in graph.node:
            if node.op_type.startswith("Reduce"):
                axes = next(one for one in node.attribute if one.name == "axes")
                graph.initializer.append(numpy_helper.from_array(np.array(axes.ints, np.int64), f"axes_{node.name}"))
                node.input.append(f"axes_{node.name}")
                node.attribute.remove(axes)
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString(), shape
