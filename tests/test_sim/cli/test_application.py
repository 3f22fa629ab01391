"""`anna application` as a user sees it."""

import json
from pathlib import Path

from command_line import good, refused

from sim.applications.table import APPLICATIONS


def test_the_applications_are_listed() -> None:
    lines = good("application").splitlines()
    assert [line.split()[0] for line in lines] == [*APPLICATIONS]
    assert json.loads(good("application", "--json")) == {name: one.summary for name, one in APPLICATIONS.items()}


def test_an_application_prints_its_arms_and_draws_a_figure(tmp_path: Path) -> None:
    words = ("application", "noise-removal", "--count", 3, "--chips", 2, "--threads", 1)
    told = json.loads(good(*words, "--analog", "typical", "--analog", "worst", "-o", tmp_path / "clean.svg", "--json"))
    assert [arm["arm"] for arm in told["arms"]][2:] == ["ideal chip", "typical chips", "worst chips"]
    assert Path(told["figure"]).read_text().startswith("<?xml")
    text = good(*words, "-o", tmp_path / "clean.png")
    assert "time of an image on machine board-1991" in text and text.endswith(f"{tmp_path / 'clean.png'}\n")
    assert (tmp_path / "clean.png").read_bytes().startswith(b"\x89PNG")
    assert "machine sequencer" in good(*words, "--machine", "sequencer")


def test_what_cannot_be_run_is_refused_before_anything_runs(tmp_path: Path) -> None:
    assert "invalid choice: 'slants'" in refused("application", "slants")
    assert "its chip is wide" in refused("application", "cellular", "--machine", "wide")
    assert "9000 images requested, but 4500 digits are built in" in refused("application", "cellular", "--count", 9000)
    assert "chips is 0" in refused("application", "cellular", "--chips", 0)
    assert refused("application", "cellular", "-o", tmp_path / "no" / "where" / "x.svg")
