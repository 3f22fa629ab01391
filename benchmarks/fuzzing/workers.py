"""A fork server: each child takes some inputs within limits of memory and time, and its parent outlives whatever it does."""

import os
import resource
import select
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzzing.outcomes import CRASHED, OVER, outcome
from fuzzing.readers import Reader

MEMORY_BYTES = 1 << 30  # beyond what the process has when it begins: inputs are small, so no reader needs its whole budget
INPUTS_A_CHILD = 500

Source = Callable[[int], bytes]  # the input of a number


def outcomes(reader: Reader, source: Source, first: int, last: int) -> Iterator[tuple[int, str, str]]:
    """Number, word and note of every input in the range."""
    reader.seeds()  # once, before the first fork
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        while first < last:
            for number, word, note in _from_child(reader, source, first, min(first + INPUTS_A_CHILD, last), Path(folder)):
                yield number, word, note
                first = number + 1


def _from_child(reader: Reader, source: Source, first: int, last: int, folder: Path) -> Iterator[tuple[int, str, str]]:
    """Those of one child; if it dies, the last is what killed it."""
    mine, its = os.pipe()
    child = os.fork()
    if not child:
        os.close(mine)
        _work(reader, source, range(first, last), folder, its)
    os.close(its)
    number, text = first, b""
    while select.select([mine], [], [], 6 * reader.budget.seconds)[0] and (piece := os.read(mine, 1 << 16)):
        *lines, text = (text + piece).split(b"\n")
        for line in lines:
            word, _, note = line.decode(errors="replace").partition("\t")
            yield number, word, note
            number += 1
    os.close(mine)
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number < last:
        slow = status in (-signal.SIGPROF, -signal.SIGKILL)
        yield number, OVER if slow else CRASHED, f"{'time' if slow else 'died'} ({status})"


def _work(reader: Reader, source: Source, numbers: range, folder: Path, out: int) -> None:
    """The child: a line for each input, in their order."""
    try:
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        limit = _size() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        path = folder / reader.file
        for number in numbers:
            try:
                data = source(number)
            except Exception as error:  # of the fuzzer itself: no input may be lost
                os.write(out, f"crashed\tthe mutator: {error!r}\n".encode(errors="replace"))
                continue
            path.write_bytes(data)
            signal.setitimer(signal.ITIMER_PROF, reader.budget.seconds)
            word, note = outcome(lambda: reader.read(path), reader.judge)
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.write(out, f"{word}\t{note}".replace("\n", " ").encode(errors="replace") + b"\n")
    finally:
        os._exit(0)


def _size() -> int:
    """Bytes of address space that the process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
