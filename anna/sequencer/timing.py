"""When each instruction starts and ends: three units, instructions issued in order, structural waits interlocked.

An instruction starts as soon as the one before it has started, its unit is free and fewer than `issue_width` have started
in that cycle. Registers and memory are edge-triggered: what is written in a cycle is read from the next one on, and what
is read in that cycle is still the old value.

    SHIFT   waits for the input unit
    STORE   waits for the SHIFT before it and leaves the input unit free: the next SHIFT overlaps it
    CALC    waits for the array, for a STORE to end, and until the output latch will be free for its results
    OUT     waits for the output unit and for its CALC to end
    WAIT    counts from the start of the instruction before it
"""

from collections import deque
from dataclasses import dataclass, field

from anna.chip.spec import ChipSpec
from anna.program.isa import Op


@dataclass(frozen=True)
class Span:
    """The cycles of one instruction: busy in start .. end - 1, after `stall` cycles of waiting for its unit."""

    start: int
    end: int
    stall: int


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


@dataclass
class Scoreboard:
    """The units of the chip within one page segment. `issue` advances time; nothing here looks at data."""

    spec: ChipSpec
    now: int = 0  # cycle in which the last instruction started
    started_now: int = 0  # instructions that started in it
    input_free: int = 0
    array_free: int = 0
    output_free: int = 0
    registers_free: int = 0  # first cycle in which the last STORE can be read
    pending: deque[int] = field(default_factory=deque)  # ends of the CALCs whose results have not been taken

    def issue(self, op: Op) -> Span:
        """Start the next instruction."""
        ready = self._ready(op)
        if op.name == "WAIT":
            self.now, self.started_now = ready, 0
            return Span(ready, ready, 0)
        start = max(self.now, ready)
        if start == self.now and self.started_now >= self.spec.issue_width:
            start += 1
        self.started_now = self.started_now + 1 if start == self.now else 1
        stall, self.now = max(0, ready - self.now), start
        return Span(start, self._occupy(op, start), stall)

    def _ready(self, op: Op) -> int:
        """First cycle in which the instruction's unit could take it."""
        match op.name:
            case "SHIFT" | "STORE":
                return self.input_free
            case "CALC":
                return max(self.array_free, self.registers_free, self.output_free - self.spec.calc_cycles)
            case "OUT":
                return max(self.output_free, self.pending[0] if self.pending else 0)
            case "WAIT":
                return self.now + op["cycles"]
        return 0

    def _occupy(self, op: Op, start: int) -> int:
        """Mark the unit busy from `start`; returns until when."""
        match op.name:
            case "SHIFT":
                self.input_free = start + ceil_div(op.states, self.spec.states_in_per_cycle)
                return self.input_free
            case "STORE":
                self.registers_free = start + self.spec.store_cycles
                return self.registers_free
            case "CALC":
                self.array_free = start + self.spec.calc_cycles
                self.pending.append(self.array_free)
                return self.array_free
            case "OUT":
                if self.pending:
                    self.pending.popleft()
                self.output_free = start + ceil_div(op.states, self.spec.states_out_per_cycle)
                return self.output_free
        return start

    @property
    def idle(self) -> int:
        """First cycle in which everything issued so far has ended."""
        return max(self.now, self.input_free, self.array_free, self.output_free, self.registers_free)
