"""Nodes become chip layers, and stages of the host between them.

What only joins or picks maps costs nothing: values are views, the maps of a stack that carry them. Joined maps are written to
one stack from the beginning. A residual sum is a sum on the chip, in the neurons of the last convolution before it where
nothing else reads that, else in neurons of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from anna.compiler import maximum
from anna.compiler.cut import Cut, selected_maps
from anna.compiler.ir import INPUT, ChipLayer, Floats, HostStage, Reading, Writing, as_floats, conv_geometry
from anna.compiler.nodes import Node
from anna.compiler.views import Draft, View, giving, resolved
from anna.network.activations import NONE
from anna.network.graph import (
    IMAGE,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Layer,
    Pool,
    Reduction,
    Subsample,
)
from anna.network.parts import AXES, Shape


@dataclass(frozen=True, eq=False)
class Lowering:
    """What a network becomes."""

    steps: tuple[ChipLayer | HostStage, ...]
    tail: HostStage
    input_scale_m: Floats
    input_offset_m: Floats
    before: tuple[Layer, ...]  # on the host, before there are states
    input_shape: Shape  # of what enters the chip


def lower(cut: Cut, shape: Shape, prefix: str) -> Lowering:
    """Chip layers and stages in order; factors and offsets per map are folded into the layer before them."""
    return _Lowerer(cut, shape, prefix).run()


class _Lowerer:
    """The work in progress."""

    def __init__(self, cut: Cut, shape: Shape, prefix: str) -> None:
        self.nodes, self.on_host, self.prefix = cut.nodes, cut.on_host, prefix
        self.before, first = self._before()
        shape = self.before[-1].output_shape if self.before else shape
        self.shape = shape
        self.views: dict[str, View] = {first: View(INPUT, tuple(range(shape[0])))}
        self.widths: dict[str, int] = {INPUT: shape[0]}  # maps of each stack
        self.steps: list[Draft | HostStage] = []
        self.homes: dict[str, tuple[str, int]] = {}  # stacks that lie in another from a map on
        self.outer = self._outermost()
        self.scale, self.offset = np.ones(shape[0]), np.zeros(shape[0])

    def run(self) -> Lowering:
        """Every node in its turn."""
        waiting, tail = list[Node](), list[Node]()
        level = self.nodes.levels(self.on_host)
        absorbed = self._absorbed()
        for node in self.nodes.ordered(self.on_host):
            if waiting and (node.value not in self.on_host or level[node.value] != level[waiting[0].value]):
                self.steps.append(self._stage(waiting))
                waiting = []
            if node in self.before:
                continue
            if node.value in absorbed:
                self.views[node.value] = self._all_of(INPUT)
            elif node.value not in self.on_host:
                self._chip(node)
            elif node.value in self._feeds_chip:
                waiting.append(node)
            else:
                tail.append(node)
        last = self._stage(self._with_sources(tail), self.nodes.ends)
        steps, last = resolved(self.steps, last, self.homes, self.widths, self.shape)
        before = tuple(node.layer for node in self.before)
        return Lowering(steps, last, self.scale, self.offset, before, self.shape)

    def _before(self) -> tuple[list[Node], str]:
        """What the host computes one after the other before anything else, and what that gives."""
        found, value = list[Node](), IMAGE
        while not self.prefix and (node := self.nodes.sole_reader(value)) is not None and node.value in self.on_host:
            if node.value not in self._feeds_chip:
                break
            found.append(node)
            value = node.value
        return found, value

    def _absorbed(self) -> frozenset[str]:
        """Leading factors and offsets, if nothing else reads the image and the chip alone reads what they give."""
        found, value = set[str](), self.before[-1].value if self.before else IMAGE
        while (node := self.nodes.sole_reader(value)) is not None and node.value not in self.on_host:
            layer = node.layer
            on_chip = all(reader.value not in self.on_host for reader in self.nodes.readers[node.value])
            if not isinstance(layer, Affine) or layer.activation != NONE or not on_chip or node.value in self.nodes.ends:
                break
            self.scale = self.scale * as_floats(layer.scale_m)
            self.offset = self.offset * as_floats(layer.scale_m) + as_floats(layer.offset_m)
            found.add(node.value)
            value = node.value
        return frozenset(found)

    # --- the host ----------------------------------------------------------------------------------------------------
    @cached_property
    def _feeds_chip(self) -> frozenset[str]:
        """The values that the host computes and the chip needs, by whatever way."""
        found = set[str]()
        for node in reversed(self.nodes.nodes):
            if any(one.value not in self.on_host or one.value in found for one in self.nodes.readers[node.value]):
                found.add(node.value)
        return self.on_host & found

    def _stage(self, nodes: Sequence[Node], ends: tuple[str, ...] = ()) -> HostStage:
        """Nodes that the host computes in one go, or its tail."""
        mine = {node.value for node in nodes}
        wanted = dict.fromkeys(one for node in nodes for one in node.inputs if one not in mine)
        wanted |= dict.fromkeys(one for one in ends if one not in mine)
        readings = [Reading(one, *self.views[one]) for one in wanted]
        writings = []
        for node in nodes:
            readers = [one.value for one in self.nodes.readers[node.value] if one.value not in mine]
            if not ends and any(one not in self.on_host or one in self._feeds_chip for one in readers):
                stack = f"{self.prefix}{node.value}.host"
                writings.append(Writing(node.value, stack, node.output_shape))
                self.views[node.value] = View(stack, tuple(range(node.output_shape[0])))
                self.widths[stack] = node.output_shape[0]
        outputs = ends or tuple(one.output for one in writings)
        return HostStage.linked(readings, [(node.layer, node.inputs) for node in nodes], outputs, writings)

    def _with_sources(self, tail: Sequence[Node]) -> Sequence[Node]:
        """The tail with what it needs of what the host computed for the chip: as floats, they are not kept."""
        wanted = {node.value for node in tail} | {value for value in self.nodes.ends if value in self.on_host}
        for node in reversed(self.nodes.nodes):
            if node.value in wanted:
                wanted |= {one for one in node.inputs if one in self.on_host}
        early = {node.value for node in self.before}
        return [node for node in self.nodes.nodes if node.value in wanted - early]

    # --- the chip ----------------------------------------------------------------------------------------------------
    def _chip(self, node: Node) -> None:
        layer, value = node.layer, node.inputs[0]
        name = self.prefix + node.name
        match layer:
            case Affine() if (draft := self._alone(value)) is not None and (folded := _folded(draft.layer, layer)) is not None:
                draft.layer = folded
                self.views[node.value] = self.views[value]
            case Pool() if layer.mode == "max":
                for step in maximum.lower(node, name, INPUT):
                    view = self.views[value] if step.source == INPUT else None
                    self._add(step if view is None else replace(step, source=view.stack), view)
                self.views[node.value] = self._all_of(name)
            case Combination():
                self.views[node.value] = self._sum(node, layer, name)
            case Concatenation():
                self.views[node.value] = self._joined(node, name)
            case Arrangement():
                picked = selected_maps(layer, node)
                assert picked is not None, f"{name}: should have been refused"
                view = self.views[value]
                self.views[node.value] = View(view.stack, tuple(view.maps[m] for m in picked))
            case _:
                self._add(_chip_layer(node, name, self.views[value].stack), self.views[value])
                self.views[node.value] = self._all_of(name)

    def _add(self, layer: ChipLayer, view: View | None) -> Draft:
        draft = Draft(layer, view or self._all_of(layer.source))
        self.steps.append(draft)
        self.widths[layer.name] = layer.output_shape[0]
        return draft

    def _all_of(self, stack: str) -> View:
        return View(stack, tuple(range(self.widths[stack])))

    def _alone(self, value: str) -> Draft | None:
        """The layer that makes a value, if the value is all its maps and only one node reads it."""
        if value not in self.views or self.nodes.sole_reader(value) is None:
            return None
        view = self.views[value]
        if view.stack in self.homes or view != self._all_of(view.stack):
            return None
        return next((one for one in self.steps if isinstance(one, Draft) and one.layer.name == view.stack), None)

    def _written(self, view: View) -> int:
        """The position of the last step that writes what a view sees; -1 for the image."""
        stacks = {view.stack, *(stack for stack, (home, _) in self.homes.items() if home == view.stack)}
        written = [{one.layer.name} if isinstance(one, Draft) else {w.stack for w in one.writings} for one in self.steps]
        return max((k for k, mine in enumerate(written) if mine & stacks), default=-1)

    def _identity(self, name: str, origin: str, view: View, shape: Shape, factor: float = 1.0) -> Draft:
        """Neurons that give what they read, or a multiple of it."""
        return self._add(giving(name, origin, view.stack, shape, np.eye(shape[0]) * factor), view)

    # --- sums and joined maps -----------------------------------------------------------------------------------------
    def _sum(self, node: Node, layer: Combination, name: str) -> View:
        shape = node.output_shape
        counts = {value: node.inputs.count(value) for value in node.inputs}
        bias = None if layer.constant_myx is None else np.broadcast_to(as_floats(layer.constant_myx), shape)
        per_map = bias is None or bool((bias == bias[:, :1, :1]).all())
        drafts = {value: draft for value in counts
                  if counts[value] == 1 and (draft := self._alone(value)) is not None and draft.can_add(shape)}  # fmt: skip
        chosen = max(drafts, key=lambda value: self.steps.index(drafts[value]), default=None)
        rest = list(counts)
        if chosen is not None and per_map and len(rest) > 1:
            early = [value for value in rest if self._written(self.views[value]) < self.steps.index(drafts[chosen])]
            chosen = chosen if early else None
            rest.sort(key=lambda value: value not in early)
        elif len(rest) > 1 or not per_map:
            chosen = None
        if chosen is not None:
            total = drafts[chosen]
            rest.remove(chosen)
        else:
            first = rest.pop(0)
            own = name if not rest or (len(rest) == 1 and per_map) else f"{name}.1"
            total = self._identity(own, name, self.views[first], shape, counts[first])
            if not per_map:
                total.layer, bias = replace(total.layer, bias=bias), None
        for k, value in enumerate(rest):
            if total.layer.carry is not None or total.layer.bias_kind == "unit":
                own = name if k == len(rest) - 1 else f"{name}.{k + 2}"
                total = self._identity(own, name, self._all_of(total.layer.name), shape)
            total.layer = replace(total.layer, carry=self.views[value].stack, carries_values=True, carry_sign=counts[value])
            total.carried = self.views[value]
        if bias is not None:
            own_bias = 0.0 if total.layer.bias is None else total.layer.bias
            total.layer = replace(total.layer, bias=own_bias + bias[:, 0, 0])
        total.layer = replace(total.layer, activation=layer.activation)
        return self._all_of(total.layer.name)

    def _outermost(self) -> Mapping[str, str]:
        """For each concatenation the one that, in the end, it is a part of."""
        found: dict[str, str] = {}
        for node in reversed(self.nodes.nodes):
            if isinstance(node.layer, Concatenation) and node.value not in self.on_host:
                within = [found[one.value] for one in self.nodes.readers[node.value] if one.value in found]
                found[node.value] = within[0] if within else self.prefix + node.name
        return found

    def _joined(self, node: Node, name: str) -> View:
        """Maps side by side: in one stack already, or written to one."""
        parts = [self.views[value] for value in node.inputs]
        if len({self._home(part).stack for part in parts}) == 1:
            return View(self._home(parts[0]).stack, tuple(m for part in parts for m in self._home(part).maps))
        stack, maps = self.outer[node.value], list[int]()
        self.widths.setdefault(stack, 0)
        for number, (part, shape) in enumerate(zip(parts, node.input_shapes, strict=True)):
            at_home = self._home(part)
            if at_home.stack != stack:
                if not self._can_move(part):
                    copy = f"{name}.{number + 1}"
                    self._identity(copy, name, part, shape)
                    part = self._all_of(copy)
                self.homes[part.stack] = (stack, self.widths[stack])
                at_home = self._home(part)
                self.widths[stack] += len(part.maps)
            maps += at_home.maps
        return View(stack, tuple(maps))

    def _home(self, view: View) -> View:
        return view.at_home(self.homes)

    def _can_move(self, view: View) -> bool:
        """Whether all maps of a layer are seen, and it may write them elsewhere."""
        made = any(isinstance(one, Draft) and one.layer.name == view.stack for one in self.steps)
        return made and view.stack not in self.homes and view == self._all_of(view.stack)


def _folded(before: ChipLayer, affine: Affine) -> ChipLayer | None:
    scale, offset = as_floats(affine.scale_m), as_floats(affine.offset_m)
    if before.activation == NONE and before.post_scale_o is None and not before.on_states and before.carry is None:
        bias = np.zeros(len(scale)) if before.bias is None else before.bias
        along = (slice(None),) + (None,) * (bias.ndim - 1)
        return replace(
            before,
            weights_oiyx=before.weights_oiyx * scale[:, None, None, None],
            bias=bias * scale[along] + offset[along],
            activation=affine.activation,
            steps_o=None if before.steps_o is None or not scale.all() else before.steps_o * np.abs(scale),
        )
    if before.activation == NONE and before.carries_values and (scale == 1.0).all() and before.bias_kind != "unit":
        bias = offset if before.bias is None else before.bias + offset
        return replace(before, bias=bias, activation=affine.activation)
    if affine.activation == NONE:
        old_scale = np.ones(len(scale)) if before.post_scale_o is None else before.post_scale_o
        old_offset = np.zeros(len(scale)) if before.post_offset_o is None else before.post_offset_o
        return replace(before, post_scale_o=old_scale * scale, post_offset_o=old_offset * scale + offset)
    return None


def _chip_layer(node: Node, name: str, source: str) -> ChipLayer:
    layer, shape = node.layer, node.input_shape
    stride, padding, padding_value = (1, 1), (0, 0, 0, 0), 0.0
    bias = None
    match layer:
        case Convolution():
            weights, table = as_floats(layer.weights_oiyx), layer.table
            mask = np.broadcast_to(table[:, :, None, None], weights.shape).copy()
            bias = None if layer.bias is None else as_floats(layer.bias)
            stride, padding, padding_value = layer.stride, layer.padding, layer.padding_value
        case FullConnection():
            weights = as_floats(layer.weights_oi).reshape(-1, *shape)
            mask = np.ones(weights.shape, dtype=bool)
            bias = None if layer.bias_o is None else as_floats(layer.bias_o)
        case Subsample():
            weights, mask = _one_map(layer.source, shape[0], layer.window, as_floats(layer.coefficient_o))
            bias, stride = as_floats(layer.bias_o), layer.window
        case Pool():
            share = np.full(shape[0], 1.0 / (layer.window[0] * layer.window[1]))
            weights, mask = _one_map(tuple(range(shape[0])), shape[0], layer.window, share)
            stride = layer.stride
        case Reduction():
            weights, mask = _reduced(layer, shape)
        case Affine():
            weights, mask = _one_map(tuple(range(shape[0])), shape[0], (1, 1), as_floats(layer.scale_m))
            bias = as_floats(layer.offset_m)
        case _:
            raise AssertionError(f"{layer.name}: should have been refused")
    out: Shape = (len(weights), *conv_geometry(shape, (weights.shape[2], weights.shape[3]), stride, padding))
    assert out == node.output_shape, f"{name}: {out} is not {node.output_shape}"
    steps = layer.steps_o if isinstance(layer, Convolution | FullConnection) else None
    return ChipLayer(name, name, source, shape, out, weights, mask, bias, stride, padding, padding_value, layer.activation,
                     steps_o=None if steps is None else as_floats(steps))  # fmt: skip


def _one_map(source: Sequence[int], maps: int, window: tuple[int, int], value_o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights = np.zeros((len(source), maps, *window))
    mask = np.zeros(weights.shape, dtype=bool)
    for o, i in enumerate(source):
        weights[o, i], mask[o, i] = value_o[o], True
    return weights, mask


def _reduced(layer: Reduction, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """A sum or a mean over axes as the weights of a window."""
    maps, *window = (size if axis in layer.over else 1 for axis, size in zip(AXES, shape, strict=True))
    size = (window[0], window[1])
    one = 1.0 if layer.mode == "sum" else 1.0 / (maps * size[0] * size[1])
    if maps == 1:
        return _one_map(range(shape[0]), shape[0], size, np.full(shape[0], one))
    weights = np.full((1, maps, *size), one)
    return weights, np.ones(weights.shape, dtype=bool)
