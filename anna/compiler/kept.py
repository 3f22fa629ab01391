"""Codes of a quantised network that the chip keeps: weights as they were trained, activations with as many levels as a state.

A weight LSB of a neuron is the network's weight step times the state LSB of what it reads. So weights keep their codes where
all maps that they weigh have states of one LSB: the layers before choose one range for all their maps. An activation keeps its
codes where the ADC has a range whose LSB is the step of the activation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec
from anna.compiler import calibrate as ranging
from anna.compiler import rounding
from anna.compiler.columns import bias_reach, lsb_of
from anna.compiler.integer import Ints
from anna.compiler.ir import ChipLayer, Floats
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Problem
from anna.compiler.rounding import Choice
from anna.compiler.split import CARRY_COLUMNS
from anna.network.activations import NONE
from anna.network.graph import Affine, Layer

EQUAL = 1e-5  # by which LSBs may differ that count as one, as a fraction
CLOSE = 0.01  # by which a range of the ADC may miss a step that it stands for, as a fraction


@dataclass(frozen=True, eq=False)
class Kept:
    """How a layer is converted so that codes are kept, or one LSB is made for all its maps."""

    choice: Choice
    weights: bool  # whether its weights are the network's codes
    fixed: bool  # whether what its states stand for may not be fitted
    bias_o: Floats | None = None  # biases by which no sum lies on a threshold, if they are not those of the layer


def even_stacks(layers: Iterable[ChipLayer]) -> frozenset[str]:
    """The stacks whose maps need states of one LSB, since weights that have codes read them."""
    even = set[str]()
    for layer in reversed(tuple(layers)):
        if layer.steps_o is not None:
            even.add(layer.source)
        if layer.on_states and layer.stack in even:  # a maximum gives what it reads
            even |= set(layer.reads)
    return frozenset(even)


def rounded_ends(before: Iterable[Layer], maps: int, spec: ChipSpec) -> tuple[Floats, Floats] | None:
    """The least and the greatest value of each map of the image, if the host rounds it to as many codes as a state has."""
    found: tuple[Floats, Floats] | None = None
    for layer in before:
        activation = layer.activation
        if activation.kind == "rounded" and activation.high - activation.low == (1 << spec.state_bits) - 1:
            found = np.full(maps, activation.low), np.full(maps, activation.high)
        elif found is not None and isinstance(layer, Affine) and activation == NONE and (layer.scale_m > 0).all():
            found = found[0] * layer.scale_m + layer.offset_m, found[1] * layer.scale_m + layer.offset_m
        else:
            found = None
    return found


def sentences(notes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Each reason once, after the layers that have it."""
    layers: dict[str, list[str]] = {}
    for layer, why in notes:
        layers.setdefault(why, []).append(layer)
    return tuple(f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in layers.items())


def kept(problem: Problem, gain_i: Floats, even: bool, options: CompileOptions) -> tuple[Kept | None, list[str]]:
    """The conversion of a layer whose codes are kept or whose maps need one LSB, None if there is nothing to keep; and why
    something cannot be kept."""
    layer, spec, notes = problem.layer, problem.spec, list[str]()
    exact = _levels(layer) == 1 << spec.state_bits
    levels = _levels(layer)
    if levels is not None and levels < 1 << spec.state_bits:
        notes.append(f"its activations have {levels} levels, a state has {1 << spec.state_bits}: its states are fitted")
    if layer.steps_o is None and not even and not exact:
        return None, notes
    if layer.digits > 1 or not ADC_CURVES[spec.adc_curve].straight or rounding.without_bias(problem, options):
        return None, ["keeps no codes, in digits, by a curved ADC or without constants for its bias"]
    lsb_o, why = _weight_lsbs(problem, gain_i)
    notes += [why] if why else []
    if exact:
        choice, why = _exact(problem, lsb_o)
        if choice is not None:
            return Kept(choice, lsb_o is not None, True, None if lsb_o is None else _between(problem, choice)), notes
        notes.append(why)
    if lsb_o is None:
        return (Kept(_evened(problem, options), False, True) if even else None), notes
    if even and not _equal(lsb_o):
        notes.append(
            f"its weights have steps from {min(lsb_o):.4g} to {max(lsb_o):.4g}, so its maps have states of LSBs that differ; "
            "quantise weights by one step a layer"
        )
        even = False
    return Kept(_searched(problem, lsb_o, even, options), True, even), notes


