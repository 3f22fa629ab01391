"""Every constant has its mark, its unit and its source; the specification takes its numbers from nowhere else."""

from fractions import Fraction
from typing import Any

import pytest

from anna.base.errors import SpecError
from anna.chip import facts
from anna.chip.facts import Mark, all_facts
from anna.chip.machines import Machine
from anna.chip.spec import ANNA_WIDE, ChipSpec, Sequencer


@pytest.mark.parametrize("name", sorted(all_facts()))
def test_every_constant_has_its_mark(name: str) -> None:
    fact = all_facts()[name]
    assert fact.mark in Mark
    assert fact.unit
    assert fact.source
    if fact.mark in (Mark.PUBLISHED, Mark.RECALLED):
        assert any(character.isdigit() for character in fact.source) or "all weights" in fact.source or "each" in fact.source


@pytest.mark.parametrize("record", [ChipSpec, Sequencer, Machine])
def test_every_field_of_a_record_carries_note_unit_mark_and_source(record: type[ChipSpec]) -> None:
    for name, origin in record.provenance().items():
        assert origin["note"] and origin["unit"] and origin["source"], name
        assert origin["mark"] in set(Mark), name


def test_derived_facts_follow_by_arithmetic() -> None:
    assert facts.COLUMNS.value * facts.ROWS.value == facts.SYNAPSES.value
    assert facts.NEURONS_AT_ONCE.value * facts.MAX_INPUTS.value == facts.MULTIPLY_ADDS_AT_ONCE.value
    assert facts.MULTIPLY_ADDS_AT_ONCE.value > facts.PUBLISHED_MULTIPLY_ADDS_AT_ONCE.value
    per_calc = Fraction(facts.CALC_CYCLES.value, facts.CLOCK_HZ.value)
    assert facts.MULTIPLY_ADDS_AT_ONCE.value / per_calc == facts.PEAK_CONNECTIONS_PER_S.value
    assert facts.SYNAPSES.value / facts.DACS.value / facts.CLOCK_HZ.value * 1e6 == pytest.approx(facts.REFRESH_WRITES_US.value)
    overhead_us = facts.REFRESH_OVERHEAD_CYCLES.value / facts.CLOCK_HZ.value * 1e6
    assert overhead_us == pytest.approx(facts.REFRESH_US.value - facts.REFRESH_WRITES_US.value)
    assert facts.STATE_RATE_PER_S.value * facts.STATE_BITS.value == facts.PIN_RATE_BITS_PER_S.value
    assert facts.STATES_PER_WORD.value * facts.STATE_BITS.value == facts.STATE_PINS.value
    assert facts.WEIGHTS_PER_WORD.value * facts.WEIGHT_BITS.value == facts.WEIGHT_PINS.value
    assert facts.WEIGHTS_PER_WORD.value == facts.DACS.value
    word_s = facts.WORD_CYCLES.value / facts.CLOCK_HZ.value
    assert facts.STATE_PINS.value / word_s == facts.PIN_RATE_BITS_PER_S.value


def test_every_fan_in_uses_all_synapses() -> None:
    """256 neurons of 16, 64 of 64, 32 of 128 or 16 of 256."""
    neurons = [ANNA_WIDE.synapses // fan_in for fan_in in ANNA_WIDE.fan_ins]
    assert list(zip(neurons, ANNA_WIDE.fan_ins, strict=True)) == [(256, 16), (64, 64), (32, 128), (16, 256)]


def test_a_changed_record_is_another_chip() -> None:
    chip = ANNA_WIDE.changed(weight_bits=8, state_bits=5, neurons_at_once=16)
    assert (chip.weight_bits, ANNA_WIDE.weight_bits) == (8, 6)
    assert chip.peak_connections_per_s == 2 * ANNA_WIDE.peak_connections_per_s


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight_bits": 0}, "chip: weight_bits: expected at least 2, got 0"),
        ({"clock_hz": -1}, "chip: clock_hz: expected at least 1, got -1"),
        ({"adc_full_scale": float("nan")}, "chip: adc_full_scale: expected a finite number, got nan"),
        ({"wieght_bits": 6}, "chip: wieght_bits is not known; the nearest is weight_bits"),
        ({"fan_ins": (16, 100)}, "chip: a fan-in of 100 is not a whole number of rows of 64 synapses"),
        ({"fan_ins": (24,)}, "chip: a fan-in of 24 does not divide a row of 64 synapses"),
        ({"registers": 2}, "chip: a fan-in of 256 needs more than 2 registers of 64 states"),
        ({"dacs": 3}, "chip: 64 columns cannot be shared evenly by 3 DACs"),
        ({"reset_state_code": 8}, "chip: reset_state_code 8 does not fit 3 bits"),
        (
            {"instruction_set": "published", "refresh_order": "halves"},
            "chip: refresh_order halves: RFSH writes neighbouring columns, one by each DAC; choose interleaved or "
            "instruction_set wide",
        ),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_in_one_sentence(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        ANNA_WIDE.changed(**change)
    assert str(refusal.value) == sentence


def test_unlimited_is_none_and_zero_is_refused() -> None:
    assert ANNA_WIDE.changed(memory_states=None).memory_states is None
    with pytest.raises(SpecError):
        ANNA_WIDE.changed(memory_states=0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight_bits": "six"}, "chip: weight_bits: expected a whole number, got 'six'"),
        ({"weight_bits": 6.5}, "chip: weight_bits: expected a whole number, got 6.5"),
        ({"adc_full_scale": 0}, "chip: adc_full_scale: expected more than 0, got 0"),
        ({"adc_curve": "log"}, "chip: adc_curve: expected 'linear' or 'squash', got 'log'"),
        ({"fan_ins": 16}, "chip: fan_ins: expected several values, got 16"),
        ({"colour": 3}, "chip: colour is not known; expected one of instruction_set, shift_from, word_states, "),
    ],
)
def test_a_value_that_a_field_does_not_take_is_refused_in_our_own_words(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as refusal:
        ANNA_WIDE.changed(**change)
    assert str(refusal.value).startswith(sentence)
