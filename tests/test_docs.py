"""Code blocks in the README and in docs run; tables that repeat the code are the code's."""

import os
import re
from pathlib import Path

import pytest

import anna
from anna.analog.parameters import STRENGTHS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
BLOCKS = [(page, number) for page in PAGES for number, _ in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(("page", "number"), BLOCKS, ids=lambda value: getattr(value, "stem", value))
def test_code_blocks_run(page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "tests"):
        os.symlink(ROOT / folder, tmp_path / folder)
    code = BLOCK.findall(page.read_text(encoding="utf-8"))[number]
    exec(compile(code, f"{page.name} block {number}", "exec"), {"__name__": "__main__"})


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_rules_in_the_docs_are_the_rules() -> None:
    from anna.sequencer.rules import RULES

    text = (ROOT / "docs" / "assembly.md").read_text(encoding="utf-8")
    assert [f"| `{name}` | {rule.statement} |" in text for name, rule in RULES.items()] == [True] * len(RULES)


def test_the_events_in_the_docs_are_the_events() -> None:
    from anna.sequencer.tally import EVENTS

    text = (ROOT / "docs" / "energy.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.M) == [*EVENTS.items()]


def test_the_readme_has_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (pip install .*)$", text, re.M)
    assert len(commands) == 2


def test_the_commands_in_the_docs_are_the_commands() -> None:
    from sim.cli.main import full_parser
    from sim.cli.syntax import syntax_of

    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `anna ([\w-]+)` \| (.*) \|$", text, re.M)
    assert rows == [(command.name, command.summary) for command in syntax_of(full_parser()).commands]


def test_what_is_beside_other_simulators_names_fields_that_exist() -> None:
    """The last column of each table, and nothing in it that is a name elsewhere."""
    text = (ROOT / "docs" / "analog-peers.md").read_text(encoding="utf-8")
    known = {*anna.Analog.model_fields, *anna.Faults.model_fields, *anna.ChipSpec.model_fields}
    cells = [line.split(" | ")[-1] for line in text.splitlines() if line.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert len(named) > 25 and named <= known
    assert set(STRENGTHS) <= named, "every imperfection stands beside its like"


def test_the_budgets_in_the_docs_are_the_budgets() -> None:
    from anna.base.border import BUDGETS

    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    for one in BUDGETS:
        assert f"| {one.name} | {one.file_bytes:,} | {one.memory_bytes:,} |" in page