def _levels(layer: ChipLayer) -> int | None:
    """How many codes its activation has."""
    curve = layer.activation
    return int(curve.high - curve.low) + 1 if curve.kind == "rounded" else None


def _equal(values: Floats) -> bool:
    return bool(values.max() - values.min() <= EQUAL * values.max())


def _weight_lsbs(problem: Problem, gain_i: Floats) -> tuple[Floats | None, str]:
    """A weight LSB of each map in units of its sum, with which weights keep their codes; or why there is none."""
    layer, spec = problem.layer, problem.spec
    if layer.steps_o is None:
        return None, ""
    used_oi, size_i = layer.mask_oiyx.any(axis=(2, 3)), np.abs(gain_i)
    most_o = np.where(used_oi, size_i, 0.0).max(axis=1)
    least_o = np.where(used_oi, size_i, np.inf).min(axis=1)
    least_o = np.minimum(least_o, most_o)  # a map that reads nothing has no least
    if bool(np.any(most_o - least_o > EQUAL * most_o)):
        return None, (
            f"its weights lose their codes, since it reads maps whose states have LSBs from {least_o.min():.4g} to "
            f"{most_o.max():.4g}"
        )
    lsb_o = layer.steps_o * np.where(most_o > 0, most_o, 1.0)
    found = np.rint(problem.weights_ot / lsb_o[:, None])
    low, high = -(1 << (spec.weight_bits - 1)), (1 << (spec.weight_bits - 1)) - 1
    if found.min(initial=0) < low or found.max(initial=0) > high:
        bits = int(max(found.max(initial=0), -found.min(initial=0) - 1)).bit_length() + 1
        return None, f"its weights have {bits} bits, those of the chip {spec.weight_bits}: they are rounded again"
    if problem.carry is not None and (_carried(problem) > lsb_o * (high + 0.49)).any():
        return None, "its weights lose their codes, since it adds a map whose states need greater weights beside them"
    return lsb_o, ""


def _carried(problem: Problem) -> Floats:
    """The weight that each column of a carry needs, in units of the sum."""
    assert problem.carry is not None
    found: Floats = np.abs(problem.carry.gain_do[0]) / CARRY_COLUMNS
    return found


def _exact(problem: Problem, lsb_o: Floats | None) -> tuple[Choice | None, str]:
    """The choice by which states are the codes of the activation, or why there is none. Sums are in steps of it."""
    layer, spec, ranges = problem.layer, problem.spec, lsb_of(problem.spec)
    maps, allowed = len(problem.weights_ot), np.arange(problem.ladder.first, len(ranges))
    middle_o = np.full(maps, layer.activation.low - float(codes.state_converter(spec).values(0)))
    if lsb_o is None:
        scale_o = _finest(problem, np.ones(maps), middle_o)
        lsb_o = 1.0 / ranges[scale_o]
    else:
        scale_o = allowed[np.abs(np.log(ranges[allowed] * lsb_o[:, None])).argmin(axis=1)]
        miss = np.abs(ranges[scale_o] * lsb_o - 1.0)
        if miss.max() > CLOSE:
            worst = int(miss.argmax())
            near = np.sort(allowed[np.argsort(np.abs(np.log(ranges[allowed] * lsb_o[worst])))[:2]])
            nearest = " and ".join(f"{size:.4g}" for size in ranges[near])
            return None, (
                f"the step of its activations is {1 / lsb_o[worst]:.4g} times that of its sums, and the nearest ranges of the "
                f"ADC are {nearest}: its states are fitted"
            )
    if (np.abs(problem.bias_o - middle_o) > lsb_o * bias_reach(spec, problem.most_constants)).any():
        return None, "its bias is beyond the constants at the range of its activations: its states are fitted"
    constants = rounding.constants_needed(problem, np.arange(maps), middle_o, lsb_o)
    return Choice(np.ones(maps), middle_o, scale_o, lsb_o, constants), ""


def _between(problem: Problem, choice: Choice) -> Floats | None:
    """Biases that differ from the layer's by at most half a product, by which sums fall on the sides of thresholds where they
    belong, since they lie half-way between two; None where that is not known.

    In half products, sums of a map are all even or all odd, and a threshold is at 0: so the constants become the other.
    """
    spec = problem.spec
    if problem.carry is not None or problem.unit_bias_oyx is not None or spec.state_levels != "mid-rise":
        return None
    odd_o = np.rint(problem.weights_ot / choice.weight_lsb_o[:, None]).sum(axis=1) % 2  # as levels are odd
    wanted_o = 2 * (problem.bias_o - choice.middle_o) / choice.weight_lsb_o
    rounded_o = 2 * np.floor((wanted_o - (1 - odd_o)) / 2 + 0.5) + (1 - odd_o)
    found: Floats = choice.middle_o + rounded_o * choice.weight_lsb_o / 2
    return found


