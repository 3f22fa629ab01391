"""Measures time and memory of a run as images and chips grow, each point in its own process.

    python benchmarks/scaling.py [--network recognizer] [--count 10 --count 100000] [--chips 1 --chips 8]

Prints seconds of processor time without compiling, images per second, and peak memory including images and results;
`--repeat` takes the fastest of several runs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import json, resource, sys, time
import numpy as np
import anna, lenet
path, images, chips = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
program = anna.Program.load(path)
some = lenet.holdout()[0]
images = some[np.arange(images) % len(some)]
anna.Chip().run(program, images[:1])
timeline, began, right = anna.verified(program), time.process_time(), 0
for seed in range(chips):
    right += len(anna.Chip(seed=seed).run(program, images, timeline=timeline, threads=1).labels)
print(json.dumps([time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def point(path: Path, images: int, chips: int, repeat: int) -> tuple[float, float]:
    """Seconds and megabytes of one point."""
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-c", CHILD, str(path), str(images), str(chips)]
        runs.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return min(run[0] for run in runs), max(run[1] for run in runs)


def main() -> None:
    import anna
    import lenet

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="recognizer")
    parser.add_argument("--count", type=int, action="append", help="default: 10, 100, ... 100,000")
    parser.add_argument("--chips", type=int, action="append", help="default: 1, then 10 to 1,000 on 10 images")
    parser.add_argument("--repeat", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.anna"
        anna.compile(lenet.load(given.network), calibration=lenet.calibration()).save(path)
        print(f"{'images':>8}{'chips':>9}{'seconds':>10}{'images/s':>11}{'ms/chip':>11}{'MB':>7}")
        points = [(images, 1) for images in given.count or (10, 100, 1000, 10_000, 100_000)]
        points += [(10, chips) for chips in given.chips or (10, 100, 1000)]
        for images, chips in points:
            seconds, memory = point(path, images, chips, given.repeat)
            rate = images * chips / seconds
            print(f"{images:>8,}{chips:>9,}{seconds:>10.3f}{rate:>11,.0f}{1000 * seconds / chips:>11.1f}{memory:>7.0f}")


if __name__ == "__main__":
    main()
