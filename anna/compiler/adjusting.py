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
from anna.compiler.ir import Floats
from anna.compiler.options import CompileOptions
from anna.compiler.problem import Problem, inputs_of
from anna.compiler.rounding import FAR, Choice, carried_of, fit_errors, rounded
from anna.native.loader import compiled

RIDGE = 0.003  # pull towards the float weights, as a fraction of the mean square of an input
SWEEPS = 6
OWN_MATRICES = 4_000_000_000  # products up to which every map has its own normal equations
DESCENT_NUMBERS = 1 << 18  # of a matrix times the maps of a piece of the descent
MAPS_AT_ONCE = 8  # that a thread takes, if each has a matrix of its own


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
    moved, seen = (weights.copy(), constants.copy()), _Seen.of(problem)
    share(lambda part: _adjust(problem, choice, seen, *part, moved), _parts(problem, seen), cores())
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

    inputs_tn: NDArray[np.signedinteger[Any]]  # in half state LSB
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
        bound = max(problem.peak**2 * n * float(care.max()), 1.0)
        short = bound < 1 << 31 and problem.peak * float(care.max()) < 1 << 15
        inputs = inputs_of(problem.spec, problem.gram_windows, np.int16 if short else np.int32)
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


def _parts(problem: Problem, seen: _Seen) -> Iterator[tuple[Ints, Ints]]:
    """Some maps that read the same taps, and these: all of them where one matrix is for all."""
    for maps, taps in problem.patterns:
        at_once = MAPS_AT_ONCE if len(seen.care_on) > 1 else len(maps)
        yield from ((maps[k : k + at_once], taps) for k in range(0, len(maps), at_once))


def _adjust(problem: Problem, choice: Choice, seen: _Seen, maps: Ints, taps: Ints, moved: tuple[Ints, Ints]) -> None:
    """Move the weights of maps on their taps and on the constants; `moved` holds the rounded ones."""
    count, own = len(taps), len(seen.care_on) > 1
    # The means of the inputs are taken from their products with a constant, which stays dead where there is none.
    shown = max(1, choice.constants)
    levels = constant_numerators(problem.spec, shown)
    constants = np.pad(moved[1][maps], ((0, 0), (0, shown - choice.constants)))
    weight_lsb = choice.weight_lsb_o[maps]
    towards = np.concatenate([problem.in_lsb(maps, weight_lsb, taps), constants], axis=1)
    weights = np.concatenate([moved[0][maps[:, None], taps], constants], axis=1).astype(np.float64)
    inputs = _with_constants(seen.inputs_tn, taps, levels)
    totals = seen.care_on[maps if own else [0]].sum(axis=1, dtype=np.float64)
    crosses = _crosses(seen, inputs[: count + shown], maps) / totals[:, None]
    pull = np.zeros(count + shown)
    for first in range(len(maps) if own else 1):
        of = slice(first, first + 1) if own else slice(None)
        gram = _gram(seen, inputs, count + shown, seen.care_on[maps[first] if own else 0], totals[first])
        means = gram[:, -1] / float(levels[-1])  # of each input, by a constant column
        # To weight LSB x half state LSB.
        goal = (crosses[of] - means * choice.middle_o[maps[of], None]) * (2.0 / weight_lsb[of])[:, None]
        pull[:count] = seen.pull_o[maps[first]]
        _descend(problem.spec, gram, goal, pull, towards[of], weights[of], count + choice.constants)
    final = weights.astype(np.int64)
    moved[0][maps[:, None], taps] = final[:, :count]
    moved[1][maps] = final[:, count : count + choice.constants]


def _with_constants(inputs_tn: NDArray[Any], taps: Ints, levels: Ints) -> NDArray[Any]:
    """The inputs on some taps, then those on constants, then rows of zeros for loops that take four at once."""
    count, rows = len(taps), len(taps) + len(levels)
    found = np.zeros((-(-rows // 4) * 4, inputs_tn.shape[1]), inputs_tn.dtype)
    found[:count] = inputs_tn[taps]
    found[count:rows] = levels[:, None]
    return found


def _crosses(seen: _Seen, inputs: NDArray[Any], maps: Ints) -> Floats:
    """Weighted sums of products of inputs with the float sums of some maps, (maps, inputs)."""
    weighted = seen.sums_on[maps] * seen.care_on[maps if len(seen.care_on) > 1 else [0]]
    return exact.scaled(weighted @ inputs.T.astype(np.float64), -seen.power)


def _gram(seen: _Seen, inputs: NDArray[Any], size: int, care: NDArray[np.uint8], total: float) -> Floats:
    """Weighted means of products of the first inputs with each other."""
    kind, found = _kind(seen.bound), np.empty((size, size))
    if inputs.dtype == np.int16:
        compiled("anna.compiler.fitting").gram(inputs, inputs * care, total, kind == np.float32, found)
        return found
    held = inputs[:size].astype(kind)
    found[:] = exact.product(held * care, held.T, seen.bound).astype(kind) / kind(total)
    return found


def _descend(spec: ChipSpec, gram: Floats, goal: Floats, pull: Floats, towards: Floats, weights: Floats, live: int) -> None:
    """Change whole-number weights (maps, inputs), of which the first are `live`, so that they lower |sum - goal|^2 +
    pull |w - towards|^2, one input after the other."""
    low, high = float(-(1 << (spec.weight_bits - 1))), float((1 << (spec.weight_bits - 1)) - 1)
    slope, at_once = np.empty_like(weights), max(1, DESCENT_NUMBERS // gram.size)

    def descend(first: int) -> None:
        of = slice(first, first + at_once)
        compiled("anna.compiler.fitting").descend(gram, goal[of], pull, towards[of], weights[of], live, slope[of], SWEEPS, low,
                                                  high)  # fmt: skip

    share(descend, range(0, len(weights), at_once), cores())
