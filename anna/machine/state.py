"""What the interpreter holds while an image runs, and the record of a CALC that it hands out."""

from collections import deque
from dataclasses import dataclass, field

from anna.chip.codes import Ints
from anna.sequencer.timing import Scoreboard


@dataclass(frozen=True)
class CalcRecord:
    """Everything that happened in one CALC."""

    ordinal: int
    index: int  # instruction
    cycle: int  # since the image began
    rows: Ints  # (neurons, fan_in)
    columns: Ints
    ages: Ints  # cycles
    weights: Ints  # 2^-f weight LSB
    states: Ints  # codes
    sums: Ints  # accumulator units
    thresholds: Ints  # (neurons, levels - 1)
    codes: Ints  # (neurons)


@dataclass
class State:
    """Everything that changes while an image runs."""

    memory: Ints  # state codes; UNDEFINED where nothing was written
    shift: Ints  # (shifters, columns) codes
    registers: Ints  # (registers, columns), the state storage
    hold: Ints  # (latches, columns)
    board: Scoreboard
    written: Ints  # (pairs) the cycle of the segment in which RFSH last wrote each pair of weights
    writes: Ints  # (pairs) the number of that write
    last: Ints  # (neurons) what the wire of each carried in its last CALC of the segment
    fresh: list[tuple[int, int, int]] = field(default_factory=list)  # RFSH of this cycle: pair, cycle and number
    refreshes: int = 0  # RFSH so far
    index: int = 0  # next instruction
    page: int = 0
    segment: int = -1
    elapsed: int = 0  # cycles of the segments before
    calcs: int = 0
    untaken: deque[Ints] = field(default_factory=deque)  # results that are left of each CALC
    done: bool = False

    @property
    def cycle(self) -> int:
        """Cycles since the image began, without page loads."""
        return self.elapsed + self.board.now
