"""Pass 4, quantise: float weights to codes and scale codes, layer by layer, given what the chip itself feeds each layer.

A state s of map m stands for gain_m x s + offset_m; gain and offset are absorbed into the weights and biases of the layer
that reads the map. For each map, the search finds a range of the ADC, a scale code and rounded weights whose converted sums,
times a gain plus an offset, come nearest to the float map on the calibration images.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import calibrate as ranging
from anna.compiler import exact, integer, maximum, rounding
from anna.compiler.calibrate import Calibration
from anna.compiler.digits import digits_of, in_digits
from anna.compiler.integer import Ints, States
from anna.compiler.ir import INPUT, OWN_BIAS, ChipLayer, Floats, Lowered, OwnColumn
from anna.compiler.ladder import Ladder, columns_of, ladder
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Carry, Problem, build_problem
from anna.compiler.quantised import Meaning, QuantGraph, QuantLayer
from anna.compiler.rounding import constant_numerators

SEARCH_WINDOWS = 4096  # windows on which ranges are tried


def meaning_of_input(lowered: Lowered, calibration: Calibration, spec: ChipSpec, clip: float = 0.0) -> Meaning:
    """The input's range spread over the state codes: that of the preparation, else that of the images, per map, but for so
    many percent of their values at each end."""
    maps, levels = lowered.input_shape[0], codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
    if lowered.prepare is not None:
        ends = sorted((lowered.prepare.low, lowered.prepare.high))
        low, high = np.full(maps, ends[0]), np.full(maps, ends[1])
    else:
        ordered = np.sort(calibration.input_values.swapaxes(0, 1).reshape(maps, -1), axis=1)
        beyond = int(ordered.shape[1] * clip / 100)
        low = ordered[:, beyond]
        high = np.maximum(ordered[:, ordered.shape[1] - 1 - beyond], low + 1e-9)
    if lowered.input_digits == 1:
        gain = (high - low) / (levels[-1] - levels[0])
        return Meaning(gain, low - gain * levels[0])
    worth = float(1 << spec.state_bits) ** -np.arange(lowered.input_digits)  # exact on the host: no overlap is needed
    gain = (high - low) / ((levels[-1] - levels[0]) * worth.sum())
    offset = low - gain * levels[0] * worth.sum()
    return Meaning((worth[:, None] * gain).reshape(-1), np.pad(offset, (0, maps * (len(worth) - 1))), len(worth))


def quantise(lowered: Lowered, calibration: Calibration, options: CompileOptions) -> QuantGraph:
    """The network in codes."""
    spec = options.chip
    meaning = meaning_of_input(lowered, calibration, spec, options.input_clip)
    quants: list[QuantLayer] = []
    image, results = meaning.codes_of(spec, calibration.input_values), dict[str, States]()
    for member in lowered.members:
        lead, first = np.tile(member.input_scale_m, meaning.digits), meaning.offset_m * 0.0
        first[: len(member.input_offset_m)] = member.input_offset_m
        stacks: dict[str, States] = {INPUT: image}
        meanings = {INPUT: Meaning(meaning.gain_m * lead, meaning.offset_m * lead + first, meaning.digits)}
        for layer in member.layers:
            if layer.on_states:
                carried = None if layer.carry is None else stacks[layer.carry]
                quant, out = maximum.quantise_layer(layer, stacks[layer.source], meanings[layer.source],
                                                    calibration.maps[layer.name], spec, carried)  # fmt: skip
                stacks[layer.name], meanings[layer.name] = out, quant.meaning
                quants.append(quant)
                continue
            carry = None if layer.carry is None else _carry(layer, stacks[layer.carry], meanings[layer.carry])
            states, meant = stacks[layer.source], meanings[layer.source]
            done, stacks[layer.name] = quantise_layer(layer, states, meant, calibration.maps, options, carry)
            meanings[layer.name] = joined([quant.meaning for quant in done])
            quants += done
        results[member.last] = stacks[member.last]
    return QuantGraph(in_digits(lowered), spec, meaning, tuple(quants), results)


def joined(meanings: Sequence[Meaning]) -> Meaning:
    """What the states of a stack stand for, given that of each digit."""
    gain, offset = (np.concatenate([getattr(one, name) for one in meanings]) for name in ("gain_m", "offset_m"))
    return Meaning(gain, offset, len(meanings))


def _carry(layer: ChipLayer, states: States, meaning: Meaning) -> Carry:
    gain, maps = meaning.gain_m * layer.carry_sign, len(meaning.gain_m) // meaning.digits
    return Carry(states, gain.reshape(meaning.digits, maps), meaning.offset_m[:maps] * layer.carry_sign)


def quantise_layer(
    layer: ChipLayer, states: States, meaning: Meaning, targets: Mapping[str, ranging.FloatMaps], options: CompileOptions,
    carry: Carry | None,
) -> tuple[list[QuantLayer], States]:  # fmt: skip
    """One layer in codes, digit by digit, and the states that the chip's ADCs give for the calibration images."""
    spec, target = options.chip, targets[layer.name]
    steps = ladder(spec, layer.digits, options.overlap)
    border, places = _border(layer, meaning, spec), list(layer.places)
    if layer.synapses > 1:
        states = states[:, places]
    gain_i, offset_i = meaning.gain_m[places], meaning.offset_m[places]
    problem = build_problem(layer, states, border, gain_i, offset_i, target, carry, spec, SEARCH_WINDOWS, steps)
    choice = rounding.search(problem, options)
    rounded, constants = rounding.refine(problem, choice, options)
    weights = np.zeros((len(rounded), len(problem.used_t)), np.int64)
    weights[:, problem.used_t] = rounded
    scale = choice.scale_code_o
    totals = integer.sums(layer, spec, states, border, weights)
    totals = totals + bias_numerators(spec, constants)[:, None, None]
    units, unit_weights, unit_states = _own_columns(layer, problem, choice)
    if carry is not None:
        totals = totals + carried_sums(spec, units, unit_weights, carry.states)
    if unit_states.size:
        extra = codes.state_converter(spec).numerators[unit_states] * unit_weights[:, :, None, None]
        totals = totals + extra.sum(axis=1)
    joint = steps.convert(totals, scale)
    result, error, signal = fitted(layer, joint, target, choice, steps, options.fit)
    noise = float(error.sum())
    sqnr = min(99.0, exact.decibels(signal / noise)) if noise > 0 and signal > 0 else 99.0
    found, top = steps.apart(joint), (1 << spec.state_bits) - 1
    saturated = float(((found[0] == 0) | (found[0] == top)).mean())
    done = []
    for digit, meant in zip(digits_of(layer), result, strict=True):
        less, less_weights = _coarser(digit, steps, scale)
        done.append(
            QuantLayer(digit, weights, constants, (*units, *less), np.concatenate([unit_weights, less_weights], axis=1),
                       unit_states, steps.scale_kd[scale, digit.digit], choice.weight_lsb_o, meant, border, round(sqnr, 3),
                       round(saturated, 6))
        )  # fmt: skip
    return done, np.concatenate(found, axis=1) if len(found) > 1 else found[0]


