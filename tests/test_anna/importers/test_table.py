"""The table of operations: complete, and the one that docs/import.md shows."""

from pathlib import Path

import pytest

from anna.importers.folding import FOLDS
from anna.importers.onnx_ops import READERS as EXACT
from anna.importers.onnx_quantised import READERS as QUANTISED
from anna.importers.operations import GROUPS, as_markdown
from anna.importers.refusals import OTHERWISE, WAYS_OUT, no_layers

READERS = {**EXACT, **QUANTISED}
PAGE = Path(__file__).parents[3] / "docs" / "import.md"


def test_the_page_shows_the_table() -> None:
    assert as_markdown() in PAGE.read_text(encoding="utf-8")


def test_every_operation_that_is_read_is_in_one_row() -> None:
    read = [op for group in GROUPS if group.operations != tuple(sorted(FOLDS)) for op in group.operations]
    assert sorted(read) == sorted([*READERS, *WAYS_OUT])
    assert set(READERS).isdisjoint(WAYS_OUT)


@pytest.mark.parametrize("op", sorted(WAYS_OUT))
def test_what_is_refused_says_what_to_do(op: str) -> None:
    from anna.importers.onnx_file import Node

    (reason,) = no_layers([Node("a", op, (), ()), Node("b", op, (), ())], set(READERS))
    assert reason == f"a and 1 more: has no layer for the operation {op}; {WAYS_OUT[op]}"
    assert WAYS_OUT[op] != OTHERWISE
