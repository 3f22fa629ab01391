"""A layer of the chip with what the compiler chose for it: the codes of its weights, its bias and what its ADCs span.

Weights and biases move with the float numbers until the compiler chooses again: a weight is rounded to the nearest code, plus
what the compiler's own rounding had chosen differently, and a bias moves from the constants that the compiler chose in steps
that these resolve. Sums are in weight LSB x half state LSB, states are their numerators in half LSB: whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec
from anna.compiler import integer
from anna.compiler.columns import constant_numerators, lsb_of
from anna.compiler.quantised import Meaning, QuantLayer
from anna.torch.die import BatchDie, tensor
from anna.torch.layers import along
from anna.torch.numbers import Numbers
from anna.torch.places import Lookups
from anna.torch.straight import held_between, straight_through
from anna.torch.window import window_of

EXACT_IN_32_BITS = 1 << 22  # sums that a convolution in 32-bit floats gives exactly, in whatever order it adds
Stacks = Callable[[str], Tensor]  # the numerators of a stack by name


class SettledLayer:
    """What one layer computes, for current numbers."""

    def __init__(self, quant: QuantLayer, spec: ChipSpec, found: Lookups, source: Meaning, width: int) -> None:
        """A layer in codes; what the states that it reads stand for, and how many maps its source has."""
        self.quant, self.spec, self.layer = quant, spec, quant.layer
        layer, states = quant.layer, codes.state_converter(spec)
        self._numerators = states.numerators
        self.window = window_of(layer, width)
        weights, mask = (array[self.window.cut] for array in (quant.weights_ot.reshape(layer.mask_oiyx.shape), layer.mask_oiyx))
        self.weights, self.bias = found[layer.name, "weights_oiyx"].part(self.window.cut), found.get((layer.name, "bias"))
        places, of = np.array(layer.places), self.window.map_of
        sign, lsb = (array.reshape(len(weights), *(1,) * (weights.ndim - 1)) for array in (layer.sign_o, quant.weight_lsb_o))
        self.per_lsb = tensor(sign * source.gain_m[places][of] / lsb * mask)
        self.mask = None if mask.all() else tensor(mask)
        self.low, self.high = (float(end) for end in codes.weight_converter(spec).values([0, (1 << spec.weight_bits) - 1]))
        self.offset = tensor(source.offset_m[places][of]) if source.offset_m.any() else None
        self.to_sums = tensor(2 * layer.sign_o / quant.weight_lsb_o)
        self.border = tensor(self._numerators[quant.border_i][of]) if any(layer.padding) else None
        self._take_columns(quant)
        self.lsb_o = tensor(lsb_of(spec)[quant.scale_codes_o])
        self.slope_k = _slopes(spec)
        self.grid = float(np.gcd.reduce(constant_numerators(spec, 2)))
        bound = self._bound(weights)
        self.kind = torch.float32 if bound < EXACT_IN_32_BITS else torch.float64
        self.own_oyx: Tensor = self.own_oyx.to(self.kind)
        self.delta: Tensor | None = None
        self.bias_then: Tensor | None = None
        self._own_weights = tensor(weights)

    def _take_columns(self, quant: QuantLayer) -> None:
        """The constants, the states on columns of a unit's own, and the stacks that are read there."""
        constants = constant_numerators(self.spec, quant.constants_oc.shape[1])
        own = quant.unit_states_ouyx.shape[1]
        states = self._numerators[quant.unit_states_ouyx] * quant.unit_weights_ou[:, :own, None, None]
        self.own_oyx = torch.tensor((quant.constants_oc * constants).sum(axis=1)[:, None, None] + states.sum(axis=1)).double()
        self.constants_oc, self.constants_c = tensor(quant.constants_oc), tensor(constants)
        units, self.columns_ou = quant.units[own:], tensor(quant.unit_weights_ou[:, own:])
        firsts = [k for k, unit in enumerate(units) if k == 0 or unit != units[k - 1]]  # several columns read the same
        ends = [*firsts, len(units)][1:]
        self.columns = [((units[k].stack, torch.tensor(units[k].maps)), k, end) for k, end in zip(firsts, ends, strict=True)]
        self.others_o = tensor((quant.constants_oc != 0).sum(axis=1) + (quant.unit_weights_ou != 0).sum(axis=1))

    def _bound(self, weights: np.ndarray[Any, Any]) -> float:
        peak, sizes = float(np.abs(self._numerators).max()), np.abs(weights).reshape(len(weights), -1).sum(axis=1)
        units = np.abs(self.quant.unit_weights_ou).sum(axis=1)
        return float(((2 * sizes + units) * peak).max() + self.own_oyx.abs().max())

    def settle(self, numbers: Numbers) -> None:
        """Take note of what the float numbers say now, for which the compiler has chosen."""
        with torch.no_grad():
            found = self.weights.values(numbers)
            self.delta = self._own_weights - (found * self.per_lsb).round()
            self.delta = self.delta if self.delta.any() else None
            self.bias_then = self._wanted(found, numbers)

    def _wanted(self, weights: Tensor, numbers: Numbers) -> Tensor | None:
        """What the offsets of the source and the layer's own bias add to the sums, but for what no number moves."""
        wanted = None
        if self.offset is not None:
            wanted = along((weights * self.offset).flatten(1).sum(1))
        if self.bias is not None:
            own = self.bias.values(numbers)
            own = along(own) if own.ndim == 1 else own
            wanted = own if wanted is None else wanted + own
        return None if wanted is None else wanted * along(self.to_sums)

    # --- what it computes
    def __call__(self, numbers: Numbers, stacks: Stacks, die: BatchDie | None, relaxed: bool) -> Tensor:
        weights = self.weights.values(numbers)
        held, synapses_o = self._held(weights, die, relaxed)
        bias = self._bias(weights, numbers, relaxed)
        columns_ou = self.columns_ou
        if die is not None:
            constants = self.constants_oc.shape[1]
            beside, _ = die.held(torch.cat([self.constants_oc, columns_ou], 1))
            bias = bias + along(torch.mv(beside[:, :constants] - self.constants_oc, self.constants_c))
            columns_ou = beside[:, constants:]
        kind = held.dtype if die is not None or relaxed else self.kind
        sums = self._products(stacks(self.layer.source).to(kind), held.to(kind), bias.to(kind))
        for (stack, maps), first, end in self.columns:
            column_o = columns_ou[:, first:end].sum(1)
            sums = torch.addcmul(sums, stacks(stack).index_select(1, maps).to(kind), along(column_o.to(kind)))
        return self._converted(sums, synapses_o, die, relaxed)

    def _held(self, weights: Tensor, die: BatchDie | None, relaxed: bool) -> tuple[Tensor, Tensor]:
        """What synapses hold for the weights, and how many of each map carry one."""
        wanted = weights * self.per_lsb
        if relaxed:
            return wanted.clamp(self.low, self.high), self.others_o
        with torch.no_grad():
            steps = wanted.round()
            if self.delta is not None:
                steps.add_(self.delta)
            steps.clamp_(self.low, self.high)
            value, slope = steps, held_between(wanted, self.low - 0.5, self.high + 0.5)[1]
            if die is not None:
                value, gains = (one.reshape(steps.shape) for one in die.held(steps.flatten(1)))
                value, slope = value if self.mask is None else value.mul_(self.mask), slope.mul_(gains)
            synapses_o = torch.count_nonzero(steps.flatten(1), 1) + self.others_o
        return straight_through(wanted, value, slope), synapses_o

    def _bias(self, weights: Tensor, numbers: Numbers, relaxed: bool) -> Tensor:
        """The constants and the states of a unit's own columns, as far as they have moved since the compiler chose them."""
        wanted = self._wanted(weights, numbers)
        if wanted is None or self.bias_then is None:
            return self.own_oyx
        moved = wanted - self.bias_then
        if not relaxed:
            moved = straight_through(moved, (moved.detach() / self.grid).round() * self.grid)
        return self.own_oyx + moved

    def _products(self, read: Tensor, held: Tensor, bias: Tensor) -> Tensor:
        window = self.window
        read = read.flatten(1) if held.ndim == 2 else read
        read = read if window.reads is None else read.index_select(1, window.reads)
        if self.border is not None:  # what is read is taken from the border, and what that adds to the sums added at once
            top, bottom, left, right = self.layer.padding
            border = self.border.to(held.dtype)
            read = functional.pad(read - border.reshape(-1, 1, 1), (left, right, top, bottom))
            bias = bias + along((held * border).flatten(1).sum(1))
        return window.product(read, held, bias)

    def _converted(self, sums: Tensor, synapses_o: Tensor, die: BatchDie | None, relaxed: bool) -> Tensor:
        """The numerators of the states that the ADCs give."""
        thresholds = codes.unit_thresholds(self.spec)
        low, high = float(thresholds[0]) - 1, float(thresholds[-1]) + 1
        per_lsb_o = 1.0 / self.lsb_o if die is None else die.per_lsb(self.lsb_o, self.quant.scale_codes_o)
        if relaxed:
            return (sums * along(per_lsb_o / 2)).clamp(low, high) * 2
        with torch.no_grad():
            if die is None:
                reached = tensor(integer.convert(self.spec, sums.round().numpy(), self.quant.scale_codes_o))
                _, slope = held_between(sums * along(per_lsb_o / 2), low, high)
            else:
                held, slope = held_between(die.noisy(sums, per_lsb_o, synapses_o), low, high)
                reached = die.reached(held, low)
            slope.mul_(along(per_lsb_o) if self.slope_k is None else along(per_lsb_o) * self.slope_k[reached.long()])
            value = reached.mul_(2.0).add_(float(self._numerators[0]))
        return straight_through(sums, value, slope)


def _slopes(spec: ChipSpec) -> Tensor | None:
    """How steeply a curved ADC rises at each code, in codes for an LSB; None where it is straight."""
    if ADC_CURVES[spec.adc_curve].straight:
        return None
    steps = np.diff(codes.unit_thresholds(spec))
    return tensor(1.0 / np.concatenate([steps[:1], steps, steps[-1:]]))
