"""The climb of `precision="auto"`: what is aimed at, what each layer got, what was judged on the way and what it bought."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from anna.analog.parameters import Analog
from anna.chip.spec import Record
from anna.compiler.judging import CHIPS, IDEAL, Verdict
from anna.compiler.options import MOST_DIGITS


class Rung(NamedTuple):
    """How one layer is computed."""

    digits: int
    synapses: int
    copies: int
    steps: int = 0  # digits of partial sums and of a maximum's steps; 0: as many as of the results

    @property
    def read(self) -> int:
        """Digits in which the host gives what such a layer reads: the finest that its weights can make use of."""
        return 1 if self.digits == 1 else 2 if self.synapses == 1 else MOST_DIGITS


STEPS_ONLY = Rung(1, 1, 1, steps=2)  # of layers that have steps
RUNGS_IDEAL = (Rung(1, 1, 1), STEPS_ONLY, Rung(2, 1, 1), Rung(2, 2, 1), Rung(2, 4, 1), Rung(3, 8, 1))
RUNGS_DRAWN = (Rung(1, 1, 1), STEPS_ONLY, Rung(2, 1, 1), Rung(2, 2, 1), Rung(2, 4, 2), Rung(2, 8, 4))


class PrecisionOptions(Record):
    """What `precision="auto"` aims at."""

    called = "precision options"

    within: float | None = Field(
        default=None, gt=0, le=100, description="points: percent of changed classes, or of the outputs' variance lost"
    )
    time_budget: float | None = Field(default=None, gt=0, description="us an image on the chip at most")
    against: str = Field(default="typical", description="the preset of the chips that programs are judged on")
    chips: int = Field(default=CHIPS, ge=1, le=1000, description="how many of them")

    @field_validator("against")
    @classmethod
    def _preset(cls, given: str) -> str:
        Analog.preset(given)
        return given

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The ladder of every layer: the ideal chip needs no copies."""
        return RUNGS_IDEAL if self.against == IDEAL else RUNGS_DRAWN

    def near(self, step: "Step") -> bool | None:
        """Whether a program errs no more than asked for; None if nothing was asked."""
        return None if self.within is None else step.verdict.mean <= self.within / 100

    def fast(self, step: "Step") -> bool:
        """Whether a program takes no longer than asked for."""
        return self.time_budget is None or step.us <= self.time_budget


@dataclass(frozen=True)
class Step:
    """A program that was judged."""

    rungs: Mapping[str, int]
    verdict: Verdict
    us: float
    cycles: float
    pages: int
    sqnr_db: Mapping[str, float]  # of each layer
    kept: bool  # or refused, because it errs more than allowed or takes longer


@dataclass(frozen=True)
class Climb:
    """What was chosen, and all that was judged on the way."""

    aim: PrecisionOptions
    options: Mapping[str, Any]  # to give by hand
    steps: tuple[Step, ...]
    chosen: Step

    @property
    def reached(self) -> bool:
        """Whether the chosen program is as near, and as fast, as was asked for."""
        return self.aim.near(self.chosen) is not False and self.aim.fast(self.chosen)

    def report(self) -> dict[str, Any]:
        """As JSON."""
        steps = [{"rungs": dict(step.rungs), "errors": list(step.verdict.errors), "us": step.us, "cycles": step.cycles,
                  "pages": step.pages, "sqnr_db": dict(step.sqnr_db), "kept": step.kept} for step in self.steps]  # fmt: skip
        return {"aim": self.aim.model_dump(), "reached": self.reached, "options": dict(self.options), "steps": steps}

    @property
    def text(self) -> str:
        """For people: what each layer got and what it bought, then what was judged."""
        first, last, rungs = self.steps[0], self.chosen, self.aim.rungs
        aim = [] if self.aim.within is None else [f"within {self.aim.within:g} points"]
        aim += [] if self.aim.time_budget is None else [f"in at most {self.aim.time_budget:,g} us"]
        lines = [
            f"precision, {' and '.join(aim)}: {'' if self.reached else 'NOT REACHED, '}{last.verdict.text}; with one digit "
            f"{100 * first.verdict.mean:.1f} %",
            f"cost: {first.cycles:,.0f} -> {last.cycles:,.0f} cycles an image, {first.pages} -> {last.pages} pages",
            "",
            f"{'layer':28s} {'digits':>6s} {'steps':>5s} {'synapses':>8s} {'copies':>6s} {'SQNR dB':>14s}",
        ]
        for name, rung in last.rungs.items():
            one = rungs[rung]
            lines.append(f"{name[-28:]:28s} {one.digits:6d} {one.steps or one.digits:5d} {one.synapses:8d} {one.copies:6d} "
                         f"{first.sqnr_db[name]:5.1f} -> {last.sqnr_db[name]:5.1f}")  # fmt: skip
        lines += [
            "",
            f"{'judged':6s} {'error %':>8s} {'worst %':>8s} {'cycles':>12s} {'pages':>5s}  rungs that changed",
        ]
        before = dict.fromkeys(first.rungs, 0)
        for number, step in enumerate(self.steps):
            moved = [f"{name[-20:]} {before[name]}->{rung}" for name, rung in step.rungs.items() if rung != before[name]]
            lines.append(f"{number:6d} {100 * step.verdict.mean:8.2f} {100 * step.verdict.worst:8.2f} {step.cycles:12,.0f} "
                         f"{step.pages:5d}  {', '.join(moved) or '-'}{'' if step.kept else ' (not kept)'}")  # fmt: skip
            before = dict(step.rungs) if step.kept else before
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return "\n".join([*lines, "", f"by hand: {given}"]) + "\n"
