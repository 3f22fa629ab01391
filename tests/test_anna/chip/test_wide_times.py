"""What programs by hand take on the wide chip, which issues enough to be busy; for the others see tests/test_sim/published."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anna
from anna.chip import facts, refresh
from anna.chip.refresh_orders import REFRESH_ORDERS
from anna.chip.spec import ANNA_WIDE, ChipSpec
from anna.program.file import Program, Region, assemble_program, blank_pages
from anna.program.isa import WIDE, Op
from anna.program.text import assemble

EXAMPLES = Path(__file__).parents[3] / "examples"


def busy_array(calcs: int, spec: ChipSpec = ANNA_WIDE) -> Program:
    """All registers loaded once, then CALCs of eight neurons of 256 inputs, back to back, on all weights in turn."""
    weights, scales = blank_pages(spec)
    weights += np.uint16(1)
    every = tuple(range(spec.registers))
    ops: list[Op] = [WIDE.op("PAGE", page=0)]
    ops += [WIDE.op("SHIFT", register=r, width=64, address=64 * r, count=64) for r in every]
    ops += [WIDE.op("STORE", registers=15)]
    for i in range(calcs):
        ops.append(WIDE.op("CALC", fan_in=3, row=32 * (i % 2), neurons=8, registers=every * 8))
        ops.append(WIDE.op("OUT", address=256 + 8 * i, count=8))
    regions = [Region(name="image", kind="input", address=0, shape=(256,)),
               Region(name="out", kind="output", address=256, shape=(8 * calcs,))]  # fmt: skip
    return assemble_program("busy", spec, [*ops, WIDE.op("END")], weights, scales, regions, {})


def test_peak_is_10_gc_per_s() -> None:
    """10.24 G connections/s (D: 2048 in 200 ns; the literature says 10 GC/s), as the slope between two programs."""
    short, long = (anna.verified(busy_array(calcs)) for calcs in (10, 110))
    connections = long.live_products - short.live_products
    seconds = (long.run_cycles - short.run_cycles) / ANNA_WIDE.clock_hz
    assert connections == 100 * facts.MULTIPLY_ADDS_AT_ONCE.value
    assert connections / seconds == facts.PEAK_CONNECTIONS_PER_S.value == ANNA_WIDE.peak_connections_per_s


@given(st.sampled_from(list(REFRESH_ORDERS)), st.sampled_from([1, 2, 4]))
def test_a_period_writes_every_synapse_once_one_per_cycle_and_dac(order: str, dacs: int) -> None:
    spec = ANNA_WIDE.changed(refresh_order=order, dacs=dacs)
    pairs = refresh.write_cycles(spec) * dacs + refresh.writers(spec)
    assert sorted(pairs.reshape(-1).tolist()) == list(range(spec.synapses))


@pytest.mark.parametrize(
    ("order", "places"),
    [
        ("interleaved", {(0, 0): (0, 0), (0, 1): (0, 1), (0, 2): (1, 0), (1, 0): (32, 0), (63, 63): (2047, 1)}),
        ("halves", {(0, 0): (0, 0), (0, 1): (1, 0), (31, 63): (2047, 0), (32, 0): (0, 1), (63, 63): (2047, 1)}),
    ],
)
def test_the_walk_begins_at_the_first_synapse_with_the_first_dac(
    order: str, places: dict[tuple[int, int], tuple[int, int]]
) -> None:
    """Cycle of the period and DAC of some synapses, by hand."""
    spec = ANNA_WIDE.changed(refresh_order=order)
    found = {place: (int(refresh.write_cycles(spec)[place]), int(refresh.writers(spec)[place])) for place in places}
    assert found == places


@given(st.integers(0, 10_000), st.integers(0, 5_000))
def test_an_age_counts_the_cycles_since_the_last_write(cycle: int, phase: int) -> None:
    rows, columns = np.indices((64, 64))
    ages = refresh.ages(ANNA_WIDE, np.int64(cycle), rows, columns, phase)
    assert ((ages >= 0) & (ages < ANNA_WIDE.refresh_period_cycles)).all()
    written = {(r, c) for r, c in np.argwhere(ages == 0).tolist()}
    assert written == set(refresh.written_in(ANNA_WIDE, cycle, phase))


@given(st.integers(1, 5_000), st.integers(0, 5_000), st.integers(0, 5_000))
def test_from_the_cycle_in_which_the_refresh_stops_every_charge_only_grows_older(stops: int, later: int, phase: int) -> None:
    rows, columns = np.indices((64, 64))
    cycle = np.int64(stops - 1 + later)
    last = (ANNA_WIDE, np.int64(stops - 1), rows, columns, phase)
    now = (ANNA_WIDE, cycle, rows, columns, phase, stops)
    assert (refresh.ages(*now) == refresh.ages(*last) + later).all()
    assert (refresh.laps(*now) == refresh.laps(*last)).all()


def states_per_s(program: Program, unit: str, states: int) -> float:
    timeline = anna.verified(program)
    return states / (timeline.busy_cycles[unit] / ANNA_WIDE.clock_hz)


def test_input_and_output_run_at_40_m_states_per_s() -> None:
    """120 Mb/s of 3-bit states each (R)."""
    program = busy_array(50)
    assert states_per_s(program, "input", 256) == facts.STATE_RATE_PER_S.value == ANNA_WIDE.state_rate_per_s
    assert states_per_s(program, "output", 8 * 50) == facts.STATE_RATE_PER_S.value
    assert facts.STATE_RATE_PER_S.value * ANNA_WIDE.state_bits == facts.PIN_RATE_BITS_PER_S.value


def test_output_keeps_up_with_the_array() -> None:
    """Eight results of three bits leave in the 200 ns of the next CALC: the array never waits for the pins."""
    assert anna.verified(busy_array(50)).run_cycles == 128 + 1 + 50 * 4 + 4


@given(windows=st.integers(2, 40), column=st.integers(1, 12), neurons=st.integers(1, 8))
def test_closed_form_of_a_convolution_row(windows: int, column: int, neurons: int) -> None:
    """A window of 5 columns moves on by one column: max(CALC, SHIFT, OUT) cycles a position once the pipe is full."""
    spec = ANNA_WIDE
    ops = [WIDE.op("PAGE", page=0), WIDE.op("SHIFT", register=0, width=5 * column, address=0, count=5 * column),
           WIDE.op("STORE", registers=1)]  # fmt: skip
    load, out = -(-column // 2), -(-neurons // 2)
    for i in range(windows):
        ops.append(WIDE.op("CALC", fan_in=1, row=0, neurons=neurons, registers=(0,) * neurons))
        if i < windows - 1:
            ops.append(WIDE.op("SHIFT", register=0, width=5 * column, address=column * (5 + i), count=column))
            if load < spec.calc_cycles - 1:  # the STORE may come in the last cycle of the CALC, not before
                ops.append(WIDE.op("WAIT", cycles=spec.calc_cycles - 1))
            ops.append(WIDE.op("STORE", registers=1))
        ops.append(WIDE.op("OUT", address=2000 + 8 * i, count=neurons))
    weights, scales = blank_pages(spec)
    weights[:, :, : 5 * column] += np.uint16(1)
    regions = [Region(name="image", kind="input", address=0, shape=(column * (4 + windows),))]
    program = assemble_program("row", spec, [*ops, WIDE.op("END")], weights, scales, regions, {})
    position = max(spec.calc_cycles, load + 1 if load >= spec.calc_cycles else spec.calc_cycles)
    first = -(-5 * column // 2) + 1
    assert anna.verified(program).run_cycles == first + (windows - 1) * position + spec.calc_cycles + out


def test_feedback_is_a_program_of_its_own() -> None:
    """Convolution foremost, also fully connected and feedback (P): a recurrent program is among the test programs."""
    text = (Path(__file__).parents[2] / "programs" / "feedback.asm").read_text()
    timeline = anna.verified(assemble(text))
    results = {value for calc in timeline.calcs for value in calc.operands.reshape(-1).tolist()}
    assert any(timeline.values.origin(value).startswith("CALC") for value in results)
