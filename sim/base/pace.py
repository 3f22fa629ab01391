"""How far equal parts of some work have come, and how long the rest takes at the pace so far."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def time_left(seconds: float) -> str:
    """A time to wait, as long as anyone wants to know it."""
    if seconds < 100:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left" if seconds < 6000 else f"about {seconds / 3600:.1f} h left"


class Pace:
    """Counts parts as they are done and tells so, with the time that the rest will take."""

    def __init__(self, what: str, total: int, say: Callable[[str], None]) -> None:
        self._what, self._total, self._say = what, total, say
        self._done, self._begun = 0, time.perf_counter()
        say(what)

    def over(self, parts: Iterable[T]) -> Iterator[T]:
        """The same parts, each counted when it comes."""
        for part in parts:
            self._done += 1
            left = self._total - self._done
            rest = (time.perf_counter() - self._begun) / self._done * left
            self._say(f"{self._what}: {self._done:,} of {self._total:,}" + (f", {time_left(rest)}" if left else ""))
            yield part
