"""Where it was lost: the cost of the chip's imperfections by cause and by layer, each alone and each left out.

    alone_points      what this cause costs where it is the only one: its error less that of the ideal chip
    without_points    what is got back where only this cause is left out: the full error less the one without it

All rows use the same pictures, the same chips and the same noise seed, so that their differences are those of the cause.
Layers are told apart by the rows of the array that they occupy, which asks for a program of one weight page.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.analog.silicon import IdealSilicon, Sigmas, Silicon
from anna.codes import Ints
from anna.machine.chip import Chip
from anna.program import Program
from anna.spec import ChipSpec
from sim.digits import Shown
from sim.statistics import mean

Watch = Callable[[str], None]


class Confined(IdealSilicon):
    """Silicon that is real in some rows of the array and ideal in all others."""

    def __init__(self, real: Silicon, rows: Sequence[int]) -> None:
        super().__init__(real.spec)
        self._real = real
        self._here = np.zeros(real.spec.rows, dtype=bool)
        self._here[list(rows)] = True

    def noise_key(self, noise_seed: int) -> int:
        """The real chip's noise, so that rows of the ledger share it."""
        return self._real.noise_key(noise_seed)

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """Real weights in those rows."""
        ideal = super().weights(weight_codes, rows, columns, ages_cycles)
        return np.where(self._here[rows], self._real.weights(weight_codes, rows, columns, ages_cycles), ideal)

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        """Real thresholds of neurons that begin in those rows."""
        ideal, real = (silicon(adcs, rows, groups, scale_codes) for silicon in (super().thresholds, self._real.thresholds))
        return np.where(self._here[rows][:, None], real, ideal)

    def thermal_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Sigmas | None:  # type: ignore[override]
        """Noise of neurons that begin in those rows."""
        real = self._real.thermal_sigma(adcs, rows, groups, scale_codes)
        return None if real is None else np.where(self._here[rows], real, np.float32(0))

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> tuple[Ints, Ints] | None:  # type: ignore[override]
        """Limits of neurons that begin in those rows."""
        real = self._real.sum_limits(adcs, rows, groups, scale_codes)
        if real is None:
            return None
        return np.where(self._here[rows], real[0], -(2**62)), np.where(self._here[rows], real[1], 2**62)

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Sigmas | None:  # type: ignore[override]
        """Charge noise in those rows."""
        real = self._real.charge_sigma(weight_codes, rows, columns)
        return None if real is None else np.where(self._here[rows], real, np.float32(0))


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `layer` is "all" for a cause as a whole."""

    cause: str
    layer: str
    alone_points: float
    without_points: float | None  # None: only the cause as a whole is left out


@dataclass(frozen=True)
class Ledger:
    """The lines, dearest first, and what they were counted on."""

    entries: tuple[Entry, ...]
    images: int
    chips: int
    ideal_error: float
    full_error: float
    note: str

    def rows(self) -> list[dict[str, Any]]:
        """A row for each line."""
        return [{"cause": e.cause, "layer": e.layer, "alone_points": e.alone_points, "without_points": e.without_points}
                for e in self.entries]  # fmt: skip

    def table(self) -> str:
        """The ledger for a terminal."""
        lines = [
            f"where it was lost, in points of error, on {self.images:,} of the pictures and {self.chips} typical chips "
            f"(ideal {100 * self.ideal_error:.2f} %, typical {100 * self.full_error:.2f} %)",
            f"{'cause':16s} {'layer':10s} {'alone':>8s} {'without':>8s}",
        ]
        for e in self.entries:
            without = "" if e.without_points is None else f"{e.without_points:+.2f}"
            lines.append(f"{e.cause:16s} {e.layer:10s} {e.alone_points:+8.2f} {without:>8s}")
        return "\n".join([*lines, self.note])


def rows_of_layers(program: Program) -> dict[str, list[int]]:
    """The rows of the array that each layer occupies; empty where a program has more than one page or no report."""
    report = program.report or {}
    if report.get("pages") != 1:
        return {}
    found = dict[str, list[int]]()
    for place in report["placement"]:
        found.setdefault(place["layer"], []).extend(range(place["first_row"], place["first_row"] + place["rows"]))
    return found


def ledger(
    program: Program,
    digits: Shown,
    analog: Analog,
    seeds: Sequence[int],
    *,
    noise_seed: int = 0,
    threads: int = 1,
    watch: Watch | None = None,
) -> Ledger:
    """The ledger of `analog`: each of its causes, and the layers of the one that costs most."""
    say = watch or (lambda _: None)

    def error_of(make: Callable[[int], Chip]) -> float:
        def one(seed: int) -> float:
            labels = make(seed).run(program, digits.images, noise_seed=noise_seed).labels
            return int((labels != digits.labels).sum()) / len(digits)

        with ThreadPoolExecutor(threads) as pool:
            return mean(list(pool.map(one, seeds)))

    def drawn(record: Analog) -> Callable[[int], Chip]:
        return lambda seed: Chip() if record.is_ideal else Chip(seed=seed, analog=record)

    ideal = int((Chip().run(program, digits.images).labels != digits.labels).sum()) / len(digits)
    full = error_of(drawn(analog))
    entries = []
    for cause in analog.causes:
        say(f"ledger: {cause}")
        alone = error_of(drawn(analog.alone(cause)))
        without = error_of(drawn(analog.without(cause)))
        entries.append(Entry(cause, "all", 100 * (alone - ideal), 100 * (full - without)))
    entries.sort(key=lambda entry: (-entry.alone_points, entry.cause))
    places = rows_of_layers(program)
    if entries and places:
        dearest = entries[0].cause
        layers = []
        for layer, rows in places.items():
            say(f"ledger: {dearest} in {layer}")
            alone = error_of(_confined(program.spec, analog.alone(dearest), rows))
            layers.append(Entry(dearest, layer, 100 * (alone - ideal), None))
        entries += layers
    note = (
        "alone: this cause and no other, less the ideal chip; without: all causes less all but this one"
        if places or not entries
        else "by layer only for programs of one weight page"
    )
    return Ledger(tuple(entries), len(digits), len(seeds), ideal, full, note)


def _confined(spec: ChipSpec, analog: Analog, rows: Sequence[int]) -> Callable[[int], Chip]:
    return lambda seed: Chip(Confined(Die.draw(spec, analog, seed).electronics, rows))
