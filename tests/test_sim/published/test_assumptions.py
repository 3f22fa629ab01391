"""What each assumption is worth: one field changes at a time, and table and plot show what that did."""

from pathlib import Path

import pytest

from anna.chip.machines import MACHINES
from sim.base.statistics import Interval
from sim.published import effects_page
from sim.published.alternatives import Alternative, alternatives
from sim.published.assumptions import MACHINE, Assessor, Effect, Effects, changed

PAGE = Path(__file__).parents[3] / "docs" / "assumptions.md"
OVERLAP = Alternative("sequencer", "overlap", "all", "side by side")
STILL = Interval(0.0, 0.0, 0.0)
FOUND = Effects(
    "recognizer", 1000.0, 0.012, 0.016,
    (
        Effect(OVERLAP, "shift-calc", 750.0, 0.75, 0.2, Interval(0.1, -0.2, 0.4)),
        Effect(Alternative("chip", "out_words", 2, "one OUT"), 1, 1000.0, 1.0, 0.0, STILL),
        Effect(Alternative("analog", "adc_noise_lsb", 0.0, "without it"), 0.18, 1000.0, 1.0, 0.0, Interval(-0.2, -0.3, -0.1)),
        Effect(Alternative("chip", "weight_levels", "mid-rise", "no zero"), "mid-tread", refused="no exact zero"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("one", [one for one in alternatives() if one.part in ("chip", "sequencer", "machine")],
                         ids=lambda one: one.name)  # fmt: skip
def test_an_alternative_changes_one_field_of_the_machine(one: Alternative) -> None:
    now, other = MACHINES[MACHINE].model_dump(), changed(one).model_dump()
    where = (now, other) if one.part == "machine" else (now[one.part], other[one.part])
    assert [name for name in where[0] if where[0][name] != where[1][name]] == [one.field]
    assert where[1][one.field] == one.value
    if one.part != "machine":
        assert {**now, one.part: None} == {**other, one.part: None}


def test_a_row_shows_what_changed_or_why_it_cannot() -> None:
    assert effects_page.cells(FOUND.rows[0]) == (
        "sequencer", "overlap = shift-calc", "all", "750", "0.750", "+0.20", "+0.10", "-0.20 to +0.40", "side by side",
    )  # fmt: skip
    assert effects_page.cells(FOUND.rows[3])[-1] == "refused: no exact zero"


def test_the_plot_shows_what_moves_cycles_or_errors_beyond_chance() -> None:
    assert [row.alternative.name for row in effects_page.noticed(FOUND)] == ["overlap = all", "adc_noise_lsb = 0"]
    cycles, errors = effects_page.plot(FOUND).axes
    assert [label.get_text() for label in cycles.get_yticklabels()] == ["overlap = all", "adc_noise_lsb = 0"]
    assert cycles.get_xlim()[0] < 0.75 < cycles.get_xlim()[1]
    assert len(errors.lines) == 2 * 3 + 1  # interval, dies and ideal chip of each, and zero


def test_json_has_a_row_for_each_alternative() -> None:
    content = FOUND.content()
    assert content["cycles"] == 1000.0
    assert content["assumptions"][0]["cycles_ratio"] == 0.75
    assert content["assumptions"][3]["refused"] == "no exact zero"


def test_the_page_has_every_alternative() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for one in alternatives():
        cells = effects_page.cells(Effect(one, None))
        assert any(f"| {one.part} | {one.field} = " in line and f" | {cells[2]} | " in line for line in lines), one.name


@pytest.mark.slow
def test_the_page_shows_what_is_computed() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assessor = Assessor("recognizer", threads=2)
    for one in alternatives():
        if one.name in ("out_words = 2", "overlap = none", "adc_noise_lsb = 0", "weight_levels = mid-rise"):
            assert effects_page.markdown(effects_page.cells(assessor.effect(one)), []).splitlines()[0] in lines
