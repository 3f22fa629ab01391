"""What a machine takes for a network: compiled once for each setting, counted from the compiler's report."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from anna.base.errors import AnnaError
from anna.board.times import Times
from anna.chip.machines import MACHINES, Machine
from anna.chip.spec import Overlap
from anna.compiler import passes
from anna.compiler.options import CompileOptions
from anna.program.file import Program
from lenet.networks import catalogue
from sim.published.networks import calibration_of, network


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

    program: Program
    machine: Machine

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """The compiler's report."""
        assert self.program.report is not None
        return self.program.report

    def cycles(self, refresh: bool) -> float:
        """Cycles of an image on one chip."""
        report = self.report
        if refresh:
            return float(report["cycles_per_image"])
        return float(report["run_cycles"] + self._paging)

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
    """Compiles when first asked, and remembers what was refused; machines that differ only outside the chip share a program."""

    def __init__(self) -> None:
        self.network = lru_cache(network)
        self._calibration = lru_cache(calibration_of)
        self._done: dict[tuple[Any, ...], Program | AnnaError] = {}

    def run(self, setting: Setting) -> Run:
        """What a setting gives; raises what refuses it."""
        machine = setting.on()
        key = setting.network, machine.chip, machine.sequencer, setting.positions, setting.batch
        if key not in self._done:
            try:
                self._done[key] = self._compiled(setting, machine)
            except AnnaError as error:
                self._done[key] = error
        found = self._done[key]
        if isinstance(found, AnnaError):
            raise found
        return Run(found, machine)

    def _compiled(self, setting: Setting, machine: Machine) -> Program:
        images = self._calibration(setting.network)
        given = CompileOptions(machine=machine, positions=setting.positions, batch=setting.batch, check_count=0)
        if setting.network not in catalogue.names:  # nobody reads their scores
            given = given.changed(round="nearest", fit=False)
        return passes.run(self.network(setting.network), images, given).program
