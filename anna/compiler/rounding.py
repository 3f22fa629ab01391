"""Choosing ranges: the search inside the quantise pass.

Sums are in weight LSB x half state LSB. Everything that is compared is an exact sum, or computed elementwise from exact
sums, so that the choice is the same on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.threads import cores, share
from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.compiler import calibrate as ranging
from anna.compiler import exact, latch_packing
from anna.compiler.columns import (
    DIGIT_CONSTANTS,
    UNIT_COARSE,
    USUAL_CONSTANTS,
    bias_reach,
    constant_numerators,
    constant_weights,
    filled,
    lsb_of,
    shared,
)
from anna.compiler.integer import Ints, States
from anna.compiler.ir import ChipLayer, Floats
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Problem, rows_of
from anna.compiler.split import BIAS_COLUMNS, carry_columns, digit_codes, goes_without_bias, own_columns
from anna.native.loader import compiled

COLUMNS_AT_ONCE = 1 << 18  # numbers of a piece of the search
FAR = 1 << 24  # beyond every sum in 32 bits


@dataclass(frozen=True, eq=False)
class Choice:
    """For each map: range, scale code, and the size of a weight LSB."""

    step_o: Floats  # one LSB of the ADC in units of the float sum
    middle_o: Floats  # the float sum in the middle of the range
    scale_code_o: Ints
    weight_lsb_o: Floats
    constants: int


# --- which range -----------------------------------------------------------------------------------------------------
def search(problem: Problem, options: CompileOptions) -> Choice:
    """For each map the range and scale code whose converted sums fit the float map best."""
    spec, layer, maps = problem.spec, problem.layer, len(problem.weights_ot)
    squash_adc = not ADC_CURVES[spec.adc_curve].straight
    lsb: list[float] = lsb_of(spec).tolist()
    largest = float((1 << (spec.weight_bits - 1)) - 1)
    bare = without_bias(problem, options)
    reachable = bias_reach(spec, problem.most_constants)
    allowed: list[int] = digit_codes(layer, options).tolist()
    cut, sums_on = ranging.cuts_below(layer.activation), np.ascontiguousarray(problem.sums.T) * problem.sign_o[:, None]
    rows = list[tuple[int, float, float, int, float]]()  # map, ADC step, middle of the range, scale code, weight LSB
    for o in range(maps):
        heaviest = float(np.abs(problem.weights_ot[o]).max(initial=0.0)) or 1e-12
        if problem.unit_bias_oyx is not None:
            # A bias per unit must fit its coarse columns at full drive.
            drive = UNIT_COARSE * float(codes.state_converter(spec).values((1 << spec.state_bits) - 1))
            heaviest = max(heaviest, float(np.abs(problem.unit_bias_oyx[o]).max()) / drive)
        carried = 0.0 if problem.carry is None else abs(float(problem.carry.gain_do[0, o])) / _carry_columns(problem)[0]
        upright, bias = bool(problem.sign_o[o] > 0), float(problem.bias_o[o])
        reached = bias == 0.0
        levels, begin = 1 << spec.state_bits, len(rows)
        many = levels >= ranging.MANY_LEVELS and not squash_adc
        for low, high in ranging.ranges(layer, sums_on[o], options.range_method, squash_adc, levels):
            if not upright:
                low, high = -high, -low
            if bare:  # the middle of the range lies where the sum of no current does
                reach = max(high - bias, bias - low)
                low, high = bias - reach, bias + reach
            wanted = (high - low) / (1 << spec.state_bits)
            fits = _last(allowed, heaviest, wanted, lsb, largest + 0.49)
            tries = [allowed[0] if fits is None else fits]
            # A partial sum may need more weight than its columns have at that range's scale.
            carries = _last(allowed, carried, wanted, lsb, largest + 0.49)
            lower = [carries] if carries is not None and carries < tries[0] else []
            # A bias may need more than the constants give there.
            biases = _last(allowed, abs(bias - (low + high) / 2), wanted, lsb, reachable)
            if not bare and biases is not None and biases < min(tries + lower):
                lower.append(biases)
            if options.range_method != "least-squares" or many:  # nothing is cut off for a finer LSB
                tries = lower[-1:] or tries
            elif fits is not None:
                tries += [tries[0] + 1] if tries[0] < allowed[-1] else []
                tries += lower
            sizes = [(code, heaviest / largest if fits is None else wanted / lsb[code]) for code in tries]
            if problem.ladder.digits > 1 and carries is None:  # a partial sum is too heavy even at the finest range
                sizes.append((allowed[0], max(carried, heaviest) / largest))
            for code, one in sizes:
                centre = (low + high) / 2
                if one != wanted / lsb[code] and cut and not bare:  # a wider range, that begins where it did
                    half = one * lsb[code] * (1 << spec.state_bits) / 2
                    centre = low + half if upright else high - half
                rows.append((o, one * lsb[code], centre, code, one))
            reached = reached or biases is not None
        if not (bare or reached):
            rows = rows[:begin] if many else rows
            rows.append(_for_bias(problem, o, (low, high), upright if cut else None, reachable))
    candidates = tuple(np.array(column) for column in zip(*rows, strict=True))
    owner, codes_c = candidates[0].astype(np.int64), candidates[3].astype(np.int64)
    constants = 0 if bare else constants_needed(problem, owner, candidates[2], candidates[4])
    if len(owner) > maps:
        error = errors(problem, owner, candidates[2], codes_c, candidates[4], constants)
        # The least error; the first of a tie.
        order = np.lexsort((np.arange(len(owner)), error, owner))
        best = order[np.unique(owner[order], return_index=True)[1]]
    else:
        best = np.arange(maps)
    chosen = (candidates[2][best], candidates[4][best])
    constants = 0 if bare else constants_needed(problem, owner[best], *chosen)
    return Choice(candidates[1][best], chosen[0], codes_c[best], chosen[1], constants)


def _last(allowed: list[int], needed: float, wanted: float, lsb: list[float], most: float) -> int | None:
    """The last scale code at which a range is so fine that `most` weight LSB are as much as is needed."""
    return next((code for code in reversed(allowed) if needed <= wanted / lsb[code] * most), None)


def _for_bias(
    problem: Problem, o: int, ends: tuple[float, float], upright: bool | None, reachable: float
) -> tuple[int, float, float, int, float]:
    """A range so wide that the constants carry the bias even at the widest scale; it begins where it did if that matters,
    below where it is `upright`, else above."""
    code, levels, bias = problem.ladder.first, 1 << problem.spec.state_bits, float(problem.bias_o[o])
    lsb = float(lsb_of(problem.spec)[code])
    wanted, centre = (ends[1] - ends[0]) / levels, (ends[0] + ends[1]) / 2
    if upright is None:
        wanted = max(wanted, abs(bias - centre) * lsb / reachable)
    else:
        away = ends[0] - bias if upright else bias - ends[1]
        wanted = max(wanted, away / max(reachable / lsb - levels / 2, 1e-3))
        centre = ends[0] + wanted * levels / 2 if upright else ends[1] - wanted * levels / 2
    return o, wanted, centre, code, wanted / lsb


def without_bias(problem: Problem, options: CompileOptions) -> bool:
    """Whether a layer's inputs leave no column for a bias."""
    layer, spec = problem.layer, problem.spec
    return (
        not spec.wide
        and problem.carried is None
        and goes_without_bias(layer)
        and not latch_packing.fits(layer, spec, options.sequencer, BIAS_COLUMNS)
    )


