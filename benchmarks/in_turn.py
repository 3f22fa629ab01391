"""Two commands that do the same take turns: which is faster, and by how much?

    python benchmarks/in_turn.py "OLD COMMAND" "NEW COMMAND" [--rounds 9]

For instance a network compiled by another version, installed in an environment of its own, and by this one:

    python benchmarks/in_turn.py "OTHER/bin/anna compile lenet5 -o old.anna" "anna compile lenet5 --machine wide -o new.anna"

A round runs each command once, in a process of its own; who goes first changes every round. Prints the medians of processor
time and of time, and of the ratios new to old, round by round: these hold on a busy machine too, as far as it is busy evenly.
"""

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple


class Used(NamedTuple):
    """Seconds that a command took."""

    processor: float
    clock: float


def run(words: Sequence[str], folder: str | None = None) -> Used:
    """Run a command to its end, with all its processes; raises if it fails."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # else imports are compiled
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    clock, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    found: dict[str, list[Used]] = {given.old: [], given.new: []}
    for turn in range(given.rounds):
        for command in (given.old, given.new) if turn % 2 == 0 else (given.new, given.old):
            found[command].append(run(shlex.split(command)))
    for field in Used._fields:
        old, new = ([getattr(used, field) for used in found[command]] for command in (given.old, given.new))
        ratio = statistics.median(b / a for a, b in zip(old, new, strict=True))
        print(f"{field:9}  old {statistics.median(old):6.2f} s   new {statistics.median(new):6.2f} s   ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
