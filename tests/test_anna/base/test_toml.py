"""TOML files from anywhere end in one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

import anna
from anna.base.errors import AnnaError
from sim.inputs.joules import load_joules
from sim.sweep.spec import load_spec

READERS: dict[str, Callable[[Path], object]] = {
    "analog parameters": anna.Analog.load, "a sweep": load_spec, "joules of events": load_joules,
}  # fmt: skip
WRONG = {
    "a = " + "[" * 5000: "is nested too deeply",
    "a = " + "{b=" * 5000: "is nested too deeply",
    "#" * (5 << 20): "has more than 4,194,304 bytes",
    "[a\n": "is not TOML",
    "a = '\udcff'": "is not TOML",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_no_toml_is_refused_in_a_sentence(reader: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(AnnaError) as told:
        READERS[reader](path)
    assert str(told.value).startswith(f"{path}: {WRONG[text]}")


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_not_there_is_told_with_what_was_expected(reader: str, tmp_path: Path) -> None:
    with pytest.raises(AnnaError, match=rf"cannot be read \(No such file or directory\); expected {reader}"):
        READERS[reader](tmp_path / "none.toml")
