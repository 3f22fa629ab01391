"""Pass 4, quantise: float weights to codes and scale codes, layer by layer, given what the chip itself feeds each layer.

A state s of map m stands for gain_m x s + offset_m; gain and offset are absorbed into the weights and biases of the layer
that reads the map. For each map, the search finds a range of the ADC, a scale code and rounded weights whose converted sums,
times a gain plus an offset, come nearest to the float map on the calibration images.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import adjusting, exact, integer, maximum, rounding
from anna.compiler import calibrate as ranging
from anna.compiler.calibrate import Calibration
from anna.compiler.columns import constant_numerators, filled, shared, unit_bias
from anna.compiler.digits import digits_of, in_digits
from anna.compiler.drawn import Drawn
from anna.compiler.host_ranges import meaning_of_input, meanings_of_written
from anna.compiler.hosting import round_of
from anna.compiler.integer import Ints, States
from anna.compiler.ir import INPUT, OWN_BIAS, ChipLayer, Floats, HostStage, Lowered, OwnColumn
from anna.compiler.kept import even_stacks, kept, sentences
from anna.compiler.ladder import Ladder, columns_of, ladder
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Carry, Problem, build_problem
from anna.compiler.quantised import Meaning, QuantGraph, QuantLayer, unknown_meaning
from anna.compiler.split import carry_columns

SEARCH_WINDOWS = 4096  # windows on which ranges are tried


def quantise(lowered: Lowered, calibration: Calibration, options: CompileOptions) -> QuantGraph:
    """The network in codes."""
    spec, done_lowered = options.chip, in_digits(lowered)
    even = even_stacks(lowered.layers)
    meaning = meaning_of_input(lowered, calibration, options, INPUT in even)
    quants, coded, notes = list[QuantLayer](), list[str](), list[tuple[str, str]]()
    written = meanings_of_written(lowered, calibration, spec, even)
    image, results = meaning.codes_of(spec, calibration.input_values), dict[str, States]()
    for member, in_layers in zip(lowered.members, done_lowered.members, strict=True):
        lead, first = np.tile(member.input_scale_m, meaning.digits), meaning.offset_m * 0.0
        first[: len(member.input_offset_m)] = member.input_offset_m
        stacks: dict[str, States] = {INPUT: image}
        meanings = {INPUT: Meaning(meaning.gain_m * lead, meaning.offset_m * lead + first, meaning.digits), **written}
        stages = iter(in_layers.stages)
        for layer in member.steps:
            if isinstance(layer, HostStage):
                trip = round_of(next(stages), done_lowered.stacks, (meanings | {INPUT: meaning}).__getitem__)
                stacks |= trip.codes(spec, stacks)
                continue
            states, meant = stacks[layer.source], meanings[layer.source]
            carry = None if layer.carry is None else _carry(layer, stacks[layer.carry], meanings[layer.carry])
            if layer.on_states:
                carried = None if layer.carry is None else stacks[layer.carry]
                quant, out = maximum.quantise_layer(layer, states, meant, calibration.maps[layer.name], spec, carried)
                done = [quant]
            else:
                evenly = layer.stack in even
                done, out, has_codes, why = quantise_layer(layer, states, meant, calibration.maps, options, carry, evenly)
                coded += [layer.name] if has_codes else []
                notes += [(layer.origin, one) for one in why]
            quants += done
            if layer.stack not in stacks:
                meanings[layer.stack] = unknown_meaning(layer.stack_maps, layer.digits)
                stacks[layer.stack] = np.zeros((len(out), layer.stack_maps, *out.shape[2:]), out.dtype) if layer.width else out
            for quant, made in zip(done, np.split(out, layer.digits, axis=1), strict=True):
                stacks[layer.stack][:, quant.maps] = made
                meanings[layer.stack] = meanings[layer.stack].with_maps(quant.maps, quant.meaning)
        results |= {stack: stacks[stack] for stack in {reading.stack for reading in member.tail.readings}}
    return QuantGraph(done_lowered, spec, meaning, tuple(quants), results, written, tuple(coded), sentences(notes))


def _carry(layer: ChipLayer, states: States, meaning: Meaning) -> Carry:
    """What a layer adds, for each of its own maps."""
    width, gain = len(meaning.gain_m) // meaning.digits, meaning.gain_m * layer.carry_sign
    offset = meaning.offset_m[:width] * layer.carry_sign
    maps = list(layer.carried_maps)
    if layer.carry_maps:
        states = states[:, [d * width + m for d in range(meaning.digits) for m in maps]]
    return Carry(states, gain.reshape(meaning.digits, width)[:, maps], offset[maps], width)


def quantise_layer(
    layer: ChipLayer, states: States, meaning: Meaning, targets: Mapping[str, ranging.FloatMaps], options: CompileOptions,
    carry: Carry | None, even: bool = False,
) -> tuple[list[QuantLayer], States, bool, list[str]]:  # fmt: skip
    """One layer in codes, digit by digit, and the states that the chip's ADCs give for the calibration images; whether its
    weights are a quantised network's codes, and why such codes are not kept. `even`: its maps need states of one LSB."""
    spec, target = options.chip, targets[layer.name]
    steps = ladder(spec, layer.digits, options.overlap)
    border, places = _border(layer, meaning, spec), list(layer.places)
    if layer.synapses > 1:
        states = states[:, places]
    gain_i, offset_i = meaning.gain_m[places], meaning.offset_m[places]
    problem = build_problem(
        layer,
        states,
        border,
        gain_i,
        offset_i,
        target,
        carry,
        spec,
        SEARCH_WINDOWS,
        rounding.most_constants(layer, options),
        steps,
    )
    drawn = None if layer.partial else Drawn.of(spec, options.against)  # partial sums did worse by it
    problem = replace(problem, drawn=drawn)
    keep, why = kept(problem, gain_i, even, options)
    choice = rounding.search(problem, options) if keep is None else keep.choice
    has_codes = keep is not None and keep.weights
    if keep is not None and keep.bias_o is not None:
        problem = replace(problem, bias_o=keep.bias_o)
    rounded, constants = adjusting.refine(problem, choice, options, move=not has_codes)
    weights = np.zeros((len(rounded), len(problem.used_t)), np.int64)
    weights[:, problem.used_t] = rounded
    scale = choice.scale_code_o
    totals = integer.sums(layer, spec, states, border, weights)
    totals = totals + bias_numerators(spec, constants)[:, None, None]
    units, unit_weights, unit_states = _own_columns(layer, problem, choice)
    if carry is not None:
        totals = totals + carried_sums(layer, spec, carry, unit_weights)
    if unit_states.size:
        extra = codes.state_converter(spec).numerators[unit_states] * unit_weights[:, :, None, None]
        totals = totals + extra.sum(axis=1)
    if drawn is not None:  # the states of drawn chips, to fit to and for the layers that follow
        own = np.concatenate([weights, constants, unit_weights], axis=1)
        totals = totals + drawn.added_to_maps(drawn.sigma(own, scale), totals.shape)
    joint = steps.convert(totals, scale)
    result, error, signal = fitted(layer, joint, target, choice, steps, options.fit and not (keep is not None and keep.fixed))
    noise = float(error.sum())
    sqnr = min(99.0, exact.decibels(signal / noise)) if noise > 0 and signal > 0 else 99.0
    found, top = steps.apart(joint), (1 << spec.state_bits) - 1
    saturated = float(((found[0] == 0) | (found[0] == top)).mean())
    done, narrow = [], weights.astype(np.int16)
    for digit, meant in zip(digits_of(layer), result, strict=True):
        less, less_weights = _coarser(digit, steps, scale)
        done.append(
            QuantLayer(digit, narrow, constants, (*units, *less), np.concatenate([unit_weights, less_weights], axis=1),
                       unit_states, steps.scale_kd[scale, digit.digit], choice.weight_lsb_o, meant, border, round(sqnr, 3),
                       round(saturated, 6))
        )  # fmt: skip
    return done, np.concatenate(found, axis=1) if len(found) > 1 else found[0], has_codes, why


