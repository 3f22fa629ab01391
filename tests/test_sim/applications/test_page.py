"""The page of the applications says what the applications give."""

from pathlib import Path

import pytest

from sim.applications.table import APPLICATIONS

ROOT = Path(__file__).parents[3]
NAMES = ("slant", "noise-removal", "cellular")
PAGE = (ROOT / "docs" / "applications.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [pytest.param("slant", marks=pytest.mark.long), *NAMES[1:]])
def test_the_page_shows_the_table_of_each_application(name: str) -> None:
    one = APPLICATIONS[name]
    shown = "\n".join(f"    {line}".rstrip() for line in one.run(one.count).table().splitlines())
    assert shown in PAGE


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_the_figure_of_each_application(name: str) -> None:
    figure = f"application-{name}.svg"
    assert f"({figure})" in PAGE
    assert (ROOT / "docs" / figure).stat().st_size < 300_000
