"""Everything that one chip holds and computes while an image runs, as an interpreter shows it, instruction by instruction.

What can change lies in *cells*: the state memory, the shifter, registers and latches as state codes, and for each pair of
weights the cycle of the segment in which its charge was written. A recording has the cells that each instruction changed, so
that a reader can replay and undo them without knowing any instruction, and what went into and came out of each CALC.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import IdealSilicon, Silicon
from anna.base.errors import MachineError
from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord, State
from anna.program.file import Program
from anna.sequencer.rules import verified

MOST_OPERANDS = 1 << 23  # of all CALCs, and
MOST_COMPARED = 1 << 33  # cells times instructions: fifteen times and eighty times those of LeNet-5
LARGEST = 1 << 53  # a page counts in floats, which hold whole numbers up to here


@dataclass(frozen=True)
class Block:
    """A row of cells that belong together."""

    name: str
    first: int
    cells: int


def blocks(program: Program) -> tuple[Block, ...]:
    """The cells of a program's chip and memory, in their order."""
    spec = program.spec
    if spec.wide:  # its registers have a stage that moves and one that the array sees, and it refreshes by itself
        stages = [*(f"shift {k}" for k in range(spec.shifters)), *(f"register {k}" for k in range(spec.latches))]
    else:
        stages = ["shifter", *(f"register {k}" for k in range(spec.registers)), *(f"latch {k}" for k in range(spec.latches))]
    sizes = {"memory": program.window_states, **dict.fromkeys(stages, spec.columns), "charges": 0 if spec.wide else spec.pairs}
    firsts = accumulate(sizes.values(), initial=0)
    return tuple(Block(name, first, cells) for (name, cells), first in zip(sizes.items(), firsts, strict=False))


def _held(spec: ChipSpec, state: State) -> Ints:
    """What lies in the cells."""
    parts = (state.shift, state.hold) if spec.wide else (state.shift, state.registers, state.hold, state.written)
    return np.concatenate([state.memory, *(part.reshape(-1) for part in parts)])


@dataclass(frozen=True, eq=False)
class Recording:
    """One image on one chip. Operands, (synapses of all CALCs), and neurons follow each other CALC after CALC."""

    begin: Ints  # what lies in each cell before the first instruction
    changed: Ints  # of each instruction: how many cells it changed,
    cells: Ints  # which ones
    values: Ints  # and what lay there then
    states: Ints  # of each operand, as codes
    weights: Ints  # of each operand, in 2^-f weight LSB, imperfections and age included
    sums: Ints  # of each neuron, as its ADC saw it, in accumulator units
    thresholds: Ints  # (neurons, levels - 1)
    codes: Ints  # of each neuron
    drives: Ints  # (tables, levels) what a state code drives a synapse with
    drive_of: Ints  # (rows, columns) which of the tables a synapse has
    outputs: dict[str, Ints]  # region -> state codes at the end


def record(
    program: Program,
    codes: NDArray[np.generic],
    silicon: Silicon | None = None,
    *,
    noise_seed: int = 0,
    image_id: int = 0,
    slot: int | None = None,
) -> Recording:
    """Run an image, given as state codes, to its end; raises if the program is too long to be kept."""
    expect_short(program)
    silicon = silicon if silicon is not None else IdealSilicon(program.spec)
    machine = Interpreter(program, codes, silicon, noise_seed=noise_seed, image_id=image_id, slot=slot)
    calcs, changes = list[CalcRecord](), list[tuple[Ints, Ints]]()
    machine.hooks.append(calcs.append)
    begin = held = _held(program.spec, machine.state)
    while not machine.done:
        machine.step()
        after = _held(program.spec, machine.state)
        (cells,) = np.nonzero(after != held)
        changes.append((cells, after[cells]))
        held = after
    if any(int(np.abs(calc.sums).max()) >= LARGEST for calc in calcs):
        raise MachineError(f"program {program.name}: has sums beyond {LARGEST:,}, which a page cannot show; choose fewer bits")
    levels, tables = (1 << program.spec.state_bits) - 1, silicon.state_tables()
    rows, columns = np.indices((program.spec.rows, program.spec.columns))
    return Recording(
        begin=begin,
        changed=np.array([len(cells) for cells, _ in changes], np.int64),
        cells=_joined([cells for cells, _ in changes]),
        values=_joined([values for _, values in changes]),
        states=_joined([calc.states.reshape(-1) for calc in calcs]),
        weights=_joined([calc.weights.reshape(-1) for calc in calcs]),
        sums=_joined([calc.sums for calc in calcs]),
        thresholds=_joined([calc.thresholds.reshape(-1) for calc in calcs]).reshape(-1, levels),
        codes=_joined([calc.codes for calc in calcs]),
        drives=silicon.numerators[None] if tables is None else tables,
        drive_of=np.zeros_like(rows) if tables is None else np.broadcast_to(silicon.state_table_of(rows, columns), rows.shape),
        outputs={region.name: machine.output(region.name) for region in program.outputs},
    )


def expect_short(program: Program) -> None:
    """Raises unless a program is short enough to keep all that happens in it."""
    operands, cells = len(verified(program).columns.values), sum(block.cells for block in blocks(program))
    for what, found, most in (
        ("operands", operands, MOST_OPERANDS),
        ("instructions times cells", len(program.issued) * cells, MOST_COMPARED),
    ):
        if found > most:
            raise MachineError(
                f"program {program.name}: has {found:,} {what}; expected at most {most:,} to watch, so take a smaller network "
                "or smaller images, or anna trace"
            )


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *parts])
