"""RFSH in compiled programs: no charge is read that is too old, and only what would be is written again."""

from functools import cache
from typing import Any

import numpy as np
import pytest

import anna
import lenet
from anna.analog.leak import oldest_charge_cycles
from anna.base.errors import CompileError
from anna.chip.codes import weight_converter
from anna.compiler import compilation
from anna.compiler.passes import Compilation
from anna.sequencer.timeline import Timeline

CASES = [
    ("recognizer", {"batch": 20}, 650),
    ("recognizer", {"batch": 20, "machine": "board-1991"}, 900),
    ("recognizer", {"max_charge_lost": 0.0005}, 700),
    ("lenet5", {"batch": 20, "max_charge_lost": 0.001}, 2000),
]


@cache
def compiled(name: str, **options: Any) -> Compilation:
    return compilation(lenet.load(name), lenet.calibration()[0][:60], round="nearest", fit=False, **options)


def limit_of(made: Compilation) -> int:
    """Cycles within which no charge loses too much."""
    limit = oldest_charge_cycles(made.program.spec, anna.Analog.typical(), made.options.max_charge_lost)
    assert limit is not None
    return limit


def oldest_read(timeline: Timeline, slot: int) -> np.ndarray:
    """The age of the oldest charge with a weight that is read in this slot: of each page segment and pair."""
    spec, program = timeline.spec, timeline.program
    live = weight_converter(spec).numerators[program.weight_codes] != 0
    found = np.zeros((len(timeline.segments), spec.pairs), np.int64)
    for calc in timeline.calcs:
        rows, columns = calc.synapses(spec)
        ages = np.where(live[calc.page][rows, columns], timeline.ages(calc, slot), 0)
        np.maximum.at(found[calc.segment], (rows * spec.columns + columns) // spec.dacs, ages)
    return found


@pytest.mark.parametrize(("name", "options", "most"), CASES)
def test_no_charge_that_is_read_is_too_old_and_few_are_written(name: str, options: dict[str, Any], most: int) -> None:
    """Sweeps over all rows, evenly spread, took 2,048, 4,352, 7,680 and 5,376."""
    made = compiled(name, **options)
    timeline, limit = (
        made.timeline,
        oldest_charge_cycles(made.program.spec, anna.Analog.typical(), made.options.max_charge_lost),
    )
    assert limit is not None
    for slot in {0, min(1, made.program.batch - 1), made.program.batch - 1}:
        assert oldest_read(timeline, slot).max() <= limit
    assert 0 < len(timeline.refreshes) == sum(made.refreshed.writes) <= most


@pytest.mark.parametrize(("name", "options", "most"), CASES[:3])
def test_only_pairs_of_rows_that_need_it_and_that_carry_a_weight_are_written(
    name: str, options: dict[str, Any], most: int
) -> None:
    made = compiled(name, **options)
    spec, segments = made.program.spec, made.timeline.segments
    carries = (weight_converter(spec).numerators[made.program.weight_codes] != 0).reshape(-1, spec.pairs, spec.dacs).any(axis=2)
    assert all(carries[segments[one.segment].page, one.pair] for one in made.timeline.refreshes)

    careless = compiled(name, **options | {"max_charge_lost": 0.9999})
    assert not careless.timeline.refreshes
    limit = limit_of(made)
    pairs = spec.columns // spec.dacs
    last = oldest_read(careless.timeline, careless.program.batch - 1).reshape(len(segments), spec.rows, pairs).max(axis=2)
    delay = careless.program.batch * (made.timeline.run_cycles - careless.timeline.run_cycles)
    for one in made.timeline.refreshes:
        assert last[one.segment, one.pair // pairs] + delay > limit


@pytest.mark.parametrize(("case", "most"), [*enumerate([3, 4, 9, 6])])
def test_rows_that_are_late_soon_are_written_with_those_that_are_late_now(case: int, most: int) -> None:
    """A burst waits until the units have ended. Without the rows that can wait there were 6, 3, 19 and 10 bursts."""
    name, options, _ = CASES[case]
    refreshes = np.flatnonzero(compiled(name, **options).program.issued.named("RFSH"))
    assert 1 <= np.count_nonzero(np.diff(refreshes, prepend=-2) > 1) <= most


@pytest.mark.parametrize("options", [{}, {"machine": "board-1991"}, {"max_charge_lost": 0.004}])
def test_a_batch_is_as_long_as_charges_last(options: dict[str, Any]) -> None:
    """Without RFSH; one image more would read what is too old."""
    made = compiled("recognizer", **options)
    assert made.program.batch > 1
    assert not made.timeline.refreshes
    assert oldest_read(made.timeline, made.program.batch - 1).max() <= limit_of(made)
    assert oldest_read(made.timeline, made.program.batch).max() > limit_of(made)


def test_what_no_refresh_can_keep_is_refused() -> None:
    with pytest.raises(CompileError, match=r"RFSH cannot keep its charges: writing the weights of a page takes \d+"):
        compiled("linear", max_charge_lost=0.000001)
