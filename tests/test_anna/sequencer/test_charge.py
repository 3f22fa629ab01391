"""How old charges are: what RFSH wrote, when, in which slot of a batch; and that a weight droops by it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import CrookedSilicon, random_codes
from random_published import published_programs

import anna
from anna.base.errors import MachineError
from anna.chip.codes import Ints
from anna.machine.state import CalcRecord
from anna.sequencer.charge import moment

HEAD = ".input name=image address=0 shape=64\n.output name=out address=64 shape=2\n.weights row=0 column=0 values=31\n"
FILL = "REPEAT 16\nSHIFT 4\nENDREP\nSTORE A.L0\n"
READ = "CALC fan_in=64 row=0 neurons=1\nOUT 1\n"


def ages_read(program: anna.Program, slot: int | None = None, silicon: CrookedSilicon | None = None) -> list[Ints]:
    """Ages of the charges that each CALC reads, as the interpreter meets them; they are those of the closed form."""
    records = list[CalcRecord]()
    machine = anna.Interpreter(program, random_codes(program, 1, 0)[0], silicon, slot=slot)
    machine.hooks.append(records.append)
    machine.run()
    timeline, when = anna.verified(program), moment(program.spec, program.batch, slot=slot)
    stops = None if silicon is None else silicon.refresh_stops
    for calc, record in zip(timeline.calcs, records, strict=True):
        rows, columns = calc.synapses(program.spec)
        closed = timeline.charges.ages(np.array(calc.segment), np.array(calc.cycle), rows, columns, when, stops)
        np.testing.assert_array_equal(closed, record.ages)
    return [record.ages for record in records]


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(program=published_programs(), number=st.integers(0, 8), seed=st.integers(0, 99), stops=st.booleans())
def test_ages_are_those_that_the_interpreter_meets_on_its_way(
    program: anna.Program, number: int, seed: int, stops: bool
) -> None:
    silicon = CrookedSilicon(program.spec, seed, frozenset({"stops"} if stops else ()))
    for ages in ages_read(program, number % program.batch, silicon):
        assert ages.min() >= 1


# --- by hand ---------------------------------------------------------------------------------------------------------
def test_a_page_is_written_row_by_row_before_the_first_image() -> None:
    """Rows 0 and 3 are used: 64 pairs, one a cycle, the last in cycle -1. The CALC starts in cycle 34."""
    program = anna.assemble(HEAD + FILL + READ + "CALC fan_in=64 row=3 neurons=1\nOUT 1\nSTOP")
    assert anna.verified(program).page_load_cycles == 64
    first, second = ages_read(program)
    assert first[0].tolist() == [34 + 64 - column // 2 for column in range(64)]
    assert second[0].tolist() == [40 + 32 - column // 2 for column in range(64)]


def test_writes_of_a_program_are_numbered_from_65536_and_those_before_it_by_their_segment() -> None:
    """The number goes into the key of a charge's noise: other numbers are other bits of every noisy run."""
    program = anna.assemble(HEAD.replace("shape=2", "shape=1") + FILL + "RFSH pair=1\nRFSH pair=0\n" + READ + "STOP")
    timeline, columns = anna.verified(program), np.array([0, 1, 2, 3, 4])
    calc = timeline.calcs[0]
    numbers = timeline.charges.ordinals(np.array(calc.segment), np.array(calc.cycle), np.zeros(5, np.int64), columns, 0, None)
    assert numbers.tolist() == [65537, 65537, 65536, 65536, 0]


def test_under_the_dsp_a_page_is_written_at_its_pace() -> None:
    program = anna.assemble(".sequencer name=dsp\n" + HEAD.replace("shape=2", "shape=1") + FILL + READ + "STOP")
    timeline = anna.verified(program)
    assert timeline.page_load_cycles == 32 * 4  # an instruction in 200 ns
    assert ages_read(program)[0][0, :3].tolist() == [timeline.calcs[0].cycle + 128] * 2 + [timeline.calcs[0].cycle + 124]


def test_rfsh_writes_one_pair() -> None:
    program = anna.assemble(HEAD.replace("shape=2", "shape=1") + FILL + "RFSH pair=5\n" + READ + READ + "STOP")
    written, read, again = 34, 35, 41
    for ages, cycle in zip(ages_read(program), (read, again), strict=True):
        assert ages[0, 10:12].tolist() == [cycle - written] * 2
        assert ages[0, [9, 12]].tolist() == [cycle + 28, cycle + 26]


@pytest.mark.parametrize(
    "order", ["RFSH pair=0\nCALC fan_in=64 row=0 neurons=1\n", "CALC fan_in=64 row=0 neurons=1\nRFSH pair=0\n"]
)
def test_a_calc_of_the_same_cycle_still_reads_the_old_charge(order: str) -> None:
    head = ".chip name=anna-1991 issue_width=2\n.sequencer overlap=all\n"
    program = anna.assemble(head + HEAD + FILL + "WAIT cycles=9\n" + order + "OUT 1\n" + READ + "STOP")
    timeline = anna.verified(program)
    assert timeline.refreshes[0].cycle == timeline.calcs[0].cycle
    first, second = ages_read(program)
    assert first[0, 0] == timeline.calcs[0].cycle + 32
    assert second[0, 0] == timeline.calcs[1].cycle - timeline.calcs[0].cycle


