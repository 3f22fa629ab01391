"""The kernels under sanitizers: a fault that is planted is reported, so silence elsewhere means something.

`nox -s sanitized` builds them so and sets ANNA_SANITIZED to address or thread; then all other tests of the engine are searched.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anna.engine import simd_levels

SANITIZED = os.environ.get("ANNA_SANITIZED", "")
PLANTED = """
import sys, threading
import numpy as np
from engine_reference import random_workload
from anna.engine import core

fault, level = sys.argv[1:]
packing = core._pack

def far(*given):
    numbers, packed = packing(*given)
    packed["group"]["weight"] += 0 if fault == "none" else len(packed["weight"]) - 1
    return numbers, packed

workload = random_workload(np.random.default_rng(5), neurons=16, calcs=40, fan_in=12, slots=30, sparse=0.2)
codes, ids = np.zeros((256, len(workload.input_slots)), np.uint8), np.arange(256, dtype=np.uint64)
if fault in ("far", "none"):
    core._pack = far
    core.Engine(workload, simd=level).run(codes, ids)
else:
    engine = core.Engine(workload, simd=level)
    results = [np.zeros((256, engine._outputs), np.uint8) for _ in range(2)]
    if fault == "race":
        results[1] = results[0]
    begun = threading.Barrier(2)

    def run(k):
        begun.wait()
        for _ in range(200):
            engine._native.run(level, codes, ids, 0, engine.lanes, results[k], None)

    several = [threading.Thread(target=run, args=(k,)) for k in range(2)]
    for one in several:
        one.start()
    for one in several:
        one.join()
print("ran to its end")
"""


def planted(fault: str, level: str) -> subprocess.CompletedProcess[str]:
    """What a process says in which a fault was planted."""
    tests = Path(__file__).parents[2]
    code = f"import sys; sys.path.insert(0, {str(tests)!r})\n{PLANTED}"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, fault, level], capture_output=True, text=True, check=False, timeout=250
    )


@pytest.mark.skipif(
    SANITIZED != "address", reason="SKIPPED: the kernels are not built with the address sanitizer (nox -s sanitized)"
)
@pytest.mark.parametrize("level", simd_levels())
def test_the_address_sanitizer_reports_a_weight_that_is_read_beyond_its_array(level: str) -> None:
    assert "ran to its end" in planted("none", level).stdout
    found = planted("far", level)
    assert "ERROR: AddressSanitizer: heap-buffer-overflow" in found.stderr and "narrow_run" in found.stderr
    assert "ran to its end" not in found.stdout


@pytest.mark.skipif(
    SANITIZED != "thread", reason="SKIPPED: the kernels are not built with the thread sanitizer (nox -s sanitized)"
)
@pytest.mark.parametrize("level", simd_levels())
def test_the_thread_sanitizer_reports_two_threads_that_write_the_same_results(level: str) -> None:
    assert "ThreadSanitizer: data race" in planted("race", level).stderr
    apart = planted("apart", level)
    assert "ran to its end" in apart.stdout and "ThreadSanitizer" not in apart.stderr
