"""What an application of the boards is: a name, a sentence, and a run under given conditions that gives an outcome."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.base.integers import checked_integer
from anna.base.threads import worker_count
from anna.board.times import Times
from anna.chip.machines import Machine, machine_named
from anna.machine.chip import Chip, run_chips
from anna.program.file import Program
from sim.comparison.arms import Kind, Watch, kinds_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MACHINE = "board-1991"  # whose time is told, unless another is asked for
CHIPS = 16  # of each kind


class Outcome(Protocol):
    """What an application found: for machines, for a terminal, and as a figure."""

    def to_json(self) -> dict[str, Any]:
        """All of it."""

    def table(self) -> str:
        """A line for each arm, and the time."""

    def plot(self) -> "Figure":
        """A matplotlib figure: what went in, what came out, and how well."""


@dataclass(frozen=True)
class Application:
    """An application as it is asked for by name; `run` takes a number of images and the fields of `Conditions` as keywords,
    and `watch`, which is told what goes on."""

    name: str
    summary: str
    count: int  # images, unless another number is asked for
    run: Callable[..., Outcome]


@dataclass(frozen=True)
class Conditions:
    """On which chips an application runs, and on which machine its time is told; checked."""

    chips: int = CHIPS
    analog: str | Analog | Sequence[Kind] = "typical"
    chip_seed: int = 0
    noise_seed: int = 0
    machine: str | Machine = MACHINE
    threads: int | None = None

    def __post_init__(self) -> None:
        checked_integer("chips", self.chips, 1)
        checked_integer("chip_seed", self.chip_seed)
        checked_integer("noise_seed", self.noise_seed)
        worker_count(self.threads)
        kinds_of(self.analog)
        if self.on.chip.wide:
            raise SpecError(f"machine {self.on.name}: its chip is wide; applications run on the published chip")

    @property
    def on(self) -> Machine:
        """The machine."""
        return machine_named(self.machine) if isinstance(self.machine, str) else self.machine

    def arms(self, spare: int = 0) -> list[tuple[str, tuple[Chip, ...]]]:
        """The chips of each arm: the ideal one, then drawn ones of each kind, and behind those that count some to spare."""
        seeds = range(self.chip_seed, self.chip_seed + self.chips + spare)
        drawn = [
            (name, tuple(Chip(seed=seed, analog=analog) for seed in seeds))
            for name, analog in kinds_of(self.analog)
            if not analog.is_ideal
        ]
        return [("ideal chip", (Chip(),)), *drawn]

    def states(self, program: Program, chips: Sequence[Chip], images: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
        """What each chip leaves in a program's first output for raw images, in state LSB."""
        for result in run_chips(chips, program, images, noise_seed=self.noise_seed, threads=self.threads):
            yield next(iter(result.outputs.values()))

    def codes(self, program: Program, chips: Sequence[Chip], codes: NDArray[Any]) -> Iterator[NDArray[np.generic]]:
        """The same as state codes, for state codes."""
        for result in run_chips(chips, program, codes=codes, noise_seed=self.noise_seed, threads=self.threads):
            yield next(iter(result.codes.values()))

    def times(self, cycles_per_image: float, host_multiply_adds: int = 0) -> Times:
        """What an image takes on the machine."""
        return Times(self.on, cycles_per_image, host_multiply_adds)


def silent(_: str) -> None:
    """Tells nobody what goes on."""


__all__ = ["CHIPS", "MACHINE", "Application", "Conditions", "Outcome", "Watch", "silent"]
