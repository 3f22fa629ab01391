"""Table 1 of the chip's paper run again: a recogniser in floats, on drawn chips, and with its last layer fitted to each chip.

Its published errors and rejects stand beside those obtained here, on other digits; the conditions are fixed in advance.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import CAUSES, Analog
from anna.compiler import compile
from anna.lab.host_fit import fit_host
from anna.machine.chip import Chip
from anna.network.forward import forward
from anna.network.graph import Network
from anna.program.file import Program
from lenet.datasets.digits import calibration, digits, training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.networks.catalogue import load
from sim.base.statistics import Bools, Interval, leads
from sim.published.kept import Kept
from sim.published.three_draws import Measured, counts_of, errors, rejects

NETWORK, DATA, VARIANT = "recognizer", "usps", "1990"
ANALOG = "typical-v2"
TARGET = 0.01  # error of what is not rejected

Watch = Callable[[str], None]
Read = tuple[NDArray[np.float32], Bools]  # by how much the best score of each image leads the second, and whether it is wrong


@dataclass(frozen=True)
class Conditions:
    """What is run; the defaults are those of the page, fixed before its first run but for the factor of 3."""

    train_seeds: Sequence[int] = tuple(range(1, 6))
    chips: Sequence[int] = tuple(range(100, 116))
    pull: float = 0.003  # of `fit_host`; chosen on digits that neither network nor layer had seen
    fitted_on: int | None = None  # training digits for fitting a last layer; None: all
    factors: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)  # on the strengths of ANALOG


@dataclass(frozen=True, eq=False)
class Arm:
    """One line of the table."""

    error: Measured
    rejects: Measured


@dataclass(frozen=True, eq=False)
class Found:
    """What was obtained: shares of the test digits."""

    conditions: Conditions
    images: int
    floats: Arm
    chips: Arm
    fitted: Arm
    by_factor: tuple[Arm, ...]  # drawn chips whose strengths are multiplied by each factor

    @property
    def costs(self) -> tuple[Interval, ...]:
        """What chips of each factor cost in error."""
        return tuple((arm.error - self.floats.error).interval for arm in self.by_factor)

    def content(self) -> dict[str, Any]:
        """As JSON."""
        arms = {"float": self.floats, "chip": self.chips, "fitted": self.fitted}
        moves = {"chip_costs": (self.floats, self.chips), "fitting_gives_back": (self.fitted, self.chips)}
        return {
            "images": self.images, "train_seeds": [*self.conditions.train_seeds],
            "chip_seeds": [str(seed) for seed in self.conditions.chips], "analog": ANALOG, "pull": self.conditions.pull,
            **{name: _both(arm.error, arm.rejects) for name, arm in arms.items()},
            **{name: _both(b.error - a.error, b.rejects - a.rejects) for name, (a, b) in moves.items()},
            "by_factor": [
                {"factor": factor, "costs": _told(cost), "rejects_ratio": _told((arm.rejects / self.floats.rejects).interval)}
                for factor, cost, arm in zip(self.conditions.factors, self.costs, self.by_factor, strict=True)
            ],
        }  # fmt: skip


def _both(error: Measured, rejects: Measured) -> dict[str, Any]:
    return {"error": _told(error.interval), "rejects": _told(rejects.interval)}


def _told(one: Interval) -> dict[str, float]:
    return {"mean": round(one.share, 6), "low": round(one.low, 6), "high": round(one.high, 6)}


def table_1(conditions: Conditions, threads: int, watch: Watch, kept: Kept, *, test: LabelledImages | None = None) -> Found:
    """Runs everything; `test` are the digits for results, by default all test digits."""
    shown, training = test or digits(DATA, "test"), training_digits(DATA).first(conditions.fitted_on)
    networks = [load(NETWORK, DATA, seed, VARIANT) for seed in conditions.train_seeds]
    counts = counts_of(len(shown))

    def arm(read_sc: Sequence[Sequence[Read]]) -> Arm:
        lead = np.array([[lead for lead, _ in row] for row in read_sc], np.float32)
        wrong = np.array([[wrong for _, wrong in row] for row in read_sc])
        return Arm(errors(wrong, counts), rejects(lead, wrong, counts, TARGET))

    floats = arm([[_float(network, shown)] for network in networks])
    programs = [compile(network, calibration(DATA).images) for network in networks]
    with ThreadPoolExecutor(threads) as pool:

        def on_chips(program: Program, run: Callable[[Program, int], Read]) -> list[Read]:
            return list(pool.map(partial(run, program), conditions.chips))

        by_factor, fitted = [], []
        for factor in conditions.factors:
            watch(f"chips, strengths x {factor:g}")
            run = partial(_chip, analog=strengths(factor), shown=shown)
            by_factor.append(arm([on_chips(program, run) for program in programs]))
        for train_seed, program in zip(conditions.train_seeds, programs, strict=True):
            watch(f"last layers, training {train_seed}")
            fit = partial(_fitted, pull=conditions.pull, training=training, shown=shown, kept=kept)
            fitted.append(on_chips(program, fit))
    chips = by_factor[list(conditions.factors).index(1.0)]
    return Found(conditions, len(shown), floats, chips, arm(fitted), tuple(by_factor))


def strengths(factor: float) -> Analog:
    """The typical chip, each of its strengths multiplied; spreads from die to die stay, being relative."""
    analog = Analog.preset(ANALOG)
    for cause in CAUSES:
        analog = analog.scaled(cause, factor)
    return analog


@dataclass(frozen=True)
class Crossing:
    """The factor that costs a given error, and those that may; an end is None where it lies beyond the factors tried."""

    factor: float | None  # None: even the ideal chip costs more, or the strongest tried less
    low: float | None
    high: float | None


def crossing(factors: Sequence[float], costs: Sequence[Interval], target: float) -> Crossing:
    """Where the mean reaches the target, and where the ends of its interval do, on straight lines between the factors."""
    low = 0.0 if costs[0].high >= target else _reached(factors, [one.high for one in costs], target)
    return Crossing(_reached(factors, [one.share for one in costs], target), low,
                    _reached(factors, [one.low for one in costs], target))  # fmt: skip


def _reached(factors: Sequence[float], values: Sequence[float], target: float) -> float | None:
    for k in range(1, len(values)):
        if values[k - 1] <= target <= values[k]:
            share = (target - values[k - 1]) / (values[k] - values[k - 1]) if values[k] > values[k - 1] else 0.0
            return factors[k - 1] + share * (factors[k] - factors[k - 1])
    return None


def _float(network: Network, shown: LabelledImages) -> Read:
    done = forward(network, shown.images)
    return leads(done.scores), done.labels != shown.labels


def _chip(program: Program, seed: int, *, analog: Analog, shown: LabelledImages) -> Read:
    done = (Chip() if analog.is_ideal else Chip(seed=seed, analog=analog)).run(program, shown.images, threads=1)
    return leads(done.scores), done.labels != shown.labels


def _fitted(program: Program, seed: int, *, pull: float, training: LabelledImages, shown: LabelledImages, kept: Kept) -> Read:
    analog = Analog.preset(ANALOG)

    def make() -> Read:
        layer = fit_host(program, Chip(seed=seed, analog=analog), training.images, training.labels, pull=pull)
        return _chip(layer.program, seed, analog=analog, shown=shown)

    lead, wrong = kept.arrays(f"{program.digest} {ANALOG} {seed} {pull} {training.digest} {shown.digest}", make)
    return lead, wrong
