"""A scan on a chip of one shifter: windows in latches, as states pass through it from the right end to the left.

A step of the window shifts in its new image columns. So a latch holds, from its right end on, the newest image column, then
the one before it, and so on; what is older than the window meets no weights. What a step brings in besides, its *extras*, is
the constants of the biases and the states of units' own biases or partial sums. They either follow the new image columns in
the last data latch, where those of earlier steps meet no weights, or lie in a latch of their own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler.ir import Tap
from anna.compiler.scan import Scan, ceil_div


@dataclass(frozen=True)
class LatchLayout:
    """What one latch holds of a window."""

    shifts: tuple[tuple[Tap, ...], ...]  # taps that enter together, oldest first: those of an image column, or all of them
    step: int  # how many of these a step of the window brings in
    extras: int  # states that a step brings in after them
    columns: int  # of the chip

    @cached_property
    def column_of(self) -> dict[Tap, int]:
        """The column of each tap, whether it is weighed or not."""
        found, at = dict[Tap, int](), self.columns
        for age, taps in enumerate(reversed(self.shifts)):
            at -= len(taps) + (self.extras if age % self.step == 0 else 0)
            found |= {tap: at + k for k, tap in enumerate(taps)}
        return found

    def moved(self, maps: int) -> "LatchLayout":
        """The same of input maps so many further on."""
        return replace(self, shifts=tuple(tuple((i + maps, y, x) for i, y, x in taps) for taps in self.shifts))

    @property
    def size(self) -> int:
        """Columns from the oldest state that is weighed to the right end."""
        return self.columns - min(self.column_of.values(), default=self.columns - self.extras)

    @property
    def taps(self) -> tuple[Tap, ...]:
        """Its taps, oldest first."""
        return tuple(sorted(self.column_of, key=lambda tap: self.column_of[tap]))


@dataclass(frozen=True)
class Pace:
    """What the instructions of a step cost on a chip under a sequencer."""

    spec: ChipSpec
    sequencer: Sequencer

    @cached_property
    def word(self) -> int:
        """Cycles of a SHIFT."""
        pins, moving = self.spec.cycles_in(1), self.sequencer.word_cycles(self.spec)
        return max(pins, moving, self.sequencer.issue_cycles(self.spec))

    @cached_property
    def word_out(self) -> int:
        """Cycles of each word of an OUT."""
        pins, moving = self.spec.cycles_out(1), self.sequencer.word_cycles(self.spec)
        return max(pins, moving, self.sequencer.issue_cycles(self.spec))

    @cached_property
    def store(self) -> int:
        """Cycles of a STORE."""
        return max(self.spec.store_cycles, self.sequencer.issue_cycles(self.spec))

    @cached_property
    def calc(self) -> int:
        """Cycles of a CALC."""
        return max(self.spec.calc_cycles, self.sequencer.issue_cycles(self.spec))

    def step(self, first: int, words: int, stores: int, calcs: int, words_out: int) -> int:
        """Cycles of a step at least, as far as the sequencer lets its instructions run side by side.

        What the first latch takes in may pass through the shifter while the CALCs of the step before run, since a STORE has to
        come between the latches; one instruction starts in a cycle.
        """
        calc, out, rest = calcs * self.calc, words_out * self.word_out, (words - first) * self.word + stores * self.store
        first *= self.word
        match self.sequencer.overlap:
            case "none":
                return first + rest + calc + out
            case "shift-calc":
                return max(first, calc) + (first == calc and first > 1) + rest + out
        return max(first + rest, calc, out)


@dataclass(frozen=True, eq=False)
class LatchScan(Scan):
    """A scan whose window passes through the shifter into latches."""

    sequencer: Sequencer
    layouts: tuple[LatchLayout, ...]  # what the first latches hold
    own: int | None  # latch of the extras; None: they follow the data of the last of `layouts`
    apart: bool = False  # whether each result has a word of its own in memory: results may then be taken in any order
    words: dict[tuple[int, int | None], list[int]] = field(default_factory=dict)  # a cache that its parts share

    SHARED: ClassVar[tuple[str, ...]] = (*Scan.SHARED, "pace", "latch_of", "target_steps", "source_steps", "moves")

    @cached_property
    def pace(self) -> Pace:
        """What its instructions cost."""
        return Pace(self.spec, self.sequencer)

    # --- what lies where ---------------------------------------------------------------------------------------------
    @property
    def extras(self) -> int:
        """States of constants and units."""
        return self.constants + self.unit_states

    @property
    def extras_latch(self) -> int:
        """The latch that holds them."""
        return len(self.layouts) - 1 if self.own is None else self.own

    @property
    def latches(self) -> tuple[int, ...]:
        """Every latch in use."""
        own = () if self.own is None else (self.own,)
        return (*range(len(self.layouts)), *own)

    @cached_property
    def latch_of(self) -> dict[Tap, int]:
        """The latch of each tap."""
        return {tap: k for k, held in enumerate(self.layouts) for tap in held.column_of}

    def constant_column(self, constant: int) -> int:
        """The column of a constant: the last one comes first in the stream."""
        return self.spec.columns - self.extras + self.constants - 1 - constant

    def unit_column(self, position: int, unit: int) -> int:
        """The column of a unit's own state, for the neuron at a position of `neurons`."""
        return self.spec.columns - self.unit_states + unit * len(self.neurons) + position

    @property
    def keeps(self) -> bool:
        """Whether the window stays from step to step: in the shifter if nothing else passes through it, else in registers, one
        more of which is for what a step brings into a latch of its own if that must pass through a register, too."""
        beside = self.own is not None and self.unit_states > 0
        alone = len(self.layouts) == 1 and not beside
        if self.spec.shift_from == "shifter":
            return alone
        if self.spec.shift_from == "either" and alone:
            return True
        return self.spec.registers >= len(self.layouts) + (beside and self.through_register)

    @property
    def through_register(self) -> bool:
        """Whether what is in the shifter must go through a register for the next word to follow it."""
        return self.spec.shift_from == "register"

    def _together(self, reads: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Neurons that read the same latches share a CALC, which names them once."""
        return len(reads), reads

    def _read(self, o: int, dy: int, dx: int) -> tuple[int, ...]:
        """The latches that a neuron reads: the fewest side by side that hold its taps."""
        sy, sx = self.layer.stride
        used = {self.latch_of[i, y + dy * sy, x + dx * sx] for i, y, x in self.layer.taps[o]}
        if self.extras or not used:
            used.add(self.extras_latch)
        found = group_of(self.spec, used)
        assert found is not None, f"{self.layer.name}: no fan-in reads latches {sorted(used)}"
        return found

    def _fewer(self, outputs: tuple[int, ...]) -> "LatchScan":
        made = replace(self, outputs=outputs)
        if self.own is not None or not self.unit_columns:
            return made
        last = replace(self.layouts[-1], extras=made.extras)  # fewer units bring in fewer extras
        return replace(made, layouts=(*self.layouts[:-1], last))

    def moved(self, outputs: int, maps: int) -> "LatchScan":
        """The same for output maps so many further on, which read input maps so many further on."""
        layouts = tuple(held.moved(maps) for held in self.layouts) if maps else self.layouts
        made = replace(self, outputs=tuple(o + outputs for o in self.outputs), layouts=layouts)
        made.__dict__["neurons"] = tuple(neuron._replace(o=neuron.o + outputs) for neuron in self.neurons)
        made.__dict__["rows_per_output"] = {o + outputs: rows for o, rows in self.rows_per_output.items()}
        made.__dict__["costs"] = self.costs
        return made

    @property
    def in_words(self) -> bool:
        """Whether its results fill words of memory in the order of its maps, which are not divided."""
        return self.sequencer.aligned and not self.apart and self.spec.word_states > 1

    # --- how it is loaded and taken out ------------------------------------------------------------------------------
    @cached_property
    def calcs(self) -> tuple[tuple[int, int], ...]:
        """Place among `neurons` and number of neurons of each CALC of a step."""
        found, at = list[tuple[int, int]](), 0
        while at < len(self.neurons):
            same = [n for n in self.neurons[at : at + self.spec.neurons_at_once] if n.reads == self.neurons[at].reads]
            count = len(same)
            if self.sequencer.aligned and not self.apart and at + count < len(self.neurons):
                count = self._cut(at, count)
            found.append((at, count))
            at += count
        return tuple(found)

    def _cut(self, at: int, count: int) -> int:
        """How many of these neurons a CALC takes so that the next one's results begin a word."""
        for fewer in range(count, 0, -1):
            after, last = self.neurons[at + fewer], self.neurons[at + fewer - 1]
            together = (after.dy, after.dx) == (last.dy, last.dx) and after.o == last.o + 1
            if not together or after.o % self.spec.word_states == 0:
                return fewer
        return count

    def outs(self, at: int, count: int, steps: tuple[int, int, int]) -> list[tuple[int, int]]:
        """Relative address and number of results of each OUT of a CALC, given the address steps of its target."""
        one, down, right = steps
        addresses = [n.o * one + n.dy * down + n.dx * right for n in self.neurons[at : at + count]]
        return words_of(addresses, self.spec.word_states * self.spec.out_words)

    def entering(self, latch: int, moved: int | None) -> Iterator[tuple[Tap, ...]]:
        """The taps that a latch takes in when the window has moved by so many positions, all if None: in the order of the
        stream, cut where extras follow."""
        held = self.layouts[latch]
        count, new = len(held.shifts), len(held.shifts)
        if moved is not None and self.keeps and not (held.extras and moved != self.right):
            new = min(count, moved * self.layer.stride[1])
        block = tuple[Tap, ...]()
        for k in range(count - new, count):
            block += held.shifts[k]
            if (count - 1 - k) % held.step == 0:
                yield block
                block = ()
        assert not block

    # --- what it costs -----------------------------------------------------------------------------------------------
    def _loads(self, moved: int | None) -> tuple[int, int, int]:
        """SHIFTs of the first latch of a step, of all its latches, and STOREs."""
        extras, found = self._extra_words, list[int]()
        if self.own is not None and self.unit_states:
            found.append(extras)
        for latch, held in enumerate(self.layouts):
            blocks = self._words_of_blocks(latch, moved)
            found.append(sum(blocks) + (len(blocks) * extras if held.extras else 0))
        stores = sum(max(1, words) for words in found) if self.through_register else len(found)
        return found[0], sum(found), stores

    def _words_of_blocks(self, latch: int, moved: int | None) -> list[int]:
        """Words of each block of taps that a latch takes in."""
        if (latch, moved) not in self.words:
            (one, down, right), places = self.source_steps, self.layer.places
            self.words[latch, moved] = [
                len(words_of([places[i] * one + y * down + x * right for i, y, x in block], self.spec.word_states))
                for block in self.entering(latch, moved)
            ]
        return self.words[latch, moved]

    @property
    def _extra_words(self) -> int:
        word = self.spec.word_states
        return ceil_div(self.constants, word) + self.unit_columns * ceil_div(len(self.neurons), word)

    @cached_property
    def target_steps(self) -> tuple[int, int, int]:
        """Address steps of the output, but for its frame."""
        return steps_of(
            self.spec, self.sequencer, (self.layer.stack_maps, *self.layer.output_shape[1:]), (0, 0, 0, 0), self.apart
        )

    @cached_property
    def source_steps(self) -> tuple[int, int, int]:
        """Address steps of the input from map to map, row to row, column to column."""
        return steps_of(
            self.spec, self.sequencer, (max(self.layer.places) + 1, *self.layer.input_shape[1:]), self.layer.padding
        )

    @cached_property
    def moves(self) -> dict[int | None, int]:
        """How many steps of a line move by so many positions; None: the first."""
        return {None: 1, **Counter(b - a for a, b in pairwise(self.starts_x))}

    @property
    def _steps(self) -> list[tuple[int, tuple[int, int, int]]]:
        """How many steps of a line there are of each kind, and what each takes in."""
        return [(count, self._loads(moved)) for moved, count in self.moves.items()]

    @cached_property
    def words_out(self) -> int:
        """Words of results of a step."""
        return sum(ceil_div(n, self.spec.word_states) for calc in self.calcs for _, n in self.outs(*calc, self.target_steps))

    @property
    def places(self) -> int:
        """Steps of the scan."""
        return len(self.starts_y) * len(self.starts_x)

    @property
    def array_cycles(self) -> int:
        """CALC cycles of a window."""
        return self.pace.calc * len(self.calcs)

    @property
    def output_cycles(self) -> int:
        """OUT cycles of a window."""
        return self.pace.word_out * self.words_out

    @cached_property
    def input_cycles(self) -> int:
        """SHIFT and STORE cycles of the scan."""
        line = sum(count * (words * self.pace.word + stores * self.pace.store) for count, (_, words, stores) in self._steps)
        return len(self.starts_y) * line

    @cached_property
    def bound_cycles(self) -> int:
        """Cycles that its instructions need at least."""
        line = sum(count * self.pace.step(*loads, len(self.calcs), self.words_out) for count, loads in self._steps)
        return len(self.starts_y) * line

    @property
    def cycles(self) -> int:
        """Estimated cycles of the scan: those and the latency of its last step."""
        return self.bound_cycles + self.pace.calc + self.pace.word_out

    @property
    def text(self) -> str:
        """The canonical line."""
        latches = "+".join(str(held.size) for held in self.layouts)
        extras = "" if self.own is None else f" and latch {self.own} of {self.extras}"
        return (
            f"{self.layer.name}: {len(self.outputs)} maps, {self.down}x{self.right} positions at once, latches of {latches} "
            f"columns{extras}, {self.constants} constants, {len(self.neurons)} neurons on {self.rows} rows, about "
            f"{self.cycles} cycles"
        )


def group_of(spec: ChipSpec, used: set[int]) -> tuple[int, ...] | None:
    """The fewest latches side by side, as a CALC can name them, that include those used."""
    for fan_in in spec.fan_ins:
        each = fan_in // spec.columns
        if each and (first := min(used) // each * each) + each > max(used) and first + each <= spec.latches:
            return tuple(range(first, first + each))
    return None


def words_of(addresses: Sequence[int], most: int) -> list[tuple[int, int]]:
    """First address and length of each run of consecutive addresses, of at most so many."""
    found = list[tuple[int, int]]()
    for address in addresses:
        if found and found[-1][0] + found[-1][1] == address and found[-1][1] < most:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((address, 1))
    return found


def pitch_of(spec: ChipSpec, sequencer: Sequencer, maps: int) -> int:
    """States from one pixel to the next: as many as maps, in whole words where words are aligned."""
    return ceil_div(maps, spec.word_states) * spec.word_states if sequencer.aligned else maps


def steps_of(
    spec: ChipSpec,
    sequencer: Sequencer,
    shape: tuple[int, int, int],
    frame: tuple[int, int, int, int],
    apart: bool = False,
) -> tuple[int, int, int]:
    """Address steps of a map stack in a frame, from map to map, row to row, column to column; `apart`: a word for each map."""
    one = spec.word_states if apart else 1
    pitch = pitch_of(spec, sequencer, shape[0] * one)
    return one, pitch, pitch * (shape[1] + frame[0] + frame[1])
