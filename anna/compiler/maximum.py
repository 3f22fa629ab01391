"""A maximum on the chip, exact in state codes: it takes in one element of the window after the other.

    r = clip(b - a)    a neuron whose ADC begins where b and a are equal, so that what is negative is cut off
    m = a + r          a neuron that reads a again, and r with it

Both weigh states with the same whole number and convert with an equal ADC LSB, so that a sum of states in LSB comes out as
itself: nothing is rounded, and no sum is near a threshold. A window of rows and columns is reduced along its columns first,
then along its rows. A map whose states fall as its values rise is inverted.
"""

from dataclasses import dataclass, replace

import numpy as np

from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec
from anna.compiler import exact, integer
from anna.compiler.calibrate import FloatMaps
from anna.compiler.columns import constant_numerators, constant_weights, lsb_of
from anna.compiler.integer import Ints, States
from anna.compiler.ir import ChipLayer, Floats, OwnColumn, conv_geometry
from anna.compiler.nodes import Node
from anna.compiler.quantised import Meaning, QuantLayer
from anna.network.activations import NONE, RELU
from anna.network.graph import Pool
from anna.network.parts import Shape

MARGIN = 0.25  # fraction of a state LSB by which a sum may miss the middle between two thresholds
CONSTANTS = 2


@dataclass(frozen=True)
class Unit:
    """The weight and the scale code that convert one state LSB to one."""

    weight: int
    scale_code: int


def unit(spec: ChipSpec) -> Unit | None:
    """The best pair; None if none is good enough or the ADC's steps are not straight."""
    if not ADC_CURVES[spec.adc_curve].straight:
        return None
    lsb, most = lsb_of(spec), (1 << (spec.weight_bits - 1)) - 1
    weights = np.clip(np.rint(lsb), 1, most)
    miss = np.abs(weights / lsb - 1.0) * (1 << spec.state_bits) / 2
    # The greatest weight of those equally near: a stray charge matters least.
    best = min(range(len(lsb)), key=lambda code: (round(float(miss[code]), 3), -weights[code]))
    return Unit(int(weights[best]), best) if miss[best] <= MARGIN else None


# --- layers ----------------------------------------------------------------------------------------------------------
def lower(node: Node, name: str, source: str) -> list[ChipLayer]:
    """The chip layers of a maximum; the last one bears its name."""
    pool, shape = node.layer, node.input_shape
    assert isinstance(pool, Pool)
    top, bottom, left, right = pool.padding
    layers: list[ChipLayer] = []
    for axis, border in ((1, (0, 0, left, right)), (0, (top, bottom, 0, 0))):
        if pool.window[axis] > 1:
            before = layers[-1].name if layers else source
            layers += _along(axis, pool.window[axis], pool.stride[axis], border, f"{name}.{'yx'[axis]}", name, before, shape)
            shape = layers[-1].output_shape
    return [*layers[:-1], replace(layers[-1], name=name)]


def can_lower(pool: Pool) -> bool:
    """Whether the window is more than one element and skips none."""
    skips = [stride > 1 and window == 1 for window, stride in zip(pool.window, pool.stride, strict=True)]
    return max(pool.window) > 1 and not any(skips)


def _along(
    axis: int, size: int, stride: int, border: tuple[int, int, int, int], stem: str, origin: str, source: str, shape: Shape
) -> list[ChipLayer]:
    """The maximum over `size` neighbours along one axis."""
    maps = shape[0]
    kernel, steps = ((1, size), (1, stride)) if axis == 1 else ((size, 1), (stride, 1))
    out = (maps, *conv_geometry(shape, kernel, steps, border))

    def reading(name: str, taps: dict[int, float], carry: str | None, rising: bool, sign: int = 1) -> ChipLayer:
        weights = np.zeros((maps, maps, size))
        for tap, weight in taps.items():
            weights[np.arange(maps), np.arange(maps), tap] = weight
        window = weights.reshape(maps, maps, *kernel)
        return ChipLayer(name, origin, source, shape, out, window, window != 0, None, steps, border, 0.0,
                         NONE if rising else RELU, carry=carry, carry_sign=sign, on_states=True)  # fmt: skip

    layers: list[ChipLayer] = []
    for j in range(1, size):
        best, more, sum_of = (layers[-1].name if layers else None), f"{stem}{j}.more", f"{stem}{j}"
        if best is None:
            layers.append(reading(more, {0: -1.0, j: 1.0}, None, rising=False))
            layers.append(reading(sum_of, {0: 1.0}, more, rising=True))
        else:
            layers.append(reading(more, {j: 1.0}, best, rising=False, sign=-1))
            ones = np.eye(maps)[:, :, None, None]
            layers.append(ChipLayer(sum_of, origin, best, out, out, ones, ones != 0, None, (1, 1), (0, 0, 0, 0), 0.0, NONE,
                                    carry=more, on_states=True))  # fmt: skip
    return layers


