"""Pass 4, quantise: float weights to codes and scale codes, layer by layer, given what the chip itself feeds each layer.

A state s of map m stands for gain_m x s + offset_m; gain and offset are absorbed into the weights and biases of the layer
that reads the map. For each map, the search finds a range of the ADC, a scale code and rounded weights whose converted sums,
times a gain plus an offset, come nearest to the float map on the calibration images.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import calibrate as ranging
from anna.compiler import exact, integer, maximum, rounding
from anna.compiler.calibrate import Calibration
from anna.compiler.integer import Ints, States
from anna.compiler.ir import INPUT, ChipLayer, Floats, Lowered
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Carry, build_problem
from anna.compiler.quantised import Meaning, QuantGraph, QuantLayer
from anna.compiler.rounding import constant_numerators

SEARCH_WINDOWS = 4096  # windows on which ranges are tried


def meaning_of_input(lowered: Lowered, calibration: Calibration, spec: ChipSpec) -> Meaning:
    """The input's range spread over the state codes: that of the preparation, else that of the images, per map."""
    maps, levels = lowered.input_shape[0], codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
    if lowered.prepare is not None:
        ends = sorted((lowered.prepare.low, lowered.prepare.high))
        low, high = np.full(maps, ends[0]), np.full(maps, ends[1])
    else:
        low = calibration.input_values.min(axis=(0, 2, 3))
        high = np.maximum(calibration.input_values.max(axis=(0, 2, 3)), low + 1e-9)
    gain = (high - low) / (levels[-1] - levels[0])
    return Meaning(gain, low - gain * levels[0])


def quantise(lowered: Lowered, calibration: Calibration, options: CompileOptions) -> QuantGraph:
    """The network in codes."""
    spec = options.chip
    meaning = meaning_of_input(lowered, calibration, spec)
    quants: list[QuantLayer] = []
    image = meaning.codes_of(spec, calibration.input_values)
    for member in lowered.members:
        stacks: dict[str, States] = {INPUT: image}
        lead = member.input_scale_m
        meanings: dict[str, Meaning] = {INPUT: Meaning(meaning.gain_m * lead, meaning.offset_m * lead + member.input_offset_m)}
        for layer in member.layers:
            if layer.on_states:
                carried = None if layer.carry is None else stacks[layer.carry]
                quant, out = maximum.quantise_layer(layer, stacks[layer.source], meanings[layer.source],
                                                    calibration.maps[layer.name], spec, carried)  # fmt: skip
                stacks[layer.name], meanings[layer.name] = out, quant.meaning
                quants.append(quant)
                continue
            carry = None if layer.carry is None else Carry(
                stacks[layer.carry], meanings[layer.carry].gain_m, meanings[layer.carry].offset_m)  # fmt: skip
            quant, out = quantise_layer(layer, stacks[layer.source], meanings[layer.source], calibration.maps, options, carry)
            stacks[layer.name], meanings[layer.name] = out, quant.meaning
            quants.append(quant)
    return QuantGraph(lowered, spec, meaning, tuple(quants))


def quantise_layer(
    layer: ChipLayer, states: States, meaning: Meaning, targets: Mapping[str, ranging.FloatMaps], options: CompileOptions,
    carry: Carry | None,
) -> tuple[QuantLayer, States]:  # fmt: skip
    """One layer in codes, and the states that the chip's ADCs give for the calibration images."""
    spec, target = options.chip, targets[layer.name]
    border = Meaning(meaning.gain_m, meaning.offset_m).codes_of(
        spec, np.full((1, len(meaning.gain_m), 1, 1), layer.padding_value))[0, :, 0, 0].astype(np.int64)  # fmt: skip
    problem = build_problem(layer, states, border, meaning.gain_m, meaning.offset_m, target, carry, spec, SEARCH_WINDOWS)
    choice = rounding.search(problem, options)
    rounded, constants = rounding.refine(problem, choice, options)
    weights = np.zeros((len(rounded), len(problem.used_t)), np.int64)
    weights[:, problem.used_t] = rounded
    scale = choice.scale_code_o
    totals = integer.sums(layer, spec, states, border, weights)
    totals = totals + bias_numerators(spec, constants)[:, None, None]
    if carry is not None:
        unit_weights = rounding.carry_weights(problem, np.arange(len(weights)), choice.weight_lsb_o)
        unit_states = np.zeros((len(weights), 0, 1, 1), dtype=np.uint16)
        totals = totals + carried_sums(spec, unit_weights, carry.states)
    else:
        unit_weights, unit_states = rounding.unit_bias(problem, choice)
    if unit_states.size:
        extra = codes.state_converter(spec).numerators[unit_states] * unit_weights[:, :, None, None]
        totals = totals + extra.sum(axis=1)
    out = integer.convert(spec, totals, scale)
    result, error, signal = fitted(layer, out, target, choice, spec, options.fit)
    noise = float(error.sum())
    sqnr = min(99.0, exact.decibels(signal / noise)) if noise > 0 and signal > 0 else 99.0
    saturated = float(((out == 0) | (out == (1 << spec.state_bits) - 1)).mean())
    quant = QuantLayer(layer, weights, constants, unit_weights, unit_states, scale, choice.weight_lsb_o, result, border,
                       round(sqnr, 3), round(saturated, 6))  # fmt: skip
    return quant, out


def carried_sums(spec: ChipSpec, weights_ou: Ints, states: States) -> NDArray[np.int64]:
    """What partial sums add, (images, o, rows, columns), in weight LSB x half state LSB."""
    added: Ints = codes.state_converter(spec).numerators[states] * weights_ou.sum(axis=1)[:, None, None]
    return added


def bias_numerators(spec: ChipSpec, constants_oc: Ints) -> Ints:
    """What the constant columns add to each map's sum, in weight LSB x half state LSB."""
    added: Ints = (constants_oc * constant_numerators(spec, constants_oc.shape[1])).sum(axis=1)
    return added


def fitted(
    layer: ChipLayer, out: States, target: ranging.FloatMaps, choice: rounding.Choice, spec: ChipSpec, fit: bool
) -> tuple[Meaning, Floats, float]:
    """Gain and offset per map, the mean squared error of each map, and the mean square of the signal about its mean."""
    levels, maps = codes.state_converter(spec).values(np.arange(1 << spec.state_bits)), out.shape[1]
    # Nominal: the straight line through the ADC's range, with the slope of the activation.
    curve = layer.activation.curve
    scale = np.ones(maps) if layer.post_scale_o is None else layer.post_scale_o
    offset = np.zeros(maps) if layer.post_offset_o is None else layer.post_offset_o
    gain = curve.steepest * choice.step_o * scale
    shift = (curve.steepest * choice.middle_o + curve.offset) * scale + offset
    cares = target.care() if layer.partial else None
    error, signal = np.empty(maps), 0.0
    for o in range(maps):
        care = cares[:, o].reshape(-1) if cares is not None else None
        line = exact.line(levels, out[:, o].reshape(-1), target.outputs[:, o].reshape(-1), care)
        signal += line.power
        if fit:
            error[o] = line.error
            gain[o] = line.gain if line.live else gain[o]
            shift[o] = line.offset if line.live else line.mean_target - gain[o] * line.mean_state
        else:
            away = target.outputs[:, o] - gain[o] * levels[out[:, o]] - shift[o]
            error[o] = float(exact.total(away * away)) / away.size
    return Meaning(gain, shift), error, signal


__all__ = ["Meaning", "NDArray", "QuantGraph", "QuantLayer", "constant_numerators", "quantise"]
