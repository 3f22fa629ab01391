"""What a second thread gains, beside what it gains where nothing is shared: multiply-adds on registers alone.

    python benchmarks/threads.py [--network recognizer] [--threads 2] [--rounds 60] [--pictures 16384] [--simd avx2]

On a virtual machine the second core is not always there. So each round times registers alone, whole runs on a typical chip,
and registers alone again, each with one thread and with several, and a run is held against the registers around it. Prints
medians over all rounds, and over those in which registers alone gained nearly all they could, before and after.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

NEARLY_ALL = 0.95  # of what several cores could gain


def gain(work: Callable[[int], object], threads: int, share: float) -> float:
    """Time with one thread over time with several, of which each does `share` of the work of the one."""
    times = []
    for count in (1, threads, 1):
        began = time.perf_counter()
        work(count)
        times.append(time.perf_counter() - began)
    return (times[0] + times[2]) / 2 / times[1] * share


def main() -> None:
    import anna
    import lenet
    from anna.machine.engine.loader import choose_level, native
    from anna.threads import share

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="recognizer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--pictures", type=int, default=16384)
    parser.add_argument("--simd")
    given = parser.parse_args()
    simd, some = choose_level(given.simd), lenet.holdout()[0]
    pictures = some[np.arange(given.pictures) % len(some)]
    program = anna.compile(lenet.load(given.network), calibration=lenet.calibration())
    chip = anna.Chip(seed=1)
    chip.run(program, pictures[:1], simd=simd)

    def registers(threads: int) -> None:
        share(lambda _: native().peak(simd, rounds), range(threads), threads)

    def run(threads: int) -> object:
        return chip.run(program, pictures, threads=threads, simd=simd).labels

    rounds = 100_000
    began = time.perf_counter()
    registers(1)
    rounds = max(1, int(rounds * 0.03 / (time.perf_counter() - began)))  # 30 ms
    found = []
    for _ in range(given.rounds):
        before = gain(registers, given.threads, given.threads)
        mine = gain(run, given.threads, 1)
        after = gain(registers, given.threads, given.threads)
        found.append((before, mine, after))
    whole = [one for one in found if min(one[0], one[2]) >= NEARLY_ALL * given.threads]
    print(f"{'rounds':<44}{'number':>8}{'registers':>11}{'run':>7}")
    for name, those in (("all", found), (f"registers gain {NEARLY_ALL * given.threads:.2f} or more", whole)):
        if those:
            alone = statistics.median((before + after) / 2 for before, _, after in those)
            print(f"{name:<44}{len(those):>8}{alone:>11.2f}{statistics.median(mine for _, mine, _ in those):>7.2f}")


if __name__ == "__main__":
    main()
