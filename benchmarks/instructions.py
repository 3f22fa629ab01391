"""Counts with callgrind the instructions that a small run executes: a figure that a busy machine does not disturb.

    python benchmarks/instructions.py [--update] [--case avx2-noise]

Compares them with the bounds in instructions.json; exits with 1 if one is exceeded, with 3 if valgrind is missing. Valgrind
has no AVX-512, so the counts are for AVX2 and plain. Only the kernel is counted.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
BOUNDS = HERE / "instructions.json"
IMAGES = 64
ROOM = 1.05  # margin in a stored bound for other compiler versions
CASES = ("avx2-ideal", "avx2-noise", "plain-ideal", "plain-noise")
CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from workloads import recogniser
from anna.engine import Engine
images = int(sys.argv[2])
for word in sys.argv[3:]:
    simd, case = word.split("-")
    workload = recogniser(0.3 if case == "noise" else 0.0)
    Engine(workload, simd=simd).run(np.zeros((images, len(workload.input_slots)), np.uint8), np.arange(images, dtype=np.uint64))
"""


def counts(wanted: Sequence[str]) -> dict[str, int]:
    """Instructions per image for each case: each is one kernel call, and callgrind writes a file after each call."""
    from anna.engine import simd_levels

    cases = [case for case in wanted if case.split("-")[0] in simd_levels()]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tool=callgrind", "--toggle-collect=narrow_run", "--dump-after=narrow_run"]
        child = [sys.executable, "-P", "-c", CHILD, str(HERE), str(IMAGES), *cases]
        command = ["valgrind", *options, f"--callgrind-out-file={folder}/out", *child]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        texts = [Path(folder, f"out.{number}") for number in range(1, len(cases) + 1)]
        if done.returncode or not all(text.exists() for text in texts):
            raise SystemExit(f"callgrind did not count: {done.stderr[-500:]}")
        totals = [re.search(r"^(?:totals|summary): (\d+)", text.read_text(), re.MULTILINE) for text in texts]
    return {case: int(found.group(1)) // IMAGES for case, found in zip(cases, totals, strict=True) if found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="store the counts, with a margin, as the bounds")
    parser.add_argument("--case", action="append", choices=CASES, help="only this case; repeatable (default: all)")
    given = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed: no instructions were counted", file=sys.stderr)
        return 3
    found = counts(given.case or CASES)
    if given.update:
        stored = json.loads(BOUNDS.read_text()) if BOUNDS.exists() else {}
        bounds = stored | {name: int(ROOM * number) for name, number in found.items()}
        BOUNDS.write_text(json.dumps(bounds, indent=2) + "\n")
    bounds = json.loads(BOUNDS.read_text())
    for name, number in found.items():
        print(f"{name:12} {number:>10,} instructions per image, bound {bounds.get(name, 0):,}")
    return int(any(number > bounds.get(name, 0) for name, number in found.items()))


if __name__ == "__main__":
    sys.exit(main())
