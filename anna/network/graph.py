"""A network: a named chain of layers that fit together, with its counts and its text; an ensemble adds the scores of
several.

`Graph` is what networks define, training returns, importers make and the compiler reads. It is data: the arithmetic is in
`anna.network.forward`, the file in `anna.network.file`, the figure in `anna.network.drawing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.network.activations import NONE, RELU, SCALED_TANH, SIGMOID, TANH, Activation
from anna.network.imported_layers import Affine, Pool, Softmax
from anna.network.layers import LAYER_KINDS, Convolution, FullConnection, Layer, Prepare, Rbf, Subsample
from anna.network.parts import Shape, shape_text

__all__ = [
    "LAYER_KINDS", "NONE", "RELU", "SCALED_TANH", "SIGMOID", "TANH",
    "Activation", "Affine", "Convolution", "Ensemble", "FullConnection", "Graph", "Layer", "Network", "Pool", "Prepare",
    "Rbf", "Shape", "Softmax", "Step", "Subsample", "shape_text",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A layer in its place: what comes in, what goes out, what it costs."""

    layer: Layer
    input_shape: Shape
    output_shape: Shape

    @property
    def connections(self) -> int:
        return self.layer.connections(self.input_shape)

    @property
    def multiply_adds(self) -> int:
        return self.layer.multiply_adds(self.input_shape)

    @property
    def parameters(self) -> int:
        return self.layer.parameters

    @property
    def units(self) -> int:
        return self.output_shape[0] * self.output_shape[1] * self.output_shape[2]


@dataclass(frozen=True, eq=False)
class Graph(Settled):
    """A chain of layers from an image to scores; raises unless every shape fits.

    `data` names the data set it was trained on ("mnist", "usps" or ""): comparisons refuse images of another. A graph that
    begins with `Prepare` takes raw uint8 images, any other takes floats.
    """

    name: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    data: str = ""
    steps: tuple[Step, ...] = field(init=False, repr=False)

    def _settled(self) -> Mapping[str, Any]:
        if not self.name or not isinstance(self.name, str) or not self.name.isprintable():
            raise GraphError(f"network name {self.name!r} cannot be used; expected printable text")
        sizes = self.input_shape
        if not isinstance(sizes, tuple) or len(sizes) != 3 or any(type(n) is not int or n < 1 for n in sizes):
            raise GraphError(
                f"{self.name}: input shape is {sizes!r}; expected (maps, rows, columns), whole numbers of at least 1"
            )
        if not self.layers:
            raise GraphError(f"{self.name}: has no layers; expected at least one")
        seen: set[str] = set()
        shape, steps = self.input_shape, []
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, tuple(LAYER_KINDS.values())):
                raise GraphError(
                    f"{self.name}: layer {position} is a {type(layer).__name__}; expected a layer of the vocabulary"
                )
            if layer.name in seen:
                raise GraphError(f"{self.name}: two layers are called {layer.name}; expected unique names")
            if isinstance(layer, Prepare) and position:
                raise GraphError(f"{self.name}: preparation {layer.name} is layer {position}; expected it first")
            seen.add(layer.name)
            out = layer.output_shape(shape)
            steps.append(Step(layer, shape, out))
            shape = out
        return {"layers": tuple(self.layers), "steps": tuple(steps)}

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, name: str) -> Step:
        """The step of the layer with this name."""
        for step in self.steps:
            if step.layer.name == name:
                return step
        raise GraphError(f"{self.name}: has no layer {name!r}; it has {', '.join(s.layer.name for s in self.steps)}")

    @property
    def prepare(self) -> Prepare | None:
        """The host's preparation of raw images, when the graph has one."""
        first = self.layers[0]
        return first if isinstance(first, Prepare) else None

    @property
    def output_shape(self) -> Shape:
        return self.steps[-1].output_shape

    @property
    def classes(self) -> int:
        return self.output_shape[0]

    @property
    def connections(self) -> int:
        """Connections with biases, as papers 7 and 8 count them."""
        return sum(step.connections for step in self.steps)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image, without biases: 135,736 for the recogniser."""
        return sum(step.multiply_adds for step in self.steps)

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return sum(step.parameters for step in self.steps)

    @property
    def members(self) -> tuple[Graph, ...]:
        """Itself, so that a graph and an ensemble can be treated alike."""
        return (self,)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text and of every weight: two graphs with one digest compute the same."""
        state = hashlib.sha256(text(self).encode())
        for step in self.steps:
            for name, array in sorted(step.layer.tensors.items()):
                state.update(f"\n{step.layer.name}.{name} {array.dtype} {array.shape}\n".encode())
                state.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
        return state.hexdigest()

    def astype(self, dtype: npt.DTypeLike) -> Graph:
        """The same network with its weights in another float type."""
        return replace(self, layers=tuple(_layer_astype(layer, np.dtype(dtype)) for layer in self.layers))

    def widened(self, rows: int, columns: int) -> Graph:
        """The same weights sliding over a wider image of rows x columns: full connections become convolutions
        (paper 8).

        Scores then have rows and columns. A `Prepare` keeps only its range: no crop, resize or padding.
        """
        layers: list[Layer] = []
        for step in self.steps:
            layer: Layer = step.layer
            if isinstance(layer, Prepare):
                layer = Prepare(source=(rows, columns), low=layer.low, high=layer.high, name=layer.name)
            elif isinstance(layer, FullConnection):
                weights = layer.weights_oi.reshape(layer.weights_oi.shape[0], *step.input_shape)
                layer = Convolution(layer.name, weights, layer.bias_o, activation=layer.activation)
            elif isinstance(layer, Convolution) and (any(layer.padding) or layer.bias_kind == "unit"):
                raise GraphError(f"{layer.name}: has padding or a bias per unit; expected neither in a network that slides")
            layers.append(layer)
        return replace(self, layers=tuple(layers), input_shape=(self.input_shape[0], rows, columns))

    def __repr__(self) -> str:
        counts = f"{self.connections:,} connections, {self.parameters:,} parameters"
        return f"Graph({self.name}: {len(self.layers)} layers, {counts})"

    def __str__(self) -> str:
        return text(self)


