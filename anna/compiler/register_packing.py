"""The ways to lay a layer's windows in the registers of a wide chip: how many positions at once, which maps share."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from anna.chip.spec import ChipSpec
from anna.compiler.ir import ChipLayer, OwnColumn
from anna.compiler.registers import RegisterLayout, RegisterScan
from anna.compiler.scan import ceil_div

MOST_DOWN = 16  # rows and columns of positions at once that are tried
MOST_RIGHT = 4
MOST_POSITIONS = 16

Strip = tuple[int, int]  # input map, row of the window
Strips = frozenset[Strip]
Packed = tuple[tuple[RegisterLayout, ...], int]  # registers, and how many constant columns each has
Group = tuple[list[Strips], list[int], Packed]  # what a scan's output maps read, the maps, and their registers


def options(
    layer: ChipLayer, spec: ChipSpec, constants: int, units: tuple[OwnColumn, ...]
) -> Iterator[tuple[RegisterScan, ...]]:
    """Ways to compute a layer, each a tuple of scans that together make all its maps."""
    packer = Packer(layer, spec, constants, units)
    rows, columns = layer.output_shape[1:]
    for down in range(1, min(rows, MOST_DOWN) + 1):
        for right in range(1, min(columns, MOST_RIGHT, max(1, MOST_POSITIONS // down)) + 1):
            scans = packer.scans(down, right)
            if scans is not None:
                yield scans
            elif right == 1:
                return
            else:
                break


class Packer:
    """A layer's output maps by the strips that they read, and how to pack these for any number of positions."""

    def __init__(self, layer: ChipLayer, spec: ChipSpec, constants: int, units: tuple[OwnColumn, ...]) -> None:
        self.layer, self.spec, self.constants, self.units = layer, spec, constants, units
        self.classes: dict[Strips, list[int]] = {}
        for o, rows in enumerate(np.asarray(layer.mask_oiyx.any(axis=3))):
            self.classes.setdefault(frozenset((int(i), int(y)) for i, y in np.argwhere(rows)), []).append(o)
        # Maps without inputs, as a part of a sum may have, come last: they join others.
        self.order = sorted(self.classes, key=lambda strips: (not strips, sorted(strips), self.classes[strips][0]))
        self.together = self._together()
        self.single = layer.output_shape[1:] == (1, 1)

    def _together(self) -> dict[int, int]:
        """For every input map, the lowest map that output maps connect it with: maps read together are placed together."""
        group = {i: i for strips in self.classes for i, _ in strips}
        for strips in self.order:
            joined = {group[i] for i, _ in strips}
            low = min(joined, default=0)
            group = {i: low if g in joined else g for i, g in group.items()}
        return group

    def scans(self, down: int, right: int) -> tuple[RegisterScan, ...] | None:
        """The layer with this many positions at once; output maps share a scan as long as their inputs fit the registers."""
        groups: list[Group] = []
        for strips in self.order:
            outputs = self.classes[strips]
            if self.units:
                found = self._with_units(strips, outputs, down, right)
                if found is None:
                    return None
                joined = self._joined(groups[-1], found[0], down, right) if groups and len(found) == 1 else None
                groups[len(groups) - (joined is not None) :] = found if joined is None else [joined]
                continue
            if groups:
                kinds, members, _ = groups[-1]
                packed = self._packed([*kinds, strips], 0, down, right)
                if packed is not None:
                    groups[-1] = [*kinds, strips], members + outputs, packed
                    continue
            packed = self._packed([strips], 0, down, right)
            if packed is None:
                return None
            groups.append(([strips], outputs, packed))
        return tuple(
            RegisterScan(layer=self.layer, spec=self.spec, outputs=tuple(sorted(outputs)), down=down, right=right,
                         constants=packed[1], units=self.units, layouts=packed[0])
            for _, outputs, packed in groups
        )  # fmt: skip

    def _with_units(self, strips: Strips, outputs: list[int], down: int, right: int) -> list[Group] | None:
        """As many output maps per scan as their units' own columns leave room for."""
        each = len(self.units) * down * right
        most = min(len(outputs), (self.spec.columns - 2) // each)
        for count in range(most, 0, -1):
            packed = self._packed([strips], count * each, down, right)
            if packed is not None:
                break
        else:
            return None
        found = []
        for at in range(0, len(outputs), count):
            members = outputs[at : at + count]
            packed = self._packed([strips], len(members) * each, down, right)
            if packed is None:
                return None
            found.append(([strips], members, packed))
        return found

    def _joined(self, one: Group, other: Group, down: int, right: int) -> Group | None:
        """Two groups as one, if their inputs and their units' own columns fit one register."""
        kinds, members = [*one[0], *other[0]], one[1] + other[1]
        packed = self._packed(kinds, len(members) * len(self.units) * down * right, down, right)
        return (kinds, members, packed) if packed is not None and len(packed[0]) == 1 else None

    def _packed(self, kinds: list[Strips], extra: int, down: int, right: int) -> Packed | None:
        """The fewest registers that hold the strips of a window; None if they do not fit. Constants and the units' own columns
        need a register even where there are no strips.

        Maps are not divided unless that saves registers. The last register also holds `extra` columns of the units.
        """
        layer, spec = self.layer, self.spec
        sy, sx = layer.stride
        width = layer.kernel[1] + (right - 1) * sx
        strips = frozenset[Strip]().union(*kinds)
        wide = frozenset((i, y + dy * sy) for i, y in strips for dy in range(down))
        if not wide:
            fits = extra + self.constants <= spec.columns
            return ((RegisterLayout((), 0),), self.constants) if fits else None
        if len(wide) * width + extra > spec.registers * spec.columns and not self.single:
            return None
        for count in range(1, spec.registers + 1):
            room = count * (spec.columns - 2)  # where they need more, no way to share them fits
            for groups in self._shares(wide, count, width, extra) if len(wide) * width + extra <= room else ():
                sizes = [len(group) * width for group in groups if group]
                sizes[-1] += extra
                if max(sizes) + 2 <= spec.columns:
                    where = {strip: r for r, group in enumerate(g for g in groups if g) for strip in group}
                    own = {len(sizes) - 1} if extra else set()
                    read = max(len({where[i, y + dy * sy] for i, y in strips} | own) for strips in kinds for dy in range(down))
                    if read > spec.max_rows_per_neuron:
                        continue
                    reserve = self._reserve(kinds, where, down, len(sizes))
                    if max(sizes) + reserve <= spec.columns:
                        return tuple(_layout(group, width) for group in groups if group), reserve
            if self.single and count <= spec.max_rows_per_neuron:
                layouts = self._flat(strips, count, extra)
                sizes = [len(one.taps) for one in layouts]
                sizes[-1] += extra
                # Registers may share a strip: assume a neuron that reads one register, the worst case.
                reserve = (
                    self.constants if len(layouts) == 1 or len(kinds) > 1 else 1 + ceil_div(self.constants - 1, len(layouts))
                )
                if max(sizes) + max(2, reserve) <= spec.columns:
                    return layouts, max(2, reserve)
        return None

    def _reserve(self, kinds: list[Strips], where: dict[Strip, int], down: int, registers: int) -> int:
        """Constant columns of each register, so that every neuron reads as many as its bias needs.

        A register has one fine constant, the others are coarse: a neuron on r registers with c each has r (c - 1) coarse.
        """
        fewest = registers
        if registers > 1:
            sy = self.layer.stride[0]
            for strips in kinds:
                for dy in range(down):
                    fewest = min(fewest, len({where[i, y + dy * sy] for i, y in strips}))
        return max(2, 1 + ceil_div(self.constants - 1, max(1, fewest)))

    def _flat(self, strips: Strips, count: int, extra: int) -> tuple[RegisterLayout, ...]:
        """The taps of a window that does not move, in equal shares."""
        read = np.asarray(self.layer.mask_oiyx.any(axis=0))
        width = self.layer.kernel[1]
        taps = [(i, y, x) for i, y in sorted(strips) for x in range(width) if read[i, y, x]]
        total = len(taps) + extra
        edges = [min(total * k // count, len(taps)) for k in range(count)] + [len(taps)]
        return tuple(RegisterLayout(tuple(taps[a:b]), b - a) for a, b in pairwise(edges) if b > a)

    def _shares(self, strips: Strips, count: int, width: int, extra: int) -> Iterator[list[list[Strip]]]:
        """Ways to share strips among registers: undivided maps first, then as evenly as possible; a last register that also
        holds columns of the units gets fewer."""
        if not strips:
            return
        ids = sorted({i for i, _ in strips}, key=lambda i: (self.together[i], i))
        if len(ids) >= count:
            each = ceil_div(len(ids), count)
            number = {i: k // each for k, i in enumerate(ids)}
            groups: list[list[Strip]] = [[] for _ in range(ceil_div(len(ids), each))]
            for strip in sorted(strips):
                groups[number[strip[0]]].append(strip)
            yield groups
        ordered = sorted(strips)
        each = ceil_div(len(ordered), count)
        yield [ordered[k : k + each] for k in range(0, len(ordered), each)]
        if extra and count > 1:
            room = self.spec.columns - 2 - extra
            first = ceil_div(len(ordered) * width + extra, count) // width
            first = min(max(first, ceil_div(len(ordered) - max(0, room) // width, count - 1)), len(ordered))
            if first:
                pieces = [ordered[k * first : (k + 1) * first] for k in range(count - 1)]
                rest = ordered[(count - 1) * first :]
                yield [*(piece for piece in pieces if piece), *([rest] if rest else [])]


def _layout(strips: list[Strip], width: int) -> RegisterLayout:
    # In the order of memory within an image column: row, then map.
    ordered = sorted(strips, key=lambda strip: (strip[1], strip[0]))
    return RegisterLayout(tuple((i, y, x) for x in range(width) for i, y in ordered), len(ordered))
