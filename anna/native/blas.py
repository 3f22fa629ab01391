"""Linear algebra in one thread, where work is shared among threads of our own.

A library's own threads wait for one another at every product, which takes several times as long where others use the machine.
NumPy's wheels bring OpenBLAS with them; any other library is left as it is.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

PLACES = ("../numpy.libs", ".dylibs")  # where wheels keep it, from NumPy's folder
NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, products of matrices run in the caller's thread."""
    library = _library()
    if library is None:
        yield
        return
    get, put = library
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


@cache
def _library() -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """What tells and what sets the number of threads of NumPy's OpenBLAS."""
    for folder in PLACES:
        for path in sorted((Path(np.__file__).parent / folder).glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for name in NAMES:
                if hasattr(library, name.format("set")) and hasattr(library, name.format("get")):
                    return library[name.format("get")], library[name.format("set")]
    return None
