"""Choosing ranges and rounding weights: the search inside the quantise pass.

Sums are in weight LSB x half state LSB. Everything that is compared is an exact sum, or computed elementwise from exact
sums, so that the choice is the same on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.threads import cores, share
from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec
from anna.compiler import calibrate as ranging
from anna.compiler import exact, integer, latch_packing
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
from anna.compiler.ir import Bools, ChipLayer, Floats
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Problem
from anna.compiler.split import BIAS_COLUMNS, carry_columns, digit_codes, goes_without_bias, own_columns
from anna.native.loader import compiled

RIDGE = 0.003  # pull towards the float weights, as a fraction of the mean square of an input
SWEEPS = 6
OWN_MATRICES = 4_000_000_000  # products up to which every map has its own normal equations
COLUMNS_AT_ONCE = 1 << 20  # numbers of a piece of the search
DESCENT_NUMBERS = 1 << 18  # of the matrices of a piece of the descent
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
    lsb = lsb_of(spec)
    largest = float((1 << (spec.weight_bits - 1)) - 1)
    bare = without_bias(problem, options)
    reachable = bias_reach(spec, problem.most_constants)
    allowed, cut = digit_codes(layer, options), ranging.cuts_below(layer.activation)
    rows = list[tuple[int, float, float, int, float]]()  # map, ADC step, middle of the range, scale code, weight LSB
    for o in range(maps):
        heaviest = float(np.abs(problem.weights_ot[o]).max(initial=0.0)) or 1e-12
        if problem.unit_bias_oyx is not None:
            # A bias per unit must fit its coarse columns at full drive.
            drive = UNIT_COARSE * float(codes.state_converter(spec).values((1 << spec.state_bits) - 1))
            heaviest = max(heaviest, float(np.abs(problem.unit_bias_oyx[o]).max()) / drive)
        carried = 0.0 if problem.carry is None else abs(float(problem.carry.gain_do[0, o])) / _carry_columns(problem)[0]
        upright, reached = bool(problem.sign_o[o] > 0), problem.bias_o[o] == 0.0
        sums, levels, begin = problem.sums[:, o] * problem.sign_o[o], 1 << spec.state_bits, len(rows)
        many = levels >= ranging.MANY_LEVELS and not squash_adc
        for low, high in ranging.ranges(layer, sums, options.range_method, squash_adc, levels):
            if not upright:
                low, high = -high, -low
            if bare:  # the middle of the range lies where the sum of no current does
                reach = max(high - problem.bias_o[o], problem.bias_o[o] - low)
                low, high = problem.bias_o[o] - reach, problem.bias_o[o] + reach
            wanted = (high - low) / (1 << spec.state_bits)
            fits = allowed[heaviest <= wanted / lsb[allowed] * (largest + 0.49)]
            tries = [int(fits[-1])] if fits.size else [int(allowed[0])]
            # A partial sum may need more weight than its columns have at that range's scale.
            carries = allowed[carried <= wanted / lsb[allowed] * (largest + 0.49)]
            lower = [int(carries[-1])] if carries.size and int(carries[-1]) < tries[0] else []
            # A bias may need more than the constants give there.
            biases = allowed[abs(problem.bias_o[o] - (low + high) / 2) <= wanted / lsb[allowed] * reachable]
            if not bare and biases.size and int(biases[-1]) < min(tries + lower):
                lower.append(int(biases[-1]))
            if options.range_method != "least-squares" or many:  # nothing is cut off for a finer LSB
                tries = lower[-1:] or tries
            elif fits.size:
                tries += [tries[0] + 1] if tries[0] < allowed[-1] else []
                tries += lower
            sizes = [(code, wanted / float(lsb[code]) if fits.size else heaviest / largest) for code in tries]
            if problem.ladder.digits > 1 and not carries.size:  # a partial sum is too heavy even at the finest range
                sizes.append((int(allowed[0]), max(carried, heaviest) / largest))
            for code, one in sizes:
                centre = (low + high) / 2
                if one != wanted / float(lsb[code]) and cut and not bare:  # a wider range, that begins where it did
                    half = one * float(lsb[code]) * (1 << spec.state_bits) / 2
                    centre = low + half if upright else high - half
                rows.append((o, one * float(lsb[code]), centre, code, one))
            reached = reached or bool(biases.size)
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


def _rounded(problem: Problem, owner: Ints, weight_lsb: Floats, mine: Ints, taps: Ints) -> Ints:
    """Weights of some candidates on some taps, to the nearest LSB of each."""
    low, high = -(1 << (problem.spec.weight_bits - 1)), (1 << (problem.spec.weight_bits - 1)) - 1
    weights = problem.in_lsb(owner[mine], weight_lsb[mine], taps)
    return np.clip(np.rint(weights), low, high).astype(np.int64)


def errors(problem: Problem, owner: Ints, middle: Floats, scale: Ints, weight_lsb: Floats, constants: int) -> Floats:
    """Mean squared error of each candidate after the best gain and offset, on the search windows."""
    bias = constant_weights(problem.spec, 2 * (problem.bias_o[owner] - middle) / weight_lsb, constants)
    return _fit_errors(problem, partial(_rounded, problem, owner, weight_lsb), bias, owner, scale, weight_lsb)


def _fit_errors(
    problem: Problem, weights_of: Callable[[Ints, Ints], Ints], constants: Ints, owner: Ints, scale: Ints, weight_lsb: Floats
) -> Floats:
    """The same of candidates: `weights_of` gives the weights of some of them on some taps, `owner` the map of each. Shared
    among threads."""
    bias_sum = (constants * constant_numerators(problem.spec, constants.shape[1])).sum(axis=1)
    numerators, peak = codes.state_converter(problem.spec).numerators, _peak(problem)
    error, parts = np.empty(len(owner)), list[tuple[Ints, Ints]]()
    for maps, taps in problem.patterns:
        mine = np.flatnonzero(np.isin(owner, maps))
        at_once = max(1, COLUMNS_AT_ONCE // max(len(problem.windows), len(taps)))
        parts += [(mine[k : k + at_once], taps) for k in range(0, len(mine), at_once)]

    def measure(part: tuple[Ints, Ints]) -> None:
        mine, taps = part
        weights = weights_of(mine, taps)
        bound = float(np.abs(weights).sum(axis=1).max(initial=0)) * peak
        kind = np.float32 if bound < FAR else np.float64
        sums = exact.product(weights.astype(kind), numerators.astype(kind)[problem.windows[:, taps].T], bound)
        if problem.drawn is not None:
            own = np.concatenate([weights, constants[mine]], axis=1)
            sums = sums + problem.drawn.added(problem.drawn.sigma(own, scale[mine]), sums.shape[1], sums.dtype.type)
        further = _further_sums(problem, owner[mine], weight_lsb[mine])
        if problem.ladder.digits == 1 and further is None and problem.spec.state_bits <= 4:
            counts, totals = _tallied(problem, sums, bias_sum[mine], owner[mine], scale[mine])
            error[mine] = problem.targets.errors(problem.ladder.nominal(), counts, totals, owner[mine])
            return
        every = sums.T + bias_sum[mine] + (0 if further is None else further)
        error[mine] = _fit_error(problem, problem.ladder.convert(every, scale[mine]), owner[mine])

    _ = problem.targets  # made once, before threads ask for it
    share(measure, parts, cores())
    return error


def _further_sums(problem: Problem, owner: Ints, weight_lsb: Floats) -> Floats | None:
    """What partial sums and the units' own biases add to the sums of candidates."""
    found = None if problem.carried is None else _carried(problem, problem.carried, owner, weight_lsb)
    if problem.unit_sums is not None:
        own = np.rint(2 * problem.unit_sums[:, owner] / weight_lsb)
        found = own if found is None else found + own
    return found


