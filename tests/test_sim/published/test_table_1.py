"""Table 1 run again: a small version of the page from the shipped weights, and the page in the docs is of these weights."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import refused

from anna.analog.parameters import Analog
from lenet.datasets.digits import digits
from sim.base.statistics import Interval
from sim.published import table_1 as module
from sim.published import table_1_page as page
from sim.published.kept import Kept
from sim.published.table_1 import Conditions, Crossing, Found, crossing, strengths, table_1

DOCS = Path(__file__).parents[3] / "docs" / "table-1.md"
SMALL = Conditions(train_seeds=(1, 2), chips=(100, 101), fitted_on=300, factors=(0.0, 1.0))


def small(kept: Path | None = None) -> Found:
    shown = digits("usps", "test", os.environ["ANNA_DATA"]).first(400)
    return table_1(SMALL, 2, lambda _: None, Kept(kept), test=shown)


@pytest.mark.data
def test_a_small_version_has_every_line_of_the_page() -> None:
    found = small()
    assert found.images == 400
    assert found.floats.error.value_sc.shape == (2, 1) and found.fitted.error.value_sc.shape == (2, 2)
    assert found.floats.error.interval.share < 0.15
    text = page.page(found)
    for line in ("full precision (", "ANNA and DSP (", "the chip costs |", "fitting again gives back |"):
        assert text.count(f"| {line}") == 1
    assert "## What differs from 1991" in text and "fitted (F)" in text
    assert {"float", "chip", "fitted", "chip_costs", "fitting_gives_back", "by_factor"} <= set(found.content())


@pytest.mark.data
def test_an_interrupted_run_goes_on_from_the_layers_that_it_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kept"
    first = small(folder).content()
    monkeypatch.setattr(module, "fit_host", None)  # would fail if a layer were fitted again
    assert small(folder).content() == first
    Kept(folder).remove()
    assert not folder.exists()


@pytest.mark.data
def test_the_page_in_the_docs_is_of_the_shipped_weights() -> None:
    shown = digits("usps", "test", os.environ["ANNA_DATA"])
    quick = replace(Conditions(), chips=(100,), fitted_on=300, factors=(1.0,), train_seeds=(1, 2, 3, 4, 5))
    float_line = page.rows(table_1(quick, 2, lambda _: None, Kept(None), test=shown))[0]
    assert "| " + " | ".join(float_line) + " |" in DOCS.read_text(encoding="utf-8")


def test_the_factor_is_where_the_cost_reaches_the_target() -> None:
    costs = [Interval(mean, mean - 0.2, mean + 0.2) for mean in (0.0, 0.2, 0.7)]
    assert crossing((0, 1, 2), costs, 0.4) == Crossing(pytest.approx(1.4), pytest.approx(1.0), pytest.approx(1.8))


def test_no_factor_fits_when_the_ideal_chip_costs_more_already() -> None:
    costs = [Interval(mean, mean - 0.3, mean + 0.3) for mean in (0.5, 0.6, 1.0)]
    assert crossing((0, 1, 2), costs, 0.4) == Crossing(None, 0.0, pytest.approx(1.25))


def test_a_factor_of_one_is_typical_and_of_zero_ideal() -> None:
    assert strengths(1.0) == Analog.preset("typical-v2")
    assert strengths(0.0).is_ideal


def test_as_measured_is_typical_with_the_factor_that_the_page_found() -> None:
    measured, wanted = Analog.preset("as-measured"), strengths(1.9)
    assert {name: pytest.approx(value) for name, value in wanted.model_dump().items()} == measured.model_dump()
    assert "Preset `as-measured` has 1.9." in DOCS.read_text(encoding="utf-8")


def test_the_command_refuses_what_does_not_go_with_it() -> None:
    answer = "anna: --table-1 takes neither numbers nor a machine nor --assumptions; give one of them\n"
    for others in (("clock",), ("--machine", "wide"), ("--assumptions",)):
        assert refused("published", "--table-1", *others) == answer
