"""Pass 8, emit: weight and scale codes in their rows, the link map, and the regions of the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.compiler.integer import Ints
from anna.compiler.ir import INPUT
from anna.compiler.latches import LatchLayout, LatchScan
from anna.compiler.memory import Memory
from anna.compiler.place import Placement
from anna.compiler.quantised import QuantGraph, QuantLayer
from anna.compiler.registers import RegisterLayout, RegisterScan
from anna.compiler.scan import Neuron
from anna.program.file import Codes, Region, blank_pages

NO_TAP, FIRST_CONSTANT, FIRST_UNIT = -1, -2, -1000


@dataclass(frozen=True, eq=False)
class Links:
    """Which neuron of the network each row and synapse belongs to.

    `neurons`: layer, map, dy, dx, page, first row, rows. `taps`: for every synapse the input (i, y, x flattened) that it
    weighs, -1 if it is unused, -2 - k for constant column k, -1000 - k for column k of a unit's own bias.
    """

    neurons_n7: NDArray[np.int32]
    taps_prc: NDArray[np.int32]


def arrays(graph: QuantGraph, placement: Placement) -> tuple[Codes, Codes, Links]:
    """Weight codes, scale codes and the link map of all pages."""
    spec = graph.spec
    weights, scales = blank_pages(spec, placement.pages)
    zero = codes.weight_converter(spec).zero_code
    assert zero is not None
    taps = np.full(weights.shape, NO_TAP, dtype=np.int32)
    rows: list[tuple[int, ...]] = []
    quants = {quant.layer.name: (k, quant) for k, quant in enumerate(graph.layers)}
    for placed in placement.scans:
        number, quant = quants[placed.scan.layer.name]
        row, inputs = placed.row, _Inputs(placed.scan)
        for position, neuron in enumerate(placed.scan.neurons):
            rows.append((number, neuron.o, neuron.dy, neuron.dx, placed.page, row, len(neuron.reads)))
            where, column, tap = inputs.of(neuron)
            weights[placed.page, row + where, column] = zero + quant.narrow_ot[neuron.o, tap].astype(np.int64)
            taps[placed.page, row + where, column] = tap
            for r, one, weight, what in _own_columns(placed.scan, quant, neuron, position):
                weights[placed.page, row + r, one] = zero + weight
                taps[placed.page, row + r, one] = what
            scales[placed.page, row, 0] = quant.scale_codes_o[neuron.o]
            row += len(neuron.reads)
    return weights, scales, Links(np.array(rows, dtype=np.int32).reshape(-1, 7), taps)


class _Inputs:
    """Where the neurons of a scan weigh their inputs; those that read the same have it alike."""

    def __init__(self, scan: RegisterScan | LatchScan) -> None:
        self.scan, self._known = scan, dict[tuple[int, int, int], Ints]()
        held: Sequence[LatchLayout | RegisterLayout] = scan.layouts
        self.place = {tap: (k, column) for k, one in enumerate(held) for tap, column in one.column_of.items()}

    def of(self, neuron: Neuron) -> Ints:
        """Row (of the neuron), column and tap of each, (3, inputs)."""
        layer, key = self.scan.layer, (id(self.scan.layer.taps[neuron.o]), neuron.dy, neuron.dx)
        if key not in self._known:
            (sy, sx), (rows, columns), found = layer.stride, layer.kernel, list[tuple[int, int, int]]()
            for i, y, x in layer.taps[neuron.o]:
                held, column = self.place[i, y + neuron.dy * sy, x + neuron.dx * sx]
                found.append((neuron.reads.index(held), column, (i * rows + y) * columns + x))
            self._known[key] = np.array(found, np.int64).reshape(-1, 3).T
        return self._known[key]


def _own_columns(
    scan: RegisterScan | LatchScan, quant: QuantLayer, neuron: Neuron, position: int
) -> list[tuple[int, int, int, int]]:
    """Row (of the neuron), column, weight in LSB and tap of the synapses on constants and on the unit's own columns."""
    constants, units = quant.constants_oc[neuron.o].tolist(), quant.unit_weights_ou[neuron.o].tolist()
    if isinstance(scan, LatchScan):
        if not scan.extras:
            return []
        row = neuron.reads.index(scan.extras_latch)
        found = [(row, scan.constant_column(k), weight, FIRST_CONSTANT - k) for k, weight in enumerate(constants)]
        return found + [(row, scan.unit_column(position, u), weight, FIRST_UNIT - u) for u, weight in enumerate(units)]
    row_of = {register: r for r, register in reversed(list(enumerate(neuron.reads)))}
    slots = [(r, scan.spec.columns - 1 - k, k) for r in sorted(row_of.values()) for k in range(scan.constants)]
    fine = next(slot for slot in slots if slot[2] == 1)
    coarse, found = iter([slot for slot in slots if slot[2] != 1]), []
    for k, weight in enumerate(constants):
        r, column, _ = fine if k == 1 else next(coarse)
        found.append((r, column, weight, FIRST_CONSTANT - k))
    if scan.unit_columns:
        last = len(scan.layouts) - 1
        first = len(scan.layouts[last].taps) + position * scan.unit_columns
        found += [(row_of[last], first + u, weight, FIRST_UNIT - u) for u, weight in enumerate(units)]
    return found


def regions(graph: QuantGraph, memory: Memory) -> list[Region]:
    """The image, every map that stays in memory, and what the host reads."""
    outputs, written = graph.lowered.results, graph.lowered.written_by_host
    found = []
    for stack in memory.stacks.values():
        if stack.name in memory.reused - written and stack.name != INPUT:
            continue
        kind: Literal["input", "output", "map", "host"] = "output" if stack.name in outputs else "map"
        kind = "input" if stack.name == INPUT else "host" if stack.name in written else kind
        found.append(Region(name=stack.name, kind=kind, address=stack.inside, shape=(stack.maps, stack.rows, stack.columns),
                            strides=stack.steps))  # fmt: skip
    return found


__all__ = ["Links", "arrays", "regions"]
