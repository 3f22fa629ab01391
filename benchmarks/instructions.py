"""Counts with callgrind the instructions that a small run executes: a figure that a busy machine does not disturb.

    python benchmarks/instructions.py [--update] [--case avx2-noise]

Compares them with the bounds in instructions.json; exits with 1 if one is exceeded, with 3 if valgrind is missing. Valgrind
has no AVX-512, so the counts are for AVX2 and plain. Only the kernel is counted, in a process that makes its calls alone.
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

import native_call
import numpy as np
from native_call import noted
from workloads import recogniser

HERE = Path(__file__).parent
BOUNDS = HERE / "instructions.json"
IMAGES = 64
ROOM = 1.05  # margin in a stored bound for other compiler versions
CASES = ("avx2-ideal", "avx2-noise", "plain-ideal", "plain-noise")


def calls(cases: Sequence[str]) -> list[bytes]:
    """What the engine gives to the kernel for each case."""
    from anna.engine import Engine

    found = list[bytes]()
    with noted(found):
        for case in cases:
            simd, kind = case.split("-")
            workload = recogniser(0.3 if kind == "noise" else 0.0)
            codes = np.zeros((IMAGES, len(workload.input_slots)), np.uint8)
            Engine(workload, simd=simd).run(codes, np.arange(IMAGES, dtype=np.uint64))
    return found


def counts(wanted: Sequence[str]) -> dict[str, int]:
    """Instructions per image for each case: each is one kernel call, and callgrind writes a file after each call."""
    from anna.engine import simd_levels
    from anna.native.loader import native

    cases = [case for case in wanted if case.split("-")[0] in simd_levels()]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tool=callgrind", "--toggle-collect=narrow_run", "--dump-after=narrow_run"]
        given = [Path(folder, case) for case in cases]
        for path, call in zip(given, calls(cases), strict=True):
            path.write_bytes(call)
        child = [sys.executable, "-I", "-S", native_call.__file__, native().__file__, *given]
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
