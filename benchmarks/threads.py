"""Measures what a second thread gains, beside what two cores gain when nothing is shared: multiply-adds on registers, and
a second process.

    python benchmarks/threads.py [--network recognizer] [--rounds 40] [--count 32768] [--simd avx2]

On a virtual machine the second core is not always fully available. So each round times, with one core and with two:
registers alone, complete runs on a typical chip by threads, the same runs by processes, and registers again. Prints medians
over all rounds, and over those in which registers gained nearly everything, before and after.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

NEARLY_ALL = 1.9  # of 2


def gain(work: Callable[[int], object], done: float) -> float:
    """Speedup of two over one, where two do `done` times the work."""
    times = []
    for count in (1, 2, 1):
        began = time.perf_counter()
        work(count)
        times.append(time.perf_counter() - began)
    return (times[0] + times[2]) / 2 / times[1] * done


def runs(network: str, count: int, simd: str) -> Callable[[int], object]:
    """A function that runs this many images on a number of threads."""
    import anna
    import lenet

    some = lenet.holdout()[0]
    images = some[np.arange(count) % len(some)]
    program = anna.compile(lenet.load(network), calibration=lenet.calibration())
    chip = anna.Chip(seed=1)
    chip.run(program, images[:1], simd=simd)
    return lambda threads: chip.run(program, images, threads=threads, simd=simd).labels


def other(told: Connection, *what: Any) -> None:
    """The second process: runs whenever told to."""
    run = runs(*what)
    told.send("ready")
    while told.recv():
        run(1)
        told.send("done")


def main() -> None:
    from anna.base.threads import share
    from anna.native.loader import choose_level, native

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="recognizer")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--count", type=int, default=32768)
    parser.add_argument("--simd")
    given = parser.parse_args()
    what = (given.network, given.count, choose_level(given.simd))
    tell, told = multiprocessing.get_context("spawn").Pipe()
    second = multiprocessing.get_context("spawn").Process(target=other, args=(told, *what), daemon=True)
    second.start()
    run = runs(*what)
    tell.recv()

    def registers(count: int) -> None:
        share(lambda _: native().peak(what[2], rounds), range(count), count)

    def processes(count: int) -> None:
        if count > 1:
            tell.send(True)
        run(1)
        if count > 1:
            tell.recv()

    rounds = 100_000
    began = time.perf_counter()
    registers(1)
    rounds = max(1, int(rounds * 0.03 / (time.perf_counter() - began)))  # 30 ms
    found = [(gain(registers, 2), gain(run, 1), gain(processes, 2), gain(registers, 2)) for _ in range(given.rounds)]
    tell.send(False)
    second.join()
    undisturbed = [one for one in found if min(one[0], one[3]) >= NEARLY_ALL]
    print(f"{'rounds':<40}{'number':>8}{'registers':>11}{'threads':>9}{'processes':>11}")
    for name, those in (("all", found), (f"registers gain {NEARLY_ALL} or more", undisturbed)):
        if those:
            columns = [statistics.median(column) for column in zip(*those, strict=True)]
            alone = (columns[0] + columns[3]) / 2
            print(f"{name:<40}{len(those):>8}{alone:>11.2f}{columns[1]:>9.2f}{columns[2]:>11.2f}")


if __name__ == "__main__":
    main()
