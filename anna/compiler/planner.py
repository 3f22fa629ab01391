"""A plan: what a network will take on a machine, from its shapes alone and without calibration images.

It goes the compiler's own way as far as shapes decide: what runs where, sums in parts, which windows lie on which page. What
only images can tell is assumed: as many constants for a bias as a layer may have, so that pages and rows are at most these, and
no RFSH beside the loads of pages.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from anna.analog.leak import oldest_charge_cycles
from anna.analog.parameters import Analog
from anna.base.errors import CompileError, GraphError
from anna.board.times import Times
from anna.chip.machines import Machine
from anna.compiler import check as check_pass
from anna.compiler import digits, listing, maximum, memory
from anna.compiler import split as split_pass
from anna.compiler.columns import USUAL_CONSTANTS
from anna.compiler.ir import OWN_BIAS, ChipLayer, Lowered, OwnColumn
from anna.compiler.ladder import columns_of, ladder
from anna.compiler.latch_packing import fits
from anna.compiler.nodes import Nodes
from anna.compiler.options import CompileOptions
from anna.compiler.place import Placement, place
from anna.compiler.quantised import QuantGraph, QuantLayer, unknown_meaning
from anna.compiler.refreshing import LONGEST_BATCH
from anna.compiler.retention import PRESET
from anna.compiler.rounding import most_constants
from anna.compiler.split import BIAS_COLUMNS, UNIT_COLUMNS, carry_columns, digit_codes, goes_without_bias
from anna.network.graph import Network

MOST_PAGES = 1 << 16  # that a board may hold


@dataclass(frozen=True)
class PlannedLayer:
    """One layer of the network, wherever it runs."""

    name: str
    where: str  # "chip" or "host"
    multiply_adds: int
    rows: int  # of synapses
    pages: int  # that it lies on
    cycles: int  # without loads of pages


@dataclass(frozen=True)
class Cut:
    """What an image takes if the host computes a layer and all after it."""

    host: str  # the option's value
    chip_us: float
    host_us: float | None  # None: the host's speed is not known

    @property
    def us(self) -> float:
        """From beginning to end, as far as it is known."""
        return self.chip_us + (self.host_us or 0.0)


@dataclass(frozen=True)
class Plan:
    """What a network takes on a machine."""

    network: str
    machine: Machine
    layers: tuple[PlannedLayer, ...]
    pages: int
    rows: int  # of synapses, on all pages
    run_cycles: int
    load_cycles: int  # of a batch
    batch: int
    memory_states: int  # of an image
    host_multiply_adds: int
    chip_multiply_adds: int
    cuts: tuple[Cut, ...]  # that could be made, and the one that is ("as planned")
    seconds: float  # that planning took

    @property
    def cycles_per_image(self) -> float:
        """With the image's share of page loads."""
        return self.run_cycles + self.load_cycles / self.batch

    @property
    def times(self) -> Times:
        """What an image takes."""
        return Times(self.machine, self.cycles_per_image, self.host_multiply_adds)

    @property
    def cut(self) -> tuple[str, ...]:
        """The layers that run on the host."""
        return tuple(layer.name for layer in self.layers if layer.where == "host")

    @property
    def fastest(self) -> Cut:
        """The cut by which an image takes least time; of a tie, the planned one."""
        return min(self.cuts, key=lambda one: (one.us, one.host != PLANNED))

    @property
    def short(self) -> tuple[str, ...]:
        """What the board lacks, and the option that would mend it; nothing if the network fits."""
        return _short(self)

    @property
    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        times = self.times
        return {
            "network": self.network,
            "machine": self.machine.name,
            "pages": self.pages,
            "rows": self.rows,
            "cycles_per_image": round(self.cycles_per_image, 3),
            "run_cycles": self.run_cycles,
            "batch": self.batch,
            "chip_us_per_image": round(times.chip_us, 3),
            "host_us_per_image": None if times.host_us is None else round(times.host_us, 3),
            "host_multiply_adds": self.host_multiply_adds,
            "chip_multiply_adds": self.chip_multiply_adds,
            "memory_states": self.memory_states,
            "cut": list(self.cut),
            "fastest_cut": self.fastest.host,
            "short": list(self.short),
            "layers": [vars(layer) for layer in self.layers],
            "cuts": [{**vars(one), "us": round(one.us, 3)} for one in self.cuts],
            "seconds": round(self.seconds, 3),
        }

    @property
    def text(self) -> str:
        """For a person."""
        times, fastest = self.times, self.fastest
        host = "" if times.host_us is None else f", {times.host_us:,.0f} us on the host"
        plural = "" if self.pages == 1 else "s"
        best = "as planned" if fastest.host == PLANNED else f"host={fastest.host}, {fastest.us:,.0f} us"
        lines = [
            f"{self.network} on machine {self.machine.name}: about {self.cycles_per_image:,.0f} cycles = {times.chip_us:,.0f} "
            f"us per image on the chip{host}",
            f"{self.pages} page{plural} of weights ({self.rows:,} rows), {self.memory_states:,} states of memory an image, "
            f"batch {self.batch}",
            f"{self.chip_multiply_adds:,} multiply-adds on the chip, {self.host_multiply_adds:,} on the host",
            *(f"does not fit: {sentence}" for sentence in self.short),
            f"fastest cut: {best}",
            "",
            f"{'layer':28s} {'where':5s} {'multiply-adds':>14s} {'rows':>6s} {'pages':>5s} {'cycles':>10s} "
            f"{'us, host from here':>19s}",
        ]
        us = {one.host: f"{one.us:,.0f}" for one in self.cuts}
        for layer in self.layers:
            chip = f"{layer.rows:6,d} {layer.pages:5d} {layer.cycles:10,d}" if layer.where == "chip" else " " * 23
            line = f"{layer.name:28s} {layer.where:5s} {layer.multiply_adds:14,d} {chip} {us.get(layer.name, ''):>19s}"
            lines.append(line.rstrip())
        return "\n".join(lines)