def test_the_next_image_finds_what_the_one_before_wrote() -> None:
    """A batch of ten: in slot k a charge that RFSH does not write is k images older; one that it does is one image old."""
    program = anna.assemble(".program name=ten batch=10\n" + HEAD + FILL + READ + "RFSH pair=0\n" + READ + "STOP")
    length = anna.verified(program).run_cycles
    fresh, (refresh,) = ages_read(program, slot=0), anna.verified(program).refreshes
    for slot in range(1, 10):
        first, second = ages_read(program, slot=slot)
        assert (first[0, 2:] == fresh[0][0, 2:] + slot * length).all()
        assert (first[0, :2] == anna.verified(program).calcs[0].cycle + length - refresh.cycle).all()
        assert (second[0, :2] == fresh[1][0, :2]).all()
    assert (ages_read(program)[0] == ages_read(program, slot=9)[0]).all()  # all images of a run are in the last slot


def test_a_wide_chip_has_no_slots() -> None:
    assert moment(anna.ANNA_WIDE, 1, phase_cycles=7) == 7
    with pytest.raises(MachineError, match="slot is 1, but a wide chip refreshes by itself, whatever the slot; leave slot out"):
        moment(anna.ANNA_WIDE, 1, slot=1)


def test_slots_are_those_of_the_batch() -> None:
    program = anna.assemble(".program name=two batch=2\n" + HEAD + FILL + READ + READ + "STOP")
    images = random_codes(program, 3, 0)
    with pytest.raises(MachineError, match="slot is 2; this program has a batch of 2, slots 0 to 1"):
        anna.Chip().run_codes(program, images, slot=2)
    with pytest.raises(
        MachineError, match="phase_cycles is 3, but this chip is refreshed by its program; choose a slot instead"
    ):
        anna.Chip().run_codes(program, images, phase_cycles=3)


# --- droop -----------------------------------------------------------------------------------------------------------
LEAKY = anna.Analog(charge_lost=0.2)  # in 110 us, 2,200 cycles
TOP = np.full((1, 64), 7)


def weights_read(program: anna.Program, slot: int | None = None) -> list[float]:
    """The first synapse's weight in each CALC, in weight LSB."""
    records = list[CalcRecord]()
    silicon = anna.Chip(seed=1, analog=LEAKY).silicon(program.spec)
    machine = anna.Interpreter(program, TOP[0], silicon, slot=slot)
    machine.hooks.append(records.append)
    machine.run()
    return [float(record.weights[0, 0]) / 1024 for record in records]


def left(age_cycles: int) -> float:
    return 31 * 0.8 ** (age_cycles / 2200)


def test_a_program_that_refreshes_late_reads_a_weight_that_has_leaked() -> None:
    """The same two CALCs, 8,000 cycles apart; RFSH comes before the second one early, late, or not at all."""

    def program(early: str, late: str) -> anna.Program:
        return anna.assemble(
            HEAD + ".scale row=0 codes=7\n" + FILL + READ + f"WAIT cycles=4000\n{early}WAIT cycles=4000\n{late}" + READ + "STOP"
        )

    found = {}
    for name, one in {
        "never": program("", ""),
        "early": program("RFSH pair=0\n", ""),
        "late": program("", "RFSH pair=0\n"),
    }.items():
        first, second = weights_read(one)
        found[name] = second
        assert first == pytest.approx(left(34 + 32), abs=1e-3)
        codes = anna.Chip(seed=1, analog=LEAKY).run_codes(one, TOP).codes["out"][0]
        found[f"{name} code"] = int(codes[1])
        assert codes[0] == 6  # 31 x 3.5 is 2.4 LSB of 45
    assert found["never"] == pytest.approx(left(8044 + 32), abs=0.01)
    assert found["early"] == pytest.approx(left(4001), abs=0.01)
    assert found["late"] == pytest.approx(left(1), abs=1e-3)
    assert (found["never code"], found["early code"], found["late code"]) == (5, 5, 6)


def test_the_last_slot_of_a_batch_has_leaked_most() -> None:
    text = HEAD + ".scale row=0 codes=7\n" + FILL + READ + READ + "WAIT cycles=900\nSTOP"
    program = anna.assemble(".program name=batch batch=10\n" + text)
    length = anna.verified(program).run_cycles
    for slot in (0, 4, 9):
        assert weights_read(program, slot)[0] == pytest.approx(left(34 + 32 + slot * length), abs=1e-2)
    chip = anna.Chip(seed=1, analog=LEAKY)
    codes = [int(chip.run_codes(program, TOP, slot=slot).codes["out"][0, 0]) for slot in range(10)]
    assert codes[0] == 6 and codes[9] == 5 and codes == sorted(codes, reverse=True)
    last = chip.run_codes(program, np.repeat(TOP, 3, axis=0)).codes["out"]
    assert (last[:, 0] == codes[9]).all()  # every image of a run, wherever it stands
