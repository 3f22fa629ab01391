"""Draws faults by a mutation tool, with a fixed seed, into tests/drawn_mutants.toml; benchmarks/mutants.py tries them.

    pip install --no-deps universalmutator==1.14.1
    python benchmarks/drawn_mutants.py                       # all areas
    python benchmarks/drawn_mutants.py --area "C kernels"    # one area again, the others as they are

Of each area lines are drawn, each at most once, and of each line one of the tool's mutations. Not drawn is what no test could
notice: what is no Python, what changes a docstring, an annotation or the order of imported names only. Of compiled files the
trial tells what does not build or makes the same module; some more are drawn, so that a hundred remain.
"""

import argparse
import ast
import contextlib
import io
import json
import random
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutants import LISTS, ROOT, Mutant, mutants
from universalmutator.mutator import mutants_regexp

SEED = 1991
NOT_CHANGED = [r"^\s*#", r"^\s*(from|cimport) "]  # lines without code, and names without which nothing begins


class Area(NamedTuple):
    """Where faults are planted: how many, in which files, which tests notice, which files are left out."""

    count: int
    files: list[str]
    tests: list[str]
    left_out: list[str] = []  # noqa: RUF012


REFRESH = [
    "anna/chip/refresh*.py",
    "anna/sequencer/charge.py",
    "anna/compiler/refreshing.py",
    "anna/compiler/planting.pyx",
    "anna/compiler/retention.py",
]
KEYS = [
    "anna/analog/noise.py",
    "anna/analog/draws.py",
    "anna/analog/drawing.py",
    "anna/native/noise.inc.h",
    "anna/native/mix.h",
]
AREAS = {
    "parts": Area(9, ["anna/analog/*.py"], ["tests/test_anna/analog", "tests/test_anna/lab"], KEYS),
    "refresh": Area(9, REFRESH, ["tests/test_anna/chip", "tests/test_anna/sequencer", "tests/test_anna/compiler"]),
    "timing rules": Area(
        12,
        ["anna/sequencer/*.py*"],
        ["tests/test_anna/sequencer", "tests/test_anna/program", "tests/test_anna/machine"],
        REFRESH,
    ),
    "compiler": Area(10, ["anna/compiler/*.py*"], ["tests/test_anna/compiler"], REFRESH),
    "importers": Area(9, ["anna/importers/*.py"], ["tests/test_anna/importers"]),
    "RBF and float layers": Area(
        9,
        [
            "anna/network/forward.py",
            "anna/network/layers.py",
            "anna/network/host_*.py",
            "lenet/networks/lenet5.py",
            "lenet/classical/radial.py",
        ],
        ["tests/test_anna/network", "tests/test_lenet", "tests/test_anna/board"],
    ),
    "host rate": Area(
        9, ["anna/board/*.py"], ["tests/test_anna/board", "tests/test_anna/compiler", "tests/test_sim/published"]
    ),
    "noise keys": Area(11, KEYS, ["tests/test_anna/engine", "tests/test_anna/analog", "tests/test_anna/lab"]),
    # The two levels of AVX-512 do not run where this list was drawn.
    "C kernels": Area(
        40,
        ["anna/native/*.h", "anna/native/*.c", "anna/native/*.pyx"],
        ["tests/test_anna/engine", "tests/test_anna/native"],
        ["anna/native/vec_avx512.h", *KEYS],
    ),
    "engine": Area(24, ["anna/engine/*.py*"], ["tests/test_anna/engine", "tests/test_anna/machine"]),
    "statistics": Area(
        9,
        ["sim/base/*.py", "sim/comparison/*.py"],
        ["tests/test_sim/base", "tests/test_sim/comparison", "tests/test_sim/results"],
    ),
}


class _Running(ast.NodeTransformer):
    """What of Python's source runs: no docstrings, no annotations of functions, imported names in order."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.Constant(None)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        node.names.sort(key=lambda one: one.name)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        return super().generic_visit(node)


def running(source: str) -> str | None:
    """What of a Python file runs, or None if it is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(source, "", "exec")
        return ast.dump(_Running().visit(ast.parse(source)))
    except (SyntaxError, ValueError):
        return None


