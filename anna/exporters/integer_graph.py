"""The quantised graph as an ONNX model of integers, which gives the states of the ideal chip to the bit.

A layer is a ConvInteger over state codes, what its own columns add, a constant, and a comparison with the thresholds of its
maps. Every map stack is an output. Stacks that no layer of the chip writes, the image and what the host makes on the way,
are inputs.

    products    weight x state code, summed over the window and the unit's own columns
    sums        2 x products + a constant, in weight LSB x half state LSB: a code c stands for 2 c + the lowest half LSBs
    states      how many thresholds of the ADC a sum reaches, at the map's scale code
"""

from collections.abc import Sequence
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler.ir import ChipLayer, OwnColumn
from anna.compiler.quantise import bias_numerators
from anna.compiler.quantised import QuantGraph, QuantLayer
from anna.exporters.onnx_writer import KINDS, Attribute, OnnxWriter

FEW_THRESHOLDS = 15  # that are compared at once; more are searched, one bit of the code after the other
# Without VNNI a processor adds pairs of products in 16 bits, where ONNX Runtime saturates: 2 x 255 x 64 stays below 2^15.
STATE_PIECE, WEIGHT_PIECE = 8, 6  # bits of a state and of a weight, the sign left out, that one ConvInteger takes

Ints = NDArray[np.int64]


def integer_model(graph: QuantGraph) -> bytes:
    """The ONNX model of a network in codes."""
    name = graph.lowered.network.name
    writer = OnnxWriter(name, f"{name} in the chip's integers: from state codes to the state codes of every map")
    stacks = _Stacks(writer, graph)
    for position, quant in enumerate(graph.layers):
        _Layer(writer, stacks, quant, graph.spec).write()
        stacks.written(position, quant.layer)
    return writer.model()


def state_kind(spec: ChipSpec) -> np.dtype[Any]:
    """The type of state codes in the model: ONNX Runtime has few operations on 16 bits."""
    return np.dtype(np.uint8 if spec.state_bits <= 8 else np.int32)


def given_stacks(graph: QuantGraph) -> tuple[str, ...]:
    """The map stacks that the chip reads but does not write."""
    written = {layer.stack for layer in graph.lowered.layers}
    return tuple(dict.fromkeys(one for layer in graph.lowered.layers for one in layer.reads if one not in written))


class _Stacks:
    """The map stacks so far, each in the parts that layers have written."""

    def __init__(self, writer: OnnxWriter, graph: QuantGraph) -> None:
        self.writer, self.lowered, self.kind = writer, graph.lowered, state_kind(graph.spec)
        self.shapes = graph.lowered.stacks
        self.parts: dict[str, list[tuple[int, int, str]]] = {}  # first map, maps, value
        for name in given_stacks(graph):
            value = writer.input(name, self.kind, ("images", *self.shapes[name]))
            self.parts[name] = [(0, self.shapes[name][0], value)]

    def value_of(self, layer: ChipLayer) -> str:
        """The name of what a layer makes: the stack's, if it is all of it."""
        return layer.stack if layer.output_shape[0] == self.shapes[layer.stack][0] else f"{layer.name}/states"

    def written(self, position: int, layer: ChipLayer) -> None:
        """A layer's maps are there; the last layer of a stack makes it an output."""
        stack, parts = layer.stack, self.parts.setdefault(layer.stack, [])
        parts.append((layer.first_map, layer.output_shape[0], self.value_of(layer)))
        if position == self.lowered.last_writer(stack):
            if len(parts) > 1:
                self.writer.node("Concat", [value for _, _, value in sorted(parts)], stack, axis=1)
                parts.append((0, self.shapes[stack][0], stack))
            self.writer.output(stack, self.kind, ("images", *self.shapes[stack]))

    def complete(self, stack: str) -> bool:
        """Whether all its maps are there."""
        return any(maps == self.shapes[stack][0] for _, maps, _ in self.parts[stack])

    def maps(self, stack: str, wanted: Sequence[int], name: str) -> str:
        """Maps of a stack that are there, in any order; the value that they become has this name if there is none yet."""
        taken = list[tuple[str, list[int]]]()  # values, and which of their maps
        for one in wanted:
            begin, _, value = min((part for part in self.parts[stack] if part[0] <= one < part[0] + part[1]),
                                  key=lambda part: part[1] != self.shapes[stack][0])  # fmt: skip
            if not taken or taken[-1][0] != value:
                taken.append((value, []))
            taken[-1][1].append(one - begin)
        sizes = {value: maps for _, maps, value in self.parts[stack]}
        found = []
        for number, (value, places) in enumerate(taken):
            if places != list(range(sizes[value])):
                picked = name if len(taken) == 1 else f"{name}_{number}"
                constant = self.writer.constant(f"{picked}/places", np.array(places, np.int64))
                value = self.writer.node("Gather", [value, constant], picked, axis=1)
            found.append(value)
        return found[0] if len(found) == 1 else self.writer.node("Concat", found, name, axis=1)


