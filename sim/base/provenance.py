"""Where and by what figures were computed: versions, the commit in a checkout, the machine. Never part of a result."""

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


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1)
def process() -> dict[str, Any]:
    """What this process is: the same for all that it computes."""
    from anna.native.loader import choose_level

    return {
        "anna": anna.__version__,
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
    """The commit of the checkout that runs, with a + if files were changed; None if it is installed."""
    root = Path(anna.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    asked = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


@lru_cache(maxsize=1)
def cpu() -> str:
    """What the processor calls itself."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
