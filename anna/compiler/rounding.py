"""Choosing ranges: the search inside the quantise pass.

Sums are in weight LSB x half state LSB. Everything that is compared is an exact sum, or computed elementwise from exact
sums, so that the choice is the same on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

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


class _Tried(NamedTuple):
    """Candidates: the map of each, one LSB of the ADC, the middle of its range, scale code and weight LSB."""

    owner: Ints
    step: Floats
    middle: Floats
    scale_code: Ints
    weight_lsb: Floats

    def at(self, which: Ints | NDArray[np.bool_]) -> "_Tried":
        """Some of them."""
        owner, step, middle, scale_code, weight_lsb = self
        return _Tried(owner[which], step[which], middle[which], scale_code[which], weight_lsb[which])


class _Ranges(NamedTuple):
    """Ranges of sums to try, and the map of each, in order."""

    owner: Ints
    low: Floats
    high: Floats


# --- which range -----------------------------------------------------------------------------------------------------
def search(problem: Problem, options: CompileOptions) -> Choice:
    """For each map the range and scale code whose converted sums fit the float map best."""
    bare = without_bias(problem, options)
    tried = _tried(problem, options, _ranges(problem, options, bare), bare)
    maps, owner = len(problem.weights_ot), tried.owner
    constants = 0 if bare else constants_needed(problem, owner, tried.middle, tried.weight_lsb)
    if len(owner) > maps:
        error = errors(problem, owner, tried.middle, tried.scale_code, tried.weight_lsb, constants)
        # The least error; the first of a tie.
        order = np.lexsort((np.arange(len(owner)), error, owner))
        tried = tried.at(order[np.unique(owner[order], return_index=True)[1]])
    constants = 0 if bare else constants_needed(problem, tried.owner, tried.middle, tried.weight_lsb)
    return Choice(tried.step, tried.middle, tried.scale_code, tried.weight_lsb, constants)


def _ranges(problem: Problem, options: CompileOptions, bare: bool) -> _Ranges:
    """Those that a map's sums ask for; carried upside down, turned round; where there is no column for a bias, about the sum of
    no current."""
    layer, spec = problem.layer, problem.spec
    squash_adc, levels = not ADC_CURVES[spec.adc_curve].straight, 1 << spec.state_bits
    sums_on = np.ascontiguousarray(problem.sums.T) * problem.sign_o[:, None]
    found = [ranging.ranges(layer, sums_n, options.range_method, squash_adc, levels) for sums_n in sums_on]
    owner = np.repeat(np.arange(len(found)), [len(some) for some in found])
    ends = np.array([one for some in found for one in some])
    upright = problem.sign_o[owner] > 0
    low, high = np.where(upright, ends[:, 0], -ends[:, 1]), np.where(upright, ends[:, 1], -ends[:, 0])
    if bare:
        bias = problem.bias_o[owner]
        reach = np.maximum(high - bias, bias - low)
        low, high = bias - reach, bias + reach
    return _Ranges(owner, low, high)


def _tried(problem: Problem, options: CompileOptions, ranges: _Ranges, bare: bool) -> _Tried:
    """Ranges at the scale codes at which weights, partial sums and biases fit."""
    spec, layer, (owner, low, high) = problem.spec, problem.layer, ranges
    levels, lsb, largest = 1 << spec.state_bits, lsb_of(spec), float((1 << (spec.weight_bits - 1)) - 1)
    many = levels >= ranging.MANY_LEVELS and ADC_CURVES[spec.adc_curve].straight
    heaviest, carried = _heaviest(problem)[owner], _carried(problem)[owner]
    bias, reachable = problem.bias_o[owner], bias_reach(spec, problem.most_constants)
    allowed, cut = digit_codes(layer, options), ranging.cuts_below(layer.activation)
    wanted, centre, upright = (high - low) / levels, (low + high) / 2, problem.sign_o[owner] > 0

    fits = _last(allowed, heaviest, wanted, lsb, largest + 0.49)
    first, fit = np.where(fits < 0, allowed[0], fits), fits >= 0
    # A partial sum may need more weight than its columns have at that range's scale.
    carries = _last(allowed, carried, wanted, lsb, largest + 0.49)
    lower = (carries >= 0) & (carries < first)
    # A bias may need more than the constants give there.
    biases = _last(allowed, np.abs(bias - centre), wanted, lsb, reachable)
    lowest = (biases >= 0) & (biases < np.where(lower, carries, first)) & (not bare)
    every = np.ones(len(owner), bool)
    if options.range_method != "least-squares" or many:  # nothing is cut off for a finer LSB
        codes_kc, there_kc = [np.where(lowest, biases, np.where(lower, carries, first))], [every]
    else:
        codes_kc = [first, np.minimum(first + 1, allowed[-1]), carries, biases]
        there_kc = [every, fit & (first < allowed[-1]), fit & lower, fit & lowest]
    sizes_kc = [np.where(fit, wanted / lsb[code], heaviest / largest) for code in codes_kc]
    if problem.ladder.digits > 1:  # a partial sum may be too heavy even at the finest range
        codes_kc.append(np.full_like(first, allowed[0]))
        there_kc.append(carries < 0)
        sizes_kc.append(np.maximum(carried, heaviest) / largest)

    code, size, there = (np.stack(columns, axis=1) for columns in (codes_kc, sizes_kc, there_kc))
    step = size * lsb[code]
    middle = np.broadcast_to(centre[:, None], step.shape)
    if cut and not bare:  # a wider range begins where it did
        half = step * levels / 2
        wider = np.where(upright[:, None], low[:, None] + half, high[:, None] - half)
        middle = np.where(size != wanted[:, None] / lsb[code], wider, middle)
    found = _Tried(np.broadcast_to(owner[:, None], step.shape), step, middle, code, size).at(there)
    reached = problem.bias_o == 0.0
    reached[owner[biases >= 0]] = True
    if bare or reached.all():
        return found
    if many:
        found = found.at(reached[found.owner])
    last = np.searchsorted(owner, np.flatnonzero(~reached), side="right") - 1
    wide = _for_bias(problem, _Ranges(owner[last], low[last], high[last]), cut, reachable)
    owner, step, middle, code, size = (np.concatenate(columns) for columns in zip(found, wide, strict=True))
    return _Tried(owner, step, middle, code, size).at(np.argsort(owner, kind="stable"))


def _heaviest(problem: Problem) -> Floats:
    """The heaviest weight of each map."""
    largest = np.abs(problem.weights_ot).max(axis=1, initial=0.0)
    found: Floats = np.where(largest == 0.0, 1e-12, largest)
    if problem.unit_bias_oyx is None:
        return found
    # A bias per unit must fit its coarse columns at full drive.
    drive = UNIT_COARSE * float(codes.state_converter(problem.spec).values((1 << problem.spec.state_bits) - 1))
    return np.asarray(np.maximum(found, np.abs(problem.unit_bias_oyx).max(axis=(1, 2)) / drive))


def _carried(problem: Problem) -> Floats:
    """The weight of each map's partial sum on each of its columns."""
    if problem.carry is None:
        return np.zeros(len(problem.weights_ot))
    found: Floats = np.abs(problem.carry.gain_do[0]) / _carry_columns(problem)[0]
    return found


