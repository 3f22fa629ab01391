"""What each assumption is worth: one at a time replaced by an alternative, and how cycles and errors change.

Errors are counted on the first images of the hold-out, of the ideal chip and of a few typical dies; what an alternative costs
is the paired difference to the same images and dies without it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import AnnaError
from anna.chip.machines import MACHINES, Machine
from anna.compiler import compilation
from anna.compiler.options import CompileOptions
from anna.program.file import Program
from lenet.datasets.digits import holdout
from lenet.datasets.labelled import LabelledImages
from lenet.networks import catalogue
from sim.base.statistics import Interval, difference_of_chips
from sim.comparison.arms import chip_arm
from sim.published.alternatives import Alternative, alternatives
from sim.published.networks import calibration_of
from sim.sweep.processes import Processes

IMAGES, CHIPS, FIRST_CHIP, NOISE_SEED = 2000, 4, 100, 0
MACHINE = "sequencer"

Watch = Callable[[str], None]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A program's cycles, and which images the ideal chip and each typical die misread."""

    cycles: float
    ideal_cn: Bools
    typical_cn: Bools


@dataclass(frozen=True)
class Effect:
    """What an alternative changes; `refused` is the sentence with which it was refused."""

    alternative: Alternative
    assumed: Any
    cycles: float | None = None
    cycles_ratio: float | None = None
    ideal_points: float | None = None
    typical_points: Interval | None = None  # with the 95 % interval over images and dies
    refused: str = ""

    def content(self) -> dict[str, Any]:
        """The row of the JSON."""
        one, points = self.alternative, self.typical_points
        return {
            "part": one.part, "field": one.field, "assumed": self.assumed, "alternative": one.value, "why": one.why,
            "cycles": self.cycles, "cycles_ratio": self.cycles_ratio, "ideal_points": self.ideal_points,
            "typical_points": None if points is None else round(points.share, 6),
            "low": None if points is None else round(points.low, 6), "high": None if points is None else round(points.high, 6),
            "refused": self.refused or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """A network's effects, and what they are counted from."""

    network: str
    cycles: float
    ideal_error: float
    typical_error: float
    rows: tuple[Effect, ...]

    def content(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "network": self.network, "machine": MACHINE, "images": IMAGES, "chips": CHIPS, "cycles": self.cycles,
            "ideal_error": self.ideal_error, "typical_error": self.typical_error,
            "assumptions": [row.content() for row in self.rows],
        }  # fmt: skip


class Assessor:
    """Compiles and runs one network under alternatives."""

    def __init__(self, network: str, threads: int) -> None:
        self.network, self.calibration = catalogue.load(network), calibration_of(network)
        self.digits: LabelledImages = holdout().first(IMAGES)
        self.threads = threads
        self.program = self._compiled(MACHINES[MACHINE])
        self.now = self._outcome(self.program, Analog.typical())

    def effect(self, one: Alternative) -> Effect:
        """What an alternative changes."""
        assumed = assumption(one)
        try:
            found = self._with(one)
        except AnnaError as error:
            return Effect(one, assumed, refused=str(error))
        now = self.now
        moved = float(np.mean(found.ideal_cn)) - float(np.mean(now.ideal_cn))
        points = difference_of_chips(now.typical_cn, found.typical_cn)
        return Effect(one, assumed, found.cycles, round(found.cycles / now.cycles, 6), round(100 * moved, 6),
                     Interval(100 * points.share, 100 * points.low, 100 * points.high))  # fmt: skip

    def _with(self, one: Alternative) -> Outcome:
        if one.part == "analog":
            return self._outcome(self.program, Analog.typical().changed(**{one.field: one.value}), self.now.ideal_cn)
        if one.part == "compiler":
            return self._outcome(self._compiled(MACHINES[MACHINE], **{one.field: one.value}), Analog.typical())
        return self._outcome(self._compiled(changed(one)), Analog.typical())

    def _compiled(self, machine: Machine, **options: Any) -> Program:
        return compilation(self.network, self.calibration, machine=machine, **options).program

    def _outcome(self, program: Program, analog: Analog, ideal_cn: Bools | None = None) -> Outcome:
        assert program.report is not None
        if ideal_cn is None:
            ideal_cn = self._wrong(program, Analog.ideal())
        return Outcome(float(program.report["cycles_per_image"]), ideal_cn, self._wrong(program, analog))

    def _wrong(self, program: Program, analog: Analog) -> Bools:
        seeds = range(FIRST_CHIP, FIRST_CHIP + CHIPS)
        return chip_arm("", "", program, self.digits, analog, seeds, NOISE_SEED, self.threads).wrong_cn(self.digits.labels)


def assumption(one: Alternative) -> Any:
    """What is assumed now."""
    machine = MACHINES[MACHINE]
    if one.part == "compiler":
        return getattr(CompileOptions(), one.field)
    record = {"chip": machine.chip, "sequencer": machine.sequencer, "machine": machine, "analog": Analog.typical()}[one.part]
    return getattr(record, one.field)


def changed(one: Alternative) -> Machine:
    """The machine with the alternative in the place of what is assumed."""
    machine, change = MACHINES[MACHINE], {one.field: one.value}
    match one.part:
        case "chip":
            return machine.changed(chip=machine.chip.changed(**change))
        case "sequencer":
            return machine.changed(sequencer=machine.sequencer.changed(**change))
    return machine.changed(**change)


@lru_cache(maxsize=1)
def assessor(network: str) -> Assessor:
    """One for each process."""
    return Assessor(network, threads=1)


def effect(network: str, one: Alternative) -> Effect:
    """What an alternative changes, in any process."""
    return assessor(network).effect(one)


def effects(network: str, workers: int, say: Watch = lambda _: None) -> Effects:
    """What every assumption is worth for a network, in processes of their own."""
    say(f"{network} as assumed")
    pool, rows = Processes(workers), []
    try:
        found = [pool.submit(effect, network, one) for one in alternatives()]
        now = assessor(network).now
        for one, future in zip(alternatives(), found, strict=True):
            say(f"{network}, {one.name}")
            rows.append(future.result())
    finally:
        pool.shutdown(wait=False)
    return Effects(network, now.cycles, float(np.mean(now.ideal_cn)), float(np.mean(now.typical_cn)), tuple(rows))
