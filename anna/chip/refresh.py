"""Weight refresh: which DAC writes which synapse in which cycle, and how old a charge is when it is read.

The DACs walk the array endlessly, each one synapse per cycle. The walk is phase-locked: it restarts with each image's page
segment (A), so an age depends only on the cycle within the segment and the start phase, and a result never depends on an
image's place in a run. Left out: with a free-running refresh each image would meet another phase; the start phase of a run
shows how much that matters. At the start of a segment every charge is as old as if a full period had just passed (A).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import SpecError
from anna.chip.refresh_orders import REFRESH_ORDERS
from anna.chip.spec import ChipSpec

Ints = NDArray[np.int64]

NO_PERIOD = (
    "this chip is refreshed by RFSH instructions of its program and has no period; choose the machine wide, or another "
    "max_charge_lost"
)


@lru_cache(maxsize=32)
def _walk(spec: ChipSpec) -> tuple[Ints, Ints]:
    """The cycle of the refresh period in which each synapse is written and the DAC that does, both (rows, columns)."""
    synapse = np.arange(spec.synapses, dtype=np.int64).reshape(spec.rows, spec.columns)
    cycles, dacs = REFRESH_ORDERS[spec.refresh_order](synapse, spec.dacs, spec.refresh_write_cycles)
    cycles.setflags(write=False)
    dacs.setflags(write=False)
    return cycles, dacs


def write_cycles(spec: ChipSpec) -> Ints:
    """The cycle of the refresh period in which each synapse is written, (rows, columns)."""
    return _walk(spec)[0]


def writers(spec: ChipSpec) -> Ints:
    """The DAC that writes each synapse, (rows, columns)."""
    return _walk(spec)[1]


def with_period_us(spec: ChipSpec, period_us: float) -> ChipSpec:
    """The same wide chip with another refresh period, rounded to cycles: the longer it is, the longer charges leak."""
    if not spec.wide:
        raise SpecError(f"refresh period {period_us:g} us: {NO_PERIOD}")
    if not 0 < period_us < 1e9:
        raise SpecError(f"refresh period must be positive and below 1000 s, got {period_us:g} us")
    cycles, writes = round(period_us * 1e-6 * spec.clock_hz), spec.refresh_write_cycles
    if cycles < writes:
        raise SpecError(
            f"refresh period is {period_us:g} us, {cycles} cycles; the {spec.dacs} DACs need {writes} cycles "
            f"({writes * 1e6 / spec.clock_hz:g} us) to write {spec.synapses} synapses"
        )
    return spec.changed(refresh_overhead_cycles=cycles - writes)


def _since_last(spec: ChipSpec, cycle: Ints, rows: Ints, columns: Ints, phase: int, stops: int | None) -> tuple[Ints, Ints]:
    """Cycles from each synapse's turn to the last cycle in which the DACs wrote, and the cycles after that."""
    last = cycle if stops is None else np.minimum(cycle, np.int64(stops - 1))
    return last + phase - write_cycles(spec)[rows, columns], cycle - last


def ages(
    spec: ChipSpec, cycle: Ints, rows: Ints, columns: Ints, phase_cycles: int = 0, stops_at_cycle: int | None = None
) -> Ints:
    """Cycles since each synapse was written, at a cycle of the segment; 0 in the cycle of the write itself.

    With `stops_at_cycle`, nothing is written from that cycle of the segment on: charges grow older than a period.
    """
    since, after = _since_last(spec, cycle, rows, columns, phase_cycles, stops_at_cycle)
    return since % spec.refresh_period_cycles + after


def written_in(spec: ChipSpec, cycle: int, phase_cycles: int = 0) -> list[tuple[int, int]]:
    """The synapses (row, column) that the DACs write in a cycle of the segment; none in the overhead of a period."""
    at = (cycle + phase_cycles) % spec.refresh_period_cycles
    return [(int(r), int(c)) for r, c in np.argwhere(write_cycles(spec) == at)]


def writes(spec: ChipSpec, cycles: int) -> Ints:
    """How often each synapse is written in the first cycles of a segment, (rows, columns)."""
    found: Ints = np.maximum(0, -(-(cycles - write_cycles(spec)) // spec.refresh_period_cycles))
    return found


def laps(
    spec: ChipSpec, cycle: Ints, rows: Ints, columns: Ints, phase_cycles: int = 0, stops_at_cycle: int | None = None
) -> Ints:
    """Which refresh of the segment wrote the charge that is read: 0 for the one before the segment began."""
    since, _ = _since_last(spec, cycle, rows, columns, phase_cycles, stops_at_cycle)
    return since // spec.refresh_period_cycles + 1


def ordinal(segment: Ints, lap: Ints) -> Ints:
    """The number that identifies a refresh of an image to the noise: 65,536 laps per segment."""
    return segment * (1 << 16) + lap % (1 << 16)
