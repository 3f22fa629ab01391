"""A network as the chip computes it, as a PyTorch module: for training with the chip's precision in the loop.

The compiler decides what runs on the chip, in which parts, with which ranges and weight steps (`settle`), for the current
weights; until the next call, ranges stay fixed while weights move. Weights are rounded to their codes and sums to states;
gradients pass straight through the rounding and are zero where a sum leaves the ADC's range. Biases are not rounded: the
chip's constant columns resolve them finely. In training mode every batch gets its own drawn chip, and every sum its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from anna.analog.parameters import CAUSES, Analog
from anna.base.errors import DataError
from anna.compiler.calibrate import calibrate
from anna.compiler.check import check
from anna.compiler.columns import lsb_of
from anna.compiler.ir import INPUT, ChipLayer, Lowered
from anna.compiler.options import CompileOptions
from anna.compiler.quantise import bias_numerators, quantise
from anna.compiler.quantised import Meaning, QuantLayer
from anna.compiler.split import split
from anna.network.graph import Graph
from lenet.training.drawn_chip import MACHINE, SPEC, STATES, WEIGHTS, DrawnChip, tensor
from lenet.training.recipes import ForChip
from lenet.training.torch_net import TorchLayer, TorchNet

# Weights are rounded here, so the compiler's search for a better rounding does not apply.
OPTIONS = CompileOptions(machine=MACHINE, round="nearest", check_count=0)


@dataclass(frozen=True, eq=False)
class Lookup:
    """An array of the lowered network: constants, and each trainable number wherever it appears."""

    constant: Tensor
    place: Tensor  # index of a trainable number; 0: none

    def values(self, numbers: Tensor) -> Tensor:
        """The array for the current trainable numbers; number 0 is zero."""
        return self.constant + numbers[self.place]


@dataclass(frozen=True, eq=False)
class Ranges:
    """The compiler's choices for one layer: what states and a weight LSB stand for, and which sums the ADC spans."""

    gain_i: Tensor
    offset_i: Tensor
    border_i: Tensor  # levels of the border around the input
    unit_o: Tensor  # what a weight LSB x state LSB stands for in the float sum
    middle_o: Tensor  # the float sum at the middle of the ADC's range
    lsb_o: Tensor  # of the ADC, in weight LSB x state LSB
    carry_o: Tensor  # weight LSB by which a partial sum's state is multiplied
    carry_offset_o: Tensor


