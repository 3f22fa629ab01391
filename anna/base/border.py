"""The border that files cross: what reading each kind may cost, and the one place where whatever is wrong becomes a sentence.

A reader takes bytes only by `read_bytes` and the functions of `anna.base.unpacking`, adds up what a header declares by
`Budget.expect_memory` before it allocates, and stands inside `border`. Nothing in a file is ever executed.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from anna.base.errors import AnnaError, AssemblyError, DataError, FileError

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PIECE_BYTES = MIB  # of a pipe, whose length nobody knows


@dataclass(frozen=True)
class Budget:
    """What reading one kind of file may cost."""

    name: str  # with its article, as messages say it
    file_bytes: int  # of the file itself
    memory_bytes: int  # of the arrays, texts and records that a header or a packed file stands for, beyond the file's bytes
    seconds: float = 10.0  # on one core, for a file of a megabyte: what the fuzzer allows
    error: type[AnnaError] = FileError

    def called(self, name: str) -> "Budget":
        """The same under the name of one kind of such files."""
        return replace(self, name=name)

    def expect_size(self, where: object, size: int) -> None:
        """Raise for a file that is too long."""
        if size > self.file_bytes:
            raise self.error(f"{where}: has more than {self.file_bytes:,} bytes; expected {self.name}")

    def expect_memory(self, where: object, size: int, what: str = "what it describes") -> None:
        """Raise before `size` bytes are allocated, if that is too many."""
        if size > self.memory_bytes:
            raise self.error(
                f"{where}: {what} would take {size:,} bytes; {self.name} may take {self.memory_bytes:,} bytes of memory"
            )


PROGRAM = Budget("a program file", GIB, 512 * MIB)
DIE = Budget("a die file", 512 * MIB, 512 * MIB)
NETWORK = Budget("a network file", GIB, 512 * MIB)
ONNX = Budget("an ONNX model", GIB, 512 * MIB)
ASSEMBLY = Budget("assembly text", 64 * MIB, 512 * MIB, error=AssemblyError)
TOML = Budget("a TOML file", 4 * MIB, 128 * MIB)
JSON = Budget("a JSON file", 64 * MIB, 512 * MIB)
IMAGES = Budget("an .npy, .npz or IDX file of images", GIB, 512 * MIB, error=DataError)
IDX = Budget("an IDX file", 256 * MIB, 256 * MIB, error=DataError)
USPS_TEXT = Budget("USPS digits as text", 32 * MIB, 256 * MIB, error=DataError)
USPS_HDF5 = Budget("USPS digits as HDF5", 64 * MIB, 256 * MIB, error=DataError)
ARRAYS = Budget("an .npz file of numbers", GIB, 512 * MIB)
SWEEP = Budget("a sweep's database", GIB, 512 * MIB)
CHECKPOINT = Budget("a training's checkpoint", GIB, GIB, error=DataError)

BUDGETS = (
    PROGRAM, DIE, NETWORK, ONNX, ASSEMBLY, TOML, JSON, IMAGES, IDX, USPS_TEXT, USPS_HDF5, ARRAYS, SWEEP, CHECKPOINT,
)  # fmt: skip


@contextmanager
def border(where: object, budget: Budget) -> Iterator[None]:
    """Whatever goes wrong inside while a file is read is one sentence of the budget's error; `--debug` shows what caused it."""
    try:
        yield
    except AnnaError:
        raise
    except OSError as error:
        raise budget.error(f"{where}: cannot be read ({error.strerror or error}); expected {budget.name}") from None
    except RecursionError as error:
        raise budget.error(f"{where}: is nested too deeply; expected {budget.name}") from error
    except MemoryError as error:
        raise budget.error(f"{where}: needs more memory than there is; expected {budget.name}") from error
    except Exception as error:
        found = f"{type(error).__name__}: {error!s:.200}".removesuffix(": ")
        raise budget.error(f"{where}: is not {budget.name}, or a damaged one ({found})") from error


def read_bytes(path: Path | str, budget: Budget) -> bytes:
    """All bytes of a file or pipe; never more than the budget, however long it is."""
    path = Path(path)
    with border(path, budget), path.open("rb") as file:
        found = os.fstat(file.fileno())
        budget.expect_size(path, found.st_size)
        data = file.read(found.st_size + 1)
        if len(data) == found.st_size:
            return data
        pieces, size = [data], len(data)  # a pipe, or a file that grows
        while piece := file.read(PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            budget.expect_size(path, size)
        return b"".join(pieces)


def read_text(path: Path | str, budget: Budget) -> str:
    """The text of a file in UTF-8."""
    data = read_bytes(path, budget)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise budget.error(f"{path}: is not text ({error.reason} at byte {error.start:,}); expected {budget.name}") from None


def expect_file(path: Path, budget: Budget) -> None:
    """Raise unless this is a file, neither empty nor too long."""
    with border(path, budget):
        size = path.stat().st_size
        if not path.is_file():
            raise budget.error(f"{path}: is not a file; expected {budget.name}")
        if not 0 < size <= budget.file_bytes:
            raise budget.error(f"{path}: has {size} bytes; expected {budget.name} of 1 to {budget.file_bytes} bytes")
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
