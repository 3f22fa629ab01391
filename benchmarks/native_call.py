"""A call of the compiled module, noted here and made in a process without NumPy, which takes Valgrind the longest to load."""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock


class Array:
    """As much of an array as the compiled module asks for."""

    def __init__(self, itemsize: int, data: bytes) -> None:
        self.itemsize, self._data = itemsize, bytearray(data)
        self.size = len(data) // itemsize

    def reshape(self, _: int) -> "Array":
        return self

    def view(self, of: str) -> memoryview:
        return memoryview(self._data).cast({"u1": "B", "u8": "Q"}[of])


def _plain(value: Any) -> Any:
    """What can be read without NumPy: itemsize and bytes in place of an array."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return (value.itemsize, value.tobytes()) if hasattr(value, "tobytes") else value


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _arrays(one) for name, one in value.items()}
    return Array(*value) if isinstance(value, tuple) else value


@contextmanager
def noted(calls: list[bytes]) -> Iterator[None]:
    """Engines made and run in here compute nothing: what each would call is added to `calls`."""
    from anna.native.loader import native

    def workload(*given: Any) -> SimpleNamespace:
        def run(*call: Any) -> tuple[int, ...]:
            calls.append(pickle.dumps([[_plain(one) for one in some] for some in (given, call)]))
            return 0, 0, 0, 0

        return SimpleNamespace(run=run)

    with mock.patch.object(native(), "NativeWorkload", workload):
        yield


def make(module: Path, calls: list[Path]) -> None:
    """Make noted calls of this compiled module."""
    sys.path.insert(0, str(module.parents[2]))
    from anna.native import _native as native

    for path in calls:
        given, (level, codes, image_ids, *rest) = ([_arrays(one) for one in some] for some in pickle.loads(path.read_bytes()))
        fault = native.NativeWorkload(*given).run(level, codes, image_ids.view("u8"), *rest)
        assert fault == (0, 0, 0, 0)


if __name__ == "__main__":
    make(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
