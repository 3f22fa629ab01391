"""A network's layers as the compiler sees them: each with what it reads, where it runs, and when.

A layer whose activation the ADC cannot convert becomes two, its sums on the chip and the activation on the host. Levels say
when: the chip runs all that it can, then the host what it can, then the chip again, so that there are as few rounds as
there can be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from anna.network.activations import NONE, Activation
from anna.network.graph import (
    IMAGE,
    Affine,
    Combination,
    Convolution,
    FullConnection,
    Graph,
    Layer,
    Pool,
    Prepare,
    Subsample,
)
from anna.network.parts import Shape

ACTIVATED = (Convolution, FullConnection, Subsample, Affine, Combination)


@dataclass(frozen=True, eq=False)
class Node:
    """A layer in its place; `value` is what its result is called by those that read it."""

    layer: Layer
    value: str
    inputs: tuple[str, ...]  # values, or IMAGE
    input_shapes: tuple[Shape, ...]
    output_shape: Shape

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def input_shape(self) -> Shape:
        """The shape of the first of what it reads."""
        return self.input_shapes[0]


@dataclass(frozen=True, eq=False)
class Nodes:
    """All nodes of a network, in an order in which they can run."""

    nodes: tuple[Node, ...]
    ends: tuple[str, ...]  # the values that are its results

    @staticmethod
    def of(graph: Graph) -> "Nodes":
        """A network without its preparation."""
        start = graph.prepare.name if graph.prepare is not None else IMAGE

        def named(name: str) -> str:
            return IMAGE if name == start else name

        nodes = [
            Node(step.layer, step.layer.name, tuple(named(one) for one in step.inputs), step.input_shapes, step.output_shape)
            for step in graph.steps
            if not isinstance(step.layer, Prepare)
        ]
        return Nodes(tuple(nodes), tuple(named(one) for one in graph.ends))._squashed_first()

    @cached_property
    def by_value(self) -> Mapping[str, Node]:
        """Nodes by what their results are called."""
        return {node.value: node for node in self.nodes}

    @cached_property
    def readers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each value; one that reads it twice comes twice."""
        found: dict[str, list[Node]] = {IMAGE: [], **{node.value: [] for node in self.nodes}}
        for node in self.nodes:
            for one in node.inputs:
                found[one].append(node)
        return {value: tuple(nodes) for value, nodes in found.items()}

    def sole_reader(self, value: str) -> Node | None:
        """The one node that reads a value, if nothing else does."""
        readers = self.readers[value]
        return readers[0] if len(readers) == 1 and value not in self.ends else None

    def after(self, values: Iterable[str]) -> frozenset[str]:
        """These values and all that depend on them."""
        found = set(values)
        for node in self.nodes:
            if found.intersection(node.inputs):
                found.add(node.value)
        return frozenset(found)

    def _squashed_first(self) -> "Nodes":
        """With the activation of a maximum moved to the layer before it, if that can have one: it rises, so it is the same."""
        found = dict(self.by_value)
        for node in self.nodes:
            pool = node.layer
            before = found.get(node.inputs[0])
            if not isinstance(pool, Pool) or pool.mode != "max" or pool.activation == NONE or before is None:
                continue
            layer = before.layer
            alone = self.sole_reader(before.value) is not None
            if alone and isinstance(layer, ACTIVATED) and layer.activation == NONE and pool.activation.curve.adc is not None:
                found[before.value] = replace(before, layer=replace(layer, activation=pool.activation))
                found[node.value] = replace(node, layer=replace(pool, activation=NONE))
        return Nodes(tuple(found.values()), self.ends)

    def with_sums_apart(self, values: frozenset[str]) -> "Nodes":
        """These nodes as two each: the sums, and the activation as a layer that bears the name."""
        nodes: list[Node] = []
        for node in self.nodes:
            if node.value not in values:
                nodes.append(node)
                continue
            layer = node.layer
            assert isinstance(layer, ACTIVATED)
            sums = f"{node.value}/sums"
            nodes.append(replace(node, layer=replace(layer, activation=NONE), value=sums))
            squash = _activation_alone(layer.name, layer.activation, node.output_shape[0])
            nodes.append(Node(squash, node.value, (sums,), (node.output_shape,), node.output_shape))
        return Nodes(tuple(nodes), self.ends)

    def levels(self, on_host: frozenset[str]) -> Mapping[str, int]:
        """When each value is there: chip and host take turns, and each goes as far as it can. The host before the first of
        the chip has level -1."""
        found: dict[str, int] = {}
        for node in self.nodes:
            least = -1 if node.value in on_host else 0
            for one in node.inputs:
                if one in found:
                    waits = one in on_host and node.value not in on_host
                    least = max(least, found[one] + waits)
            found[node.value] = least
        return found

    def ordered(self, on_host: frozenset[str]) -> Sequence[Node]:
        """The nodes in the order in which they run."""
        level = self.levels(on_host)
        return sorted(self.nodes, key=lambda node: (level[node.value], node.value in on_host))


def _activation_alone(name: str, activation: Activation, maps: int) -> Affine:
    return Affine(name, np.ones(maps, np.float32), np.zeros(maps, np.float32), activation)
