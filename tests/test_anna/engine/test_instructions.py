"""The instructions that a small run executes stay below their stored bounds; see benchmarks/instructions.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anna.engine import is_checked

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_instruction_counts_stay_below_their_bounds() -> None:
    if is_checked():
        pytest.skip("the checked build executes more instructions than the bounds are for")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(ROOT / "benchmarks" / "instructions.py"), "--case", "avx2-noise"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 3:
        pytest.skip(f"SKIPPED: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
