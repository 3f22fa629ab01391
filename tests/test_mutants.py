"""The list of faults that the tests must notice stays true: each text stands once in its file, and its tests are there."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MUTANTS = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one["name"])
def test_a_mutant_changes_one_text_and_names_tests_that_are_there(mutant: dict[str, object]) -> None:
    text = (ROOT / str(mutant["file"])).read_text(encoding="utf-8")
    assert text.count(str(mutant["text"])) == 1
    assert mutant["instead"] != mutant["text"]
    tests = mutant["tests"]
    assert isinstance(tests, list) and all((ROOT / one).exists() for one in tests)