def _own_columns(layer: ChipLayer, problem: Problem, choice: rounding.Choice) -> tuple[list[OwnColumn], Ints, States]:
    """What a unit's own columns hold, their weights, and the states of those that hold its bias."""
    if problem.carry is None or layer.carry is None:
        weights, states = unit_bias(problem, choice.weight_lsb_o)
        return [OWN_BIAS] * weights.shape[1], weights, states
    maps, units = len(choice.step_o), list[OwnColumn]()
    for d, columns in enumerate(carry_columns(layer, problem.spec, problem.carry.digits)):
        units += [OwnColumn(layer.carry, tuple(d * problem.carry.width + m for m in layer.carried_maps))] * columns
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
    lay = filled if digit.lowest_border else shared
    for d in range(digit.digit):
        worth_o = steps.worth_kd[scale_o, d]
        columns = int(columns_of(steps.spec, worth_o).max())
        first = d * digit.stack_width + digit.place
        units += [OwnColumn(digit.stack, tuple(range(first, first + maps)))] * columns
        weights.append(-lay(steps.spec, worth_o, columns))
    return units, np.concatenate(weights, axis=1)


def carried_sums(layer: ChipLayer, spec: ChipSpec, carry: Carry, weights_ou: Ints) -> NDArray[np.int64]:
    """What the states of a carry add, (images, o, rows, columns), in weight LSB x half state LSB."""
    numerators, found, at = codes.state_converter(spec).numerators, list[NDArray[np.int64]](), 0
    for d, columns in enumerate(carry_columns(layer, spec, carry.digits)):
        weight_o = weights_ou[:, at : at + columns].sum(axis=1)
        found.append(numerators[carry.digit(carry.states, d)] * weight_o[:, None, None])
        at += columns
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
