"""The ways to lay a layer's windows in the registers of a wide chip: how many positions at once, which maps share."""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import NamedTuple

import numpy as np

from anna.chip.spec import ChipSpec
from anna.compiler.ir import Bools, ChipLayer, OwnColumn
from anna.compiler.registers import RegisterLayout, RegisterScan
from anna.compiler.scan import ceil_div

MOST_DOWN = 16  # rows and columns of positions at once that are tried
MOST_RIGHT = 4
MOST_POSITIONS = 16

Strips = int  # strips of a window as bits: bit (input map x rows of the window + row) for each


class Packed(NamedTuple):
    """What each register holds, strips or taps, and how many constant columns it has."""

    registers: tuple[Strips | RegisterLayout, ...]
    constants: int


class Group(NamedTuple):
    """What a scan's output maps read, all of that, the maps, and their registers."""

    kinds: list[Strips]
    strips: Strips
    outputs: list[int]
    packed: Packed


def options(
    layer: ChipLayer, spec: ChipSpec, constants: int, units: tuple[OwnColumn, ...]
) -> Iterator[tuple[RegisterScan, ...]]:
    """Ways to compute a layer, each a tuple of scans that together make all its maps."""
    packer = Packer(layer, spec, constants, units)
    rows, columns = layer.output_shape[1:]
    for down in range(1, min(rows, MOST_DOWN) + 1):
        for right in range(1, min(columns, MOST_RIGHT, max(1, MOST_POSITIONS // down)) + 1):
            scans = Window(packer, down, right).scans()
            if scans is not None:
                yield scans
            elif right == 1:
                return
            else:
                break


class Packer:
    """A layer's output maps by the strips that they read."""

    def __init__(self, layer: ChipLayer, spec: ChipSpec, constants: int, units: tuple[OwnColumn, ...]) -> None:
        self.layer, self.spec, self.constants, self.units = layer, spec, constants, units
        alike = dict[bytes, tuple[Bools, list[int]]]()
        for o, strips_iy in enumerate(np.asarray(layer.mask_oiyx.any(axis=3))):
            alike.setdefault(strips_iy.tobytes(), (strips_iy, []))[1].append(o)
        # Maps without inputs, as a part of a sum may have, come last: they join others.
        self.classes = sorted(alike.values(), key=lambda one: (not one[0].any(), np.flatnonzero(one[0]).tolist(), one[1][0]))
        self.maps = self._together()

    def _together(self) -> list[int]:
        """The input maps in the order in which they share registers: maps that output maps connect come together."""
        group = dict[int, int]()  # the lowest map that each is connected with
        for strips_iy, _ in self.classes:
            read = np.flatnonzero(strips_iy.any(axis=1)).tolist()
            joined = {group.setdefault(i, i) for i in read}
            if len(joined) > 1:
                low = min(joined)
                group = {i: low if g in joined else g for i, g in group.items()}
        return sorted(group, key=lambda i: (group[i], i))


class Window:
    """How a layer's output maps share scans and registers, for a number of positions at once."""

    def __init__(self, packer: Packer, down: int, right: int) -> None:
        self.layer, self.spec, self.constants, self.units = packer.layer, packer.spec, packer.constants, packer.units
        self.down, self.right, self.single = down, right, self.layer.output_shape[1:] == (1, 1)
        (kernel_rows, kernel_columns), (self.sy, sx) = self.layer.kernel, self.layer.stride
        self.width = kernel_columns + (right - 1) * sx
        self.rows = kernel_rows + (down - 1) * self.sy
        self.classes = [(self._bits(strips_iy), outputs) for strips_iy, outputs in packer.classes]
        self.maps = [((1 << self.rows) - 1) << i * self.rows for i in packer.maps]  # the strips of each input map

    def _bits(self, strips_iy: Bools) -> Strips:
        wider = np.pad(strips_iy, ((0, 0), (0, self.rows - strips_iy.shape[1])))
        return int.from_bytes(np.packbits(wider.reshape(-1), bitorder="little").tobytes(), "little")

    def _at(self, strips: Strips, dy: int) -> Strips:
        """The strips of a position so many rows further down."""
        return strips << dy * self.sy

    def scans(self) -> tuple[RegisterScan, ...] | None:
        """The layer in scans: output maps share one as long as their inputs fit the registers."""
        groups: list[Group] = []
        for strips, outputs in self.classes:
            if self.units:
                found = self._with_units(strips, outputs)
                if found is None:
                    return None
                joined = self._joined(groups[-1], found[0]) if groups and len(found) == 1 else None
                groups[len(groups) - (joined is not None) :] = found if joined is None else [joined]
                continue
            if groups:
                kinds, every, members, _ = groups[-1]
                packed = self._packed([*kinds, strips], every | strips, 0)
                if packed is not None:
                    groups[-1] = Group([*kinds, strips], every | strips, members + outputs, packed)
                    continue
            packed = self._packed([strips], strips, 0)
            if packed is None:
                return None
            groups.append(Group([strips], strips, outputs, packed))
        return tuple(
            RegisterScan(layer=self.layer, spec=self.spec, outputs=tuple(sorted(group.outputs)), down=self.down,
                         right=self.right, constants=group.packed.constants, units=self.units,
                         layouts=tuple(self._layout(held) for held in group.packed.registers))
            for group in groups
        )  # fmt: skip

    def _with_units(self, strips: Strips, outputs: list[int]) -> list[Group] | None:
        """As many output maps per scan as their units' own columns leave room for."""
        each = len(self.units) * self.down * self.right
        most = min(len(outputs), (self.spec.columns - 2) // each)
        for count in range(most, 0, -1):
            packed = self._packed([strips], strips, count * each)
            if packed is not None:
                break
        else:
            return None
        found = []
        for at in range(0, len(outputs), count):
            members = outputs[at : at + count]
            packed = self._packed([strips], strips, len(members) * each)
            if packed is None:
                return None
            found.append(Group([strips], strips, members, packed))
        return found

    def _joined(self, one: Group, other: Group) -> Group | None:
        """Two groups as one, if their inputs and their units' own columns fit one register."""
        kinds, strips, members = [*one.kinds, *other.kinds], one.strips | other.strips, one.outputs + other.outputs
        packed = self._packed(kinds, strips, len(members) * len(self.units) * self.down * self.right)
        return Group(kinds, strips, members, packed) if packed is not None and len(packed.registers) == 1 else None

    def _packed(self, kinds: list[Strips], strips: Strips, extra: int) -> Packed | None:
        """The fewest registers that hold the strips of a window, of neurons that read these kinds; None if they do not fit.
        Constants and the units' own columns need a register even where there are no strips.

        Maps are not divided unless that saves registers. The last register also holds `extra` columns of the units.
        """
        spec, wide = self.spec, reduce(or_, (self._at(strips, dy) for dy in range(self.down)))
        if not wide:
            return Packed((RegisterLayout((), 0),), self.constants) if extra + self.constants <= spec.columns else None
        needed = wide.bit_count() * self.width + extra
        if needed > spec.registers * spec.columns and not self.single:
            return None
        for count in range(1, spec.registers + 1):
            # Where they need more than there is beside two constants, no way to share them fits.
            for shares in self._shares(wide, count, extra) if needed <= count * (spec.columns - 2) else ():
                sizes = [share.bit_count() * self.width for share in shares]
                sizes[-1] += extra
                if max(sizes) + 2 <= spec.columns:
                    most, fewest = self._read(kinds, shares, extra > 0)
                    reserve = self._reserve(fewest)
                    if most <= spec.max_rows_per_neuron and max(sizes) + reserve <= spec.columns:
                        return Packed(tuple(shares), reserve)
            if self.single and count <= spec.max_rows_per_neuron:
                layouts = self._flat(strips, count, extra)
                sizes = [len(one.taps) for one in layouts]
                sizes[-1] += extra
                # Registers may share a strip: assume a neuron that reads one register, the worst case.
                reserve = max(2, self.constants) if len(kinds) > 1 else self._reserve(len(layouts))
                if max(sizes) + reserve <= spec.columns:
                    return Packed(layouts, reserve)
        return None

    def _read(self, kinds: list[Strips], shares: list[Strips], own: bool) -> tuple[int, int]:
        """The most registers that a neuron reads, those of its `own` columns included, and the fewest that hold its inputs."""
        if len(shares) == 1:
            return 1, 1
        most, fewest, *others, last = 0, len(shares), *shares
        for kind in kinds:
            for dy in range(self.down):
                strips = self._at(kind, dy)
                held, at_last = sum(1 for share in others if share & strips), strips & last > 0
                most, fewest = max(most, held + (at_last or own)), min(fewest, held + at_last)
        return most, fewest

    def _reserve(self, registers: int) -> int:
        """Constant columns of each register, so that a neuron that reads so many has as many as its bias needs.

        A register has one fine constant, the others are coarse: a neuron on r registers with c each has r (c - 1) coarse.
        """
        return max(2, 1 + ceil_div(self.constants - 1, max(1, registers)))

    def _strips(self, strips: Strips) -> list[tuple[int, int]]:
        """Input map and row of each, in order."""
        return [divmod(bit, self.rows) for bit in bits_of(strips)]

    def _flat(self, strips: Strips, count: int, extra: int) -> tuple[RegisterLayout, ...]:
        """The taps of a window that does not move, in equal shares."""
        read = np.asarray(self.layer.mask_oiyx.any(axis=0))
        taps = [(i, y, x) for i, y in self._strips(strips) for x in np.flatnonzero(read[i, y]).tolist()]
        total = len(taps) + extra
        edges = [min(total * k // count, len(taps)) for k in range(count)] + [len(taps)]
        return tuple(RegisterLayout(tuple(taps[a:b]), b - a) for a, b in pairwise(edges) if b > a)

    def _shares(self, strips: Strips, count: int, extra: int) -> Iterator[list[Strips]]:
        """Ways to share strips among registers: undivided maps first, then as evenly as possible; a last register that also
        holds columns of the units gets fewer."""
        if count == 1:
            yield [strips]
            return
        maps = [own for own in self.maps if own & strips]
        if len(maps) >= count:
            each = ceil_div(len(maps), count)
            yield [reduce(or_, maps[k : k + each]) & strips for k in range(0, len(maps), each)]
        bits = bits_of(strips)
        each = ceil_div(len(bits), count)
        yield _cut(strips, bits, range(each, len(bits), each))
        if extra:
            room = self.spec.columns - 2 - extra
            first = ceil_div(len(bits) * self.width + extra, count) // self.width
            first = min(max(first, ceil_div(len(bits) - max(0, room) // self.width, count - 1)), len(bits))
            if first:
                yield _cut(strips, bits, [k * first for k in range(1, count) if k * first < len(bits)])

    def _layout(self, held: Strips | RegisterLayout) -> RegisterLayout:
        if isinstance(held, RegisterLayout):
            return held
        # In the order of memory within an image column: row, then map.
        ordered = sorted(self._strips(held), key=lambda strip: (strip[1], strip[0]))
        return RegisterLayout(tuple((i, y, x) for x in range(self.width) for i, y in ordered), len(ordered))


def bits_of(strips: Strips) -> list[int]:
    """Which bits are set, in order."""
    return [bit for bit, digit in enumerate(reversed(f"{strips:b}")) if digit == "1"]


def _cut(strips: Strips, bits: list[int], edges: Sequence[int]) -> list[Strips]:
    """Strips parted before those that come at these places in their order."""
    ends = [0, *(bits[edge] for edge in edges), bits[-1] + 1]
    return [strips & ((1 << b) - (1 << a)) for a, b in pairwise(ends)]
