"""The ways to lay a layer's windows in the latches of a chip of one shifter."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler.ir import OWN_BIAS, ChipLayer, OwnColumn, Tap
from anna.compiler.latches import LatchLayout, LatchScan, group_of
from anna.compiler.scan import ceil_div

MOST_DOWN = 16  # rows and columns of positions at once that are tried
MOST_RIGHT = 4
MOST_POSITIONS = 16


class Repeated(NamedTuple):
    """A scan again, for output maps and input maps so many further on: where layers repeat, what is alike is looked at once."""

    scan: LatchScan
    outputs: int = 0
    maps: int = 0

    @property
    def made(self) -> LatchScan:
        """The scan itself."""
        return self.scan.moved(self.outputs, self.maps) if self.outputs else self.scan


def options(
    layer: ChipLayer,
    spec: ChipSpec,
    sequencer: Sequencer,
    constants: int,
    units: tuple[OwnColumn, ...],
    positions: int | None = None,
    apart: bool = False,
) -> Iterator[tuple[Repeated, ...]]:
    """Ways to compute a layer, each a tuple of scans that together make all its maps; `positions` limits those at once.
    With `apart`, each result has a word of its own in memory."""
    rows, columns = layer.output_shape[1:]
    most = MOST_POSITIONS if positions is None else positions
    for down in range(1, min(rows, MOST_DOWN, most) + 1):
        found = False
        for right in range(1, min(columns, MOST_RIGHT, max(1, most // down)) + 1):
            for own in (True, False) if constants or units else (False,):
                scans = Packer(layer, spec, sequencer, constants, units, down, right, own, apart).scans()
                if scans is not None:
                    found = True
                    yield scans
        if not found:
            return


def fits(layer: ChipLayer, spec: ChipSpec, sequencer: Sequencer, constants: int, unit_columns: int = 0) -> bool:
    """Whether there is any way to compute a layer with so many constants."""
    return next(options(layer, spec, sequencer, constants, (OWN_BIAS,) * unit_columns, positions=1), None) is not None


class Packer:
    """A layer's output maps by the inputs that they read, and how to pack these for a number of positions."""

    def __init__(self, layer: ChipLayer, spec: ChipSpec, sequencer: Sequencer, constants: int, units: tuple[OwnColumn, ...],
                 down: int, right: int, own: bool, apart: bool) -> None:  # fmt: skip
        self.layer, self.spec, self.sequencer, self.down, self.right, self.own = layer, spec, sequencer, down, right, own
        self.constants, self.units, self.apart = constants, units, apart
        self.in_words = sequencer.aligned and not apart  # results begin words: maps keep their order
        self.taps, self.alike = layer.taps, layer.alike
        # Maps that read the same come together; those without inputs, as a part of a sum may have, come last.
        self.order = list(range(len(self.taps)))
        if not self.in_words:
            self.order.sort(key=lambda o: (not self.taps[o], self.taps[o], o))

    def scans(self) -> tuple[Repeated, ...] | None:
        """The layer in as few scans as their windows allow."""
        left, found, at, explored = self.order, list[Repeated](), 0, 0
        if (whole := self._scan(left)) is not None:
            return (Repeated(whole),)
        while at < len(left):
            if found and self._repeats(at, explored):
                before, count = found[-1], len(found[-1].scan.outputs)
                found.append(Repeated(before.scan, before.outputs + count, before.maps + count * (self.steps[at][1] or 0)))
                at += count
                continue
            taken, scan = 0, None
            step = 1
            while step:  # as many maps as fit, found by doubling and halving
                tried = self._scan(left[at : at + taken + step]) if at + taken + step <= len(left) else None
                if tried is not None:
                    taken, scan = taken + step, tried
                    step *= 2
                else:
                    step //= 2
            explored = taken
            if self.in_words and at + taken < len(left):
                taken = taken // self.spec.word_states * self.spec.word_states
                scan = self._scan(left[at : at + taken]) if taken else None
            if scan is None:
                return None
            found.append(Repeated(scan))
            at += taken
        return tuple(found)

    def _repeats(self, at: int, explored: int) -> bool:
        """Whether the maps from a place on, as many as were looked at for the scan before, are its maps but for their place."""
        step, word = self.steps[at], self.spec.word_states
        first, last = at - explored, min(at + explored, len(self.order) - 1)
        if at + explored > len(self.order) or (self.in_words and (explored % word or explored * (step[1] or 0) % word)):
            return False
        alike = step[0] == 1 and step[1] is not None and all(one == step for one in self.steps[first + 1 : last + 1])
        return alike and (not step[1] or not self.layer.input_maps)

    @cached_property
    def steps(self) -> list[tuple[int, int | None]]:
        """From each map to the one before it in order: how far it is, and by how many input maps what it reads has moved; None
        if that is another pattern."""
        found: list[tuple[int, int | None]] = [(0, None)]
        for before, o in pairwise(self.order):
            old, new = self.taps[before], self.taps[o]
            by: int | None = new[0][0] - old[0][0] if old and len(old) == len(new) else None
            if by is not None and old is not new and tuple((i + by, y, x) for i, y, x in old) != new:
                by = None
            found.append((o - before, by))
        return found

    def _scan(self, outputs: Sequence[int]) -> LatchScan | None:
        """One scan of these maps; None if its window does not fit."""
        sy, sx = self.layer.stride
        read = {tap for o in {self.alike[o] for o in outputs} for tap in self.taps[o]}
        width = self.layer.kernel[1] + (self.right - 1) * sx
        moves = self.layer.output_shape[2] > self.right and self.right * sx < width
        if moves:  # an image column holds the same states whatever its place in the window
            column = {(i, y + dy * sy) for i, y in {(i, y) for i, y, _ in read} for dy in range(self.down)}
            if len(column) * width > self.spec.latches * self.spec.columns:
                return None
            taps = {(i, y, x) for i, y in column for x in range(width)}
        else:
            taps = {(i, y + dy * sy, x + dx * sx) for i, y, x in read for dy in range(self.down) for dx in range(self.right)}
            if len(taps) > self.spec.latches * self.spec.columns:
                return None
        shifts = self._shifts(taps, moves) or [()] * width  # maps that fill words read nothing
        step = self.right * sx if moves else 1
        extras = self.constants + len(self.units) * len(outputs) * self.down * self.right
        if extras > self.spec.columns:
            return None
        beside = 0 if self.own else extras * ceil_div(len(shifts), step)
        shares = self._shares(shifts, beside)
        if shares is None:
            return None
        held = [LatchLayout(share, step, 0, self.spec.columns) for share in shares]
        own = None
        if extras and self.own:
            own = self._own_latch(len(held))
            if own is None:
                return None
        elif extras:
            held[-1] = LatchLayout(shares[-1], step, extras, self.spec.columns)
        made = LatchScan(layer=self.layer, spec=self.spec, outputs=tuple(sorted(outputs)), down=self.down, right=self.right,
                         constants=self.constants, units=self.units, sequencer=self.sequencer,
                         layouts=tuple(held), own=own, apart=self.apart)  # fmt: skip
        return made if self._works(made) else None

    def _works(self, scan: LatchScan) -> bool:
        """Whether some fan-in reads what each neuron needs, and results begin words where they must."""
        everything = {*range(len(scan.layouts)), *([] if scan.own is None else [scan.own])}
        if group_of(self.spec, everything) is None:
            return False
        word, steps = self.spec.word_states, scan.target_steps
        return not self.in_words or all(address % word == 0 for calc in scan.calcs for address, _ in scan.outs(*calc, steps))

    def _own_latch(self, data: int) -> int | None:
        """A latch beside the data's that a CALC can read with them."""
        for latch in range(data, self.spec.latches):
            if group_of(self.spec, {*range(data), latch}) is not None:
                return latch
        return None

    def _shifts(self, wanted: set[Tap], moves: bool) -> list[tuple[Tap, ...]]:
        """What enters together, oldest first, each in the order of memory. Where words are aligned, the states before the
        first that is wanted in its word come with it."""
        taps = set(wanted)
        if self.sequencer.aligned:
            word = self.spec.word_states
            taps = {(j, y, x) for i, y, x in wanted for j in range(i - self.layer.places[i] % word, i + 1)}
        ordered = sorted(taps, key=itemgetter(2, 1, 0))
        if not moves:
            return [tuple(ordered)]
        return [tuple(column) for _, column in groupby(ordered, key=itemgetter(2))]

    def _shares(self, shifts: list[tuple[Tap, ...]], beside: int) -> list[tuple[tuple[Tap, ...], ...]] | None:
        """What enters together shared among latches in whole words, the last of which also holds columns `beside`."""
        count, columns, word = len(shifts[0]), self.spec.columns, self.spec.word_states
        if count * len(shifts) + beside <= columns:
            return [tuple(shifts)]
        most, edges = columns // len(shifts), [0]
        if beside > columns:
            return None
        places = [self.layer.places[i] for i, _, _ in shifts[0]]
        while edges[-1] < count:
            edge = min(edges[-1] + most, count)
            if edge < count:  # a word is not shared
                while edge > edges[-1] and (places[edge] if self.sequencer.aligned else edge - edges[-1]) % word:
                    edge -= 1
                if edge == edges[-1] and not self.sequencer.aligned:  # no SHIFT begins within an aligned word
                    edge = min(edges[-1] + most, count)
            if edge == edges[-1] or len(edges) > self.spec.latches:
                return None
            edges.append(edge)
        if (edges[-1] - edges[-2]) * len(shifts) + beside > columns:
            edges.append(count)  # a latch without inputs of the layer
        if len(edges) - 1 > self.spec.latches:
            return None
        return [tuple(taps[a:b] for taps in shifts) for a, b in pairwise(edges)]