class _Layer:
    """One layer of the chip as nodes."""

    def __init__(self, writer: OnnxWriter, stacks: _Stacks, quant: QuantLayer, spec: ChipSpec) -> None:
        self.writer, self.stacks, self.quant, self.layer, self.spec = writer, stacks, quant, quant.layer, spec
        self.levels = codes.state_converter(spec).numerators
        self.weights_oiyx: Ints = quant.weights_ot.reshape(self.layer.mask_oiyx.shape) * self.layer.mask_oiyx
        # Of a stack that is not complete only the maps that it reads are there.
        self.live = None if stacks.complete(self.layer.source) else np.flatnonzero(self.layer.mask_oiyx.any(axis=(0, 2, 3)))
        own = quant.unit_states_ouyx.shape[1]  # columns of a unit's bias; after them, what other stacks hold
        self.read = dict[OwnColumn, Ints]()
        for unit, weight_o in zip(quant.units[own:], quant.unit_weights_ou[:, own:].T, strict=True):
            self.read[unit] = self.read.get(unit, 0) + weight_o
        bias_oyx = (self.levels[quant.unit_states_ouyx] * quant.unit_weights_ou[:, :own, None, None]).sum(axis=1)
        drive_o = self.weights_oiyx.sum(axis=(1, 2, 3)) + sum(self.read.values())
        self.constant_oyx: Ints = bias_oyx + _per_map(bias_numerators(spec, quant.constants_oc) + self.levels[0] * drive_o)
        # A sum is a whole number of 2^f accumulator units, in which thresholds are given.
        units = 1 << spec.weight_fraction_bits
        self.limits_ok: Ints = -(-codes.thresholds(spec, quant.scale_codes_o) // units)

    @cached_property
    def kind(self) -> np.dtype[Any]:
        """The integers that hold every product and every sum."""
        weights = np.abs(self.weights_oiyx).sum(axis=(1, 2, 3)) + sum(np.abs(weight_o) for weight_o in self.read.values())
        most = 2 * int(weights.max()) * (len(self.levels) - 1) + int(np.abs(self.constant_oyx).max())
        return np.dtype(np.int32 if max(most, int(np.abs(self.limits_ok).max())) < 1 << 31 else np.int64)

    def write(self) -> None:
        """All its nodes."""
        products = reduce(self._added, [*self._of_window(self._window()), *self._of_columns()])
        doubled = self._node("Mul", [products, self._constant("two", 2)], "doubled")
        sums = self._node("Add", [doubled, self._constant("constant", self.constant_oyx)], "sums")
        reached = self._compared(sums) if self.limits_ok.shape[1] <= FEW_THRESHOLDS else self._searched(sums)
        self.writer.node("Cast", [reached], self.stacks.value_of(self.layer), to=KINDS[self.stacks.kind])

    # --- what the synapses give --------------------------------------------------------------------------------------
    def _window(self) -> str:
        """The states that the windows slide over: maps in their places, with the border."""
        layer, places = self.layer, self.layer.places
        if self.live is not None:
            places = tuple(layer.places[i] for i in self.live)
        found = self.stacks.maps(layer.source, places, self._named("in_places"))
        if not any(layer.padding):
            return found
        top, bottom, left, right = layer.padding
        ends = self._constant("padding", (0, 0, top, left, 0, 0, bottom, right), np.int64)
        border = self.quant.border_i if self.live is None else self.quant.border_i[self.live]
        value = self._constant("border", border[0] if (border == border[0]).all() else 0, self.stacks.kind)
        padded = self._node("Pad", [found, ends, value], "padded")
        if (border == border[0]).all():
            return padded
        inside = np.pad(np.ones((1, 1, *layer.input_shape[1:]), bool), ((0, 0), (0, 0), (top, bottom), (left, right)))
        borders = self._constant("borders", _per_map(border), self.stacks.kind)
        return self._node("Where", [self._constant("inside", inside, bool), padded, borders], "bordered")

    def _of_window(self, window: str) -> list[str]:
        """Products of the window, in pieces of states and weights."""
        found, live = [], self.weights_oiyx if self.live is None else self.weights_oiyx[:, self.live]
        for low_state, states in self._state_pieces(window):
            for low_weight, weights in _weight_pieces(live):
                part = f"_{low_state}_{low_weight}" if low_state + low_weight else ""
                kernel = self._constant(f"weights{part}", weights, np.int8)
                made = self._node("ConvInteger", [states, kernel], f"products{part}", kernel_shape=self.layer.kernel,
                                  strides=self.layer.stride)  # fmt: skip
                if self.kind != np.int32:
                    made = self._node("Cast", [made], f"products{part}_wide", to=KINDS[self.kind])
                if part:
                    worth = self._constant(f"worth{part}", 1 << (low_state + low_weight))
                    made = self._node("Mul", [made, worth], f"part{part}")
                found.append(made)
        return found

    def _state_pieces(self, states: str) -> list[tuple[int, str]]:
        """State codes in pieces of a byte, the lowest first, with their lowest bit."""
        if self.spec.state_bits <= STATE_PIECE:
            return [(0, states)]
        found, size, byte = list[tuple[int, str]](), 1 << STATE_PIECE, KINDS[np.dtype(np.uint8)]
        divisor = self._constant("byte", size, self.stacks.kind)
        for low, op in ((0, "Mod"), (STATE_PIECE, "Div")):
            found.append((low, self._node("Cast", [self._node(op, [states, divisor], f"{op}")], f"states_{low}", to=byte)))
        return found

    def _of_columns(self) -> list[str]:
        """Products of the unit's own columns: partial sums that it continues, coarser digits."""
        found = []
        for number, (unit, weight_o) in enumerate(self.read.items()):
            carried = self.stacks.maps(unit.stack, unit.maps, self._named(f"own_{number}_maps"))
            states = self._node("Cast", [carried], f"own_{number}", to=KINDS[self.kind])
            weights = self._constant(f"own_weights_{number}", _per_map(weight_o))
            found.append(self._node("Mul", [states, weights], f"own_products_{number}"))
        return found

    # --- the ADC -----------------------------------------------------------------------------------------------------
    def _compared(self, sums: str) -> str:
        """How many thresholds sums reach: every sum is compared with all of its map."""
        last = self._constant("last", [-1], np.int64)
        each = self._node("Unsqueeze", [sums, last], "each")
        thresholds = self._constant("thresholds", self.limits_ok[:, None, None, :])
        reached = self._node("GreaterOrEqual", [each, thresholds], "reached")
        ones = self._node("Cast", [reached], "ones", to=KINDS[self.kind])
        return self._node("ReduceSum", [ones, last], "count", keepdims=0)

    def _searched(self, sums: str) -> str:
        """The same, bit by bit: is the threshold of half the codes left reached?"""
        rows, row_o = np.unique(self.limits_ok, axis=0, return_inverse=True)
        thresholds = self._constant("thresholds", rows.reshape(-1))
        before = self._constant("before", _per_map(row_o.reshape(-1) * rows.shape[1] - 1))  # threshold c - 1 begins code c
        found = self._constant("none", 0)
        for bit in reversed(range(self.spec.state_bits)):
            trial = self._node("Add", [found, self._constant(f"bit_{bit}", 1 << bit)], f"trial_{bit}")
            place = self._node("Add", [trial, before], f"place_{bit}")
            limit = self._node("Gather", [thresholds, place], f"limit_{bit}", axis=0)
            reached = self._node("GreaterOrEqual", [sums, limit], f"reached_{bit}")
            found = self._node("Where", [reached, trial, found], f"from_{bit}")
        return found

    # --- names -------------------------------------------------------------------------------------------------------
    def _named(self, what: str) -> str:
        return f"{self.layer.name}/{what}"

    def _constant(self, what: str, values: Any, kind: Any = None) -> str:
        return self.writer.constant(self._named(what), np.asarray(values, kind or self.kind))

    def _number(self, what: str, value: int) -> str:
        return self._constant(what, value)

    def _node(self, op: str, inputs: list[str], what: str, **attributes: Attribute) -> str:
        return self.writer.node(op, inputs, self._named(what), **attributes)

    def _added(self, one: str, other: str) -> str:
        return self._node("Add", [one, other], f"with_{other.rpartition('/')[2]}")


def _weight_pieces(weights: Ints) -> list[tuple[int, Ints]]:
    """Weights in pieces that a byte holds, the lowest first, with their lowest bit; the sign is in the highest."""
    found, low = list[tuple[int, Ints]](), 0
    while weights.min() < -(1 << WEIGHT_PIECE) or weights.max() >= 1 << WEIGHT_PIECE:
        found.append((low, weights & (1 << WEIGHT_PIECE) - 1))
        weights, low = weights >> WEIGHT_PIECE, low + WEIGHT_PIECE
    return [*found, (low, weights)]


def _per_map(values: Any) -> Any:
    """A number for each map, as an array over maps, rows and columns."""
    return np.asarray(values)[:, None, None]
