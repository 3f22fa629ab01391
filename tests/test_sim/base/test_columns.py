"""Table columns: each defined once; docs describe them correctly, and files keep their keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sim.base.columns import Column, View, cells, on_page, terminal_lines, values
from sim.comparison.arm_table import ARMS, GAINS, GOOD
from sim.comparison.ledger_table import LEDGER
from sim.sweep.rows import DERIVED, KEYS, STORED
from sim.sweep.store import FORMAT
from sim.sweep.summary import POINTS

DOCS = Path(__file__).parents[3] / "docs"

PAIR: tuple[Column[tuple[str, float]], ...] = (
    Column("who", "", "a name", lambda row: row[0], terminal=View("", lambda row: row[0], left=True)),
    Column("share", "share", "a part", lambda row: row[1],
           page=View("part", lambda row: f"{row[1]:.0%}"), terminal=View("part", lambda row: f"{row[1]:.1%}", 8)),
    Column("note", "", "a sentence", lambda row: None,
           terminal=View("", lambda row: row[0].upper(), left=True, sentences=True)),
)  # fmt: skip
ROWS = [("a", 0.5), ("long", 0.25)]


def test_a_column_is_its_key_to_machines_and_its_heading_to_readers() -> None:
    assert values(PAIR, ROWS[0]) == {"who": "a", "share": 0.5, "note": None}
    assert cells(on_page(PAIR), ROWS) == (["part"], [["50%"], ["25%"]])
    assert terminal_lines(PAIR, ROWS) == ["         part", "a       50.0%  A", "long    25.0%  LONG"]


def documented(columns: Sequence[Column[Any]], shown: bool) -> str:
    """The table of a docs page; with headings where the columns are `shown`."""
    lines = [["field", "on the page", "unit", "meaning"], ["---"] * 4]
    for column in columns:
        heading = column.page.heading.replace("\u00a0", " ") if column.page else ""
        lines.append([f"`{column.key}`", heading, column.unit, column.meaning])
    chosen = [line if shown else [line[0], *line[2:]] for line in lines]
    return "".join("".join(f"| {cell} " if cell else "| " for cell in line) + "|\n" for line in chosen)


@pytest.mark.parametrize(
    ("page", "columns", "shown"),
    [
        ("compare.md", ARMS, True),
        ("compare.md", GOOD, True),
        ("compare.md", GAINS, False),
        ("compare.md", LEDGER, True),
        ("sweep.md", (*STORED, *DERIVED), False),
        ("sweep.md", POINTS, True),
    ],
    ids=["arms", "good chips", "gains", "ledger", "results of a sweep", "points of a sweep"],
)
def test_docs_tell_every_column(page: str, columns: Sequence[Column[Any]], shown: bool) -> None:
    wanted = documented(columns, shown)
    assert wanted in (DOCS / page).read_text(encoding="utf-8"), f"docs/{page} lacks this table:\n\n{wanted}"


PUBLISHED = {
    "arms": (ARMS, "name chips error low high error_std_over_chips disagreement p_value_against_float rejects_for_0.01 "
             "rejects_for_0.005 what"),
    "gains": (GAINS, "ordinary points_against_ordinary points_low points_high p_value_against_ordinary"),
    "ledger": (LEDGER, "cause layer alone_points without_points"),
}  # fmt: skip


@pytest.mark.parametrize("table", PUBLISHED)
def test_keys_that_were_published_stay_in_their_order(table: str) -> None:
    columns, known = PUBLISHED[table]
    assert [column.key for column in columns if column.key in known.split()] == known.split()


def test_a_database_has_the_columns_of_its_format() -> None:
    keys = ("chip", "chip_seed", "images", "wrong", "disagreement", "float_wrong", "cycles_per_image")
    known = {2: keys, 3: keys, 4: keys}
    assert known[FORMAT] == KEYS


@pytest.mark.parametrize("columns", [ARMS, GAINS, LEDGER, (*STORED, *DERIVED), POINTS])
def test_no_table_has_a_key_twice(columns: Sequence[Column[Any]]) -> None:
    keys = [column.key for column in columns]
    assert len(set(keys)) == len(keys)