def _finest(problem: Problem, step_o: Floats, middle_o: Floats) -> Ints:
    """For each map the scale code of the finest weights that still reach the largest weight, carry and bias."""
    spec, ranges = problem.spec, lsb_of(problem.spec)
    allowed, top = np.arange(problem.ladder.first, len(ranges)), float((1 << (spec.weight_bits - 1)) - 1) + 0.49
    wanted = np.abs(problem.weights_ot).max(axis=1, initial=0.0) / top
    if problem.carry is not None:
        wanted = np.maximum(wanted, _carried(problem) / top)
    reach = bias_reach(spec, problem.most_constants)
    wanted = np.maximum(wanted, np.abs(problem.bias_o - middle_o) / reach)
    fits = (wanted[:, None] <= step_o[:, None] / ranges[allowed]).sum(axis=1)
    found: Ints = allowed[np.maximum(fits, 1) - 1]
    return found


def _evened(problem: Problem, options: CompileOptions) -> Choice:
    """One LSB for all maps: the greatest that a map wants, so that none is cut off."""
    plain, spec = rounding.search(problem, options), problem.spec
    step_o = np.full(len(plain.step_o), plain.step_o.max())
    middle_o = plain.middle_o
    if ranging.cuts_below(problem.layer.activation):
        more_o = (step_o - plain.step_o) * (1 << spec.state_bits) / 2
        middle_o = middle_o + problem.sign_o * more_o  # each range begins where it did
    scale_o = _finest(problem, step_o, middle_o)
    lsb_o = step_o / lsb_of(spec)[scale_o]
    return Choice(step_o, middle_o, scale_o, lsb_o, rounding.constants_needed(problem, np.arange(len(lsb_o)), middle_o, lsb_o))


def _searched(problem: Problem, lsb_o: Floats, even: bool, options: CompileOptions) -> Choice:
    """The range that fits best among those of the ADC, whose LSB is a given number of weight LSBs; one for all maps if even."""
    layer, spec, lsbs = problem.layer, problem.spec, lsb_of(problem.spec)
    size, maps = 1 << spec.state_bits, len(lsb_o)
    reach = bias_reach(spec, problem.most_constants)
    begins = ranging.cuts_below(layer.activation)
    wanted = [ranging.ranges(layer, problem.sums[:, o], options.range_method, False, size) for o in range(maps)]
    ideal = [np.log([(high - low) / size / lsb_o[o] for low, high in wanted[o]]) for o in range(maps)]
    first = max(problem.ladder.first, int(np.searchsorted(np.log(lsbs), min(map(min, ideal)))) - 1)
    last = min(len(lsbs) - 1, int(np.searchsorted(np.log(lsbs), max(map(max, ideal)))))
    owner, middle, scale = list[int](), list[float](), list[int]()
    for o in range(maps):
        for code in range(first, max(last, first) + 1):
            half = lsb_o[o] * lsbs[code] * size / 2
            centres = {low + half if begins else (low + high) / 2 for low, high in wanted[o]}
            near = problem.bias_o[o] - lsb_o[o] * reach, problem.bias_o[o] + lsb_o[o] * reach  # what the constants reach
            for centre in sorted({float(np.clip(one, *near)) for one in centres}):
                owner.append(o)
                middle.append(centre)
                scale.append(code)
    owner_c, middle_c, scale_c = np.array(owner), np.array(middle), np.array(scale)
    lsb_c = lsb_o[owner_c]
    constants = rounding.constants_needed(problem, owner_c, middle_c, lsb_c)
    error_c = rounding.errors(problem, owner_c, middle_c, scale_c, lsb_c, constants)
    if even:
        total = {code: sum(error_c[(owner_c == o) & (scale_c == code)].min() for o in range(maps)) for code in set(scale)}
        error_c = np.where(scale_c == min(total, key=lambda code: (total[code], code)), error_c, np.inf)
    order = np.lexsort((np.arange(len(owner_c)), error_c, owner_c))
    best = order[np.unique(owner_c[order], return_index=True)[1]]
    constants = rounding.constants_needed(problem, owner_c[best], middle_c[best], lsb_o)
    return Choice(lsb_o * lsbs[scale_c[best]], middle_c[best], scale_c[best], lsb_o, constants)