# --- codes -----------------------------------------------------------------------------------------------------------
def quantise_layer(
    layer: ChipLayer, states: States, meaning: Meaning, target: FloatMaps, spec: ChipSpec, carried: States | None
) -> tuple[QuantLayer, States]:
    """A layer of a maximum in codes, and its states for the calibration images."""
    one, maps = unit(spec), len(layer.mask_oiyx)
    assert one is not None, f"{layer.name}: should have been refused"
    numerators, top = codes.state_converter(spec).numerators, (1 << spec.state_bits) - 1
    turn_i = np.where(meaning.gain_m < 0, -1, 1)  # where states fall as values rise
    own = layer.mask_oiyx.any(axis=(2, 3)).argmax(axis=1)  # the map that each reads
    turn = turn_i[own]
    difference = layer.activation == RELU
    weights = np.rint(layer.weights_oiyx).astype(np.int64).reshape(maps, -1) * one.weight
    lowest = np.full(maps, int(numerators[0]) * one.weight)
    if difference:
        weights, bias, carry_sign = weights * turn[:, None], lowest, layer.carry_sign * turn
    else:
        bias, carry_sign = -lowest * turn, turn
    constants = constant_weights(spec, bias.astype(np.float64), CONSTANTS)
    border = np.where(turn_i < 0, top, 0).astype(np.int64)  # the code that never wins
    totals = integer.sums(layer, spec, states, border, weights)
    totals = totals + (constants * constant_numerators(spec, CONSTANTS)).sum(axis=1)[:, None, None]
    unit_weights, units = np.zeros((maps, 0), np.int64), tuple[OwnColumn, ...]()
    if carried is not None and layer.carry is not None:
        units = (OwnColumn(layer.carry, tuple(range(maps))),)
        unit_weights = (carry_sign * one.weight)[:, None]
        totals = totals + numerators[carried] * unit_weights[:, 0, None, None]
    scale = np.full(maps, one.scale_code, dtype=np.int64)
    out = integer.convert(spec, totals, scale)
    if difference:
        size = np.abs(meaning.gain_m[own])
        result = Meaning(size, -size * float(numerators[0]) / 2)
    else:
        factor = np.ones(maps) if layer.post_scale_o is None else layer.post_scale_o
        offset = np.zeros(maps) if layer.post_offset_o is None else layer.post_offset_o
        result = Meaning(meaning.gain_m[own] * factor, meaning.offset_m[own] * factor + offset)
    error, signal = _quality(out, result, target, spec)
    noise = float(error.sum())
    sqnr = min(99.0, exact.decibels(signal / noise)) if noise > 0 and signal > 0 else 99.0
    saturated = float(((out == 0) | (out == top)).mean())
    no_states, weight_lsb = np.zeros((maps, 0, 1, 1), np.uint16), np.abs(meaning.gain_m[own]) / one.weight
    quant = QuantLayer(layer, weights.astype(np.int16), constants, units, unit_weights, no_states, scale, weight_lsb, result,
                       border, round(sqnr, 3), round(saturated, 6))  # fmt: skip
    return quant, out


def _quality(out: States, result: Meaning, target: FloatMaps, spec: ChipSpec) -> tuple[Floats, float]:
    """Mean squared error of each map, and the mean squares of the signals about their means."""
    levels = codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
    values = result.gain_m[:, None, None] * levels[out] + result.offset_m[:, None, None]
    away, size = target.outputs - values, float(out[:, 0].size)
    mean = exact.total(target.outputs, axis=(0, 2, 3)) / size
    spread = target.outputs - mean[:, None, None]
    error: Floats = exact.total(away * away, axis=(0, 2, 3)) / size
    return error, float(exact.total(spread * spread)) / size


__all__ = ["Ints", "Unit", "can_lower", "lower", "quantise_layer", "unit"]
