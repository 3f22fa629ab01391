"""All passes in order, and what each makes."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError, IllegalProgram
from anna.board.host import HostWork
from anna.compiler import check as check_pass
from anna.compiler import digits, emit, listing, memory, selfcheck
from anna.compiler import split as split_pass
from anna.compiler.calibrate import Calibration, calibrate
from anna.compiler.hosting import host_work
from anna.compiler.ir import Lowered
from anna.compiler.judging import IDEAL, tells_classes
from anna.compiler.memory import Memory
from anna.compiler.options import CompileOptions
from anna.compiler.place import Placement, place
from anna.compiler.planner import expect_room
from anna.compiler.quantise import quantise
from anna.compiler.quantised import QuantGraph
from anna.compiler.refreshing import Refreshed, refreshed
from anna.compiler.rungs import Climb
from anna.compiler.schedule import Schedule, schedule
from anna.native.blas import one_thread
from anna.network.forward import forward
from anna.network.graph import Network
from anna.program import isa
from anna.program.file import Program, assemble_program
from anna.program.rolling import rolled
from anna.program.text import disassemble
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline

MUCH_CHANGED = 0.02  # share of images whose class changes, from which on a warning is given


@dataclass(frozen=True, eq=False)
class Compilation:
    """The value of every pass."""

    options: CompileOptions
    checked: Lowered
    digits: Lowered
    split: Lowered
    calibration: Calibration
    quantised: QuantGraph
    placement: Placement
    memory: Memory
    schedule: Schedule
    refreshed: Refreshed
    program: Program
    timeline: Timeline
    checked_images: int
    host: HostWork
    climb: Climb | None = None  # how the precision was chosen, if the compiler did

    @cached_property
    def changed_share(self) -> float | None:
        """The share of the calibration images to which the chips it is compiled for, the ideal one or drawn ones, give another
        class than the float network; None if the network tells no classes."""
        network = self.checked.network
        if not tells_classes(network):
            return None
        kind = np.uint8 if self.options.chip.state_bits <= 8 else np.uint16
        states = {name: found.astype(kind) for name, found in self.quantised.results.items()}
        labels = self.host.scores(self.options.chip, states).argmax(axis=1)
        return float((labels != forward(network, self.calibration.images).labels).mean())

    @property
    def warning(self) -> str | None:
        """Sentences if the states lose much of what the network knows, or codes of a quantised one are not kept."""
        name, share, found = self.checked.network.name, self.changed_share, list[str]()
        several = self.digits.input_digits > 1 or any(layer.digits > 1 for layer in self.digits.layers)
        if share is not None and share > MUCH_CHANGED and not several:
            found.append(
                f"{name}: {self._chips} {100 * share:.1f} % of the calibration images another class than the float "
                "network, since one state carries each value; carry it by two (option digits, docs/digits.md)"
            )
        found += [f"{name}: {note}" for note in self.quantised.notes]
        return "\n".join(found) or None

    @property
    def _chips(self) -> str:
        return "the ideal chip gives" if self.options.against == IDEAL else f"{self.options.against} chips give"

    def text(self, after: str) -> str:
        """The canonical text of a pass's value."""
        return {
            "check": lambda: self.checked.text,
            "digits": lambda: self.digits.text,
            "split": lambda: self.split.text,
            "calibrate": lambda: self.calibration.text,
            "quantise": lambda: self.quantised.text,
            "place": lambda: f"{self.placement.text}\n{self.memory.text}",
            "schedule": lambda: self.schedule.text,
            "refresh": lambda: self.refreshed.text,
            "emit": lambda: disassemble(self.program),
            "selfcheck": lambda: f"{self.checked_images} images: the ideal chip and integer arithmetic agree bit for bit",
        }[after]()


def run(net: Network, images: NDArray[np.generic] | None, options: CompileOptions) -> Compilation:
    """Compile a network."""
    with one_thread():
        return _run(net, images, options)


def _run(net: Network, images: NDArray[np.generic] | None, options: CompileOptions) -> Compilation:
    checked = check_pass.check(net, options)
    widened = digits.widened(checked, options)
    parts = split_pass.split(widened, options)
    expect_room(parts, options)
    calibration = calibrate(parts, images, options)
    quantised = quantise(parts, calibration, options)
    placement = place(quantised, options)
    laid_out = memory.lay_out(quantised, [placed.scan for placed in placement.scans], options.batch or 1, options.sequencer)
    scheduled = schedule(placement, laid_out, options.chip, options.sequencer)
    weights, scales, links = emit.arrays(quantised, placement)

    host = host_work(quantised, placement.rounds)
    draft = assemble_program(
        program_name(net.name), options.chip, scheduled.issued, weights, scales, emit.regions(quantised, laid_out),
        laid_out.constants, 1, host=host,
        links={"neurons": links.neurons_n7, "taps": links.taps_prc}, sequencer=options.sequencer,
        calibrated_on=np.sort(calibration.keys),
    )  # fmt: skip
    kept = refreshed(draft, scheduled, options, laid_out.size)
    draft = kept.program
    if not options.chip.wide:
        draft = replace(draft, words=isa.encode(options.chip, rolled(draft.issued)))
    try:
        walked = verified(draft)
    except IllegalProgram as error:
        raise CompileError(
            [f"internal error: the compiler produced an illegal program: {why}" for why in error.reasons]
        ) from None
    # The report includes the timeline, so the program that holds it can only be made now.
    done = replace(draft, report=listing.report(quantised, placement, scheduled, walked, links, options))
    timeline = replace(walked, program=done)
    count = selfcheck.selfcheck(done, quantised, calibration, options.check_count, timeline)
    return Compilation(
        options,
        checked,
        widened,
        parts,
        calibration,
        quantised,
        placement,
        laid_out,
        scheduled,
        kept,
        done,
        timeline,
        count,
        host,
    )


def program_name(name: str) -> str:
    """A network's name in the characters that a program's name may have."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", name)[:100].lstrip(".-") or "network"
