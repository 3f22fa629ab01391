"""A diagnosis: why one chip is worse than the median of its kind, and what mending its parts would give back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.base.threads import worker_count
from anna.machine.chip import Chip, run_chips
from anna.program.file import Program
from lenet.datasets.labelled import LabelledImages
from sim.base import formats
from sim.base.drawn_chips import quantile
from sim.base.statistics import Bools, Interval, difference_of_chips
from sim.comparison.arms import Kind, kind_of
from sim.comparison.confined import Confined, places_of_layers
from sim.comparison.mending import Mended, diagnose_die
from sim.inputs.digits import as_labelled, expect_disjoint

PARTS, GIVEN_BACK = 10, 0.8  # parts at most, and the share of the loss beyond the median that is enough
MEDIAN_OF = 39  # chips
HEADING = "mended, one after the other"


@dataclass(frozen=True)
class Line:
    """What mending a cause everywhere, or everything in one layer, would give back, on the unseen images."""

    what: str
    gives_back_points: float


@dataclass(frozen=True, eq=False)
class ChipDiagnosis:
    """One chip beside the median of its kind, and its parts."""

    kind: str
    chip_seed: int
    images: int  # of each half
    seen_error: float
    unseen_error: float
    median_error: float  # on the unseen images
    steps: tuple[Mended, ...]
    gain: Interval  # of mending all of them: a share of the unseen images
    lines: tuple[Line, ...]
    tried: int

    @property
    def excess(self) -> float:
        """What the chip loses beyond the median one, a share of the unseen images."""
        return self.unseen_error - self.median_error

    @property
    def given_back(self) -> float | None:
        """The share of it that the mended parts give back; None if the chip is no worse than the median one."""
        return None if self.excess <= 0 else -self.gain.share / self.excess

    def rows(self) -> list[dict[str, Any]]:
        """One row per mended part, in the order of mending."""
        return [
            {"part": step.part.name, "seen_error": step.seen_error, "unseen_error": step.unseen_error} for step in self.steps
        ]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "kind": self.kind, "chip_seed": self.chip_seed, "images": self.images, "error": self.unseen_error,
            "median_error": self.median_error, "given_back": self.given_back, "parts": self.rows(), "tried": self.tried,
            "gain_points": {name: -100 * end for name, end in vars(self.gain).items()},
            "would_give_back": [vars(line) for line in self.lines],
        }  # fmt: skip

    def table(self) -> str:
        """The diagnosis as text."""
        lines = [
            f"chip {self.chip_seed} of the {self.kind}: misreads {formats.per_cent(self.unseen_error)} of {self.images:,} "
            f"images that the diagnosis does not see; the median chip {formats.per_cent(self.median_error)}",
        ]
        if self.steps:
            wide = max(len(HEADING), *(len(step.part.name) for step in self.steps))
            lines += ["", f"{HEADING:{wide}s}    seen  unseen"]
            for step in self.steps:
                seen, unseen = formats.per_cent(step.seen_error), formats.per_cent(step.unseen_error)
                lines.append(f"{step.part.name:{wide}s} {seen:>7s} {unseen:>7s}")
        if self.given_back is None:
            lines += ["", "it is no worse than the median chip: there is nothing to explain"]
        else:
            low, high = sorted((-100 * self.gain.low, -100 * self.gain.high))
            lines += ["", f"{len(self.steps)} of {self.tried} parts give back {100 * self.given_back:.0f} % of the "
                      f"{100 * self.excess:.2f} points beyond the median: {-100 * self.gain.share:+.2f} points "
                      f"({low:+.2f} to {high:+.2f})"]  # fmt: skip
        wide = max(len(line.what) for line in self.lines)
        lines += ["", "what mending more would give back, points:"]
        lines += [f"{line.what:{wide}s} {formats.points(line.gives_back_points):>7s}" for line in self.lines]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"ChipDiagnosis(chip {self.chip_seed}: {formats.per_cent(self.unseen_error)}, {len(self.steps)} parts)"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def diagnose(
    program: Program,
    images: NDArray[Any] | LabelledImages,
    labels: NDArray[Any] | None = None,
    *,
    chip_seed: int,
    analog: Kind = "typical",
    parts: int = PARTS,
    median_of: int = MEDIAN_OF,
    noise_seed: int = 0,
    threads: int | None = None,
    watch: Callable[[str], None] | None = None,
) -> ChipDiagnosis:
    """Explains a chip by mending it: every other image of each class is seen, the others judge.

    chip_seed  the chip
    parts      mended at most; fewer if they give back 80 % of what the chip loses beyond the median
    median_of  chips, of seeds 0, 1, ..., whose median error is the one to come back to
    """
    digits, (name, record), threads = as_labelled(images, labels), kind_of(analog), worker_count(threads)
    parts, median_of = checked_integer("parts", parts, 1), checked_integer("median_of", median_of, 1)
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    expect_disjoint(digits.images, program.calibrated_on)
    if record.is_ideal:
        raise DataError("a chip without imperfections has nothing to mend; expected a kind of chips such as 'typical'")
    if max(np.bincount(digits.labels)) < 2:
        raise DataError("no class has two images; a diagnosis sees half of them and is judged on the others")
    say = watch or (lambda _: None)
    both = halves(digits.labels)
    seen, unseen = (digits.picked(digits.name, half) for half in both)
    say("diagnosis: the median chip")
    chips = (Chip(seed=seed, analog=record) for seed in range(median_of))
    results = run_chips(chips, program, digits.images, noise_seed=noise_seed, threads=threads)
    wrong = np.stack([result.labels != digits.labels for result in results])
    median_seen, median = (quantile(wrong[:, half].mean(axis=1).tolist(), 0.5).value for half in both)
    die = Die.draw(program.spec, record, chip_seed)
    first = float((Chip(die=die).run(program, seen.images, noise_seed=noise_seed).labels != seen.labels).mean())
    goal = median_seen + (1 - GIVEN_BACK) * max(0.0, first - median_seen)
    found = diagnose_die(die, program, seen, unseen, most=parts, noise_seed=noise_seed, threads=threads,
                         enough=lambda error: error <= goal, say=say)  # fmt: skip
    say("diagnosis: causes and layers")
    lines = _lines(program, record, die, unseen, found.before, chip_seed, noise_seed)
    gain = difference_of_chips(found.before[None], found.after[None])
    return ChipDiagnosis(name, chip_seed, len(unseen), found.seen_error, found.unseen_error, median, found.steps, gain, lines,
                         found.tried)  # fmt: skip


def halves(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every other image of each class, and the others."""
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rank[mine] = np.arange(len(mine))
    return np.flatnonzero(rank % 2 == 0), np.flatnonzero(rank % 2 == 1)


def _lines(
    program: Program, record: Analog, die: Die, unseen: LabelledImages, before: Bools, chip_seed: int, noise_seed: int
) -> tuple[Line, ...]:
    """What mending each cause everywhere, and everything in each layer, gives back."""

    def gives(chip: Chip) -> float:
        wrong = chip.run(program, unseen.images, noise_seed=noise_seed).labels != unseen.labels
        return 100 * float(before.mean() - wrong.mean())

    causes = [
        Line(f"no {cause.replace('_', ' ')}", gives(Chip(seed=chip_seed, analog=record.without(cause))))
        for cause in record.causes
    ]
    layers = [Line(f"{layer} ideal", gives(Chip(silicon=Confined(die.electronics, ~place))))
              for layer, place in places_of_layers(program).items()]  # fmt: skip
    return tuple(sorted([*causes, *layers], key=lambda line: (-line.gives_back_points, line.what)))
