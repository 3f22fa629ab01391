"""Pass 5, place: how each layer is computed, and the weight page of each of its scans.

The choice is a shortest path over the layers: cycles of the scans plus the batch's share of page loads, for each number of
rows used on the current page. A scan that does not fit is cut by output maps.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from anna.base.errors import CompileError
from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler import latch_packing, register_packing
from anna.compiler.cut import NOTHING_LEFT
from anna.compiler.ir import OWN_BIAS, ChipLayer, HostStage, Lowered, OwnColumn
from anna.compiler.latch_packing import Repeated
from anna.compiler.latches import LatchScan
from anna.compiler.options import CompileOptions
from anna.compiler.quantised import QuantGraph
from anna.compiler.registers import RegisterScan

PAGE_TURN_CYCLES = 16.0  # units run empty at the end of a segment
USUAL_BATCH = 8  # images, where the batch is chosen later: what a row costs an image
KEPT = 64  # layers whose ways are remembered: a comparison compiles two networks that are alike, a sweep dozens
BEST_WAYS = 12  # ways to compute a layer that are kept: the fastest for each number of rows


Scans = tuple[RegisterScan | LatchScan, ...]


@dataclass(frozen=True)
class Placed:
    """A scan on its page and rows."""

    scan: RegisterScan | LatchScan
    page: int
    row: int  # first row


@dataclass(frozen=True)
class Placement:
    """All scans, in the order in which they run."""

    scans: tuple[Placed, ...]
    pages: int
    rounds: tuple[int, ...] = ()  # the page before which the host makes each of its rounds

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"{self.pages} page{'s' if self.pages != 1 else ''}"]
        lines += [f"  page {placed.page} rows {placed.row} to {placed.row + placed.scan.rows - 1}: {placed.scan.text}"
                  for placed in self.scans]  # fmt: skip
        return "\n".join(lines)


class _State(NamedTuple):
    cycles: float  # of an image, with its share of page loads
    pages: int
    row: int
    rows: int  # on all pages
    scans: tuple["_Piece", ...]


class _Piece(NamedTuple):
    """Some outputs of a scan, on their page and rows."""

    scan: RegisterScan | LatchScan
    first: int
    end: int
    page: int
    row: int

    @property
    def placed(self) -> Placed:
        """The scan of these outputs."""
        every = self.end - self.first == len(self.scan.outputs)
        return Placed(self.scan if every else self.scan.part(self.scan.outputs[self.first : self.end]), self.page, self.row)


@dataclass(frozen=True)
class _Loads:
    """What loading weights costs an image, in cycles."""

    page: float  # each page
    row: float  # each row of a program of several pages
    only_row: float  # each row of a program of one page, if that is loaded less often

    def cost(self, state: _State) -> float:
        """Cycles with the share of loading rows."""
        return state.cycles + state.rows * (self.only_row if state.pages == 1 else self.row)


def place(graph: QuantGraph, options: CompileOptions) -> Placement:
    """The cheapest placement."""
    spec, refused = graph.spec, dict[str, str]()
    loads = _loads(options)
    states, fresh = {(1, 0): _State(0.0, 1, 0, 0, ())}, _after_rounds(graph.lowered)
    for quant in graph.layers:
        needs = quant.constants_oc.shape[1], quant.units
        ways = _ways(options, quant.layer, *needs)
        if not ways and options.sequencer.aligned and not graph.lowered.read_by_chip(quant.layer.stack):
            ways = _ways(options, quant.layer, *needs, apart=True)
        if not ways:
            leaves_some = all(quant.layer.origin != member.layers[0].origin for member in graph.lowered.members)
            refused.setdefault(quant.layer.origin, _no_way(quant.layer, options, leaves_some))
            continue
        after: dict[tuple[int, int], _State] = {}
        for state in states.values():
            for way in ways:
                for new_page in (True,) if quant.layer.name in fresh and state.row else (False, True):
                    for cut in (False, True):
                        found = _put(state, way, spec.rows, loads.page, new_page, cut)
                        if found is None:
                            continue
                        key = (min(found.pages, 2), found.row)
                        if key not in after or loads.cost(found) < loads.cost(after[key]):
                            after[key] = found
                        if found.pages == state.pages + new_page:
                            break  # there is nothing to cut
        if not after:  # only where the words of results are not divided
            refused.setdefault(quant.layer.origin, _no_word(quant.layer, spec.word_states, spec.rows))
            continue
        states = after
    if refused:
        raise CompileError(list(refused.values()))
    # A single page is never reloaded; the first of several is loaded like all others.
    best = min(states.values(), key=lambda s: (loads.cost(s) + (loads.page if s.pages > 1 else 0.0), s.pages, s.row))
    if best.pages > spec.max_pages:
        raise CompileError([
            f"{graph.lowered.network.name}: needs {best.pages} weight pages, but the board's memory holds {spec.max_pages}; "
            "run its largest layers on the host (option host)"
        ])  # fmt: skip
    first = {piece.scan.layer.name: piece.page for piece in reversed(best.scans)}
    return Placement(tuple(piece.placed for piece in best.scans), best.pages, tuple(first[name] for name in fresh))


def _after_rounds(lowered: Lowered) -> list[str]:
    """The layer that comes after each round of the host: on a page of its own, since they run between pages."""
    steps = lowered.steps
    return [next(one.name for one in steps[k:] if isinstance(one, ChipLayer)) for k, step in enumerate(steps)
            if isinstance(step, HostStage)]  # fmt: skip


def _loads(options: CompileOptions) -> _Loads:
    """A wide chip loads entire pages, and none if there is only one; a published one the rows in use, once a batch."""
    spec, sequencer, batch = options.chip, options.sequencer, options.batch
    if spec.wide:
        return _Loads(spec.refresh_period_cycles / (batch or 1), 0.0, 0.0)
    row = spec.columns // spec.dacs * sequencer.issue_cycles(spec)
    return _Loads(PAGE_TURN_CYCLES, row / (batch or 1), row / (batch or USUAL_BATCH))


@dataclass(frozen=True)
class _Question:
    """How may a layer be computed? Layers that are alike ask the same, those of another network and another compilation too."""

    chip: ChipSpec
    sequencer: Sequencer
    most_positions: int | None
    alike: Hashable
    apart: bool
    layer: ChipLayer = field(compare=False)
    constants: int = field(compare=False)
    units: tuple[OwnColumn, ...] = field(compare=False)

    @property
    def ways(self) -> Iterable[Sequence[RegisterScan | Repeated]]:
        """All of them."""
        if self.chip.wide:
            return register_packing.options(self.layer, self.chip, self.constants, self.units)
        return latch_packing.options(
            self.layer, self.chip, self.sequencer, self.constants, self.units, self.most_positions, self.apart
        )


def _ways(
    options: CompileOptions, layer: ChipLayer, constants: int, units: tuple[OwnColumn, ...], apart: bool = False
) -> list[Scans]:
    """The ways to compute a layer that no other beats in both rows and cycles."""
    alike = (
        sha256(np.packbits(layer.mask_oiyx).tobytes()).digest(), layer.mask_oiyx.shape, layer.input_shape, layer.output_shape,
        layer.stride, layer.padding, layer.places, layer.stack_maps, constants, tuple(unit == OWN_BIAS for unit in units),
    )  # fmt: skip
    weightless = replace(layer, weights_oiyx=np.broadcast_to(0.0, layer.weights_oiyx.shape))  # they may be of many megabytes
    question = _Question(options.chip, options.sequencer, options.most_positions, alike, apart, weightless, constants, units)
    return [tuple(scan.of(layer, units) for scan in way) for way in _best(question)]


@lru_cache(maxsize=KEPT)
def _best(question: _Question) -> tuple[Scans, ...]:
    found = []
    for way in question.ways:
        scans = [one.scan if isinstance(one, Repeated) else one for one in way]
        if max(scan.heaviest for scan in scans) <= question.chip.rows:
            found.append((sum(scan.rows for scan in scans), sum(scan.cycles for scan in scans), way))
    found.sort(key=lambda way: (way[0], way[1]))
    front: list[tuple[int, int, Sequence[RegisterScan | Repeated]]] = []
    for one in found:
        if not front or one[1] < front[-1][1]:
            front.append(one)
    kept = front[-BEST_WAYS:] + (front[:1] if len(front) > BEST_WAYS else [])
    best = tuple(tuple(one.made if isinstance(one, Repeated) else one for one in way) for _, _, way in kept)
    for scan in (scan for way in best for scan in way):
        scan.cycles_of(0, len(scan.outputs))  # known to all that are alike
    return best


def _put(state: _State, way: Scans, rows: int, load: float, new_page: bool, cut: bool) -> _State | None:
    """The way's scans placed after a state: on the remaining rows or on a new page; cut at the page's end or not."""
    cycles, pages, row, total, scans = state.cycles, state.pages, state.row, state.rows, list[_Piece]()
    if new_page and row == 0:
        return None
    if new_page:
        cycles, pages, row = cycles + load, pages + 1, 0
    for scan in way:
        below, at, count = scan.rows_before, 0, len(scan.outputs)  # rows of the outputs before each
        words = scan.spec.word_states if isinstance(scan, LatchScan) and scan.in_words else 1
        while at < count:
            if row and not cut and below[count] - below[at] > rows - row:
                cycles, pages, row = cycles + load, pages + 1, 0
            end = bisect_right(below, below[at] + rows - row, at) - 1
            if end < count:
                end -= (end - at) % words  # words of results are not shared
            if end == at:
                if not row:
                    return None
                cycles, pages, row = cycles + load, pages + 1, 0
                continue
            scans.append(_Piece(scan, at, end, pages - 1, row))
            used = below[end] - below[at]
            cycles, row, total, at = cycles + scan.cycles_of(at, end), row + used, total + used, end
    return _State(cycles, pages, row, total, state.scans + tuple(scans))


def _no_word(layer: ChipLayer, word: int, rows: int) -> str:
    return (
        f"{layer.name}: its results leave in words of {word}, which a sequencer of aligned words does not divide, and the "
        f"neurons of one need more than the {rows} rows of a page; choose a sequencer that is not aligned, or more rows"
    )


def _no_way(layer: ChipLayer, options: CompileOptions, leaves_some: bool) -> str:
    spec = options.chip
    inputs = int(layer.inputs_o.max())
    ways = [f"run it and all after it on the host (option host={layer.origin})"] if leaves_some else []
    if layer.input_maps or layer.digits > 1:
        ways.insert(0, "take fewer digits or synapses for it and what it reads (options digits, synapses)")
    return (
        f"{layer.name}: a window of {inputs} inputs on maps {layer.kernel[1]} columns wide does not fit the chip's "
        f"{spec.registers if spec.wide else spec.latches} {'registers' if spec.wide else 'latches'} of {spec.columns} states "
        f"with its biases; {' or '.join(ways) or NOTHING_LEFT}"
    )