PLANNED = "as planned"


def plan(network: Network, **options: Any) -> Plan:
    """What a network takes, with the options of `anna.compile`; raises CompileError with every reason why it cannot run."""
    if not isinstance(network, Network):
        raise GraphError(f"expected a network to plan, got {type(network).__name__}")
    return planned(network, CompileOptions.of(**options))


def planned(network: Network, options: CompileOptions) -> Plan:
    """The same with validated options."""
    begun = time.perf_counter()
    roomy = options.changed(machine=options.machine.with_chip(
        options.chip.changed(max_pages=MOST_PAGES, memory_states=None)))  # fmt: skip
    parts = split_pass.split(digits.widened(check_pass.check(network, roomy), roomy), roomy)
    graph = shaped(parts, roomy)
    placement = place(graph, roomy)
    scans = [placed.scan for placed in placement.scans]
    size = memory.lay_out(graph, scans, 1, roomy.sequencer).size
    host = listing.host_entries(graph, options.machine)
    run, loads = sum(scan.cycles for scan in scans), _load_cycles(placement, options)
    layers = _layers(network, graph.lowered, placement)
    found = Plan(
        network.name, options.machine, layers, placement.pages, sum(scan.rows for scan in scans), run, loads,
        options.batch or _batch(options, placement.pages, run, loads, size), size, host["multiply_adds"],
        network.multiply_adds - host["own_multiply_adds"], (), 0.0,
    )  # fmt: skip
    cuts = _cuts(network, found)
    return Plan(**{**vars(found), "cuts": cuts, "seconds": time.perf_counter() - begun})


# --- what is assumed --------------------------------------------------------------------------------------------------
def shaped(lowered: Lowered, options: CompileOptions) -> QuantGraph:
    """The network as if it were in codes, as far as shapes tell: for `place` and `lay_out`."""
    spec, done = options.chip, digits.in_digits(lowered)
    quants = [quant for layer in lowered.layers for quant in _quants(layer, options)]
    maps = lowered.input_digits * lowered.input_shape[0]
    return QuantGraph(done, spec, unknown_meaning(maps, lowered.input_digits), tuple(quants), {})