def matters(mutant: Mutant) -> bool:
    """Whether a mutant may be something else than what it was made from; of compiled files the trial will tell."""
    before = (ROOT / mutant.file).read_text(encoding="utf-8")
    after = before.replace(mutant.text, mutant.instead)
    return not mutant.file.endswith(".py") or running(after) not in (None, running(before))


def of_docstrings(lines: list[str]) -> set[int]:
    """The numbers of lines that are docstrings of Cython, which Python cannot parse."""
    found, within = set[int](), False
    for number, line in enumerate(lines):
        marks = line.count('"""')
        if within or marks:
            found.add(number)
        within ^= marks % 2 == 1
    return found


def changes(file: str) -> dict[int, list[str]]:
    """What the tool would write in place of each line, from 0."""
    rules = ["universal.rules", "c_like.rules" if Path(file).suffix in (".c", ".h") else "python.rules"]
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True)
    with contextlib.redirect_stdout(io.StringIO()):
        found = mutants_regexp(lines, rules, ignorePatterns=NOT_CHANGED, ignoreStringOnly=True)
    skipped = of_docstrings(lines) if file.endswith(".pyx") else set()
    by_line: dict[int, list[str]] = {}
    for number, line, *_ in found:
        if number - 1 not in skipped:
            by_line.setdefault(number - 1, []).append(line)
    return by_line


def shared(one: str, other: str) -> int:
    """With how many characters two texts begin alike."""
    return next((k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def difference(old: str, new: str) -> str:
    """What a change of a line is, in words."""
    before = shared(old, new)
    after = shared(old[before:][::-1], new[before:][::-1])
    parts = (one[before : len(one) - after].strip() or "nothing" for one in (old, new))
    return " becomes ".join(part if len(part) <= 40 else part[:37] + "..." for part in parts)


def mutant_of(area: str, name: str, file: str, line: int, instead: str) -> Mutant:
    """A change of a line as a mutant: with as many lines before it as make its text stand once in the file."""
    source = (ROOT / file).read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    first = next(k for k in range(line, -1, -1) if source.count("".join(lines[k : line + 1])) == 1)
    before = "".join(lines[first:line])
    name = f"{name}, line {line + 1}: {difference(lines[line].strip(), instead.strip())}"
    room = Path(file).parts
    own = f"tests/test_{room[0]}/{room[1]}/test_{Path(file).stem}.py"
    tests = [own] * (ROOT / own).exists() + AREAS[area].tests
    return Mutant(name, file, before + lines[line], before + instead, tests, area)


def drawn(area: str) -> Iterator[Mutant]:
    """The mutants of an area, as the seed has them."""
    count, patterns, _, left_out = AREAS[area]
    files = {path for pattern in patterns for path in ROOT.glob(pattern)} - {
        path for one in left_out for path in ROOT.glob(one)
    }
    every = {
        (file, line): instead
        for file in sorted(path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyi")
        for line, instead in changes(file).items()
    }
    dice, lines, taken = random.Random(f"{SEED} {area}"), sorted(every), 0
    dice.shuffle(lines)
    for file, line in lines:
        one = mutant_of(area, f"{area} {taken + 1}", file, line, dice.choice(every[file, line]))
        if matters(one):
            yield one
            taken += 1
            if taken == count:
                return


def written(every: list[Mutant]) -> str:
    """A list as TOML."""
    lines = [
        "# Faults that a tool drew with a seed: `python benchmarks/drawn_mutants.py` draws them again, and keeps what is said",
        "# of equivalent ones; `python benchmarks/mutants.py FOLDER` makes them one at a time in a copy of the sources.",
    ]
    for one in every:
        lines += ["", "[[mutant]]"]
        lines += [f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in one._asdict().items() if value]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--area", choices=AREAS, action="append", help="draw these again, not all")
    given = parser.parse_args()
    again = given.area or list(AREAS)
    said = {(one.file, one.text, one.instead): one.equivalent for one in mutants()}
    kept = [one for one in mutants() if one.area in AREAS and one.area not in again]
    for area in again:
        kept += (one._replace(equivalent=said.get((one.file, one.text, one.instead), "")) for one in drawn(area))
        order = list(AREAS)
        LISTS[1].write_text(written(sorted(kept, key=lambda one: order.index(one.area))), encoding="utf-8")
        print(f"{area}: {sum(one.area == area for one in kept)} drawn", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