class ChipNet(nn.Module):
    """Maps prepared images to the scores of the chip and its host; its parameters are those of the float network."""

    def __init__(self, graph: Graph, how: ForChip) -> None:
        super().__init__()
        self.net, self.graph, self.analog = TorchNet(graph), graph, Analog.preset(how.analog)
        self.range_digits = how.range_digits
        for cause in CAUSES:
            self.analog = self.analog.scaled(cause, how.strength)
        self.noise: torch.Generator | None = None
        lowered = lower(graph)
        (member,) = lowered.members
        self.layers = member.layers
        self.host = [TorchLayer(layer) for layer in member.tail.layers]  # their parameters are passed in at each call
        self._found = _lookups(self.net)
        self._ranges: dict[str, Ranges] = {}
        self._input = Meaning(np.ones(1), np.zeros(1))
        for layer in self.layers:
            if layer.on_states:
                raise DataError(f"{graph.name}: {layer.origin} takes a maximum; only sums can be trained for the chip")
        if not graph.is_chain or len(member.steps) > len(member.layers):
            raise DataError(f"{graph.name}: has branches or layers on the host in the middle; only chains can be trained here")
        own = _arrays(lowered)
        with torch.no_grad():
            numbers = self._numbers()
            for name, lookup in self._found.items():  # otherwise a factor was folded into a weight
                if not np.array_equal(lookup.values(numbers).numpy(), own[name]):
                    raise DataError(f"{graph.name}: {name} is scaled on the chip; expected the network's own numbers")

    def to_graph(self) -> Graph:
        """The float network with the current weights."""
        return self.net.to_graph()

    def begin_pass(self, images: npt.NDArray[np.uint8], key: tuple[int, ...]) -> None:
        """Settles, and seeds the chips and noise of a pass from its key."""
        self.settle(images)
        self.noise = torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1))

    def settle(self, images: npt.NDArray[np.uint8]) -> None:
        """Lets the compiler choose ranges and scales for the current weights, on some of the images."""
        count = min(self.range_digits, len(images))
        chosen = images[np.arange(count) * len(images) // count]
        lowered = lower(self.to_graph())
        done = quantise(lowered, calibrate(lowered, chosen, OPTIONS), OPTIONS)
        self._input = done.input_meaning
        meanings = {INPUT: done.input_meaning}
        for quant in done.layers:
            layer = quant.layer
            carry = None if layer.carry is None else meanings[layer.carry]
            self._ranges[layer.name] = _ranges(quant, meanings[layer.source], carry)
            meanings[layer.name] = quant.meaning
        self._last = tensor(quant.meaning.gain_m), tensor(quant.meaning.offset_m)

    def forward(self, x: Tensor) -> Tensor:
        numbers = self._numbers()
        gain, offset = tensor(self._input.gain_m), tensor(self._input.offset_m)
        chip = DrawnChip(self.analog, self.noise) if self.training and self.noise is not None else None
        found = {INPUT: to_states((x - along(offset)) / along(gain))}
        for layer in self.layers:
            carried = None if layer.carry is None else found[layer.carry]
            found[layer.name] = self._layer(layer, numbers, found[layer.source], carried, chip)
        gain, offset = self._last
        x = found[self.layers[-1].name] * along(gain) + along(offset)
        for place, module in enumerate(self.host):
            names = [name for name in self._found if name.startswith(f"host {place} ")]
            x = functional_call(module, {name.rpartition(" ")[2]: self._found[name].values(numbers) for name in names}, (x,))
        return x.flatten(1) if self.graph.output_shape[1:] == (1, 1) else x

    def _numbers(self) -> Tensor:
        parameters = [parameter.reshape(-1) for parameter in self.net.parameters()]
        return torch.cat([torch.zeros(1), *parameters])

    def _layer(
        self, layer: ChipLayer, numbers: Tensor, states: Tensor, carried: Tensor | None, chip: DrawnChip | None
    ) -> Tensor:
        ranges = self._ranges[layer.name]
        weights = self._found[f"{layer.name} weights"].values(numbers)
        steps = to_weights(weights * ranges.gain_i[:, None, None] / ranges.unit_o[:, None, None, None])
        sums = _products(layer, steps, _bordered(layer, states, ranges), chip) + self._bias(layer, numbers, weights, ranges)
        if carried is not None:
            sums = sums + carried * along(ranges.carry_o)
        sums = sums / along(ranges.lsb_o)
        synapses = (steps.detach() != 0).sum((1, 2, 3))  # without those of a bias
        return to_states(sums if chip is None else chip.seen_by_adc(sums, synapses, ranges.lsb_o))

    def _bias(self, layer: ChipLayer, numbers: Tensor, weights: Tensor, ranges: Ranges) -> Tensor:
        """The bias of each map, or of each unit, in weight LSB x state LSB."""
        bias = (weights * ranges.offset_i[:, None, None]).sum((1, 2, 3)) + ranges.carry_offset_o - ranges.middle_o
        if layer.bias is not None:
            own = self._found[f"{layer.name} bias"].values(numbers)
            bias = own + (bias if own.ndim == 1 else along(bias))
        return along(bias / ranges.unit_o) if bias.ndim == 1 else bias / along(ranges.unit_o)


def _bordered(layer: ChipLayer, states: Tensor, ranges: Ranges) -> Tensor:
    """States with the border of the layer's padding."""
    if not any(layer.padding):
        return states
    top, bottom, left, right = layer.padding
    border = along(ranges.border_i)
    return functional.pad(states - border, (left, right, top, bottom)) + border


def _products(layer: ChipLayer, steps: Tensor, states: Tensor, chip: DrawnChip | None) -> Tensor:
    """Sums of weight steps times states, with weights as the drawn chip's synapses hold them."""
    if layer.kernel == tuple(states.shape[2:]):  # one position: a matrix product, without the taps of other parts
        taps = torch.from_numpy(np.flatnonzero(layer.mask_oiyx.any(axis=0)))
        few = steps.flatten(1)[:, taps]
        return functional.linear(states.flatten(1)[:, taps], few if chip is None else chip.held(few))[:, :, None, None]
    held = steps if chip is None else chip.held(steps.flatten(1)).reshape(steps.shape)
    return functional.conv2d(states, held, None, layer.stride)


def lower(graph: Graph) -> Lowered:
    """The network as the chip's layers, with long sums split into parts."""
    return split(check(graph, OPTIONS), OPTIONS)


def along(values_m: Tensor) -> Tensor:
    """A value per map, shaped to broadcast over positions."""
    return values_m[:, None, None]


def to_weights(steps: Tensor) -> Tensor:
    """The nearest weight levels; gradients ignore the rounding."""
    low, high = float(WEIGHTS.values(0)), float(WEIGHTS.values(WEIGHTS.size - 1))
    held = steps.clamp(low, high)
    return held + (held.round() - held).detach()


def to_states(sums: Tensor) -> Tensor:
    """The nearest mid-rise levels; gradients ignore the rounding and are zero beyond the ends."""
    half = STATES.size / 2
    held = sums.clamp(-half, half)
    level = (held - 0.5).round().clamp(-half, half - 1) + 0.5
    return held + (level - held).detach()


def _ranges(quant: QuantLayer, source: Meaning, carry: Meaning | None) -> Ranges:
    """The compiler's choices; the middle of the range is the part of the bias that its constants do not cover."""
    layer = quant.layer
    bias = (layer.weights_oiyx * layer.mask_oiyx * source.offset_m[:, None, None]).sum(axis=(1, 2, 3))
    if layer.bias is not None:
        bias = bias + (layer.bias if layer.bias.ndim == 1 else (layer.bias.max((1, 2)) + layer.bias.min((1, 2))) / 2)
    carry_offset = np.zeros(len(bias)) if carry is None else carry.offset_m
    constants = bias_numerators(SPEC, quant.constants_oc) / 2.0
    carried = np.zeros(len(bias)) if carry is None else quant.unit_weights_ou.sum(axis=1)
    arrays = (
        source.gain_m, source.offset_m, STATES.values(quant.border_i), quant.weight_lsb_o,
        bias + carry_offset - constants * quant.weight_lsb_o, lsb_of(SPEC)[quant.scale_codes_o], carried, carry_offset,
    )  # fmt: skip
    return Ranges(*map(tensor, arrays))


def _arrays(lowered: Lowered) -> dict[str, npt.NDArray[np.float32]]:
    """All arrays of the lowered network that may hold trainable numbers."""
    found: dict[str, npt.NDArray[Any]] = {}
    (member,) = lowered.members
    for layer in member.layers:
        found[f"{layer.name} weights"] = layer.weights_oiyx * layer.mask_oiyx
        if layer.bias is not None:
            found[f"{layer.name} bias"] = layer.bias
    for place, host in enumerate(member.tail.layers):
        for name, array in host.tensors.items():
            found[f"host {place} {name}"] = array
    return {name: np.asarray(array, dtype=np.float32) for name, array in found.items()}


def _lookups(net: TorchNet) -> dict[str, Lookup]:
    """Where each trainable number appears on the chip: found by lowering a network whose numbers are their own indices."""
    with_places, without = TorchNet(net.graph), TorchNet(net.graph)
    first = 1
    with torch.no_grad():
        for place, nothing in zip(with_places.parameters(), without.parameters(), strict=True):
            place.copy_(torch.arange(first, first + place.numel()).reshape(place.shape))
            nothing.zero_()
            first += place.numel()
    places, constants = (_arrays(lower(one.to_graph())) for one in (with_places, without))
    moved = {name: np.rint(places[name] - constants[name]).astype(np.int64) for name in places}
    return {name: Lookup(torch.tensor(constants[name]), torch.tensor(moved[name])) for name in places}
