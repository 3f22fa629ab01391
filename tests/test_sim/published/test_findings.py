"""What the model says to each published number: met within the range stated before, or missed for a reason that is written."""

import pytest

from anna.base.errors import CompileError, UsageError
from anna.chip.facts import D, Fact, P
from sim.published.findings import Finding, chosen, judge, tally
from sim.published.misses import REASONS
from sim.published.quantities import COMPILED, Quantities
from sim.published.row import Range, Row, by, prediction, unanswered
from sim.published.rows import ROWS

HELD = [row for row in ROWS if row.expected is not None and row.by is not None]
QUICK = [row for row in HELD if row.by is not None and row.by.quantity not in COMPILED]
COUNTED = prediction("counted", "", Fact(100, "things", P, ""), by("calc_ns"), Range(150, 250, "for the test"))


@pytest.fixture(scope="module")
def quantities() -> Quantities:
    return Quantities(threads=2)


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_a_number_is_met_or_its_miss_is_explained(row: Row, quantities: Quantities) -> None:
    finding = judge(row, quantities)
    assert not finding.refused, finding.refused
    assert finding.verdict == ("missed" if row.name in REASONS else "met"), f"predicted {finding.predicted}"


def test_every_reason_belongs_to_a_row_with_a_range() -> None:
    assert set(REASONS) <= {row.name for row in HELD}


def test_within_the_range_is_met_and_outside_is_missed() -> None:
    assert Finding(COUNTED, 150.0).verdict == Finding(COUNTED, 250.0).verdict == "met"
    assert Finding(COUNTED, 149.9).verdict == Finding(COUNTED, 250.1).verdict == "missed"


def test_a_number_without_a_prediction_stays_open_with_its_reason() -> None:
    finding = judge(unanswered("nothing", "", Fact(1, "", P, ""), "nobody knows"), Quantities())
    assert (finding.verdict, finding.predicted, finding.ratio, finding.reason) == ("open", None, None, "nobody knows")


def test_what_the_model_refuses_stays_open_with_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> float:
        raise CompileError(["C1: no room"])

    monkeypatch.setattr(Quantities, "value", refuse)
    finding = judge(COUNTED, Quantities())
    assert (finding.verdict, finding.predicted) == ("open", None)
    assert finding.reason == "the model refuses: C1: no room"


def test_a_ratio_is_to_the_published_number_or_to_the_nearer_end_of_a_range() -> None:
    between = prediction("between", "", Fact((10, 100), "times", D, ""), by("calc_ns"), Range(10, 100, ""))
    assert Finding(COUNTED, 150.0).ratio == 1.5
    assert [Finding(between, value).ratio for value in (5.0, 50.0, 400.0)] == [0.5, 1.0, 4.0]


def test_predictions_definitions_and_fitted_rows_are_counted_apart(quantities: Quantities) -> None:
    names = ("calc-time", "pin-rate", "refresh", "lenet4-parameters", "transistors")
    counts = tally(judge(row, quantities) for row in chosen(names))
    assert counts == {
        "prediction": {"met": 1, "missed": 1, "open": 0},
        "definition": {"met": 1, "missed": 0, "open": 1},
        "fitted": {"met": 1, "missed": 0, "open": 0},
    }


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="no published number synapse; the nearest is synapses"):
        chosen(["synapse"])


def test_rows_of_one_machine_are_those_that_name_it() -> None:
    rows = chosen((), "board-1996")
    assert rows and all(row.by is not None and row.by.of["machine"] == "board-1996" for row in rows)
