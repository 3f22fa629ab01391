"""This version against another one, in processes that take turns: is it as fast as it was?

    python benchmarks/against.py OTHER_PYTHON PROGRAM.anna [--rounds 15] [--count 8192]

OTHER_PYTHON is the interpreter of an environment with the other version. Both run the same program file on the built-in
digits, one thread, and then draw a new die and make it ready, again and again. A round is one process of each version, the
ratio is processor time of this one over that of the other. First this version runs against itself: its ratios say what the
machine's noise is. Each line gives the geometric mean of the ratios with its 95 % interval.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys

CHILD = """
import json, sys, time
import anna, lenet
path, count, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
program = anna.Program.load(path)
images = lenet.holdout()[0]
images = images[[i % len(images) for i in range(count)]]

def least(work):
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)

found = {}
for name, chip in (("ideal", anna.Chip()), ("typical", anna.Chip(seed=7))):
    chip.run(program, images[:64], threads=1)
    found[name] = least(lambda: chip.run(program, images, threads=1).labels)
seeds = iter(range(1, 10_000))
found["new die"] = least(lambda: [anna.Chip(seed=next(seeds)).run(program, images[:1], threads=1) for _ in range(10)])
print(json.dumps(found))
"""
# Student's t at 97.5 % by degrees of freedom; beyond, that of the normal distribution is near enough.
T_975 = {4: 2.776, 9: 2.262, 14: 2.145, 19: 2.093, 29: 2.045}


def seconds(python: str, program: str, count: int, repeats: int) -> dict[str, float]:
    """One process: seconds of processor time for each case."""
    command = [python, "-P", "-c", CHILD, program, str(count), str(repeats)]
    times: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return times


def compared(this: str, other: str, given: argparse.Namespace) -> dict[str, list[float]]:
    """Ratios, round by round; who goes first changes every round."""
    ratios: dict[str, list[float]] = {}
    for turn in range(given.rounds):
        order = (this, other) if turn % 2 == 0 else (other, this)
        times = [seconds(python, given.program, given.count, given.repeats) for python in order]
        mine, theirs = times if turn % 2 == 0 else reversed(times)
        for case in mine:
            ratios.setdefault(case, []).append(mine[case] / theirs[case])
    return ratios


def line(what: str, case: str, ratios: list[float]) -> str:
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    reach = T_975.get(len(logs) - 1, 1.96) * statistics.stdev(logs) / math.sqrt(len(logs))
    low, high = math.exp(mean - reach), math.exp(mean + reach)
    return f"{what:22} {case:8} {math.exp(mean):6.3f}   {low:.3f} to {high:.3f}   {len(ratios)} rounds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", metavar="OTHER_PYTHON")
    parser.add_argument("program", metavar="PROGRAM.anna")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    print(f"{'':22} {'case':8} {'ratio':>6}   95 % interval")
    for what, other in (("this against itself", sys.executable), ("this against the other", given.python)):
        for case, ratios in compared(sys.executable, other, given).items():
            print(line(what, case, ratios), flush=True)


if __name__ == "__main__":
    main()
