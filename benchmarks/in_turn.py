"""Two commands that do the same take turns: which is faster, and by how much?

    python benchmarks/in_turn.py "OLD COMMAND" "NEW COMMAND" [--rounds 9]

For instance a network compiled by another version, installed in an environment of its own, and by this one:

    python benchmarks/in_turn.py "OTHER/bin/anna compile lenet5 -o old.anna" "anna compile lenet5 --machine wide -o new.anna"

A round runs each command once, in a process of its own; who goes first changes every round. Prints the medians of processor
time and of time, and of the ratios new to old, round by round: these hold on a busy machine too, as far as it is busy evenly.
"""

import argparse
import shlex
import statistics

from sim.bench.processes import Used, run


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
