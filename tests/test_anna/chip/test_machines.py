"""Machines: chip, sequencer, chips on the board and host, by name; and how long each takes for an image."""

from typing import get_args

import pytest

import anna
from anna.base.errors import SpecError
from anna.board.times import Times
from anna.chip.machines import DEFAULT, FORMER_BOARDS, MACHINES, FormerBoardName, Machine, MachineName, machine_named
from anna.chip.refresh import with_period_us
from anna.chip.spec import ALL_AT_ONCE, ANNA_1991, ANNA_WIDE, DEDICATED, DSP
from anna.compiler.options import CompileOptions


def test_each_machine_has_its_chip_its_sequencer_and_its_host() -> None:
    rows = {
        name: (one.chip, one.sequencer, one.chips, one.host_multiply_adds_per_s, one.host_issues)
        for name, one in MACHINES.items()
    }
    assert rows == {
        "sequencer": (ANNA_1991, DEDICATED, 1, 12_500_000, False),
        "board-1991": (ANNA_1991, DSP, 1, 12_500_000, True),
        "board-1996": (ANNA_1991, DEDICATED, 2, 12_500_000, False),
        "wide": (ANNA_WIDE, ALL_AT_ONCE, 1, 12_500_000, False),
    }


def test_names_in_types_are_those_of_the_records() -> None:
    assert get_args(MachineName) == tuple(MACHINES) == tuple(one.name for one in MACHINES.values())
    assert get_args(FormerBoardName) == tuple(FORMER_BOARDS)
    assert {*FORMER_BOARDS.values(), DEFAULT} <= set(MACHINES)


def test_an_unknown_machine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SpecError) as refusal:
        machine_named("board-1992")
    expected = "sequencer, board-1991, board-1996, wide"
    assert str(refusal.value) == f"there is no machine 'board-1992'; expected {expected}; the nearest is board-1996"


def test_another_chip_may_be_put_into_a_machine_and_a_wide_one_brings_its_sequencer() -> None:
    eight = MACHINES["board-1991"].with_chip(ANNA_1991.changed(weight_bits=8))
    assert (eight.chip.weight_bits, eight.sequencer, eight.name) == (8, DSP, "board-1991")
    assert MACHINES["board-1991"].with_chip(ANNA_WIDE).sequencer == ALL_AT_ONCE


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"chip": ANNA_WIDE}, "machine: mine has a wide chip, whose units run side by side; its sequencer must be ALL_AT_ONCE"),
        ({"host_issues": True, "chips": 2}, "machine: mine: a host that issues the instructions drives one chip, got 2"),
        ({"chips": 0}, "machine: chips: expected at least 1, got 0"),
    ],
)
def test_a_machine_that_contradicts_itself_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        Machine.of(name="mine", **fields)
    assert str(refusal.value) == sentence


def test_the_compiler_takes_a_machine_by_name_or_as_a_record() -> None:
    assert CompileOptions().machine == MACHINES[DEFAULT]
    for name, machine in MACHINES.items():
        assert CompileOptions.of(machine=name) == CompileOptions.of(machine=machine)
        assert CompileOptions.of(machine=name).chip == machine.chip
    with pytest.raises(SpecError, match=r"^there is no machine 'cray'; expected sequencer, "):
        CompileOptions.of(machine="cray")


def test_only_a_wide_chip_has_a_refresh_period() -> None:
    assert MACHINES["wide"].with_fields(refresh_overhead_cycles=2152).chip == with_period_us(ANNA_WIDE, 210.0)
    assert MACHINES["sequencer"].with_fields(instruction_set="wide", refresh_overhead_cycles=0).chip.wide
    end = "has no period; choose the machine wide, or another max_charge_lost"
    with pytest.raises(SpecError, match=rf"^chip: refresh_overhead_cycles: this chip is refreshed by RFSH .* {end}$"):
        MACHINES["sequencer"].with_fields(refresh_overhead_cycles=152)
    with pytest.raises(SpecError, match=rf"^refresh period 110 us: this chip is refreshed by RFSH .* {end}$"):
        with_period_us(ANNA_1991, 110.0)


def test_former_names_give_the_wide_machines_that_they_were() -> None:
    with pytest.warns(DeprecationWarning, match="is now"):
        assert (anna.BOARD_1991, anna.BoardSpec) == (MACHINES["wide"], Machine)
    with pytest.warns(DeprecationWarning, match=r"anna.BOARD_1996 is now anna.MACHINES\['wide'\].changed\(chips=2\)"):
        assert MACHINES["wide"].changed(chips=2) == anna.BOARD_1996
    with pytest.warns(DeprecationWarning, match="board is now machine"):
        assert CompileOptions(board=MACHINES["wide"]).machine == MACHINES["wide"]


# --- time ------------------------------------------------------------------------------------------------------------
CHIP_CYCLES, HOST_MULTIPLY_ADDS = 10_000, 3_000  # 500 us and 240 us


def times(machine: Machine, multiply_adds: int = HOST_MULTIPLY_ADDS) -> Times:
    return Times(machine, CHIP_CYCLES, multiply_adds)


def test_under_a_sequencer_latency_adds_and_the_slower_sets_the_pace() -> None:
    found = times(MACHINES["sequencer"])
    assert (found.chip_us, found.host_us, found.latency_us, found.images_per_s, found.binds) == (500, 240, 740, 2000, "chip")
    slow = times(MACHINES["sequencer"], 10_000)
    assert (slow.host_us, slow.latency_us, slow.images_per_s, slow.binds) == (800, 1300, 1250, "host")


def test_where_the_host_issues_the_instructions_both_times_add() -> None:
    found = times(MACHINES["board-1991"])
    assert (found.latency_us, found.images_per_s) == (740, pytest.approx(1e6 / 740))


def test_two_chips_share_the_images_and_one_host() -> None:
    found = times(MACHINES["board-1996"])
    assert (found.chip_us, found.latency_us, found.images_per_s, found.binds) == (500, 740, 4000, "chip")
    assert times(MACHINES["board-1996"], 4000).binds == "host"  # 320 us against 250


def test_a_host_of_unknown_speed_leaves_latency_open_unless_it_has_nothing_to_do() -> None:
    unknown = MACHINES["sequencer"].changed(host_multiply_adds_per_s=None)
    found = times(unknown)
    assert (found.host_us, found.latency_us, found.images_per_s) == (None, None, 2000)
    assert (times(unknown, 0).host_us, times(unknown, 0).latency_us) == (0, 500)
