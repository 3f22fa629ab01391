"""Plants faults in a copy of the sources, one at a time, and sees whether the tests notice.

    python benchmarks/mutants.py FOLDER                   # those of both lists; goes on where it ended
    python benchmarks/mutants.py FOLDER --only "leak"     # those whose area or name contains a word
    python benchmarks/mutants.py FOLDER --again           # after new tests: those that lived
    python benchmarks/mutants.py FOLDER --table           # what is known so far, as tables of Markdown

Each mutant replaces one text of one file by another and runs the tests that are named with it, in an environment that has
the packages of `pip install ".[test]"`, meson, ninja and cython. People chose those of tests/mutants.toml; a tool drew those
of tests/drawn_mutants.toml (benchmarks/drawn_mutants.py). It ends with 1 if a mutant lived or its text is gone.
"""

import argparse
import filecmp
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
LISTS = [ROOT / "tests" / "mutants.toml", ROOT / "tests" / "drawn_mutants.toml"]
NOT_COPIED = shutil.ignore_patterns(".git", ".nox", "build", "dist", "*.so", "__pycache__", ".hypothesis")
LONGEST = 1200  # seconds that the tests of a mutant may take
SIGNAL = "the tests' process ended by "
NOT_HERE = "tests/test_anna/engine/test_instructions.py"  # counts those of the usual build
MARKS = ("not torch and not slow", "not torch and slow")  # the slow tests see what the others let live


class Mutant(NamedTuple):
    """A fault: in a file, one text instead of another, and the tests that must notice."""

    name: str
    file: str
    text: str
    instead: str
    tests: list[str]
    area: str = "chosen by people"
    equivalent: str = ""  # why nothing can notice it

    def is_there(self) -> bool:
        """Whether its text stands once in its file."""
        path = ROOT / self.file
        return path.exists() and path.read_text(encoding="utf-8").count(self.text) == 1


class Outcome(NamedTuple):
    """What the tests made of a mutant: the first that failed, or that it does not build, or that it lived."""

    verdict: str  # "killed", "too slow", "lived"; "does not build" and "same module", which are no mutants; "gone"
    by: str
    seconds: float


def mutants() -> list[Mutant]:
    """All of both lists."""
    return [Mutant(**one) for path in LISTS for one in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])]


