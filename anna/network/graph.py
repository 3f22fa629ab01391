"""A network: named layers that fit together, each reading the one before it or those that it names, with counts and
text; an ensemble adds the scores of several.

`Graph` is what networks define, training returns, importers make and the compiler reads. It is data: the arithmetic is in
`anna.network.forward`, the file in `anna.network.file`, the figure in `anna.network.drawing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.network.activations import NONE, RELU, SCALED_TANH, SIGMOID, TANH, Activation
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Affine, Pool, Softmax
from anna.network.layers import JOINING, LAYER_KINDS, Convolution, FullConnection, Layer, Prepare, Rbf, Subsample
from anna.network.parts import Shape, check_stack, check_work, shape_text
from anna.network.words import about

__all__ = [
    "IMAGE", "LAYER_KINDS", "NONE", "RELU", "SCALED_TANH", "SIGMOID", "TANH",
    "Activation", "Affine", "Arrangement", "Combination", "Concatenation", "Convolution", "Ensemble", "FullConnection",
    "Graph", "Layer", "Network", "Normalisation", "Pool", "Prelu", "Prepare", "Rbf", "Reduction", "Shape", "Softmax", "Step",
    "Subsample", "shape_text",
]  # fmt: skip

IMAGE = "/image"  # what the first layer reads; no layer's name has a slash


@dataclass(frozen=True)
class Step:
    """A layer in its place: what it reads, what comes in, what goes out, what it costs."""

    layer: Layer
    inputs: tuple[str, ...]  # names of layers, or IMAGE
    input_shapes: tuple[Shape, ...]
    output_shape: Shape

    @property
    def input_shape(self) -> Shape:
        """The shape of what it reads, or of the first of several."""
        return self.input_shapes[0]

    @property
    def connections(self) -> int:
        return self.layer.connections(*self.input_shapes)

    @property
    def multiply_adds(self) -> int:
        return self.layer.multiply_adds(*self.input_shapes)

    @property
    def parameters(self) -> int:
        return self.layer.parameters

    @property
    def units(self) -> int:
        return self.output_shape[0] * self.output_shape[1] * self.output_shape[2]


def sized_output(layer: Layer, shapes: tuple[Shape, ...]) -> Shape:
    """The shape of what a layer gives; raises GraphError if what it reads does not fit, or if it would take too much."""
    found = layer.output_shape(*shapes)
    check_stack(layer.name, found)
    check_work(layer.name, layer.connections(*shapes))
    return found


@dataclass(frozen=True, eq=False)
class Graph(Settled):
    """Layers from an image to scores, in an order in which they can be computed; raises unless every shape fits.

    A layer reads the one before it unless `links` names what it reads: other layers, or `IMAGE`. `outputs` names the
    layers whose maps are the results, the scores first; if it is empty, the last layer's.

    `data` names the data set it was trained on ("mnist", "usps" or ""): comparisons refuse images of another. A graph that
    begins with `Prepare` takes raw uint8 images, any other takes floats.
    """

    name: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    data: str = ""
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    steps: tuple[Step, ...] = field(init=False, repr=False)

    def _settled(self) -> Mapping[str, Any]:
        if not self.name or not isinstance(self.name, str) or not self.name.isprintable():
            raise GraphError(f"network name {self.name!r} cannot be used; expected printable text")
        sizes = self.input_shape
        if not isinstance(sizes, tuple) or len(sizes) != 3 or any(type(n) is not int or n < 1 for n in sizes):
            raise GraphError(
                f"{self.name}: input shape is {sizes!r}; expected (maps, rows, columns), whole numbers of at least 1"
            )
        check_stack(self.name, sizes, "images")
        if not self.layers:
            raise GraphError(f"{self.name}: has no layers; expected at least one")
        shapes: dict[str, Shape] = {IMAGE: self.input_shape}
        steps: list[Step] = []
        links: dict[str, tuple[str, ...]] = {}
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, tuple(LAYER_KINDS.values())):
                raise GraphError(
                    f"{self.name}: layer {position} is a {type(layer).__name__}; expected a layer of the vocabulary"
                )
            if layer.name in shapes:
                raise GraphError(f"{self.name}: two layers are called {layer.name}; expected unique names")
            if isinstance(layer, Prepare) and position:
                raise GraphError(f"{self.name}: preparation {layer.name} is layer {position}; expected it first")
            before = (steps[-1].layer.name if steps else IMAGE,)
            inputs = tuple(self.links.get(layer.name, before))
            self._check_inputs(layer, inputs, shapes)
            if inputs != before:
                links[layer.name] = inputs
            ins = tuple(shapes[one] for one in inputs)
            shapes[layer.name] = sized_output(layer, ins)
            steps.append(Step(layer, inputs, ins, shapes[layer.name]))
        last = (steps[-1].layer.name,)
        outputs = () if tuple(self.outputs) == last else tuple(self.outputs)
        self._check_ends(steps, outputs or last)
        return {"layers": tuple(self.layers), "steps": tuple(steps), "links": links, "outputs": outputs}

    def _check_inputs(self, layer: Layer, inputs: tuple[str, ...], shapes: Mapping[str, Shape]) -> None:
        for one in inputs:
            if one not in shapes:
                raise GraphError(f"{self.name}: {layer.name} reads {one!r}; expected layers before it, or {IMAGE}")
        if not inputs or (len(inputs) > 1 and not isinstance(layer, JOINING)):
            raise GraphError(f"{self.name}: {layer.name}, a {layer.kind} layer, reads {len(inputs)} stacks; expected one")
        if IMAGE in inputs and self.prepare is not None and layer is not self.prepare:
            raise GraphError(f"{self.name}: {layer.name} reads the raw image; expected {self.prepare.name}, which prepares it")

    def _check_ends(self, steps: list[Step], outputs: tuple[str, ...]) -> None:
        names = {step.layer.name for step in steps}
        if unknown := {*outputs, *self.links} - names:
            raise GraphError(f"{self.name}: has no layer {sorted(unknown)[0]!r}; it has {', '.join(sorted(names))}")
        if len(set(outputs)) != len(outputs):
            raise GraphError(f"{self.name}: names an output twice; expected each of {', '.join(outputs)} once")
        read = {one for step in steps for one in step.inputs}
        if unused := names - read - set(outputs):
            raise GraphError(f"{self.name}: no layer reads {sorted(unused)[0]}, and it is no output; leave it out")

    @property
    def is_chain(self) -> bool:
        """Whether every layer reads the one before it, and the last is the only output."""
        return not self.links and not self.outputs

    @property
    def ends(self) -> tuple[str, ...]:
        """The layers whose maps are the results, the scores first."""
        return self.outputs or (self.steps[-1].layer.name,)

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
        """The shape of the scores."""
        return self[self.ends[0]].output_shape

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
        for member in self.members:
            if len(member.ends) > 1:
                raise GraphError(f"{self.name}: member {member.name} has {len(member.ends)} outputs; expected its scores alone")
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
    changes: dict[str, Any] = {name: array.astype(dtype) for name, array in layer.tensors.items() if array.dtype.kind == "f"}
    return replace(layer, **changes)


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
        reads = f" of {', '.join(one.strip('/') for one in step.inputs)}" if step.layer.name in network.links else ""
        lines.append(
            f"  {step.layer.name}: {step.layer.kind}{reads} -> {shape_text(step.output_shape)}: "
            f"{about(step.layer)}{squash}{counts}"
        )
    lines += [f"  outputs: {', '.join(network.outputs)}"] if network.outputs else []
    lines.append(
        f"  total: connections {network.connections}, parameters {network.parameters}, multiply-adds {network.multiply_adds}"
    )
    return "\n".join(lines)