def _quants(layer: ChipLayer, options: CompileOptions) -> list[QuantLayer]:
    maps = layer.output_shape[0]
    if layer.on_states:
        units = [] if layer.carry is None else [OwnColumn(layer.carry, tuple(range(maps)))]
        return [_shape_of(layer, maximum.CONSTANTS, units)]
    units = list[OwnColumn]()
    if layer.carry is not None:
        for columns in carry_columns(layer, options.chip, layer.step_digits):
            units += [OwnColumn(layer.carry, layer.carried_maps)] * columns
    elif layer.bias_kind == "unit":
        units += [OWN_BIAS] * UNIT_COLUMNS
    found = []
    for digit in digits.digits_of(layer):
        less, steps = list[OwnColumn](), ladder(options.chip, layer.digits, options.overlap)
        for d in range(digit.digit):
            first = d * digit.stack_width + digit.place
            columns = int(columns_of(steps.spec, steps.worth_kd[digit_codes(layer, options), d]).max())
            less += [OwnColumn(digit.stack, tuple(range(first, first + maps)))] * columns
        found.append(_shape_of(digit, _constants(layer, options), [*units, *less]))
    return found


def _constants(layer: ChipLayer, options: CompileOptions) -> int:
    """Constant columns that carry a bias: as many as a layer may have."""
    spec = options.chip
    if not spec.wide:
        bare = layer.carry is None and goes_without_bias(layer) and not fits(layer, spec, options.sequencer, BIAS_COLUMNS)
        return 0 if bare else most_constants(layer, options)
    rows = -(-int(layer.inputs_o.max()) // (spec.columns - 2))
    spare = min(USUAL_CONSTANTS, max(2, spec.columns - -(-int(layer.inputs_o.max()) // rows)))
    return max(2, 1 + rows * (spare - 1))


def _shape_of(layer: ChipLayer, constants: int, units: Sequence[OwnColumn]) -> QuantLayer:
    maps, own = layer.output_shape[0], sum(unit == OWN_BIAS for unit in units)
    nothing = np.zeros((maps, 0), np.int64)
    states = np.broadcast_to(np.uint16(0), (maps, own, *layer.output_shape[1:]))
    border = np.zeros(len(layer.places), np.int64)
    return QuantLayer(layer, nothing.astype(np.int16), np.zeros((maps, constants), np.int64), tuple(units), nothing, states,
                      np.zeros(maps, np.int64), np.zeros(maps), unknown_meaning(maps, 1), border, 0.0, 0.0)  # fmt: skip


# --- what it takes ----------------------------------------------------------------------------------------------------
def _load_cycles(placement: Placement, options: CompileOptions) -> int:
    """Cycles of the page loads of a batch."""
    spec = options.chip
    if spec.wide:
        return placement.pages * spec.refresh_period_cycles if placement.pages > 1 else 0
    return (
        sum(placed.scan.rows for placed in placement.scans) * (spec.columns // spec.dacs) * options.sequencer.issue_cycles(spec)
    )


def _batch(options: CompileOptions, pages: int, run: int, loads: int, size: int) -> int:
    """The batch that the compiler will choose: as long as charges last, if there is one page."""
    spec = options.chip
    if spec.wide or pages > 1:
        return 1
    longest = LONGEST_BATCH if spec.memory_states is None else min(LONGEST_BATCH, max(1, spec.memory_states // size))
    limit = oldest_charge_cycles(spec, Analog.preset(PRESET), options.max_charge_lost)
    return longest if limit is None else max(1, min(longest, 1 + (limit - loads - run) // max(1, run)))


def _layers(network: Network, lowered: Lowered, placement: Placement) -> tuple[PlannedLayer, ...]:
    """Every layer of the network with weights or work, in its order."""
    mine = {origin: list(group) for origin, group in groupby(
        sorted(placement.scans, key=lambda one: one.scan.layer.origin), key=lambda one: one.scan.layer.origin)}  # fmt: skip
    found = []
    for member in lowered.members:
        for step in member.graph.steps:
            name = member.prefix + step.layer.name
            scans = mine.get(name, [])
            if not scans and not step.multiply_adds:
                continue
            found.append(PlannedLayer(
                name, "chip" if scans else "host", step.multiply_adds, sum(one.scan.rows for one in scans),
                len({one.page for one in scans}), sum(one.scan.cycles for one in scans),
            ))  # fmt: skip
    return tuple(found)


def _cuts(network: Network, found: Plan) -> tuple[Cut, ...]:
    """What an image takes as planned, and with each layer that runs on the chip, and all after it, on the host instead."""
    rate, clock = found.machine.host_multiply_adds_per_s, found.machine.chip.clock_hz

    def cut(name: str, gone: frozenset[str]) -> Cut:
        left = [layer for layer in found.layers if layer.where == "chip" and layer.name not in gone]
        moved = sum(layer.multiply_adds for layer in found.layers if layer.where == "chip" and layer.name in gone)
        rows, share = sum(layer.rows for layer in left), found.load_cycles / max(1, found.rows)
        cycles = sum(layer.cycles for layer in left) + rows * share / found.batch
        host = None if rate is None else (found.host_multiply_adds + moved) * 1e6 / rate
        return Cut(name, round(cycles * 1e6 / clock, 3), None if host is None else round(host, 3))

    cuts = [cut(PLANNED, frozenset())]
    if len(network.members) == 1:
        nodes, names = Nodes.of(network.members[0]), [layer.name for layer in found.layers if layer.where == "chip"]
        cuts += [cut(name, nodes.after([name])) for name in names[1:]]
    return tuple(cuts)


def _short(found: Plan) -> tuple[str, ...]:
    spec, lacks = found.machine.chip, list[str]()
    if found.pages > spec.max_pages:
        chip = [layer for layer in found.layers if layer.where == "chip"]
        largest = max(chip, key=lambda layer: layer.rows)
        host = (
            "" if largest is chip[0] else f", or run {largest.name} and all after it on the host (option host={largest.name})"
        )
        lacks.append(
            f"needs {found.pages} weight pages, of which {largest.name} takes {largest.pages}, but the board's memory holds "
            f"{spec.max_pages}; take a board with more (chip max_pages={found.pages}){'' if largest is chip[0] else host}"
        )
    if spec.memory_states is not None and found.memory_states * found.batch > spec.memory_states:
        lacks.append(
            f"an image needs {found.memory_states:,} states, but the memory holds {spec.memory_states:,}; take a board with "
            f"more (chip memory_states={1 << math.ceil(math.log2(found.memory_states))}), or a smaller image"
        )
    return tuple(lacks)


def expect_room(lowered: Lowered, options: CompileOptions) -> None:
    """Raise at once if the weights of a split network cannot fit the board's pages, whatever the images are."""
    spec, rows = options.chip, dict[str, int]()
    for layer in lowered.layers:
        each = -(-layer.inputs_o // spec.columns)
        rows[layer.origin] = rows.get(layer.origin, 0) + layer.digits * int(each.sum())
    pages = -(-sum(rows.values()) // spec.rows)
    if pages > spec.max_pages:
        largest = max(rows, key=lambda name: rows[name])
        first = lowered.layers[0].origin == largest
        host = "" if first else f", or run {largest} and all after it on the host (option host={largest})"
        raise CompileError([
            f"{lowered.network.name}: needs at least {pages} weight pages, of which {largest} takes "
            f"{-(-rows[largest] // spec.rows)}, but the board's memory holds {spec.max_pages}; take a board with more (chip "
            f"max_pages; `anna plan` tells how many){host}"
        ])  # fmt: skip