def _tallied(problem: Problem, sums: NDArray[Any], bias: Ints, owner: Ints, scale: Ints) -> tuple[Floats, Floats]:
    """How often each candidate has each code, and the sum of its targets there."""
    targets, levels = problem.targets, 1 << problem.spec.state_bits
    limits = np.clip(integer.steps(problem.spec, scale) - bias[:, None], -FAR, FAR).astype(np.float64)
    counts, totals = np.zeros((len(owner), levels)), np.zeros((len(owner), levels))
    care = np.zeros((0, 1), np.uint8) if targets.care_rn is None else targets.care_rn
    compiled("anna.compiler.fitting").tally(sums, limits, targets.heavy_rn, care, owner, counts, totals)
    return counts, totals


def _peak(problem: Problem) -> float:
    return float(np.abs(codes.state_converter(problem.spec).numerators).max())


def _fit_error(problem: Problem, found: States, owner: Ints) -> Floats:
    """Mean squared error after gain and offset; of a part, weighted by how much its error matters."""
    levels = problem.ladder.nominal()
    by_candidate = np.ascontiguousarray(found.T)
    at_once = max(1, COLUMNS_AT_ONCE // max(len(found), len(levels)))
    parts = [slice(k, k + at_once) for k in range(0, len(owner), at_once)]
    return np.concatenate([exact.line_errors(levels, by_candidate[part], problem.targets, owner[part]) for part in parts])


# --- which weights ---------------------------------------------------------------------------------------------------
def refine(problem: Problem, choice: Choice, options: CompileOptions, move: bool = True) -> tuple[Ints, Ints]:
    """Weights (o, taps) and constant weights (o, constants): rounded and, if they may `move`, adjusted step by step, one input
    at a time, so that the sums on the calibration images come nearest to the float sums."""
    maps, spec = len(problem.weights_ot), problem.spec
    owner = np.arange(maps)
    weights = _rounded(problem, owner, choice.weight_lsb_o, owner, np.arange(problem.weights_ot.shape[1]))
    wanted = 2 * (problem.bias_o - choice.middle_o) / choice.weight_lsb_o
    constants = constant_weights(spec, wanted, choice.constants)
    if options.round == "nearest" or not move:
        return weights, constants
    if problem.gram_carried is not None:
        # What the partial sum adds, with its rounded weight, the inputs need not add.
        brought = _carried(problem, problem.gram_carried, owner, choice.weight_lsb_o) * (choice.weight_lsb_o / 2)
        problem = replace(problem, gram_sums=problem.gram_sums - brought)
    moved = weights.copy(), constants.copy()
    care, pull_o = _pulls(problem)
    for group in problem.patterns:
        _refine_group(problem, choice, group, care, pull_o, moved)
    # If the steps did not improve the converted map, keep the plain rounding.
    before, after = (_fit_errors(problem, partial(_chosen, some), bias, owner, choice.scale_code_o, choice.weight_lsb_o)
                     for some, bias in ((weights, constants), moved))  # fmt: skip
    better = (after < before)[:, None]
    return np.where(better, moved[0], weights), np.where(better, moved[1], constants)


def _chosen(weights: Ints, mine: Ints, taps: Ints) -> Ints:
    """Weights of some maps on some taps."""
    return weights[mine[:, None], taps]


def _pulls(problem: Problem) -> tuple[NDArray[np.uint8], Floats]:
    """How much each window counts for each map, or for all alike if matrices of their own would take too long; and how
    strongly each map's weights are pulled towards the float ones: a fraction of the mean square of an input."""
    windows, maps = problem.gram_windows, problem.gram_sums.shape[1]
    n, taps = windows.shape
    own = maps * n * taps * taps <= OWN_MATRICES
    care = problem.gram_care if own else np.ones((n, 1), dtype=np.uint8)
    squares = codes.state_converter(problem.spec).numerators.astype(np.float64)[windows] ** 2
    kind: type[np.floating[Any]] = np.float32 if _gram_bound(problem, care) < FAR else np.float64
    means = [(care[:, k].astype(np.float64) @ squares).astype(kind) / kind(care[:, k].sum()) for k in range(care.shape[1])]
    ridge = RIDGE * 10 if n < 2 * taps else RIDGE
    if problem.in_digits:
        # States in digits err little, so there is little for other weights to mend, and few windows would be learnt by heart.
        ridge = max(ridge, taps / n)
    return care, np.broadcast_to(ridge * np.array([float(mean.astype(np.float64).sum()) / taps for mean in means]), maps)


def _gram_bound(problem: Problem, care: NDArray[np.uint8]) -> float:
    """At least the largest weighted sum of products of two inputs."""
    return max(_peak(problem) ** 2 * len(problem.gram_windows) * float(care.max()), 1.0)


def _refine_group(
    problem: Problem, choice: Choice, group: tuple[Ints, Ints], care: NDArray[np.uint8], pull_o: Floats,
    moved: tuple[Ints, Ints],
) -> None:  # fmt: skip
    """Move the weights of maps that read the same taps, on these and on the constants; `moved` holds the rounded ones."""
    (maps, taps), spec = group, problem.spec
    # The means of the inputs are taken from their products with a constant, which stays dead where there is none.
    shown = max(1, choice.constants)
    levels = constant_numerators(spec, shown)
    constants = np.pad(moved[1][maps], ((0, 0), (0, shown - choice.constants)))
    grams, crosses = _normal_equations(problem, group, levels, care)
    weight_lsb = choice.weight_lsb_o[maps]
    factor = 2.0 / weight_lsb  # to weight LSB x half state LSB
    means = grams[:, :, -1] / float(levels[-1])  # of each input, by a constant column: (maps or 1, inputs)
    goal = (crosses - means * choice.middle_o[maps][:, None]) * factor[:, None]
    live = np.ones(goal.shape, bool)
    live[:, len(taps) :] = choice.constants > 0
    start = np.concatenate([moved[0][maps[:, None], taps], constants], axis=1).astype(np.float64)
    towards = np.concatenate([problem.in_lsb(maps, weight_lsb, taps), constants], axis=1)
    pull = np.zeros((len(grams), grams.shape[1]))
    pull[:, : len(taps)] = pull_o[maps if len(grams) > 1 else maps[:1]][:, None]
    final = _descend(spec, grams, goal, pull, towards, start, live).astype(np.int64)
    moved[0][maps[:, None], taps] = final[:, : len(taps)]
    moved[1][maps] = final[:, len(taps) : len(taps) + choice.constants]


def _normal_equations(
    problem: Problem, group: tuple[Ints, Ints], levels: Ints, care: NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    """Weighted means of products of the inputs of some maps (constants last) with each other (maps, inputs, inputs) and with
    the float sums (maps, inputs). One matrix for all maps if all windows count alike."""
    (maps, taps), numerators = group, codes.state_converter(problem.spec).numerators
    bound, n = _gram_bound(problem, care), len(problem.gram_windows)
    kind: type[np.floating[Any]] = np.float32 if bound < FAR else np.float64
    x = np.empty((n, len(taps) + len(levels)), dtype=kind)
    x[:, : len(taps)], x[:, len(taps) :] = numerators.astype(kind)[problem.gram_windows[:, taps]], levels
    power, sums = exact.fixed_power(problem.gram_sums), problem.gram_sums[:, maps]
    cares = care[:, maps] if care.shape[1] > 1 else care
    grams, totals = np.empty((cares.shape[1], x.shape[1], x.shape[1])), cares.sum(axis=0, dtype=np.float64)

    def weigh(k: int) -> None:
        grams[k] = _gram(x, cares[:, k], bound).astype(kind) / kind(totals[k])

    share(weigh, range(len(grams)), cores())
    crosses = np.ldexp(x.astype(np.float64).T @ (cares * np.rint(np.ldexp(sums, power))), -power).T / totals[:, None]
    return grams, np.ascontiguousarray(crosses)


def _gram(x: NDArray[Any], care: NDArray[np.uint8], bound: float) -> Floats:
    """Products of the columns of x with each other, each row counted so often: exact, so rows of one count come together."""
    found = np.zeros((x.shape[1], x.shape[1]))
    for count in np.unique(care).tolist():
        mine = x[care == count]
        found += count * exact.product(mine.T, mine, bound).astype(np.float64)
    return found


def _descend(spec: ChipSpec, grams: Floats, goal: Floats, pull: Floats, towards: Floats, start: Floats, live: Bools) -> Floats:
    """Whole-number weights (maps, inputs) that lower |sum - goal|^2 + pull |w - towards|^2, one input after the other."""
    low, high = float(-(1 << (spec.weight_bits - 1))), float((1 << (spec.weight_bits - 1)) - 1)
    weights, slope, fitting = start.copy(), np.empty_like(start), compiled("anna.compiler.fitting")
    at_once = max(1, DESCENT_NUMBERS // start.shape[1] ** 2)

    def descend(first: int) -> None:
        mine = slice(first, first + at_once)
        of_map = mine if len(grams) > 1 else slice(None)
        fitting.descend(grams[of_map], goal[mine], pull[of_map], towards[mine], weights[mine], live.view(np.uint8)[mine],
                        slope[mine], SWEEPS, low, high)  # fmt: skip

    share(descend, range(0, len(start), at_once), cores())
    return weights


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


def _carried(problem: Problem, states: States, owner: Ints, weight_lsb: Floats) -> Floats:
    """What partial sums add to the sums of candidates, in weight LSB x half state LSB."""
    carry = problem.carry
    assert carry is not None, f"{problem.layer.name}: continues no partial sum"
    numerators = codes.state_converter(problem.spec).numerators.astype(np.float64)
    weights, added, at = carry_weights(problem, owner, weight_lsb), np.zeros((len(states), len(owner))), 0
    for d, columns in enumerate(_carry_columns(problem)):
        added += numerators[carry.digit(states, d)][:, owner] * weights[:, at : at + columns].sum(axis=1)
        at += columns
    return added
