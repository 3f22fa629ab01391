"""Programs by hand that count what one instruction gives: CALCs back to back, RFSH after RFSH, the paper's example."""

from dataclasses import replace

import numpy as np

from anna.chip.machines import Machine
from anna.machine.interpreter import Interpreter
from anna.program.file import Program, Region, assemble_program, blank_pages
from anna.program.isa import PUBLISHED, Op
from anna.program.text import assemble
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline

# Paper 3's example, between what any program has: an image, a page, an end.
EXAMPLE = """
.input name=image address=0 shape=64
PAGE   page=0
REPEAT 16
SHIFT  4,R0 address=0 step=4
STORE  R0,A.L2
ENDREP
STOP
"""


def _program(machine: Machine, ops: list[Op], regions: list[Region]) -> Program:
    weights, scales = blank_pages(machine.chip)
    every = [PUBLISHED.op("PAGE", page=0), *ops, PUBLISHED.op("STOP")]
    program = assemble_program("counted", machine.chip, every, weights + np.uint16(1), scales, regions, {})
    return replace(program, sequencer=machine.sequencer)


def busy_array(machine: Machine, calcs: int) -> Timeline:
    """Every latch loaded once, then CALCs of eight neurons of 256 inputs, each issued once the first word of results of the one
    before leaves, or all of them where OUT cannot run beside it: no order of single instructions is faster."""
    spec = machine.chip
    ops, word = list[Op](), spec.word_states
    for latch in range(spec.latches):
        for at in range(0, spec.columns, word):
            ops.append(PUBLISHED.op("SHIFT", count=word, address=latch * spec.columns + at))
        ops.append(PUBLISHED.op("STORE", latches=1 << latch))
    neurons, fan_in = spec.neurons_at_once, len(spec.fan_ins) - 1
    rows = neurons * spec.max_rows_per_neuron
    outs = list[Op]()
    for calc in range(calcs):
        early = 1 if machine.sequencer.overlap == "all" else len(outs)
        ops += [*outs[:early], PUBLISHED.op("CALC", fan_in=fan_in, row=calc * rows % spec.rows, neurons=neurons), *outs[early:]]
        first = spec.max_inputs + calc * neurons
        outs = [PUBLISHED.op("OUT", count=min(word, neurons - at), address=first + at) for at in range(0, neurons, word)]
    ops += outs
    regions = [
        Region(name="image", kind="input", address=0, shape=(spec.max_inputs,)),
        Region(name="out", kind="output", address=spec.max_inputs, shape=(neurons * calcs,)),
    ]
    return verified(_program(machine, ops, regions))


def refreshed(machine: Machine) -> Timeline:
    """One RFSH after the other, for every pair of weights."""
    ops = [
        PUBLISHED.op("REPEAT", count=machine.chip.pairs),
        PUBLISHED.op("RFSH", pair=0, step=1),
        PUBLISHED.op("ENDREP"),
    ]
    return verified(_program(machine, ops, [Region(name="image", kind="input", address=0, shape=(1,))]))


def example_states(machine: Machine) -> int:
    """How many states of an image the paper's example leaves in latch L2, each in its column."""
    program = replace(assemble(EXAMPLE, "the example of paper 3"), spec=machine.chip, sequencer=machine.sequencer)
    image = 1 + np.arange(machine.chip.columns) % 7  # no state is what a latch holds before
    interpreter = Interpreter(program, image)
    interpreter.run()
    return int((interpreter.state.hold[2] == image).sum())
