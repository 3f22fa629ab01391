"""Pass 8, emit: weight and scale codes in their rows, the link map, and the regions of the program."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.compiler.ir import INPUT
from anna.compiler.latches import LatchScan
from anna.compiler.memory import Memory
from anna.compiler.place import Placement
from anna.compiler.quantised import QuantGraph, QuantLayer
from anna.compiler.registers import RegisterScan
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
        row = placed.row
        for position, neuron in enumerate(placed.scan.neurons):
            rows.append((number, neuron.o, neuron.dy, neuron.dx, placed.page, row, len(neuron.reads)))
            for r, column, weight, tap in synapses(placed.scan, quant, neuron, position):
                weights[placed.page, row + r, column] = zero + weight
                taps[placed.page, row + r, column] = tap
            scales[placed.page, row, 0] = quant.scale_codes_o[neuron.o]
            row += len(neuron.reads)
    return weights, scales, Links(np.array(rows, dtype=np.int32).reshape(-1, 7), taps)


def synapses(
    scan: RegisterScan | LatchScan, quant: QuantLayer, neuron: Neuron, position: int
) -> list[tuple[int, int, int, int]]:
    """Row (of the neuron), column, weight in LSB and tap of every synapse that a neuron uses."""
    if isinstance(scan, LatchScan):
        return _latch_synapses(scan, quant, neuron, position)
    layer, found = scan.layer, []
    sy, sx = layer.stride
    row_of = {register: r for r, register in reversed(list(enumerate(neuron.reads)))}
    place = {tap: (r, held.column_of[tap]) for r, held in enumerate(scan.layouts) for tap in held.taps}
    _, rows, columns = layer.mask_oiyx.shape[1:]
    for tap, weight in enumerate(quant.weights_ot[neuron.o].tolist()):
        i, rest = divmod(tap, rows * columns)
        y, x = divmod(rest, columns)
        if layer.mask_oiyx[neuron.o, i, y, x]:
            register, column = place[i, y + neuron.dy * sy, x + neuron.dx * sx]
            found.append((row_of[register], column, weight, tap))
    slots = [(r, scan.spec.columns - 1 - k, k) for r in sorted(row_of.values()) for k in range(scan.constants)]
    fine = next(slot for slot in slots if slot[2] == 1)
    coarse = iter([slot for slot in slots if slot[2] != 1])
    for k, weight in enumerate(quant.constants_oc[neuron.o].tolist()):
        r, column, _ = fine if k == 1 else next(coarse)
        found.append((r, column, weight, FIRST_CONSTANT - k))
    if scan.unit_columns:
        last = len(scan.layouts) - 1
        first = len(scan.layouts[last].taps) + position * scan.unit_columns
        for u, weight in enumerate(quant.unit_weights_ou[neuron.o].tolist()):
            found.append((row_of[last], first + u, weight, FIRST_UNIT - u))
    return found


def _latch_synapses(scan: LatchScan, quant: QuantLayer, neuron: Neuron, position: int) -> list[tuple[int, int, int, int]]:
    """The same for a neuron that reads latches."""
    found, (sy, sx) = [], scan.layer.stride
    mask = scan.layer.mask_oiyx[neuron.o]
    for tap, (weight, live) in enumerate(zip(quant.weights_ot[neuron.o].tolist(), mask.reshape(-1).tolist(), strict=True)):
        if live:
            i, y, x = (int(k) for k in np.unravel_index(tap, mask.shape))
            place = i, y + neuron.dy * sy, x + neuron.dx * sx
            latch = scan.latch_of[place]
            found.append((neuron.reads.index(latch), scan.layouts[latch].column_of[place], weight, tap))
    if scan.extras:
        row = neuron.reads.index(scan.extras_latch)
        found += [(row, scan.constant_column(k), weight, FIRST_CONSTANT - k)
                  for k, weight in enumerate(quant.constants_oc[neuron.o].tolist())]  # fmt: skip
        found += [(row, scan.unit_column(position, u), weight, FIRST_UNIT - u)
                  for u, weight in enumerate(quant.unit_weights_ou[neuron.o].tolist())]  # fmt: skip
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


__all__ = ["Links", "arrays", "regions", "synapses"]
