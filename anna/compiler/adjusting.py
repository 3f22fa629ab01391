"""Choosing weights: rounded to the nearest code, and moved one at a time where the sums come out nearer to the float ones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.threads import cores, share
from anna.chip.spec import ChipSpec
from anna.compiler import exact
from anna.compiler.columns import constant_numerators, constant_weights
from anna.compiler.integer import Ints
from anna.compiler.ir import Bools, Floats
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Problem, inputs_of
from anna.compiler.rounding import FAR, Choice, carried_of, fit_errors, rounded
from anna.native.loader import compiled

RIDGE = 0.003  # pull towards the float weights, as a fraction of the mean square of an input
SWEEPS = 6
OWN_MATRICES = 4_000_000_000  # products up to which every map has its own normal equations
DESCENT_NUMBERS = 1 << 18  # of the matrices of a piece of the descent


def refine(problem: Problem, choice: Choice, options: CompileOptions, move: bool = True) -> tuple[Ints, Ints]:
    """Weights (o, taps) and constant weights (o, constants): rounded and, if they may `move`, adjusted step by step, one input
    at a time, so that the sums on the calibration images come nearest to the float sums."""
    maps, spec = len(problem.weights_ot), problem.spec
    owner = np.arange(maps)
    weights = rounded(problem, owner, choice.weight_lsb_o, owner, np.arange(problem.weights_ot.shape[1]))
    wanted = 2 * (problem.bias_o - choice.middle_o) / choice.weight_lsb_o
    constants = constant_weights(spec, wanted, choice.constants)
    if options.round == "nearest" or not move:
        return weights, constants
    if problem.gram_carried is not None:
        # What the partial sum adds, with its rounded weight, the inputs need not add.
        brought = carried_of(problem, problem.gram_carried, owner, choice.weight_lsb_o) * (choice.weight_lsb_o / 2)
        problem = replace(problem, gram_sums=problem.gram_sums - brought)
    moved = weights.copy(), constants.copy()
    seen = _Seen.of(problem)
    for some, taps_mt in _alike(problem, shared=len(seen.care_on) == 1):
        _refine_group(problem, choice, seen, some, taps_mt, moved)
    # If the steps did not improve the converted map, keep the plain rounding.
    before, after = (fit_errors(problem, partial(_chosen, some), bias, owner, choice.scale_code_o, choice.weight_lsb_o)
                     for some, bias in ((weights, constants), moved))  # fmt: skip
    better = (after < before)[:, None]
    return np.where(better, moved[0], weights), np.where(better, moved[1], constants)


def _chosen(weights: Ints, mine: Ints, taps: Ints) -> Ints:
    """Weights of some maps on some taps."""
    return weights[mine[:, None], taps]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the normal equations are made of: windows of the calibration images, and how much each counts."""

    inputs_tn: NDArray[np.float32]  # in half state LSB
    care_on: NDArray[np.uint8]  # for each map, or one row for all if matrices of their own would take too long
    sums_on: Floats  # the float sums as whole numbers ...
    power: int  # ... times two to minus this power
    bound: float  # at least the largest weighted sum of products of two inputs
    pull_o: Floats  # how strongly each map's weights are pulled towards the float ones

    @staticmethod
    def of(problem: Problem) -> "_Seen":
        """The pull is a fraction of the mean square of an input."""
        (n, taps), maps = problem.gram_windows.shape, problem.gram_sums.shape[1]
        own = maps * n * taps * taps <= OWN_MATRICES
        care = np.ascontiguousarray(problem.gram_care.T) if own else np.ones((1, n), dtype=np.uint8)
        inputs, bound = inputs_of(problem.spec, problem.gram_windows), max(problem.peak**2 * n * float(care.max()), 1.0)
        kind, totals = _kind(bound), care.sum(axis=1, dtype=np.int64)
        powers = exact.product(care.astype(kind), (inputs.astype(kind) ** 2).T, bound).astype(kind)
        means = [float((row / kind(total)).astype(np.float64).sum()) / taps for row, total in zip(powers, totals, strict=True)]
        ridge = RIDGE * 10 if n < 2 * taps else RIDGE
        if problem.in_digits:
            # States in digits err little, so other weights mend little, and few windows would be learnt by heart.
            ridge = max(ridge, taps / n)
        sums, power = exact.fixed(np.ascontiguousarray(problem.gram_sums.T))
        return _Seen(inputs, care, sums, power, bound, np.broadcast_to(ridge * np.array(means), maps))


def _kind(bound: float) -> type[np.floating[Any]]:
    """The floats that hold whole numbers up to a bound."""
    return np.float32 if bound < FAR else np.float64


def _alike(problem: Problem, shared: bool) -> Iterator[tuple[Ints, Ints]]:
    """Maps whose weights are moved together, and the taps that they read: one row for all where all windows count alike, else
    a row for each map, of maps that read equally many."""
    if shared:
        yield from ((maps, taps[None]) for maps, taps in problem.patterns)
        return
    of_size = dict[int, list[tuple[Ints, Ints]]]()
    for maps, taps in problem.patterns:
        of_size.setdefault(len(taps), []).append((maps, np.broadcast_to(taps, (len(maps), len(taps)))))
    for group in of_size.values():
        every_m, every_mt = zip(*group, strict=True)
        yield np.concatenate(every_m), np.concatenate(every_mt)


