"""A progress line on standard error: only on a terminal, and erased when the work ends."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ERASE = "\r\033[K"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that replaces the line. However the work ends, the next output starts on an empty line.

    Shows nothing in a pipe or on a terminal that cannot erase a line (TERM=dumb).
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return

    def show(line: str) -> None:
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0 if unknown
        print(f"{ERASE}{line[: width - 1]}", end="", file=sys.stderr, flush=True)  # a wrapped line cannot be erased

    try:
        yield show
    finally:
        print(ERASE, end="", file=sys.stderr, flush=True)