def _own_columns(layer: ChipLayer, problem: Problem, choice: rounding.Choice) -> tuple[list[OwnColumn], Ints, States]:
    """What a unit's own columns hold, their weights, and the states of those that hold its bias."""
    if problem.carry is None or layer.carry is None:
        weights, states = rounding.unit_bias(problem, choice)
        return [OWN_BIAS] * weights.shape[1], weights, states
    maps, units = len(choice.step_o), list[OwnColumn]()
    for d, columns in enumerate(rounding.carry_columns(problem.carry.digits)):
        units += [OwnColumn(layer.carry, d * maps)] * columns
    return units, rounding.carry_weights(problem, np.arange(maps), choice.weight_lsb_o), np.zeros((maps, 0, 1, 1), np.uint16)


def _border(layer: ChipLayer, meaning: Meaning, spec: ChipSpec) -> Ints:
    """The codes of the border around a layer's input."""
    if layer.lowest_border:
        return np.where(meaning.gain_m < 0, (1 << spec.state_bits) - 1, 0).astype(np.int64)[list(layer.places)]
    maps = len(meaning.gain_m) // meaning.digits
    found = meaning.codes_of(spec, np.full((1, maps, 1, 1), layer.padding_value))[0, :, 0, 0].astype(np.int64)
    return found[list(layer.places)]


