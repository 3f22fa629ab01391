"""The lists of faults that the tests must notice stay true: each text stands once in its file, and its tests are there."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def listed(name: str) -> list[dict[str, str | list[str]]]:
    return list(tomllib.loads((ROOT / "tests" / name).read_text(encoding="utf-8"))["mutant"])


CHOSEN, DRAWN = listed("mutants.toml"), listed("drawn_mutants.toml")


def times(mutant: dict[str, str | list[str]]) -> int:
    """How often a mutant's text stands in its file."""
    return (ROOT / str(mutant["file"])).read_text(encoding="utf-8").count(str(mutant["text"]))


@pytest.mark.parametrize("mutant", CHOSEN + DRAWN, ids=lambda one: one["name"])
def test_a_mutant_is_another_text_and_names_tests_that_are_there(mutant: dict[str, str | list[str]]) -> None:
    assert mutant["instead"] != mutant["text"]
    assert mutant["tests"] and all((ROOT / one).exists() for one in mutant["tests"])


@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda one: one["name"])
def test_the_text_of_a_chosen_mutant_stands_once_in_its_file(mutant: dict[str, str | list[str]]) -> None:
    assert times(mutant) == 1


def test_of_the_drawn_mutants_nine_in_ten_are_still_there() -> None:
    """Sources move on; what is gone is reported when they are tried, and drawn again when it is much."""
    assert sum(times(one) == 1 for one in DRAWN) >= 0.9 * len(DRAWN)


def test_no_two_mutants_have_one_name() -> None:
    assert len({str(one["name"]) for one in CHOSEN + DRAWN}) == len(CHOSEN + DRAWN)
