"""A command in a process of its own, and the time it took with all the processes that it starts."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    """Seconds that something took."""

    processor: float
    clock: float


def run(words: Sequence[str], folder: str | Path | None = None) -> Used:
    """Runs a command to its end; raises a CalledProcessError, with what it said on standard error, if it fails."""
    import resource  # of Unix only

    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # else imports are compiled
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    clock, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock)
