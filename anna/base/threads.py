"""How many threads run, and work shared among them; the caller is one of them, so work begins before any other wakes."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from threading import Thread
from typing import TypeVar

from anna.base.integers import checked_integer

T = TypeVar("T")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(wanted: int | None, what: str = "threads") -> int:
    """As many as are wanted; by default as many as there are cores."""
    return cores() if wanted is None else checked_integer(what, wanted, 1)


def share(work: Callable[[T], object], parts: Iterable[T], threads: int) -> None:
    """Call `work` on every part, in any order. The first exception stops all threads and is raised here."""
    waiting, failures = deque(parts), list[BaseException]()

    def take() -> None:
        try:
            while waiting:
                try:
                    part = waiting.popleft()
                except IndexError:  # another thread was quicker
                    return
                work(part)
        except BaseException as failure:
            waiting.clear()
            failures.append(failure)

    helpers = [Thread(target=take, daemon=True) for _ in range(min(threads, len(waiting)) - 1)]
    for helper in helpers:
        helper.start()
    take()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