def _coarser(digit: ChipLayer, steps: Ladder, scale_o: Ints) -> tuple[list[OwnColumn], Ints]:
    """The columns by which a digit subtracts what the coarser ones stand for, and their weights."""
    units, weights, maps = list[OwnColumn](), [np.zeros((len(scale_o), 0), np.int64)], len(scale_o)
    for d in range(digit.digit):
        worth_o = steps.worth_kd[scale_o, d]
        columns = int(columns_of(steps.spec, worth_o).max())
        units += [OwnColumn(digit.stack, d * maps)] * columns
        weights.append(-rounding.shared(steps.spec, worth_o, columns))
    return units, np.concatenate(weights, axis=1)


def carried_sums(spec: ChipSpec, units: Sequence[OwnColumn], weights_ou: Ints, states: States) -> NDArray[np.int64]:
    """What the states of partial sums add, (images, o, rows, columns), in weight LSB x half state LSB."""
    numerators, maps = codes.state_converter(spec).numerators, len(weights_ou)
    weight: dict[OwnColumn, Ints] = {}
    for u, unit in enumerate(units):
        weight[unit] = weight.get(unit, 0) + weights_ou[:, u]
    found = [numerators[states[:, unit.first_map : unit.first_map + maps]] * weight_o[:, None, None]
             for unit, weight_o in weight.items()]  # fmt: skip
    added: Ints = np.sum(found, axis=0) if len(found) > 1 else found[0]
    return added


def bias_numerators(spec: ChipSpec, constants_oc: Ints) -> Ints:
    """What the constant columns add to each map's sum, in weight LSB x half state LSB."""
    added: Ints = (constants_oc * constant_numerators(spec, constants_oc.shape[1])).sum(axis=1)
    return added


def fitted(
    layer: ChipLayer, joint: States, target: ranging.FloatMaps, choice: rounding.Choice, steps: Ladder, fit: bool
) -> tuple[list[Meaning], Floats, float]:
    """Gain and offset per map, digit by digit, the mean squared error of each map, and the mean square of the signal about
    its mean."""
    maps, sign = joint.shape[1], layer.sign_o
    # Nominal: the straight line through the ADC's range, with the slope of the activation.
    curve = layer.activation.curve
    scale = np.ones(maps) if layer.post_scale_o is None else layer.post_scale_o
    offset = np.zeros(maps) if layer.post_offset_o is None else layer.post_offset_o
    gain = curve.steepest * choice.step_o * scale
    shift = (curve.steepest * choice.middle_o + curve.offset * sign) * scale + offset * sign  # of what is carried
    cares = target.care() if layer.partial else None
    error, signal = np.empty(maps), 0.0
    for o in range(maps):
        care = cares[:, o].reshape(-1) if cares is not None else None
        levels = steps.values(int(choice.scale_code_o[o]))
        right = target.outputs[:, o].reshape(-1) * sign[o]
        line = exact.line(levels, joint[:, o].reshape(-1), right, care)
        signal += line.power
        if fit:
            error[o] = line.error
            gain[o] = line.gain if line.live else gain[o]
            shift[o] = line.offset if line.live else line.mean_target - gain[o] * line.mean_state
        else:
            away = right - gain[o] * levels[joint[:, o].reshape(-1)] - shift[o]
            error[o] = float(exact.total(away * away)) / away.size
    gain, shift = gain * sign, shift * sign
    if steps.digits == 1:
        return [Meaning(gain, shift)], error, signal
    worth = np.array([steps.worth_lsb(int(code)) for code in choice.scale_code_o])
    return [Meaning(gain * worth[:, d], shift if d == 0 else shift * 0.0) for d in range(steps.digits)], error, signal


__all__ = ["Meaning", "NDArray", "QuantGraph", "QuantLayer", "constant_numerators", "quantise"]
