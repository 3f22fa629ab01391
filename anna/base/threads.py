"""Work shared among threads; the caller is one of them, so work begins before any other thread wakes."""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


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
