"""Tells what a program takes of time and memory, step by step: read, checked, made ready for two dies, run.

    python benchmarks/memory.py PROGRAM.anna [--images 400]

Seconds are of processor time on one thread; megabytes are the most that the process has had until then, so that of each step
stands in the difference. Images are drawn evenly from black to white.
"""

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anna


def drawn_images(program: anna.Program, count: int) -> NDArray[Any]:
    """Values from 0 to 1, or grey levels where the program takes digits."""
    rng, host = np.random.default_rng(1), program.host
    if host is not None and host.prepare is not None:
        return rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    return rng.random((count, *((host and host.image_shape) or program.inputs[0].shape)), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--images", type=int, default=400)
    given = parser.parse_args()
    begun = 0.0

    def step(name: str) -> None:
        nonlocal begun
        took, peak = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:40}{took:>9.2f} s{peak:>9.0f} MB", flush=True)
        begun = time.process_time()

    step("Python, NumPy and anna")
    program = anna.Program.load(given.program)
    step("read")
    anna.verified(program)
    step(f"checked, {len(program.ops):,} instructions")
    ideal, drawn = anna.Chip(), anna.Chip(seed=7)
    work = ideal.engine(program)
    step(f"ready on the ideal chip, {work.useful_macs:,} products")
    drawn.engine(program)
    step("ready on a drawn chip, too")
    images = drawn_images(program, given.images)
    for chip in (ideal, drawn):
        chip.run(program, images, threads=1)
        step(f"{given.images:,} images, {'ideal' if chip is ideal else 'drawn'} chip")


if __name__ == "__main__":
    main()
