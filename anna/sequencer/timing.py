"""When each instruction starts and ends: units, instructions issued in order, structural waits interlocked.

An instruction starts as soon as the one before it has started, its unit is free, the sequencer is ready for it, and fewer
than `issue_width` have started in that cycle. Latches and memory are edge-triggered: what is written in a cycle is read from
the next one on, and what is read in that cycle is still the old value.

    RFSH    waits for the weights' unit
    SHIFT   waits for the input unit; with one shifter, also for a STORE to end
    STORE   waits for the SHIFT before it and leaves the input unit free
    CALC    waits for the array, for a STORE to end, and until the output latch will be free for its results
    OUT     waits for the output unit and for its CALC to end
    WAIT    counts from the start of the instruction before it

`BESIDE` says what may run side by side, by the sequencer's overlap: what is not named waits for everything else to end.
"""

from collections import deque
from dataclasses import dataclass, field

from anna.chip.spec import ChipSpec, Overlap, Sequencer
from anna.program.isa import Op

UNITS = ("RFSH", "SHIFT", "STORE", "CALC", "OUT")

# For each instruction, those that may still be running when it starts.
BESIDE: dict[Overlap, dict[str, tuple[str, ...]]] = {
    "none": {},
    "shift-calc": {"SHIFT": ("CALC",), "CALC": ("SHIFT",)},
    "all": dict.fromkeys(UNITS, UNITS),
}


@dataclass(frozen=True)
class Span:
    """The cycles of one instruction: busy in start .. end - 1, after `stall` cycles of waiting for its unit."""

    start: int
    end: int
    stall: int


@dataclass
class Scoreboard:
    """The units of the chip within one page segment. `issue` advances time; nothing here looks at data."""

    spec: ChipSpec
    sequencer: Sequencer
    now: int = 0  # cycle in which the last instruction started
    started_now: int = 0  # instructions that started in it
    ready: int = 0  # first cycle in which the sequencer can issue
    ends: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNITS, 0))  # of the last instruction of each kind
    pending: deque[int] = field(default_factory=deque)  # ends of the CALCs whose results have not all been taken
    left: deque[int] = field(default_factory=deque)  # how many results of each are left

    def __post_init__(self) -> None:
        beside = BESIDE[self.sequencer.overlap]
        self._alone = {name: [other for other in UNITS if other not in beside.get(name, ())] for name in UNITS}
        self._slow = self.sequencer.instructions_per_s is not None or self.sequencer.bytes_per_s is not None

    def issue(self, op: Op) -> Span:
        """Start the next instruction."""
        if op.name == "WAIT":
            self.now, self.started_now = self.now + op["cycles"], 0
            return Span(self.now, self.now, 0)
        free = self.unit_free(op)
        start = max(self.now, free)
        if start == self.now and self.started_now >= self.spec.issue_width:
            start += 1
        self.started_now = self.started_now + 1 if start == self.now else 1
        stall, self.now = max(0, free - self.now), start
        return Span(start, self._occupy(op, start), stall)

    def unit_free(self, op: Op) -> int:
        """First cycle in which the instruction's unit, and the sequencer, could take it."""
        if op.name not in UNITS:
            return 0
        ends, free = self.ends, self.ready
        for other in self._alone[op.name]:
            free = max(free, ends[other])
        match op.name:
            case "RFSH":
                return max(free, ends["RFSH"])
            case "SHIFT":
                return max(free, ends["SHIFT"], 0 if self.spec.wide else ends["STORE"])
            case "STORE":
                return max(free, ends["SHIFT"])
            case "CALC":
                return max(free, ends["CALC"], ends["STORE"], ends["OUT"] - self.spec.calc_cycles)
        return max(free, ends["OUT"], self.pending[0] if self.pending else 0)

    def _occupy(self, op: Op, start: int) -> int:
        """Mark the unit and the sequencer busy from `start`; returns until when the unit is."""
        if op.name not in UNITS:
            return start
        if self._slow:
            self.ready = start + self.issue_cycles(op)
        self.ends[op.name] = end = start + self.cycles(op)
        if op.name == "CALC":
            self.pending.append(end)
            self.left.append(op["neurons"])
        if op.name == "OUT" and self.pending:
            self.left[0] -= op.states
            if self.spec.wide or self.left[0] <= 0:
                self.drop()
        return end

    def cycles(self, op: Op) -> int:
        """Cycles that an instruction keeps its unit busy."""
        match op.name:
            case "SHIFT":
                return self.spec.cycles_in(op.states)
            case "STORE":
                return self.spec.store_cycles
            case "CALC":
                return self.spec.calc_cycles
            case "OUT":
                return self.spec.cycles_out(op.states)
        return 1

    def issue_cycles(self, op: Op) -> int:
        """Cycles that an instruction keeps a sequencer busy that does not issue one in each."""
        words = self.spec.words(op.states) if op.name in ("SHIFT", "OUT") else 0
        return max(self.sequencer.issue_cycles(self.spec), words * self.sequencer.word_cycles(self.spec))

    def drop(self) -> None:
        """Forget the oldest results that have not been taken."""
        self.pending.popleft()
        self.left.popleft()

    @property
    def idle(self) -> int:
        """First cycle in which everything issued so far has ended."""
        return max(self.now, self.ready, *self.ends.values())