def _last(allowed: Ints, needed: Floats, wanted: Floats, lsb: Floats, most: float) -> Ints:
    """The last scale code at which a range is so fine that `most` weight LSB are as much as is needed; -1: none."""
    fine = needed[:, None] <= wanted[:, None] / lsb[allowed] * most
    last = len(allowed) - 1 - fine[:, ::-1].argmax(axis=1)
    return np.where(fine.any(axis=1), allowed[last], -1)


def _for_bias(problem: Problem, ranges: _Ranges, cut: bool, reachable: float) -> _Tried:
    """Ranges so wide that the constants carry the bias even at the widest scale; where sums are cut off at its beginning, a
    range begins where it did: above, if its map is carried upside down."""
    code, levels, (owner, low, high) = problem.ladder.first, 1 << problem.spec.state_bits, ranges
    lsb, bias, upright = float(lsb_of(problem.spec)[code]), problem.bias_o[owner], problem.sign_o[owner] > 0
    wanted, centre = (high - low) / levels, (low + high) / 2
    if cut:
        away = np.where(upright, low - bias, bias - high)
        wanted = np.maximum(wanted, away / max(reachable / lsb - levels / 2, 1e-3))
        centre = np.where(upright, low + wanted * levels / 2, high - wanted * levels / 2)
    else:
        wanted = np.maximum(wanted, np.abs(bias - centre) * lsb / reachable)
    return _Tried(owner, wanted, centre, np.full_like(owner, code), wanted / lsb)


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
