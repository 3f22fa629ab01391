"""The table of 1998 run again: single lines on few digits, what is kept of them, and the page in the docs."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import command_line
import numpy as np
import pytest
from command_line import ENV, refused

from lenet.datasets.digits import calibration, digits, holdout
from lenet.networks.catalogue import shipped
from sim.base.statistics import wilson
from sim.published import methods_1998
from sim.published import table_1998 as module
from sim.published import table_1998_page as page
from sim.published.kept import Kept
from sim.published.methods_1998 import METHODS, Classical, Setting, Shipped
from sim.published.rows import ROWS
from sim.published.table_1998 import Digits, Obtained, OnChip, chosen, table_1998

DOCS = Path(__file__).parents[3] / "docs" / "table-1998.md"
# The digits for calibration to learn from, which no line does, and others to read: enough to see that all is connected.
SMALL = Digits(calibration(), holdout().first(200), holdout().first(400))


FEW = Digits(calibration().first(200), holdout().first(50), holdout().first(80))


def run(*names: str, kept: Path | None = None, threads: int = 2, digits: Digits = SMALL) -> tuple[Obtained, ...]:
    return table_1998(chosen(names), digits, threads, lambda _: None, Kept(kept))


@pytest.fixture
def two_chips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHIPS", (100, 101))


@pytest.mark.usefixtures("two_chips")
def test_a_network_is_read_in_floats_and_on_chips() -> None:
    (found,) = run("lenet1_28")
    assert found.images == 400 and found.chip is not None and not found.tried
    assert 0 < found.error.share < found.chip.ideal.share < found.chip.drawn.share < 0.1
    assert found.error == wilson(found.error.share, 400)
    assert found.chip.pages == 1 and found.verdict == "known"


def test_settings_are_chosen_on_digits_kept_aside() -> None:
    (found,) = run("neighbours")
    assert [*found.tried] == ["k = 1", "k = 3", "k = 5", "k = 7"]
    assert found.tried[found.chosen] == min(found.tried.values())
    assert 0.05 < found.error.share < 0.25


def test_deskewed_neighbours_misread_less() -> None:
    plain, deskewed = run("neighbours", "neighbours-deskewed")
    assert deskewed.error.share < plain.error.share


def test_tangent_distance_tells_what_its_candidates_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods_1998, "CHECKED", 20)
    neighbours, tangent = run("neighbours", "tangent")
    assert tangent.error.share < 0.7 * neighbours.error.share
    assert re.fullmatch(r"of 20 digits kept aside, the nearest of all 500 lies beyond the candidates for \d+, "
                        r"and has another class for \d+", tangent.beside)  # fmt: skip


@pytest.mark.usefixtures("two_chips")
def test_threads_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods_1998, "CHECKED", 10)
    one, two = (run("linear", "tangent", threads=threads, digits=FEW) for threads in (1, 3))
    assert [each.content() for each in one] == [each.content() for each in two]


@pytest.mark.usefixtures("two_chips")
def test_an_interrupted_run_goes_on_from_what_it_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("linear", "neighbours")
    first = [one.content() for one in run(*names, kept=tmp_path / "kept")]

    def not_again(*given: Any, **named: Any) -> None:
        raise AssertionError("was made again")

    monkeypatch.setattr(module, "chip_arm", not_again)
    monkeypatch.setattr("lenet.classical.euclid.nearest", not_again)
    assert [one.content() for one in run(*names, kept=tmp_path / "kept")] == first


@pytest.mark.classical
def test_every_classical_method_reads_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: classifiers that it fits are NOT tested")
    monkeypatch.setattr("lenet.classical.radial.UNITS_PER_CLASS", 10)
    monkeypatch.setattr("lenet.classical.quadratic.COMPONENTS", 14)
    for found in run("quadratic", "radial", "virtual-svm-deskewed"):
        assert found.error.share < 0.25, found.method.name


def test_each_method_has_a_name_of_its_own_and_a_prediction_or_weights_that_ship() -> None:
    assert len({method.name for method in METHODS}) == len(METHODS)
    for method in METHODS:
        match method.by:
            case Shipped(network, variant):
                assert "-".join(filter(None, (f"{network}-mnist-seed1", variant))) in shipped()
                assert method.expected is None
            case Classical(settings, off_chip):
                assert settings and off_chip and method.expected is not None
                assert len({one.told for one in settings}) == len(settings)


def test_published_errors_are_those_of_the_published_numbers() -> None:
    """Where a number stands in both tables."""
    rows = {row.name: row.fact.value for row in ROWS}
    named = {"neighbours": "neighbour", "quadratic": "pca", "radial": "rbf", "virtual-svm-deskewed": "svm"}  # fmt: skip
    for method in METHODS:
        name = f"{named.get(method.name, method.name).replace('_', '-')}-error"
        assert name in rows or method.name == "neighbours-deskewed"
        assert rows.get(name, 2.4) == method.fact.value


def made(images: int = 10_000) -> list[Obtained]:
    """All lines, with numbers made up."""
    chip = OnChip(wilson(0.02, images), wilson(0.03, images), 4, 1000.0)
    return [Obtained(one, images, wilson(0.01, images), chip if isinstance(one.by, Shipped) else None,
                     {} if isinstance(one.by, Shipped) else {setting.told: 0.015 for setting in one.by.settings},
                     "" if isinstance(one.by, Shipped) else one.by.settings[0].told) for one in METHODS]  # fmt: skip


def test_the_page_has_a_line_for_each_method_and_tells_what_differs_and_what_was_predicted() -> None:
    text = page.page(made())
    for method in METHODS:
        assert text.count(f"| `{method.name}` | {method.what} |") == 1
        assert f"| `{method.name}` | {method.differs} |" in text
    assert "| `virtual-svm-deskewed` | 0.7 to 1.1 |" in text and "| taken |" in text
    assert "the published number lies above it for `linear`, " in text and "; within it for `lenet4`, " in text
    assert "; below it for `boosted_lenet4`, " in text and "| `linear` | 4 | 1,000 |" in text
    assert "| 2.4 (R) | 1.00 | 0.82 to 1.21 |" in text


def test_a_prediction_is_met_or_missed() -> None:
    method = next(one for one in METHODS if one.name == "neighbours")
    assert Obtained(method, 10_000, wilson(0.03, 10_000)).verdict == "met"
    assert Obtained(method, 10_000, wilson(0.05, 10_000)).verdict == "missed"
    assert Obtained(replace(method, expected=None), 10_000, wilson(0.05, 10_000)).verdict == "known"


def test_of_equally_good_settings_the_first_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(training: Any, keep: Any, threads: int) -> Callable[[Any], Any]:
        return lambda images: np.zeros(len(images), np.int64)

    settings = (Setting("one", fit), Setting("two", fit))
    method = replace(METHODS[1], by=Classical(settings, "no"))
    monkeypatch.setattr(module, "METHODS", (method,))
    (found,) = run()
    assert (found.chosen, found.error.share) == ("one", 0.9)


@pytest.mark.data
def test_the_page_in_the_docs_is_of_the_shipped_weights() -> None:
    """Its errors in floats, of networks that are read fast."""
    test = digits("mnist", "test", os.environ["ANNA_DATA"])
    for name in ("linear", "lenet1_28", "mlp300"):
        method = next(one for one in METHODS if one.name == name)
        assert isinstance(method.by, Shipped)
        wrong = (module.forward(module.load(method.by.network), test.images).labels != test.labels).mean()
        cells = page.row(Obtained(method, len(test), wilson(float(wrong), len(test))))[:4]
        assert f"| `{name}` | {' | '.join(cells)} |" in DOCS.read_text(encoding="utf-8")


@pytest.mark.data
def test_a_line_by_its_name_has_the_documented_fields() -> None:
    found = json.loads(command_line.call("published", "--table-1998", "linear", "--json").stdout)
    (line,) = found["methods"]
    assert (line["name"], line["published"], line["images"], line["mark"]) == ("linear", 0.12, 10_000, "P")
    assert line["command"] == "anna published --table-1998 linear"
    assert {"mean", "low", "high"} == set(line["error"]) == set(line["chip"]["ideal"])


def test_what_cannot_be_asked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "anna: --table-1998 takes neither a machine nor --assumptions nor --table-1 nor --history; give one of them\n"
    assert refused("published", "--table-1998", "--machine", "wide") == answer
    assert refused("published", "--table-1998", "--assumptions") == answer
    assert refused("published", "--table-1998", "liner") == (
        "anna: the table of 1998 has no method 'liner'; the nearest is linear; its methods: "
        f"{', '.join(method.name for method in METHODS)}\n")  # fmt: skip
    monkeypatch.setitem(ENV, "ANNA_DATA", "")
    assert refused("published", "--table-1998", "linear").startswith(
        "anna: no data folder is known; set ANNA_DATA to the folder"
    )
