"""Plants faults in a copy of the sources, one at a time, and sees whether the tests notice.

    python benchmarks/mutants.py FOLDER                 # those of tests/mutants.toml; goes on where it ended
    python benchmarks/mutants.py FOLDER --only "leak"   # those whose name contains a word
    python benchmarks/mutants.py FOLDER --table         # what is known so far, as a table of Markdown

Each mutant replaces one text of one file by another and runs the tests that are named with it, in an environment that has
the packages of `pip install ".[test]"`, meson, ninja and cython. It ends with 1 if a mutant lived.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tests" / "mutants.toml"
LONGEST = 1200  # seconds that the tests of a mutant may take


class Mutant(NamedTuple):
    """A fault: in a file, one text instead of another, and the tests that must notice."""

    name: str
    file: str
    text: str
    instead: str
    tests: list[str]


class Outcome(NamedTuple):
    """What the tests made of a mutant: the first that failed, or that it does not build, or that it lived."""

    verdict: str  # "killed", "does not build", "lived" or "too slow"
    by: str
    seconds: float


def mutants() -> list[Mutant]:
    """All of the list; each text stands once in its file."""
    found = [Mutant(**one) for one in tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]]
    for one in found:
        count = (ROOT / one.file).read_text(encoding="utf-8").count(one.text)
        if count != 1:
            sys.exit(f"{one.name}: its text stands {count} times in {one.file}; expected once")
    return found


class Copy:
    """A copy of the sources, built in place."""

    def __init__(self, folder: Path, files: Iterable[str]) -> None:
        self.tree = folder / "tree"
        if not self.tree.exists():
            shutil.copytree(
                ROOT, self.tree, ignore=shutil.ignore_patterns(".git", ".nox", "build", "dist", "*.so", "__pycache__")
            )
            subprocess.run(["meson", "setup", "build"], cwd=self.tree, check=True, stdout=subprocess.DEVNULL)
        for name in files:  # a run that was killed may have left a mutant
            shutil.copyfile(ROOT / name, self.tree / name)
        if not self.build():
            sys.exit(f"{self.tree} cannot be built")
        self.sound = set[tuple[str, ...]]()  # tests that pass without a mutant

    def build(self) -> bool:
        """Whether it could be built."""
        command = ["meson", "compile", "-C", "build", "inplace"]
        return subprocess.run(command, cwd=self.tree, check=False, stdout=subprocess.DEVNULL).returncode == 0

    def outcome(self, mutant: Mutant) -> Outcome:
        """What the tests make of a mutant; the copy is as it was afterwards."""
        if tuple(mutant.tests) not in self.sound:
            verdict, by = self._tested(mutant.tests)
            if verdict != "lived":
                sys.exit(f"{by or verdict}: the tests of {mutant.name!r} do not pass without it")
            self.sound.add(tuple(mutant.tests))
        path, begun = self.tree / mutant.file, time.perf_counter()
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(mutant.text, mutant.instead), encoding="utf-8")
        try:
            if path.suffix != ".py" and not self.build():
                return Outcome("does not build", "", time.perf_counter() - begun)
            verdict, by = self._tested(mutant.tests)
        finally:
            path.write_text(before, encoding="utf-8")
            if path.suffix != ".py":
                self.build()
        return Outcome(verdict, by, time.perf_counter() - begun)

    def _tested(self, tests: list[str]) -> tuple[str, str]:
        environment = os.environ | {"PYTHONPATH": str(self.tree), "PYTHONDONTWRITEBYTECODE": "1"}
        quick = ("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-m", "not torch", "--programs", "300")
        command = [sys.executable, "-m", "pytest", *quick, *tests]
        try:
            answer = subprocess.run(command, cwd=self.tree, env=environment, capture_output=True, text=True, timeout=LONGEST,
                                    check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return "too slow", ""
        failed = [line for line in answer.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if answer.returncode == 0:
            return "lived", ""
        return "killed", failed[0].split(" - ")[0].removeprefix("FAILED ") if failed else answer.stdout[-200:]


def table(known: dict[str, list[object]], every: list[Mutant]) -> str:
    """What is known, as Markdown."""
    lines = ["| fault | file | verdict | first test that noticed |", "|---|---|---|---|"]
    for one in every:
        verdict, by = known[one.name][:2] if one.name in known else ("not tried", "")
        short = str(by).rpartition("/")[2].replace("|", "/")
        lines.append(f"| {one.name} | `{one.file}` | {verdict} | {f'`{short}`' if short else ''} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the copy and the outcomes")
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    parser.add_argument("--table", action="store_true", help="print what is known, and run nothing")
    given = parser.parse_args()
    every, kept = mutants(), given.folder / "outcomes.json"
    known: dict[str, list[object]] = json.loads(kept.read_text()) if kept.exists() else {}
    if given.table:
        print(table(known, every))
        return 0
    given.folder.mkdir(parents=True, exist_ok=True)
    copy = Copy(given.folder.resolve(), {one.file for one in every})
    for one in every:
        if one.name in known or given.only not in one.name:
            continue
        found = copy.outcome(one)
        known[one.name] = [*found]
        beside = kept.with_suffix(".part")
        beside.write_text(json.dumps(known, indent=1))
        beside.replace(kept)
        print(f"{found.seconds:6.1f} s  {found.verdict:14s}  {one.name}  {found.by}", flush=True)
    lived = [name for name, outcome in known.items() if outcome[0] == "lived"]
    print(f"{len(known)} of {len(every)} tried, {len(lived)} lived")
    return bool(lived)


if __name__ == "__main__":
    sys.exit(main())
