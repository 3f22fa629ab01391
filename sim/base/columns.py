"""Table columns, each defined once: key for machines, headings and cells for readers, unit and meaning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class View(Generic[Row]):
    """How one kind of output shows a column: its heading, and the text of each cell."""

    heading: str
    cell: Callable[[Row], str]
    width: int = 0  # in a terminal, in characters; 0: as wide as its widest cell
    left: bool = False  # left-aligned in a terminal
    sentences: bool = False  # cells are sentences, not numbers


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a table. Its key is part of the JSON, CSV and database formats."""

    key: str
    unit: str  # empty for words and for numbers without a unit
    meaning: str
    value: Callable[[Row], Any]
    page: View[Row] | None = None  # None: not shown there
    terminal: View[Row] | None = None


def values(columns: Sequence[Column[Row]], row: Row) -> dict[str, Any]:
    """A row as a dictionary, for machines."""
    return {column.key: column.value(row) for column in columns}


def cells(views: Sequence[View[Row]], rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """The headings, and the cells of each row."""
    return [view.heading for view in views], [[view.cell(row) for view in views] for row in rows]


def on_page(columns: Sequence[Column[Row]]) -> list[View[Row]]:
    """The columns that a page shows."""
    return [column.page for column in columns if column.page is not None]


def terminal_lines(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> list[str]:
    """The table for a terminal, headings first."""
    views = [column.terminal for column in columns if column.terminal is not None]
    head, body = cells(views, rows)
    widths = [view.width or max(len(line[k]) for line in [head, *body]) for k, view in enumerate(views)]

    def padded(view: View[Row], text: str, width: int) -> str:
        aligned = f"{text:<{width}s}" if view.left else f"{text:>{width}s}"
        return f" {aligned}" if view.sentences else aligned  # one more space before sentences

    return [" ".join(map(padded, views, line, widths)).rstrip() for line in [head, *body]]