def _refine_group(problem: Problem, choice: Choice, seen: _Seen, maps: Ints, taps_mt: Ints, moved: tuple[Ints, Ints]) -> None:
    """Move the weights of maps on their taps and on the constants; `moved` holds the rounded ones."""
    spec, count = problem.spec, taps_mt.shape[1]
    # The means of the inputs are taken from their products with a constant, which stays dead where there is none.
    shown = max(1, choice.constants)
    levels = constant_numerators(spec, shown)
    constants = np.pad(moved[1][maps], ((0, 0), (0, shown - choice.constants)))
    grams, crosses = _normal_equations(seen, maps, taps_mt, levels)
    weight_lsb = choice.weight_lsb_o[maps]
    factor = 2.0 / weight_lsb  # to weight LSB x half state LSB
    means = grams[:, :, -1] / float(levels[-1])  # of each input, by a constant column: (maps or 1, inputs)
    goal = (crosses - means * choice.middle_o[maps][:, None]) * factor[:, None]
    live = np.ones(goal.shape, bool)
    live[:, count:] = choice.constants > 0
    start = np.concatenate([moved[0][maps[:, None], taps_mt], constants], axis=1).astype(np.float64)
    towards = np.concatenate([_in_lsb(problem, maps, weight_lsb, taps_mt), constants], axis=1)
    pull = np.zeros((len(grams), grams.shape[1]))
    pull[:, :count] = seen.pull_o[maps if len(grams) > 1 else maps[:1]][:, None]
    final = _descend(spec, grams, goal, pull, towards, start, live).astype(np.int64)
    moved[0][maps[:, None], taps_mt] = final[:, :count]
    moved[1][maps] = final[:, count : count + choice.constants]


def _in_lsb(problem: Problem, maps: Ints, weight_lsb: Floats, taps_mt: Ints) -> Floats:
    """The float weights of maps on their taps, in their own weight LSB."""
    if len(taps_mt) == 1:
        return problem.in_lsb(maps, weight_lsb, taps_mt[0])
    return np.concatenate([problem.in_lsb(maps[k : k + 1], weight_lsb[k : k + 1], taps) for k, taps in enumerate(taps_mt)])


def _normal_equations(seen: _Seen, maps: Ints, taps_mt: Ints, levels: Ints) -> tuple[Floats, Floats]:
    """Weighted means of products of the inputs of some maps (constants last) with each other (maps, inputs, inputs) and with
    the float sums (maps, inputs). One matrix for all maps if all windows count alike."""
    kind, (n, inputs) = _kind(seen.bound), (seen.inputs_tn.shape[1], taps_mt.shape[1] + len(levels))
    last = np.repeat(levels.astype(kind)[:, None], n, axis=1)
    totals = seen.care_on[maps if len(seen.care_on) > 1 else [0]].sum(axis=1, dtype=np.float64)
    grams, crosses = np.empty((len(taps_mt), inputs, inputs)), np.empty((len(maps), inputs))

    def weigh(k: int) -> None:
        x, mine = np.concatenate([seen.inputs_tn[taps_mt[k]], last], dtype=kind), maps if len(taps_mt) == 1 else maps[k : k + 1]
        care = seen.care_on[mine[0] if len(seen.care_on) > 1 else 0]
        grams[k] = exact.product(x * care, x.T, seen.bound).astype(kind) / kind(totals[k])
        crosses[k if len(taps_mt) > 1 else slice(None)] = (seen.sums_on[mine] * care) @ x.T.astype(np.float64)

    share(weigh, range(len(grams)), cores())
    return grams, exact.scaled(crosses, -seen.power) / totals[:, None]


def _descend(spec: ChipSpec, grams: Floats, goal: Floats, pull: Floats, towards: Floats, start: Floats, live: Bools) -> Floats:
    """Whole-number weights (maps, inputs) that lower |sum - goal|^2 + pull |w - towards|^2, one input after the other."""
    low, high = float(-(1 << (spec.weight_bits - 1))), float((1 << (spec.weight_bits - 1)) - 1)
    fitting = compiled("anna.compiler.fitting")
    goal, towards, weights = np.ascontiguousarray(goal), np.ascontiguousarray(towards), np.array(start, order="C")
    slope = np.empty_like(weights)
    at_once = max(1, DESCENT_NUMBERS // start.shape[1] ** 2)

    def descend(first: int) -> None:
        mine = slice(first, first + at_once)
        of_map = mine if len(grams) > 1 else slice(None)
        fitting.descend(grams[of_map], goal[mine], pull[of_map], towards[mine], weights[mine], live.view(np.uint8)[mine],
                        slope[mine], SWEEPS, low, high)  # fmt: skip

    share(descend, range(0, len(start), at_once), cores())
    return weights
