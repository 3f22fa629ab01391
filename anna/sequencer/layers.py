"""Which layer of the network an instruction works for, of a compiled program; one written by hand has no layers.

An instruction belongs to the layer of the CALC that it works for: an OUT to that whose results it takes, any other to the next
one of its page segment, or to the last if none follows; RFSH belongs to the layer that has its row.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.program.file import Program
from anna.sequencer.timeline import Timeline

Ints = NDArray[np.int64]


def layer_names(program: Program) -> list[str]:
    """Names of the layers on the chip, as the link map numbers them; none of a program written by hand."""
    links = program.links.get("neurons")
    if links is None or not len(links):
        return []
    report: Mapping[str, Any] = program.report or {}
    named = [layer["name"] for layer in report.get("layers", ()) if layer.get("where") == "chip"]
    count = int(links[:, 0].max()) + 1
    return named if len(named) == count else [f"layer {k}" for k in range(count)]


def layer_of_rows(program: Program) -> Ints:
    """The layer that has each row, (pages, rows); -1: none."""
    found = np.full(program.weight_codes.shape[:2], -1, np.int64)
    for layer, _, _, _, page, row, rows in program.links.get("neurons", np.zeros((0, 7), np.int32)).tolist():
        found[page, row : row + rows] = layer
    return found


def layer_of_calcs(timeline: Timeline) -> Ints:
    """The layer of each CALC; -1: none."""
    calcs = timeline.columns
    return layer_of_rows(timeline.program)[calcs.page, calcs.row]


def layer_of_instructions(timeline: Timeline) -> Ints:
    """The layer of each instruction as issued; -1: none."""
    calcs, issued, spec = timeline.columns, timeline.program.issued, timeline.spec
    found = np.full(len(issued), -1, np.int64)
    if not len(calcs):
        return found
    of_calc, of_row = layer_of_calcs(timeline), layer_of_rows(timeline.program)
    following = np.searchsorted(calcs.index, np.arange(len(issued)))
    last_of_segment = np.searchsorted(calcs.segment, timeline.segment, side="right") - 1
    mine = np.maximum(np.minimum(following, last_of_segment), 0)
    found = np.where(calcs.segment[mine] == timeline.segment, of_calc[mine], found)

    out = timeline.first_result >= 0
    found[out] = of_calc[(timeline.first_result[out] - timeline.values.fixed) // timeline.values.neurons]

    refresh = issued.named("RFSH")
    pages = np.array([segment.page for segment in timeline.segments], np.int64)
    found[refresh] = of_row[pages[timeline.segment[refresh]], issued.place[refresh] * spec.dacs // spec.columns]
    return found
