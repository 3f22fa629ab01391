"""`anna examples`: what comes with the package, so that pages of the manual can be followed from an empty folder."""

import json
from pathlib import Path

from command_line import good, refused

ROOT = Path(__file__).parents[3]
EXAMPLES = {path.name: path.read_bytes() for path in (ROOT / "examples").iterdir() if path.is_file()}


def test_they_are_listed_each_with_a_sentence() -> None:
    told = json.loads(good("examples", "--json"))["examples"]
    assert {one["name"] for one in told} == set(EXAMPLES)
    assert all(len(one["about"]) > 20 and not one["about"].startswith(("#", ";", '"')) for one in told)


def test_they_are_written_byte_for_byte_and_again_over_themselves(tmp_path: Path) -> None:
    for _ in range(2):
        good("examples", "-o", tmp_path / "mine")
        assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == EXAMPLES


def test_another_text_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bits.toml").write_text("mine")
    assert "bits.toml is there already and is another text; choose another folder" in refused("examples", "-o", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bits.toml"]
