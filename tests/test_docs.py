"""Code blocks in the README and in docs run; tables that repeat the code are the code's."""

import os
import re
from pathlib import Path

import pytest
from pages import DOCS, PAGES, ROOT, TUTORIALS
from reader import own_files

import anna
from anna.analog.parameters import STRENGTHS

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
BLOCKS = [(page, number) for page in PAGES for number, _ in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(("page", "number"), BLOCKS, ids=lambda value: getattr(value, "stem", value))
def test_code_blocks_run(page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that has what `anna examples` writes, and the files of a reader's own."""
    monkeypatch.chdir(tmp_path)
    os.symlink(ROOT / "examples", tmp_path / "examples")
    own_files(tmp_path)
    code = BLOCK.findall(page.read_text(encoding="utf-8"))[number]
    exec(compile(code, f"{page.name} block {number}", "exec"), {"__name__": "__main__"})


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_stands_in_the_index() -> None:
    """Of which the site makes its table of contents."""
    linked = re.findall(r"\]\(([\w./-]+\.md)\)", (DOCS / "index.md").read_text(encoding="utf-8"))
    named = [
        *DOCS.rglob("*.md"),
        *(ROOT / name for name in ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]
    assert {(DOCS / target).resolve() for target in linked} == {path.resolve() for path in named} - {
        (DOCS / "index.md").resolve()
    }


NEEDS_TORCH = [page for page in TUTORIALS if "import torch" in page.read_text(encoding="utf-8")]


@pytest.mark.torch
@pytest.mark.parametrize("page", NEEDS_TORCH, ids=lambda page: page.stem)
def test_tutorials_in_pytorch_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others run where the site is built, in which there is no PyTorch."""
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    cells = re.findall(r"^```{code-cell} python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    names = {"__name__": "__main__"}
    for cell in cells:
        exec(compile(cell, f"{page.name}", "exec"), names)


def test_the_rules_in_the_docs_are_the_rules() -> None:
    from anna.sequencer.rules import RULES

    text = (DOCS / "assembly.md").read_text(encoding="utf-8")
    assert [f"| `{name}` | {rule.statement} |" in text for name, rule in RULES.items()] == [True] * len(RULES)


def test_the_events_in_the_docs_are_the_events() -> None:
    from anna.sequencer.tally import EVENTS

    text = (DOCS / "energy.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.M) == [*EVENTS.items()]


def test_the_readme_has_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    (pip install .*)$", text, re.M)
    assert len(commands) == 2


def test_the_commands_in_the_docs_are_the_commands() -> None:
    from sim.cli.main import full_parser
    from sim.cli.syntax import syntax_of

    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `anna ([\w-]+)` \| (.*) \|$", text, re.M)
    assert rows == [(command.name, command.summary) for command in syntax_of(full_parser()).commands]


def test_what_is_beside_other_simulators_names_fields_that_exist() -> None:
    """The last column of each table, and nothing in it that is a name elsewhere."""
    text = (DOCS / "analog-peers.md").read_text(encoding="utf-8")
    known = {*anna.Analog.model_fields, *anna.Faults.model_fields, *anna.ChipSpec.model_fields}
    cells = [line.split(" | ")[-1] for line in text.splitlines() if line.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert len(named) > 25 and named <= known
    assert set(STRENGTHS) <= named, "every imperfection stands beside its like"


def test_the_budgets_in_the_docs_are_the_budgets() -> None:
    from anna.base.border import BUDGETS

    page = (DOCS / "trust.md").read_text(encoding="utf-8")
    for one in BUDGETS:
        assert f"| {one.name} | {one.file_bytes:,} | {one.memory_bytes:,} |" in page
