"""What a machine takes for a network: compiled once for each setting, counted from the compiler's report."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Self

from anna.base.errors import AnnaError
from anna.board.times import Times
from anna.chip.machines import MACHINES, Machine
from anna.chip.spec import Overlap
from anna.compiler import passes
from anna.compiler.options import CompileOptions
from anna.program.file import Program
from lenet.networks import catalogue
from sim.published.networks import calibration_of, network
from sim.sweep.processes import Processes

Compiled = dict[str, Any] | str  # a report, or the sentence that refuses


@dataclass(frozen=True)
class Setting:
    """A network on a machine, as the compiler is asked for it."""

    network: str
    machine: str
    positions: Literal[1, "auto"] = "auto"
    batch: int | None = None  # None: as the compiler chooses
    # of the machine; None: its own
    overlap: Overlap | None = None
    bytes_per_s: float | None = None
    issue_width: int | None = None

    def on(self) -> Machine:
        """The machine, changed where that is asked for."""
        machine = MACHINES[self.machine]
        given = {"overlap": self.overlap, "bytes_per_s": self.bytes_per_s}
        sequencer = {name: value for name, value in given.items() if value is not None}
        chip = {} if self.issue_width is None else {"issue_width": self.issue_width}
        return machine.changed(sequencer=machine.sequencer.changed(**sequencer), chip=machine.chip.changed(**chip))


@dataclass(frozen=True, eq=False)
class Run:
    """A compiled network, and what an image takes: with RFSH and page loads, or without.

    Without them means as if the weights in the array kept their charge; pages of a network that needs several are loaded
    all the same.
    """

    report: Mapping[str, Any]  # the compiler's
    machine: Machine

    def cycles(self, refresh: bool) -> float:
        """Cycles of an image on one chip."""
        if refresh:
            return float(self.report["cycles_per_image"])
        return float(self.report["run_cycles"] + self._paging)

    @property
    def bound_cycles(self) -> float:
        """What the busiest units need for an image, without refresh."""
        loads = float(self.report["page_load_cycles_per_image"])
        return float(self.report["bound_cycles"]) - loads + self._paging

    @property
    def _paging(self) -> float:
        """Cycles of loading pages that do not stay in the array."""
        return float(self.report["page_load_cycles_per_image"]) if self.report["pages"] > 1 else 0.0

    def times(self, refresh: bool) -> Times:
        """Chip and host."""
        return Times(self.machine, self.cycles(refresh), self.report["host_multiply_adds"])

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of an image, on chip and host: connections as the board paper counts them."""
        return int(self.report["chip_multiply_adds"] + self.report["host_multiply_adds"])


class Runs:
    """Compiles when first asked, or ahead in processes of their own, and remembers what was refused.

    Machines that differ only outside the chip share a program.
    """

    def __init__(self) -> None:
        self._done: dict[tuple[Any, ...], Compiled | Future[Compiled]] = {}
        self._pool: Processes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def ahead(self, settings: Iterable[Setting], workers: int) -> None:
        """Begin to compile these, in their order."""
        if workers < 2:
            return
        self._pool = Processes(workers)
        for setting in settings:
            if _key(setting) not in self._done:
                self._done[_key(setting)] = self._pool.submit(compiled, setting)

    def run(self, setting: Setting) -> Run:
        """What a setting gives; raises what refuses it."""
        key = _key(setting)
        if key not in self._done:
            self._done[key] = compiled(setting)
        found = self._done[key]
        if isinstance(found, Future):
            found = self._done[key] = found.result()
        if isinstance(found, str):
            raise AnnaError(found)
        return Run(found, setting.on())


def _key(setting: Setting) -> tuple[Any, ...]:
    """What a program depends on."""
    machine = setting.on()
    return setting.network, machine.chip, machine.sequencer, setting.positions, setting.batch


def compiled(setting: Setting) -> Compiled:
    """The compiler's report on a setting, or the sentence that refuses it."""
    try:
        program = program_of(setting)
    except AnnaError as error:
        return str(error)
    assert program.report is not None
    return dict(program.report)


def program_of(setting: Setting) -> Program:
    """The program of a setting."""
    given = CompileOptions(machine=setting.on(), positions=setting.positions, batch=setting.batch, check_count=0)
    if setting.network not in catalogue.names:  # nobody reads their scores
        given = given.changed(round="nearest", fit=False)
    return passes.run(network(setting.network), calibration_of(setting.network), given).program
