"""The page of published numbers in the docs is what the command writes, and the command says what it found."""

import json
import re
from pathlib import Path

import pytest
from command_line import good, refused

from sim.published import page
from sim.published.findings import Finding, judge
from sim.published.quantities import COMPILED, Quantities
from sim.published.row import Row
from sim.published.rows import ROWS
from sim.published.speeds import Speed

DOCS = Path(__file__).parents[3] / "docs"
QUICK = [row for row in ROWS if row.by is None or row.by.quantity not in COMPILED]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return (DOCS / "published.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_the_page_shows_what_the_model_says(row: Row, lines: list[str]) -> None:
    cells = page.markdown_cells(judge(row, Quantities()))
    assert page.markdown(cells, []).splitlines()[0] in lines


def test_the_page_has_every_row_once(lines: list[str]) -> None:
    found = re.findall(r"^\| `([\w-]+)` \|", "\n".join(lines), re.M)
    assert sorted(found) == sorted(row.name for row in ROWS)


def test_json_has_the_documented_fields() -> None:
    found = json.loads(good("published", "clock", "board-memory", "transistors", "lenet4-parameters", "--json"))
    assert [row["verdict"] for row in found["rows"]] == ["met", "met", "open", "missed"]
    assert found["tally"]["definition"] == {"met": 2, "missed": 0, "open": 1}
    row = found["rows"][3]
    assert {name: row[name] for name in ("name", "mark", "published", "predicted", "kind", "command")} == {
        "name": "lenet4-parameters", "mark": "P", "published": 17_000, "predicted": 50_698, "kind": "prediction",
        "command": "anna published lenet4-parameters",
    }  # fmt: skip
    assert row["ratio"] == pytest.approx(50_698 / 17_000, rel=1e-5)
    assert row["reason"].startswith("120 units on 400 inputs")
    assert found["rows"][2]["predicted"] is None and found["rows"][2]["reason"] == "the model has no transistors and no layout"


def test_a_row_by_its_name_shows_everything_that_is_known_of_it() -> None:
    text = good("published", "refresh")
    assert text.splitlines() == [
        "refresh: one RFSH after the other, for every pair of weights",
        "  published  110 us (R; about 110 us to write all weights once; how often that is needed is not known)",
        "  predicted  102.5",
        "  by         refresh_us",
        "  expected   99 to 121: 'about 110 us'; 2,048 writes of 50 ns take 102.4 us and what else took time is not known",
        "  prediction, met: 'about 110 us'; 2,048 writes of 50 ns take 102.4 us and what else took time is not known",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("synapse",), "anna: there is no published number synapse; the nearest is synapses; see anna published\n"),
        (("--network", "lenet5"), "anna: --network goes with --assumptions\n"),
        (
            ("clock", "--assumptions"),
            "anna: --assumptions takes neither numbers nor a machine; name a network with --network\n",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    assert refused("published", *arguments) == sentence


def test_misses_and_machines_stand_below_the_numbers() -> None:
    missed = next(row for row in ROWS if row.name == "lenet4-parameters")
    speeds = [Speed("lenet5", "wide", refused="no room"), Speed("lenet5", "sequencer", 1, 21, 110.0, 5.5, 2e9, 353.0,
                                                              "chip, input", 105.0, 100.0)]  # fmt: skip
    text = page.text([Finding(missed, 50_698.0)], speeds)
    assert "missed\nlenet4-parameters: 120 units" in text
    assert "predictions: 1 missed" in text
    assert re.search(r"^lenet5 +wide .*refused: no room$", text, re.M)
    assert re.search(r"^lenet5 +sequencer +21 +1 +110 +5.5 +2 G +353 +chip, input +100 +5.0 %$", text, re.M)