@dataclass(frozen=True, eq=False)
class Ensemble(Settled):
    """Several graphs that see the same image; their scores are added (paper 8's boosted LeNet-4)."""

    name: str
    members: tuple[Graph, ...]
    data: str = ""

    def _settled(self) -> Mapping[str, Any]:
        if len(self.members) < 2:
            raise GraphError(f"{self.name}: has {len(self.members)} members; expected at least 2")
        first = self.members[0]
        for member in self.members[1:]:
            for what in ("input_shape", "output_shape", "data"):
                mine, other = getattr(member, what), getattr(first, what)
                if mine != other:
                    raise GraphError(f"{self.name}: member {member.name} has {what} {mine}; expected {other} as {first.name}")
            if (member.prepare is None) != (first.prepare is None):
                raise GraphError(f"{self.name}: members {first.name} and {member.name} do not take the same kind of image")
        if len({member.name for member in self.members}) != len(self.members):
            raise GraphError(f"{self.name}: two members share a name; expected unique names")
        return {"data": self.data or first.data}

    @property
    def input_shape(self) -> Shape:
        return self.members[0].input_shape

    @property
    def output_shape(self) -> Shape:
        return self.members[0].output_shape

    @property
    def classes(self) -> int:
        return self.output_shape[0]

    @property
    def prepare(self) -> Prepare | None:
        return self.members[0].prepare

    @property
    def connections(self) -> int:
        return sum(member.connections for member in self.members)

    @property
    def multiply_adds(self) -> int:
        return sum(member.multiply_adds for member in self.members)

    @property
    def parameters(self) -> int:
        return sum(member.parameters for member in self.members)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the members, in order."""
        return hashlib.sha256("\n".join([self.name, *(member.digest for member in self.members)]).encode()).hexdigest()

    def astype(self, dtype: npt.DTypeLike) -> Ensemble:
        """The same networks with their weights in another float type."""
        return replace(self, members=tuple(member.astype(dtype) for member in self.members))

    def __repr__(self) -> str:
        return f"Ensemble({self.name}: {len(self.members)} networks, {self.connections:,} connections)"

    def __str__(self) -> str:
        return text(self)


Network = Graph | Ensemble


def _layer_astype(layer: Layer, dtype: np.dtype[Any]) -> Layer:
    if not layer.tensors:
        return layer
    changes: dict[str, Any] = {name: array.astype(dtype) for name, array in layer.tensors.items()}
    return replace(layer, **changes)


def _about(layer: Layer) -> str:
    """What a layer is, beyond its shapes and weights, in fixed words."""
    match layer:
        case Prepare():
            parts = [f"uint8 {layer.source[0]}x{layer.source[1]}"]
            parts += [
                f"{f.name} {v[0]}x{v[1]}"
                for f in fields(layer)
                if f.name in ("crop", "resize", "field") and (v := getattr(layer, f.name))
            ]
            return ", ".join([*parts, f"0..255 to {layer.low!r}..{layer.high!r}"])
        case Convolution():
            parts = [f"{layer.kernel[0]}x{layer.kernel[1]}", f"stride {layer.stride[0]}x{layer.stride[1]}"]
            if any(layer.padding):
                parts.append(f"padding {' '.join(map(str, layer.padding))} of {layer.padding_value!r}")
            parts.append(f"bias {layer.bias_kind}")
            parts.append("all maps" if layer.table.all() else f"{layer.kernels} kernels, maps {_table_text(layer)}")
            return ", ".join(parts)
        case Subsample():
            same = layer.source == tuple(range(len(layer.source)))
            return f"{layer.window[0]}x{layer.window[1]}" + ("" if same else f", from maps {' '.join(map(str, layer.source))}")
        case Pool():
            padding = f", padding {' '.join(map(str, layer.padding))}" if any(layer.padding) else ""
            size, stride = (f"{rows}x{columns}" for rows, columns in (layer.window, layer.stride))
            return f"{layer.mode}, {size}, stride {stride}{padding}"
        case FullConnection():
            return f"{layer.weights_oi.shape[1]} inputs, bias {'none' if layer.bias_o is None else 'unit'}"
        case Rbf():
            return f"{layer.centres_oi.shape[1]} inputs, centres {'trainable' if layer.trainable else 'fixed'}"
        case Affine():
            return "per map"
        case Softmax():
            return "logarithm of it, per map" if layer.log else "per map"


def _table_text(layer: Convolution) -> str:
    return " ".join("+".join(str(i) for i in np.flatnonzero(row)) for row in layer.table)


def text(network: Network) -> str:
    """The canonical text: one line a layer, everything but the weights; equal text means equal structure."""
    if isinstance(network, Ensemble):
        return "\n".join(
            [f"ensemble {network.name} of {len(network.members)}: scores added", *(text(m) for m in network.members)]
        )
    data = f" data {network.data}" if network.data else ""
    lines = [f"graph {network.name}{data} input {shape_text(network.input_shape)}"]
    for step in network.steps:
        squash = "" if step.layer.activation == NONE else f"; {step.layer.activation}"
        counts = f"; connections {step.connections}, parameters {step.parameters}" if step.connections else ""
        lines.append(
            f"  {step.layer.name}: {step.layer.kind} -> {shape_text(step.output_shape)}: {_about(step.layer)}{squash}{counts}"
        )
    lines.append(
        f"  total: connections {network.connections}, parameters {network.parameters}, multiply-adds {network.multiply_adds}"
    )
    return "\n".join(lines)