class Copy:
    """A copy of the sources, built in place."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder.resolve() / "tree"
        fresh = not self.tree.exists()
        shutil.copytree(ROOT, self.tree, ignore=NOT_COPIED, copy_function=_renewed, dirs_exist_ok=True)
        if fresh:
            # Bits are the same however the compiler optimises, and little is faster to build.
            subprocess.run(
                ["meson", "setup", "build", "-Doptimization=1"], cwd=self.tree, check=True, stdout=subprocess.DEVNULL
            )
        if not self.build():
            sys.exit(f"{self.tree} cannot be built")
        self._plain = self._modules()
        self._sound = set[str]()  # tests that pass without a mutant

    def build(self) -> bool:
        """Whether it could be built."""
        command = ["meson", "compile", "-C", "build", "inplace"]
        return subprocess.run(command, cwd=self.tree, check=False, capture_output=True).returncode == 0

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[bool]:
        """The copy with a mutant in it, and whether that could be built; the source is as it was afterwards."""
        path = self.tree / mutant.file
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(mutant.text, mutant.instead), encoding="utf-8")
        try:
            yield self.build()
        finally:
            path.write_text(before, encoding="utf-8")

    def outcome(self, mutant: Mutant) -> Outcome:
        """What the tests make of a mutant: the quick ones, then, if it lives, the slow ones."""
        if not mutant.is_there():
            return Outcome("gone", "", 0.0)
        found = Outcome("lived", "", 0.0)
        for marks in MARKS:
            begun = time.perf_counter()
            with self.planted(mutant) as built:
                if not built:
                    verdict, by = "does not build", ""
                elif not mutant.file.endswith(".py") and self._modules() == self._plain:
                    verdict, by = "same module", ""
                else:
                    verdict, by = self._tested(mutant.tests, marks, Path(mutant.file).stem)
            found = Outcome(verdict, by, found.seconds + time.perf_counter() - begun)
            if verdict != "lived":
                break
        if found.verdict == "killed" and not (found.by.startswith(SIGNAL) or self._is_sound(found.by)):
            sys.exit(f"{found.by} fails without {mutant.name!r}")
        return found

    def _is_sound(self, test: str) -> bool:
        """Whether a test passes without a mutant."""
        if test not in self._sound and self.build() and self._tested([test], "not torch")[0] == "lived":
            self._sound.add(test)
        return test in self._sound

    def _modules(self) -> str:
        """A digest of the compiled modules."""
        return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(self.tree.glob("*/*/*.so")))).hexdigest()

    def _tested(self, tests: list[str], marks: str, stem: str = "") -> tuple[str, str]:
        """The verdict of tests, and the first that failed; no example found for a mutant before helps to find this one."""
        shutil.rmtree(self.tree / ".hypothesis", ignore_errors=True)
        environment = os.environ | {
            "PYTHONPATH": f"{self.tree}:{self.tree / 'benchmarks'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "QUICK_FIRST": str(self.tree.parent / "seconds.json"),
            "QUICK_FIRST_STEM": stem,
            "CI": "1",  # Hypothesis then minds no slow machine, which would look like a fault found
        }
        quick = ("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "quick_first", "--programs", "300")
        command = [sys.executable, "-m", "pytest", *quick, "--hypothesis-seed=0", "--deselect", NOT_HERE, "-m", marks, *tests]
        try:
            answer = subprocess.run(command, cwd=self.tree, env=environment, capture_output=True, text=True, timeout=LONGEST,
                                    check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return "too slow", ""
        if answer.returncode < 0:
            return "killed", SIGNAL + signal.Signals(-answer.returncode).name
        failed = [line for line in answer.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if answer.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return "lived", ""
        return "killed", failed[0].split(" - ")[0].split(" ", 1)[1] if failed else answer.stdout[-200:]


def _renewed(source: str, target: str) -> None:
    """A file of the copy is written only if it differs, so that little is built again."""
    if not (os.path.exists(target) and filecmp.cmp(source, target, shallow=False)):
        shutil.copyfile(source, target)


def verdict(one: Mutant, known: dict[str, list[object]]) -> str:
    """What is known of a mutant."""
    return "equivalent" if one.equivalent else str(known[one.name][0]) if one.name in known else "not tried"


def table(known: dict[str, list[object]], every: list[Mutant]) -> str:
    """What is known, as Markdown: by area, then one by one."""
    verdicts = ("killed", "too slow", "equivalent", "lived", "gone", "does not build", "same module", "not tried")
    lines = [f"| area | mutants | {' | '.join(verdicts)} | s |", "|---" + "|---:" * (len(verdicts) + 2) + "|"]
    areas = {area: [one for one in every if one.area == area] for area in dict.fromkeys(one.area for one in every)}
    for area, its in (areas | {"all": every}).items():
        found = [verdict(one, known) for one in its]
        seconds = sum(float(str(known[one.name][2])) for one in its if one.name in known)
        lines.append(f"| {area} | {len(its)} | {' | '.join(str(found.count(one)) for one in verdicts)} | {seconds:,.0f} |")
    lines += ["", "| fault | file | verdict | first test that noticed |", "|---|---|---|---|"]
    for one in every:
        by = one.equivalent or str(known.get(one.name, ["", ""])[1]).rpartition("/")[2]
        name, by = (text.replace("|", "\\|") for text in (one.name, by))
        lines.append(f"| {name} | `{one.file}` | {verdict(one, known)} | {by} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the copy and the outcomes")
    parser.add_argument("--only", default="", help="mutants whose area or name contains this")
    parser.add_argument("--again", action="store_true", help="those that lived are tried again")
    parser.add_argument("--table", action="store_true", help="print what is known, and run nothing")
    given = parser.parse_args()
    every, kept = mutants(), given.folder / "outcomes.json"
    known: dict[str, list[object]] = json.loads(kept.read_text()) if kept.exists() else {}
    if given.table:
        print(table(known, every))
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    chosen = [one for one in every if given.only in f"{one.area}: {one.name}" and not one.equivalent]
    tried = [one for one in chosen if one.name not in known or (given.again and known[one.name][0] == "lived")]
    copy = Copy(given.folder)
    for one in tried:
        found = copy.outcome(one)
        known[one.name] = [*found]
        beside = kept.with_suffix(".part")
        beside.write_text(json.dumps(known, indent=1))
        beside.replace(kept)
        print(f"{found.seconds:6.1f} s  {found.verdict:14s}  {one.name}  {found.by}", flush=True)
    found_by = [verdict(one, known) for one in every]
    print(", ".join(f"{found_by.count(one)} {one}" for one in dict.fromkeys(found_by)))
    return bool({"lived", "gone"} & set(found_by))


if __name__ == "__main__":
    sys.exit(main())