def constants_needed(problem: Problem, owner: Ints, middle: Floats, weight_lsb: Floats) -> int:
    """Constant columns that carry the largest bias, within what a neuron may have."""
    wanted = np.abs((problem.bias_o[owner] - middle) / weight_lsb)
    needed = 1 + int(np.ceil(float(wanted.max(initial=0.0)) / bias_reach(problem.spec, 2)))
    return max(2, min(needed, problem.most_constants))


def most_constants(layer: ChipLayer, options: CompileOptions) -> int:
    """Constant columns that a neuron may have: a map whose bias does not fit takes another range or scale code instead."""
    spec, inputs = options.chip, int(layer.inputs_o.max())
    if not spec.wide:
        usual, own = USUAL_CONSTANTS if layer.digits == 1 else DIGIT_CONSTANTS, own_columns(layer, options)
        fitting = (count for count in range(usual, BIAS_COLUMNS, -1)
                   if latch_packing.fits(layer, spec, options.sequencer, count, own))  # fmt: skip
        return next(fitting, BIAS_COLUMNS)
    rows = -(-inputs // (spec.columns - 2))
    spare = min(USUAL_CONSTANTS, max(2, spec.columns - -(-inputs // rows)))
    return max(2, 1 + rows * (spare - 1))


def rounded(problem: Problem, owner: Ints, weight_lsb: Floats, mine: Ints, taps: Ints) -> Ints:
    """Weights of some candidates on some taps, to the nearest LSB of each."""
    low, high = -(1 << (problem.spec.weight_bits - 1)), (1 << (problem.spec.weight_bits - 1)) - 1
    weights = problem.in_lsb(owner[mine], weight_lsb[mine], taps)
    return np.clip(np.rint(weights), low, high).astype(np.int64)


def errors(problem: Problem, owner: Ints, middle: Floats, scale: Ints, weight_lsb: Floats, constants: int) -> Floats:
    """Mean squared error of each candidate after the best gain and offset, on the search windows."""
    bias = constant_weights(problem.spec, 2 * (problem.bias_o[owner] - middle) / weight_lsb, constants)
    return fit_errors(problem, partial(rounded, problem, owner, weight_lsb), bias, owner, scale, weight_lsb)


def fit_errors(
    problem: Problem, weights_of: Callable[[Ints, Ints], Ints], constants: Ints, owner: Ints, scale: Ints, weight_lsb: Floats
) -> Floats:
    """The same of candidates: `weights_of` gives the weights of some of them on some taps, `owner` the map of each. Shared
    among threads."""
    bias_sum = (constants * constant_numerators(problem.spec, constants.shape[1])).sum(axis=1)
    error, parts = np.empty(len(owner)), list[tuple[Ints, Ints]]()
    for maps, taps in problem.patterns:
        mine = np.flatnonzero(np.isin(owner, maps))
        at_once = max(1, COLUMNS_AT_ONCE // max(len(problem.windows), len(taps)))
        parts += [(mine[k : k + at_once], taps) for k in range(0, len(mine), at_once)]

    def measure(part: tuple[Ints, Ints]) -> None:
        mine, taps = part
        weights = weights_of(mine, taps)
        bound = float(np.abs(weights).sum(axis=1).max(initial=0)) * problem.peak
        sums = exact.product(weights, rows_of(problem.inputs_tn, taps), bound)
        if problem.drawn is not None:
            own = np.concatenate([weights, constants[mine]], axis=1)
            sums = sums + problem.drawn.added(problem.drawn.sigma(own, scale[mine]), sums.shape[1], sums.dtype.type)
        further = _further_sums(problem, owner[mine], weight_lsb[mine])
        if tallied:
            counts, totals = _tallied(problem, sums, bias_sum[mine], further, owner[mine], scale[mine])
            error[mine] = problem.targets.errors(problem.ladder.nominal(), counts, totals, owner[mine])
            return
        every = sums.T + bias_sum[mine] + (0 if further is None else further)
        error[mine] = _fit_error(problem, problem.ladder.convert(every, scale[mine]), owner[mine])

    tallied = problem.ladder.digits == 1 and problem.spec.state_bits <= 4
    _ = problem.targets, problem.inputs_tn, problem.limits_kl if tallied else None  # made once, before threads ask for them
    share(measure, parts, cores())
    return error


def _further_sums(problem: Problem, owner: Ints, weight_lsb: Floats) -> Floats | None:
    """What partial sums and the units' own biases add to the sums of candidates."""
    found = None if problem.carried is None else carried_of(problem, problem.carried, owner, weight_lsb)
    if problem.unit_sums is not None:
        own = np.rint(2 * problem.unit_sums[:, owner] / weight_lsb)
        found = own if found is None else found + own
    return found


def _tallied(
    problem: Problem, sums: NDArray[Any], bias: Ints, further: Floats | None, owner: Ints, scale: Ints
) -> tuple[Floats, Floats]:
    """How often each candidate has each code, and the sum of its targets there."""
    targets, limits, levels = problem.targets, problem.limits_kl[scale], 1 << problem.spec.state_bits
    if further is None:
        limits = np.clip(limits - bias[:, None], -FAR, FAR)
    else:
        sums = np.add((sums.T + bias).T, further.T, order="C")
    counts, totals = np.zeros((len(owner), levels)), np.zeros((len(owner), levels))
    care = np.zeros((0, 1), np.uint8) if targets.care_rn is None else targets.care_rn
    compiled("anna.compiler.fitting").tally(sums, limits.astype(np.float64), targets.heavy_rn, care, owner, counts, totals)
    return counts, totals


def _fit_error(problem: Problem, found: States, owner: Ints) -> Floats:
    """Mean squared error after gain and offset; of a part, weighted by how much its error matters."""
    levels = problem.ladder.nominal()
    by_candidate = np.ascontiguousarray(found.T)
    at_once = max(1, COLUMNS_AT_ONCE // max(len(found), len(levels)))
    parts = [slice(k, k + at_once) for k in range(0, len(owner), at_once)]
    return np.concatenate([exact.line_errors(levels, by_candidate[part], problem.targets, owner[part]) for part in parts])


# --- partial sums -----------------------------------------------------------------------------------------------------
def carry_weights(problem: Problem, owner: Ints, weight_lsb: Floats) -> Ints:
    """Weights (candidates, columns) by which a partial sum's states count in full, shared by the columns they lie on."""
    carry = problem.carry
    assert carry is not None, f"{problem.layer.name}: continues no partial sum"
    wanted = [np.rint(gain_o[owner] / weight_lsb) for gain_o in carry.gain_do]
    lay = filled if problem.layer.lowest_border else shared
    return np.concatenate([lay(problem.spec, rest, count) for rest, count in zip(wanted, _carry_columns(problem), strict=True)],
                          axis=1)  # fmt: skip


def _carry_columns(problem: Problem) -> list[int]:
    """Columns of each digit of what is carried."""
    return carry_columns(problem.layer, problem.spec, 0 if problem.carry is None else problem.carry.digits)


def carried_of(problem: Problem, states: States, owner: Ints, weight_lsb: Floats) -> Floats:
    """What partial sums add to the sums of candidates, in weight LSB x half state LSB."""
    carry = problem.carry
    assert carry is not None, f"{problem.layer.name}: continues no partial sum"
    numerators = codes.state_converter(problem.spec).numerators.astype(np.float64)
    weights, added, at = carry_weights(problem, owner, weight_lsb), np.zeros((len(states), len(owner))), 0
    for d, columns in enumerate(_carry_columns(problem)):
        added += numerators[carry.digit(states, d)][:, owner] * weights[:, at : at + columns].sum(axis=1)
        at += columns
    return added
