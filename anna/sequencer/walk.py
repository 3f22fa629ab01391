"""The control plane: a program walked once, cycle by cycle, moving addresses instead of values.

ANNA's control flow never depends on data, so one walk tells what happens when, for every image. What breaks a rule of time or
data on the way is recorded; `anna.sequencer.rules` says it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.sequencer.charge import Refresh
from anna.sequencer.timeline import UNDEFINED, Calc, Hazard, Ints, Segment, Timeline, Values, synapses_of
from anna.sequencer.timing import Scoreboard, Span


@dataclass
class _Walk:
    """The state of the walk; `step` advances it by one instruction."""

    program: Program
    values: Values
    memory: NDArray[np.int32] = field(init=False)  # value at each address
    readable: Ints = field(init=False)  # cycle from which that value can be read
    last_read: Ints = field(init=False)  # last cycle in which a SHIFT reads the address
    shift: NDArray[np.int32] = field(init=False)  # (shifters, columns)
    stored_in: NDArray[np.int32] = field(init=False)  # (registers, columns), the state storage
    hold: NDArray[np.int32] = field(init=False)  # (latches, columns)
    hold_read_until: Ints = field(init=False)  # last cycle in which a CALC reads each latch
    hold_reader: Ints = field(init=False)
    board: Scoreboard = field(init=False)
    untaken: deque[Calc] = field(default_factory=deque)
    taken: int = 0  # results of the oldest of them that are out
    refreshes: list[Refresh] = field(default_factory=list)
    calcs: list[Calc] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    segment_of: list[int] = field(default_factory=list)
    stored: dict[int, Ints] = field(default_factory=dict)
    hazards: list[Hazard] = field(default_factory=list)

    def __post_init__(self) -> None:
        program, size = self.program, self.program.window_states
        self.memory = np.full(size, UNDEFINED, dtype=np.int32)
        self.memory[program.input.addresses.reshape(-1)] = np.arange(program.input.size)
        self.memory[program.constant_addresses] = self.values.inputs + np.arange(len(program.constant_addresses))
        self.constant = np.zeros(size, dtype=bool)
        self.constant[program.constant_addresses] = True
        self.live = codes.weight_converter(program.spec).numerators[program.weight_codes] != 0
        self._begin_segment()

    def _begin_segment(self) -> None:
        spec = self.program.spec
        self.readable = np.zeros(len(self.memory), dtype=np.int64)
        self.last_read = np.full(len(self.memory), -1, dtype=np.int64)
        self.shift = np.full((spec.shifters, spec.columns), self.values.reset, dtype=np.int32)
        self.stored_in = np.full((spec.registers, spec.columns), self.values.reset, dtype=np.int32)
        self.hold = np.full((spec.latches, spec.columns), self.values.reset, dtype=np.int32)
        self.hold_read_until = np.full(spec.latches, -1, dtype=np.int64)
        self.hold_reader = np.full(spec.latches, -1, dtype=np.int64)
        self.board = Scoreboard(spec, self.program.sequencer)

    def end_segment(self, index: int) -> None:
        for calc in self.untaken:
            self.hazard("results-taken", calc.index, by=index)
        self.untaken.clear()
        self.taken = 0
        if self.segments:
            self.segments[-1] = Segment(self.segments[-1].page, self.segments[-1].first, self.board.idle)

    def hazard(self, rule: str, index: int, **details: Any) -> None:
        self.hazards.append(Hazard(rule, index, details))

    def step(self, index: int, op: Op) -> None:
        if op.name == "PAGE":
            self.end_segment(index)
            self._begin_segment()
            self.segments.append(Segment(op["page"], index, 0))
        if op.name == "OUT" and not self.untaken:
            self.hazard("result-exists", index)
        before = self.board.now
        span = self.board.issue(op)
        self.late = span.start - before  # cycles of waiting that a WAIT before it has to cover first
        self.spans.append(span)
        self.segment_of.append(len(self.segments) - 1)
        match op.name:
            case "SHIFT":
                self._shift(index, op, span)
            case "STORE":
                self._store(index, op, span)
            case "CALC":
                self._calc(index, op, span)
            case "OUT" if self.untaken:
                self._out(index, op, span)
            case "RFSH":
                self.refreshes.append(Refresh(self.segment_of[-1], span.start, op["pair"]))
            case "STOP" | "END":
                self.end_segment(index)

    def _shift(self, index: int, op: Op, span: Span) -> None:
        addresses, n = op.addresses, op.states
        cycles = span.start + np.arange(n) // self.program.spec.states_in_per_cycle
        values = self.memory[addresses]
        for j in np.flatnonzero(values == UNDEFINED)[:1]:
            self.hazard("defined-before-read", index, address=int(addresses[j]))
        early = self.readable[addresses] - cycles
        if early.max() > 0:
            j = int(early.argmax())
            self.hazard("written-before-read", index, address=int(addresses[j]), cycle=int(cycles[j]),
                        ready=int(self.readable[addresses[j]]), wait=int(early[j]) + self.late)  # fmt: skip
        np.maximum.at(self.last_read, addresses, cycles)
        entering = np.where(values == UNDEFINED, self.values.reset, values)
        shifted(self.program.spec, op, self.shift, self.stored_in, entering)

    def _store(self, index: int, op: Op, span: Span) -> None:
        takes_effect = span.end - 1  # the last cycle in which the old states can still be read
        latches = latched(self.program.spec, op)
        for latch in latches:
            deficit = int(self.hold_read_until[latch]) - takes_effect
            if deficit > 0:
                what = "register" if self.program.spec.wide else "latch"
                self.hazard("register-held", index, what=what, register=latch, cycle=span.start, wait=deficit + self.late,
                            reader=int(self.hold_reader[latch]), until=int(self.hold_read_until[latch]))  # fmt: skip
        stored(self.program.spec, op, self.shift, self.stored_in, self.hold)

    def _calc(self, index: int, op: Op, span: Span) -> None:
        spec, fan_in, neurons = self.program.spec, isa.fan_in_of(self.program.spec, op), op["neurons"]
        if len(self.untaken) == 2:
            self.hazard("results-kept", self.untaken[0].index, by=index)
            self.untaken.popleft()
            self.taken = 0
            self.board.drop()
        named = isa.latches_of(spec, op)
        rows, columns = synapses_of(spec, fan_in, neurons)
        operands = self.hold[np.array(named)[rows], columns]
        calc = Calc(len(self.calcs), index, len(self.segments) - 1, self.segments[-1].page, span.start, fan_in,
                    op["row"], neurons, operands)  # fmt: skip
        place = calc.synapses(spec)
        unset = (operands == self.values.reset) & self.live[calc.page][place]
        if unset.any():
            k, i = (int(x) for x in np.argwhere(unset)[0])
            self.hazard("state-under-weight", index, neuron=k, row=int(place[0][k, i]), column=int(place[1][k, i]),
                        what="register" if spec.wide else "latch", register=named[int(rows[k, i])], page=calc.page)  # fmt: skip
        for register in set(named):
            self.hold_read_until[register] = span.end - 1
            self.hold_reader[register] = index
        self.calcs.append(calc)
        self.untaken.append(calc)

    def _out(self, index: int, op: Op, span: Span) -> None:
        spec, addresses, n = self.program.spec, op.addresses, op.states
        calc, taken = self.untaken[0], self.taken
        if spec.wide or taken + n >= calc.neurons:
            self.untaken.popleft()
            self.taken = 0
        else:
            self.taken += n
        if len(self.untaken) > (calc in self.untaken):
            after = self.untaken[-1]
            if span.end > (overwritten := self.spans[after.index].end):
                self.hazard("results-kept", calc.index, by=after.index, late=span.end - overwritten)
        if taken + n > calc.neurons:
            self.hazard("results-enough", index, wanted=n, neurons=calc.neurons - taken, calc=calc.index)
            return
        cycles = span.start + np.arange(n) // spec.states_out_per_cycle
        for j in np.flatnonzero(self.constant[addresses])[:1]:
            self.hazard("constants-kept", index, address=int(addresses[j]))
        over = self.last_read[addresses] - cycles
        if over.max() > 0:
            j = int(over.argmax())
            self.hazard("read-before-overwritten", index, address=int(addresses[j]), cycle=int(cycles[j]),
                        read=int(self.last_read[addresses[j]]), wait=int(over[j]) + self.late)  # fmt: skip
        values = self.values.result(calc.ordinal, taken) + np.arange(n, dtype=np.int64)
        self.memory[addresses] = values
        self.readable[addresses] = cycles + 1 + spec.memory_latency_cycles
        self.stored[index] = values


def shifted(spec: ChipSpec, op: Op, shift: NDArray[Any], registers: NDArray[Any], entering: NDArray[Any]) -> None:
    """What a SHIFT does to the shifters: states leave at the lower end, others enter at the upper one."""
    if spec.wide:
        lane = shift[op["register"], op["first"] : op["first"] + op["width"]]
        held = lane.copy()
    else:
        lane = shift[0]
        held = registers[op["register"] - 1].copy() if op["register"] and spec.shift_from != "shifter" else lane.copy()
    lane[:] = np.concatenate([held[len(entering) :], entering])


def latched(spec: ChipSpec, op: Op) -> tuple[int, ...]:
    """The latches that a STORE sets; in a wide chip the hold stages of its registers."""
    return op.members("registers" if spec.wide else "latches")


def stored(spec: ChipSpec, op: Op, shift: NDArray[Any], registers: NDArray[Any], latches: NDArray[Any]) -> None:
    """What a STORE does to registers and latches."""
    for latch in latched(spec, op):
        latches[latch] = shift[latch if spec.wide else 0]
    for register in () if spec.wide else op.members("registers"):
        registers[register] = shift[0]


def elaborate(program: Program) -> Timeline:
    """Walk a program whose instructions are well formed (see `anna.sequencer.rules`); hazards are recorded, not raised."""
    values = Values(program.input.size, len(program.constant_addresses), program.spec.neurons_at_once)
    walk = _Walk(program, values)
    for index, op in enumerate(program.ops):
        walk.step(index, op)
    outputs = {region.name: walk.memory[region.addresses].astype(np.int64) for region in program.readable}
    for name, held in outputs.items():
        if (held == UNDEFINED).any():
            place = tuple(int(i) for i in np.argwhere(held == UNDEFINED)[0])
            walk.hazard("outputs-written", len(program.ops) - 1, region=name, place=place)
    return Timeline(program, values, tuple(walk.spans), tuple(walk.segment_of), tuple(walk.segments), tuple(walk.calcs),
                    outputs, walk.stored, tuple(walk.refreshes), tuple(walk.hazards))  # fmt: skip
