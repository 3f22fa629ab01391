"""Work shared among threads: the caller is one of them, so that nothing waits for a thread to wake before it begins."""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def share(work: Callable[[T], object], parts: Iterable[T], threads: int) -> None:
    """Call `work` on every part, in no order that matters. The first exception ends it for all and comes out here."""
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
