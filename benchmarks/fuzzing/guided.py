"""A search led by branches: an input that takes a reader where none has been is kept, and changed further."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from fuzzing import mutators
from fuzzing.outcomes import BAD, Figures
from fuzzing.readers import Reader
from fuzzing.workers import INPUTS_A_CHILD, outcomes

import anna
import lenet
import sim

OURS = tuple(str(Path(str(package.__file__)).parent) for package in (anna, lenet, sim))  # whose Python is watched
LARGEST_KEPT = 1 << 16  # bytes: larger inputs slow the search and show nothing that a smaller one does not

Branch = tuple[str, int, int]  # file, from line, to line; a call comes from line 0


@dataclass
class Search:
    """Of one reader: what was kept so far, the branches that were taken, and what became of all inputs."""

    reader: Reader
    seed: int
    ours: tuple[str, ...] = OURS
    kept: list[bytes] = field(default_factory=list)
    branches: set[Branch] = field(default_factory=set)
    begun_with: int = 0  # branches that good files take
    bad: dict[int, bytes] = field(default_factory=dict)  # inputs that must not be, by number
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        self.figures = Figures(self.reader.name, self.seed)

    def input(self, number: int) -> bytes:
        """The good files first, then what becomes of them and of what was kept: half of each."""
        good = self.reader.seeds()
        if number < len(good):
            return good[number]
        rng = Random(f"{self.reader.name} {self.seed} {number}")
        seeds = rng.choice((good, self.kept or good))
        try:
            return rng.choice(self.reader.mutators)(rng, seeds)
        except Exception:  # what was kept may be too damaged for a mutator that knows the format
            return mutators.of_bytes(rng, seeds)

    def go_on(self, count: int) -> None:
        """As many inputs more, in a child; what it kept is known to the next one."""
        begun, first = time.monotonic(), self.figures.done
        with TemporaryDirectory() as folder:
            watched = replace(self.reader, read=lambda path: self._read(path, Path(folder)))
            for number, word, note in outcomes(watched, self.input, first, first + count):
                self.figures.add(number, word, note)
                self.figures.done = number + 1
                if word in BAD:
                    self.bad[number] = self.input(number)
            for path in sorted(Path(folder).glob("*.json")):
                self.branches |= {(file, before, after) for file, before, after in json.loads(path.read_text())}
                if path.with_suffix(".input").exists():
                    self.kept.append(path.with_suffix(".input").read_bytes())
        if not first:
            self.begun_with = len(self.branches)
        self.figures.seconds += time.monotonic() - begun

    def _read(self, path: Path, folder: Path) -> Any:
        """In the child: read, and leave the input and its new branches in the folder."""
        data, taken = path.read_bytes(), set[Branch]()
        try:
            with watching(taken, self.ours):
                return self.reader.read(path)
        finally:
            if new := taken - self.branches:
                self.branches |= new
                name = folder / f"{len(self.branches):08}"
                if len(data) <= LARGEST_KEPT:
                    name.with_suffix(".input").write_bytes(data)
                name.with_suffix(".json").write_text(json.dumps(sorted(new)))


@contextmanager
def watching(taken: set[Branch], ours: tuple[str, ...]) -> Iterator[None]:
    """Collect the branches that are taken in files of some folders."""

    def call(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        file, before = frame.f_code.co_filename, 0
        if not file.startswith(ours):
            return None

        def line(frame: FrameType, event: str, _: object) -> Any:
            nonlocal before
            if event == "line":
                taken.add((file, before, frame.f_lineno))
                before = frame.f_lineno
            return line

        return line

    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(None)


def search(readers: list[Reader], seed: int, seconds: float, count: int | None = None) -> list[Search]:
    """All readers in turns, each for an equal share of the time, or up to so many inputs each."""
    found = [Search(reader, seed) for reader in readers]
    for one in found:
        one.go_on(len(one.reader.seeds()))
    while left := [one for one in found if one.figures.seconds < seconds / len(found)
                       and (count is None or one.figures.done < count)]:  # fmt: skip
        for one in left:
            one.go_on(INPUTS_A_CHILD if count is None else min(INPUTS_A_CHILD, count - one.figures.done))
    return found


def depth(found: list[Search]) -> str:
    """Markdown: how far the search went in each reader."""
    lines = ["| reader | inputs | branches that good files take | branches taken | inputs kept |", "|---|---:|---:|---:|---:|"]
    for one in found:
        lines.append(
            f"| {one.reader.name} | {one.figures.done:,} | {one.begun_with:,} | {len(one.branches):,} | {len(one.kept):,} |"
        )
    return "\n".join(lines)
