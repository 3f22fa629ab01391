"""How old charges are when they are read: the first slot of a batch, and the last."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_published import published_programs

import anna
from anna.analog.leak import charge_lost_at
from anna.chip import codes
from anna.compiler import retention
from anna.lab.pins import pins_program, straight
from anna.program import isa
from anna.program.file import Program
from anna.sequencer.timeline import Timeline

SPEC, BATCH = anna.ANNA_1991, 5


def timeline(*refreshed: int, wait_cycles: int = 3000, spec: anna.ChipSpec = SPEC) -> Timeline:
    """Two CALCs on random weights, a third of them zero; before the last ones these pairs are written again."""
    rng = np.random.default_rng(7)
    weights, scales = rng.integers(0, 64, (1, 64, 64)), np.zeros((1, 64, 4), np.int64)
    weights[rng.random(weights.shape) < 0.3] = codes.weight_converter(spec).zero_code or 0
    layouts = [straight(spec, 64, 3, 8), straight(spec, 16, 20, 8)]
    made = pins_program(spec, layouts, weights, scales, wait_cycles=wait_cycles)
    ops = list(made.ops)
    at = next(index for index, op in enumerate(ops) if op.name == "CALC")
    ops[at:at] = [isa.PUBLISHED.op("RFSH", pair=pair) for pair in refreshed]
    return anna.elaborate(replace(made, words=isa.encode(spec, ops), batch=BATCH))


def oldest_by_synapse(found: Timeline, slot: int) -> int:
    """The same from the age of every synapse of every CALC."""
    live, oldest = codes.weight_converter(found.spec).numerators[found.program.weight_codes] != 0, 0
    for calc in found.calcs:
        oldest = max(oldest, int(found.ages(calc, slot)[live[calc.page][calc.synapses(found.spec)]].max(initial=0)))
    return oldest


@pytest.mark.parametrize("slot", range(BATCH))
@pytest.mark.parametrize("refreshed", [(), (96, 97), tuple(range(96, 352))])
def test_the_oldest_charge_is_that_of_the_oldest_pair_that_carries_a_weight(slot: int, refreshed: tuple[int, ...]) -> None:
    """In pairs, a partner of zero is as old as the other; none of these rows has a pair of two zeros that is oldest alone."""
    found = timeline(*refreshed)
    assert retention.oldest_read_cycles(found, slot) == oldest_by_synapse(found, slot) > 0


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=published_programs(), slot=st.integers(0, 8))
def test_no_read_of_a_program_finds_an_older_charge(program: Program, slot: int) -> None:
    """Every row of every CALC, in any program: RFSH before, between and after reads, in loops and on several pages."""
    found, spec = anna.elaborate(program), program.spec
    live = codes.weight_converter(spec).numerators[program.weight_codes] != 0
    pairs, oldest = np.arange(0, spec.columns, spec.dacs), 0
    for calc in found.calcs:
        rows = np.unique(calc.synapses(spec)[0])
        ages = found.charges.ages(np.array(calc.segment), np.array(calc.cycle), rows[:, None], pairs, slot)
        carries = live[calc.page, rows].reshape(len(rows), -1, spec.dacs).any(axis=2)
        oldest = max(oldest, int(ages[carries].max(initial=0)))
    assert retention.oldest_read_cycles(found, slot) == oldest


def test_each_slot_is_older_by_a_run_and_rfsh_makes_them_young_again() -> None:
    never = timeline()
    ages = [retention.oldest_read_cycles(never, slot) for slot in range(BATCH)]
    assert np.diff(ages).tolist() == [never.run_cycles] * (BATCH - 1)
    whole = timeline(*range(96, 96 + 8 * 32), *range(20 * 32, 22 * 32))  # every row that is read
    assert len({retention.oldest_read_cycles(whole, slot) for slot in range(BATCH)}) == 1
    assert retention.oldest_read_cycles(whole, 0) < 500 < ages[0]


def test_the_report_tells_first_and_last_slot() -> None:
    found = timeline()
    first, last = retention.report(found)
    assert (first["slot"], last["slot"]) == (0, BATCH - 1)
    for row in (first, last):
        oldest = retention.oldest_read_cycles(found, row["slot"])
        assert (row["oldest_cycles"], row["oldest_us"]) == (oldest, oldest / 20)
        assert row["lost"] == pytest.approx(charge_lost_at(SPEC, anna.Analog.typical(), oldest), abs=1e-9)
    assert last["lost"] > first["lost"] > 0
    assert len(retention.report(anna.elaborate(replace(found.program, batch=1)))) == 1


def test_a_wide_chip_refreshes_by_itself_and_reports_nothing() -> None:
    assert retention.report(timeline(spec=anna.ANNA_WIDE)) == []
