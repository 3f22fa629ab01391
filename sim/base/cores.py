"""How many threads or processes work on something."""

import os

from anna.base.integers import checked_integer


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(wanted: int | None, what: str = "threads") -> int:
    """As many as are wanted; by default as many as there are cores."""
    return cores() if wanted is None else checked_integer(what, wanted, 1)
