"""What makes a program legal: every rule has a program that breaks it, and the sentences that the user gets are recorded."""

import json
import re
from pathlib import Path

import pytest
from host_rounds import assembled

import anna
from anna.base.errors import IllegalProgram
from anna.sequencer.rules import RULES

ILLEGAL = sorted((Path(__file__).parents[2] / "programs" / "illegal").glob("*.asm"))
GOLDEN = Path(__file__).parents[2] / "golden" / "refusals.json"


def rule_of(path: Path) -> str:
    """The rule that a program breaks; one for a chip of the other set has that set in its name too."""
    return path.stem.partition(".")[0]


def test_every_rule_has_a_program_that_breaks_it() -> None:
    assert {rule_of(path) for path in ILLEGAL} == set(RULES)


@pytest.mark.parametrize("path", ILLEGAL, ids=lambda path: path.stem)
def test_the_rule_is_the_one_that_is_broken(path: Path) -> None:
    found, _ = anna.violations(assembled(path.read_text(), path.name))
    assert {violation.rule for violation in found} == {rule_of(path)}


def test_sentences_are_as_recorded(update_golden: bool) -> None:
    found = {path.stem: [v.sentence for v in anna.violations(assembled(path.read_text()))[0]] for path in ILLEGAL}
    if update_golden:
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_all_violations_are_told_at_once() -> None:
    text = next(path for path in ILLEGAL if path.stem == "columns-exist").read_text()
    with pytest.raises(IllegalProgram) as refusal:
        anna.verified(anna.assemble(text))
    assert len(refusal.value.reasons) == 3


WAITING = ["register-held", "written-before-read", "read-before-overwritten"]


@pytest.mark.parametrize("rule", [*WAITING, *(f"{rule}.published" for rule in WAITING)])
def test_waiting_as_the_sentence_says_mends_it(rule: str) -> None:
    text = next(path for path in ILLEGAL if path.stem == rule).read_text()
    rule = rule.partition(".")[0]
    program = anna.assemble(text)
    violation = anna.violations(program)[0][0]
    wait = re.search(r"WAIT cycles=(\d+)", violation.sentence)
    assert wait and violation.index is not None
    lines = anna.disassemble(program).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("PAGE")) + violation.index

    def rules_after(cycles: int) -> set[str]:
        changed = "\n".join([*lines[:at], f"WAIT cycles={cycles}", *lines[at:]])
        return {violation.rule for violation in anna.violations(anna.assemble(changed))[0]}

    assert rule not in rules_after(int(wait[1]))
    assert int(wait[1]) == 1 or rule in rules_after(int(wait[1]) - 1)
