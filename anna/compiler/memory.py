"""Where the maps lie in the state memory: column by column, all maps of a pixel together.

A map that is read with a border lies inside a frame of constants. In this order the results of one CALC are adjacent, and a
column of a window is a block of rows of neighbouring maps: both are patterns of two strides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError
from anna.chip.codes import state_converter
from anna.chip.spec import Sequencer
from anna.compiler.columns import constant_numerators
from anna.compiler.latches import LatchScan, pitch_of
from anna.compiler.quantised import QuantGraph, QuantLayer
from anna.compiler.registers import RegisterScan

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stack:
    """A stack of maps in memory, with its frame."""

    name: str
    address: int
    maps: int
    rows: int
    columns: int
    frame: tuple[int, int, int, int]  # above, below, left, right
    pitch: int  # states from pixel to pixel: as many as maps, or whole words
    one: int = 1  # states from map to map

    @property
    def steps(self) -> tuple[int, int, int]:
        """Address steps from map to map, row to row, column to column."""
        return self.one, self.pitch, self.pitch * (self.rows + self.frame[0] + self.frame[1])

    @property
    def size(self) -> int:
        """States, frame included."""
        return self.steps[2] * (self.columns + self.frame[2] + self.frame[3])

    def from_map(self, first: int) -> "Stack":
        """The same stack from a map on."""
        return replace(self, address=self.address + first * self.one, maps=self.maps - first)

    def corner(self, padding: tuple[int, int, int, int]) -> int:
        """Address of map 0 where a border of this width begins, which the frame has room for."""
        return self.inside - padding[0] * self.steps[1] - padding[2] * self.steps[2]

    @property
    def inside(self) -> int:
        """Address of map 0, row 0, column 0."""
        return self.address + self.frame[0] * self.steps[1] + self.frame[2] * self.steps[2]


@dataclass(frozen=True, eq=False)
class Memory:
    """Stacks by name, constants by address, and where the constants of columns and units begin."""

    stacks: dict[str, Stack]
    constants: dict[int, int]
    column_constants: int  # address of the constants for the topmost columns of a register, lowest column first
    column_count: int
    unit_biases: tuple[int, ...]  # for each scan: where the states of its first step lie; -1: none
    reused: frozenset[str]  # stacks that others overwrite, so that they cannot be tapped
    size: int
    constant_lists: Mapping[int, int] = field(default_factory=dict)  # of a chip of one shifter: where so many constants lie

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"{self.size} states per image, {len(self.constants)} of them constants"]
        for stack in self.stacks.values():
            frame = f" in a frame of {stack.frame}" if any(stack.frame) else ""
            lines.append(f"  {stack.name} at {stack.address}: {stack.maps}@{stack.rows}x{stack.columns}{frame}")
        return "\n".join(lines)


def lay_out(graph: QuantGraph, scans: Sequence[RegisterScan | LatchScan], batch: int, sequencer: Sequencer) -> Memory:
    """Addresses for all maps; maps share memory only if a batch does not fit otherwise."""
    memory = _lay_out(graph, scans, sequencer, share=False)
    limit = graph.spec.memory_states
    if limit is not None and batch * memory.size > limit:
        memory = _lay_out(graph, scans, sequencer, share=True)
        if batch * memory.size > limit:
            raise CompileError([
                f"{graph.lowered.network.name}: a batch of {batch} images needs {batch} x {memory.size} = "
                f"{batch * memory.size} states, but the memory holds {limit}; choose a batch of at most {limit // memory.size}"
                if limit // memory.size else
                f"{graph.lowered.network.name}: an image needs {memory.size} states, but the memory holds {limit}; choose a "
                "smaller image or a board with more memory"
            ])  # fmt: skip
    return memory


def _lay_out(graph: QuantGraph, scans: Sequence[RegisterScan | LatchScan], sequencer: Sequencer, share: bool) -> Memory:
    lowered, spec = graph.lowered, graph.spec
    stacks: dict[str, Stack] = {}
    constants: dict[int, int] = {}
    dead: list[tuple[int, int]] = []  # address and size of what is no longer read
    reused: set[str] = set()
    top, word = 0, spec.word_states if sequencer.aligned else 1

    def room(size: int, own: bool) -> int:
        nonlocal top
        if share and own:
            for k, (address, free) in enumerate(dead):
                if size <= free:
                    dead[k] = (address + size, free - size)
                    return address
        address, top = top, top + size
        top += -top % word
        return address

    apart = {scan.layer.stack for scan in scans if isinstance(scan, LatchScan) and scan.apart}
    wanted = list(lowered.stacks.items())
    last_reader = {name: lowered.last_reader(name) for name, _ in wanted}
    first_writer = {layer.stack: k for k, layer in reversed(list(enumerate(lowered.layers)))}
    for position, (name, (maps, rows, columns)) in enumerate(wanted):
        readers = lowered.readers(name)
        frame = _widest([reader.padding for reader in readers])
        plain = not any(frame)
        one = spec.word_states if name in apart else 1
        pitch = pitch_of(spec, sequencer, maps * one)
        trial = Stack(name, 0, maps, rows, columns, frame, pitch, one)
        stack = Stack(name, room(trial.size, plain), maps, rows, columns, frame, pitch, one)
        stacks[name] = stack
        if not plain:
            constants.update(_frame(stack, _border(graph, name, stack.maps)))
        # A stack whose last reader has run is free for the layer after this one.
        for other, _ in wanted[:position]:
            mine = stacks[other]
            done = last_reader[other] <= first_writer.get(name, -1)
            if share and other not in reused and done and not any(mine.frame):
                reused.add(other)
                dead.append((mine.address, mine.size))
    levels = {int(n): code for code, n in enumerate(_levels(graph))}
    needed = sorted({scan.constants for scan in scans})
    wanted_lists = needed if not spec.wide else needed[-1:]
    lists = dict[int, int]()
    for count in wanted_lists:
        lists[count] = top
        for k, numerator in enumerate(reversed(constant_numerators(spec, count).tolist())):
            constants[top + k] = levels[numerator]
        top += count
        top += -top % word
    quants = {quant.layer.name: quant for quant in graph.layers}
    unit_biases = []
    for scan in scans:
        unit_biases.append(top if scan.own_biases else -1)
        for code in _unit_codes(scan, quants[scan.layer.name], word):
            if code is not None:
                constants[top] = code
            top += 1
    most = max(lists, default=0)
    return Memory(stacks, constants, lists.get(most, 0), most, tuple(unit_biases), frozenset(reused), top, lists)


def _widest(frames: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    """A border that has room for each of several."""
    above, below, left, right = (max((frame[k] for frame in frames), default=0) for k in range(4))
    return above, below, left, right


def _border(graph: QuantGraph, stack: str, maps: int) -> list[int]:
    """The codes around each map of a stack, as those want them that read the map with a border."""
    found = dict[int, int]()
    for quant in graph.layers:
        layer = quant.layer
        if layer.source == stack and any(layer.padding):
            border = dict(zip(layer.places, quant.border_i.tolist(), strict=True))
            read = {layer.places[i] for i in np.flatnonzero(layer.mask_oiyx.any(axis=(0, 2, 3))).tolist()}
            found = {m: code for m, code in border.items() if m in read or m not in found} | {
                m: code for m, code in found.items() if m not in read
            }
    return [found[m] for m in range(maps)]


def _levels(graph: QuantGraph) -> list[int]:
    return [int(n) for n in state_converter(graph.spec).numerators]


def _frame(stack: Stack, border_i: list[int]) -> dict[int, int]:
    found = {}
    _, down, right = stack.steps
    top, bottom, left, width = stack.frame
    for x in range(stack.columns + left + width):
        for y in range(stack.rows + top + bottom):
            if not (left <= x < left + stack.columns and top <= y < top + stack.rows):
                for i, code in enumerate(border_i):
                    found[stack.address + x * right + y * down + i] = code
    return found


def _unit_codes(scan: RegisterScan | LatchScan, quant: QuantLayer, word: int) -> Iterator[int | None]:
    """State codes of the units' biases, step by step, in the order of columns; None fills a word."""
    biases = scan.own_biases
    for y in scan.starts_y:
        for x in scan.starts_x:
            if isinstance(scan, RegisterScan):
                yield from (int(quant.unit_states_ouyx[n.o, u, y + n.dy, x + n.dx])
                            for n in scan.neurons for u in range(biases))  # fmt: skip
                continue
            for u in range(biases):
                yield from (int(quant.unit_states_ouyx[n.o, u, y + n.dy, x + n.dx]) for n in scan.neurons)
                yield from [None] * (-len(scan.neurons) % word)
