"""Where and with what a result was computed: versions, commit, machine. Never part of the result itself."""

import contextlib
import datetime
import os
import platform
import socket
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import anna
from anna.analog.noise import NOISE_VERSION


def now() -> str:
    """The current time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1)
def process() -> dict[str, Any]:
    """Facts about this process, which hold for everything it computes."""
    from anna.native.loader import choose_level

    return {
        "anna": anna.__version__,
        "noise_version": NOISE_VERSION,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "simd": choose_level(None),
        "host": socket.gethostname(),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "process": os.getpid(),
    }


@lru_cache(maxsize=1)
def commit() -> str | None:
    """The commit of the running checkout, with a + if files have changed; None if anna is installed."""
    root = Path(anna.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


@lru_cache(maxsize=1)
def cpu() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
