"""When each instruction starts and ends: one table of what waits for what, read here and by the compiled walk.

An instruction starts as soon as the one before it has started, what it waits for has ended, the sequencer is ready for it, and
fewer than `issue_width` have started in that cycle. `WAITS` says what it waits for always, `BESIDE` what may run side by side,
by the sequencer's overlap: for what is not named, it waits too. A WAIT counts from the start of the instruction before it.
Latches and memory are edge-triggered: what is written in a cycle is read from the next one on, and what is read in that cycle
is still the old value.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.chip.spec import ChipSpec, Overlap, Sequencer
from anna.program.isa import Op

UNITS = ("RFSH", "SHIFT", "STORE", "CALC", "OUT")
RESULTS = "results"  # which end with the oldest CALC whose results have not all been taken
ENDS = (*UNITS, RESULTS)
NO_WAIT = -(1 << 60)  # cycles after the end of what is not waited for


def _end(_: ChipSpec) -> int:
    return 0


# For each instruction, the last one of each kind whose end it waits for, and from how many cycles after that end on it may
# start; None where a chip does not wait.
Wait = Callable[[ChipSpec], int | None]
WAITS: dict[str, dict[str, Wait]] = {
    "RFSH": {"RFSH": _end},
    # One shifter holds what a STORE copies; a wide chip's shift stages hold it themselves.
    "SHIFT": {"SHIFT": _end, "STORE": lambda spec: None if spec.wide else 0},
    "STORE": {"SHIFT": _end},
    # The output latch has to be free only when the results arrive.
    "CALC": {"CALC": _end, "STORE": _end, "OUT": lambda spec: -spec.calc_cycles},
    "OUT": {"OUT": _end, RESULTS: _end},
}

# For each instruction, those that may still be running when it starts.
BESIDE: dict[Overlap, dict[str, tuple[str, ...]]] = {
    "none": {},
    "shift-calc": {"SHIFT": ("CALC",), "CALC": ("SHIFT",)},
    "all": dict.fromkeys(UNITS, UNITS),
}

# Cycles that an instruction keeps its unit busy, if it moves so many states.
CYCLES: dict[str, Callable[[ChipSpec, int], int]] = {
    "RFSH": lambda spec, states: 1,
    "SHIFT": lambda spec, states: spec.cycles_in(states),
    "STORE": lambda spec, states: spec.store_cycles,
    "CALC": lambda spec, states: spec.calc_cycles,
    "OUT": lambda spec, states: spec.cycles_out(states),
}


@lru_cache(maxsize=64)
def waits(spec: ChipSpec, sequencer: Sequencer) -> Mapping[str, Mapping[str, int]]:
    """For each instruction, what it waits for on this chip under this sequencer, in the order of `ENDS`: the kind, and from
    how many cycles after the end of the last one on it may start."""
    found, beside = dict[str, dict[str, int]](), BESIDE[sequencer.overlap]
    for name in UNITS:
        alone = dict.fromkeys((other for other in UNITS if other not in beside.get(name, ())), 0)
        always = {end: after for end, wait in WAITS[name].items() if (after := wait(spec)) is not None}
        found[name] = {end: max(part[end] for part in (always, alone) if end in part)
                       for end in ENDS if end in always or end in alone}  # fmt: skip
    return found


def waits_table(spec: ChipSpec, sequencer: Sequencer) -> NDArray[np.int64]:
    """The same as (instruction, end) cycles, for compiled loops."""
    rules = waits(spec, sequencer)
    return np.array([[rules[name].get(end, NO_WAIT) for end in ENDS] for name in UNITS], np.int64)


def busy_cycles(spec: ChipSpec, op: Op) -> int:
    """Cycles that an instruction keeps its unit busy; 0 if it has none."""
    return CYCLES[op.name](spec, _states(op)) if op.name in UNITS else 0


def issue_cycles(spec: ChipSpec, sequencer: Sequencer, op: Op) -> int:
    """Cycles that an instruction keeps a sequencer busy that does not issue one in each."""
    return max(sequencer.issue_cycles(spec), spec.words(_states(op)) * sequencer.word_cycles(spec))


def held_cycles(spec: ChipSpec, sequencer: Sequencer, op: Op) -> int:
    """The same of any sequencer: none if it is always ready, or has nothing to issue."""
    always_ready = sequencer.instructions_per_s is None and sequencer.bytes_per_s is None
    return 0 if always_ready or op.name not in UNITS else issue_cycles(spec, sequencer, op)


def _states(op: Op) -> int:
    return op.states if op.name in ("SHIFT", "OUT") else 0


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
    ends: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ENDS, 0))  # of the last instruction of each kind
    pending: deque[int] = field(default_factory=deque)  # ends of the CALCs whose results have not all been taken
    left: deque[int] = field(default_factory=deque)  # how many results of each are left

    def __post_init__(self) -> None:
        self._waits = {name: tuple(ends.items()) for name, ends in waits(self.spec, self.sequencer).items()}

    def __deepcopy__(self, memo: dict[int, object]) -> "Scoreboard":
        return replace(self, ends=dict(self.ends), pending=deque(self.pending), left=deque(self.left))

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
        for other, after in self._waits[op.name]:
            end = ends[other] + after
            if end > free:
                free = end
        return free

    def _occupy(self, op: Op, start: int) -> int:
        """Mark the unit and the sequencer busy from `start`; returns until when the unit is."""
        if op.name not in UNITS:
            return start
        self.ready = max(self.ready, start + held_cycles(self.spec, self.sequencer, op))
        self.ends[op.name] = end = start + self.cycles(op)
        if op.name == "CALC":
            self.pending.append(end)
            self.left.append(op["neurons"])
        if op.name == "OUT" and self.pending:
            self.left[0] -= op.states
            if self.spec.wide or self.left[0] <= 0:
                self.drop()
        self.ends[RESULTS] = self.pending[0] if self.pending else 0
        return end

    def cycles(self, op: Op) -> int:
        """Cycles that an instruction keeps its unit busy."""
        return busy_cycles(self.spec, op)

    def issue_cycles(self, op: Op) -> int:
        """Cycles that an instruction keeps a sequencer busy that does not issue one in each."""
        return issue_cycles(self.spec, self.sequencer, op)

    def drop(self) -> None:
        """Forget the oldest results that have not been taken."""
        self.pending.popleft()
        self.left.popleft()

    @property
    def idle(self) -> int:
        """First cycle in which everything issued so far has ended."""
        return max(self.now, self.ready, *self.ends.values())
