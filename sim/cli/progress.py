"""A line on standard error that says how far long work has come: only on a terminal, and gone when the work ends."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ERASE = "\r\033[K"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """What shows a line in place of the one before. However the work ends, what is said next begins on an empty line.

    Nothing is shown in a pipe, nor on a terminal that cannot erase a line (TERM=dumb).
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return

    def show(line: str) -> None:
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0 where nobody has said
        print(f"{ERASE}{line[: width - 1]}", end="", file=sys.stderr, flush=True)  # what wraps cannot be erased

    try:
        yield show
    finally:
        print(ERASE, end="", file=sys.stderr, flush=True)
