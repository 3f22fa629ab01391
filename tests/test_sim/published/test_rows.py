"""The rows: every published constant has one, each names what predicts it, and every assumption has an alternative."""

import inspect

import pytest

from anna.analog.parameters import Analog
from anna.chip import facts
from anna.chip.machines import Machine
from anna.chip.spec import ChipSpec, Record, Sequencer
from anna.compiler.options import CompileOptions
from sim.published.alternatives import WITHOUT, Alternative, alternatives
from sim.published.assumptions import assumption
from sim.published.quantities import COMPILED, QUANTITIES
from sim.published.row import Row
from sim.published.rows import ROWS

# Published, but of shapes and sequencers rather than numbers of their own.
NOT_NUMBERS = {
    "FAN_INS": "a row for each",
    "STATES_IN_PER_CYCLE": "pin-rate, per cycle",
    "STATES_OUT_PER_CYCLE": "pin-rate, per cycle",
    "STATE_RATE_PER_S": "pin-rate, in states",
    "INSTRUCTION_SET": "names",
    "CALC_CYCLES": "calc-time, in cycles",
    "BOARD_1991_HOST_ISSUES": "a fact without a number",
    "CONVOLVER_NEURONS": "convolver-configuration",
    "CONVOLVER_SYNAPSES": "convolver-configuration",
    "SEGMENTER_PLACES": "segmenter-places",
}


def test_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_names_what_predicts_it_or_why_nothing_does(row: Row) -> None:
    if row.by is None:
        assert row.why and row.expected is None
    else:
        inspect.signature(QUANTITIES[row.by.quantity]).bind(None, **row.by.of)
        assert row.why or (row.expected is not None and row.expected.why)


@pytest.mark.parametrize("row", [row for row in ROWS if row.expected], ids=lambda row: row.name)
def test_a_range_is_one(row: Row) -> None:
    assert row.expected is not None
    assert 0 < row.expected.low <= row.expected.high < float("inf")


def test_every_published_or_recalled_constant_has_a_row() -> None:
    held = {id(row.fact) for row in ROWS}
    known = {name: fact for name, fact in facts.all_facts().items() if fact.mark in (facts.P, facts.R)}
    assert {name for name, fact in known.items() if id(fact) not in held} == set(NOT_NUMBERS)


def test_at_least_twelve_numbers_of_the_board_paper_are_predictions_with_a_range() -> None:
    of_the_board = [row for row in ROWS if row.fact.source.startswith("3") or "paper 3" in row.what]
    assert sum(row.kind == "prediction" and row.by is not None and row.expected is not None for row in of_the_board) >= 12


def test_what_was_fitted_says_what_was_fitted_to_it() -> None:
    assert all(row.why for row in ROWS if row.kind == "fitted")


def test_a_constant_of_the_model_is_no_prediction() -> None:
    """What reads a field of a record back predicts nothing."""
    records = {"chip", "board_chips", "memory_bytes", "sequencer_field", "host_multiply_adds_per_s", "digits", "passes"}
    assert all(row.kind == "definition" for row in ROWS if row.by is not None and row.by.quantity in records)


def test_every_quantity_predicts_something() -> None:
    assert {row.by.quantity for row in ROWS if row.by is not None} == set(QUANTITIES)
    assert set(QUANTITIES) > COMPILED


@pytest.mark.parametrize("record", [ChipSpec, Sequencer, Machine, Analog])
def test_every_assumption_has_an_alternative(record: type[Record]) -> None:
    assumed = {name for name, origin in record.provenance().items() if origin["mark"] == "A"}
    assert assumed - {one.field for one in alternatives()} - set(WITHOUT) == set()


def test_no_assumption_of_the_compiler_is_forgotten() -> None:
    marks = {name: field.json_schema_extra for name, field in CompileOptions.model_fields.items()}
    assumed = {name for name, extra in marks.items() if isinstance(extra, dict) and extra.get("mark") == "A"}
    assert assumed == {one.field for one in alternatives() if one.part == "compiler"}


@pytest.mark.parametrize("one", alternatives(), ids=lambda one: one.name)
def test_an_alternative_differs_from_what_is_assumed(one: Alternative) -> None:
    assert one.value != assumption(one)
    assert one.why
