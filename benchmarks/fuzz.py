"""Reads damaged and hostile files by the hundred thousand: nothing may come of one but a sentence, or something that runs.

    python benchmarks/fuzz.py all --count 1000                         # of each reader, and the table of figures
    python benchmarks/fuzz.py program --count 100000 --seed 1 --figures FILE.json
    python benchmarks/fuzz.py program --seed 1 --show 4711             # one input again, with its traceback
    python benchmarks/fuzz.py program --seed 1 --write 4711 FILE       # one input as a file
    python benchmarks/fuzz.py all --guided FOLDER --seconds 900        # led by branches; findings go to the folder

An input is known by reader, seed and number. With --figures a run goes on where the last one ended, up to the count. Ends
with 1 if an exception was no AnnaError, a process died, or a reader took more memory or time than it may.
"""

import argparse
import math
import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: a forked child has no threads

from fuzzing import guided
from fuzzing.outcomes import Figures, load, save, table
from fuzzing.readers import READERS, Reader, mutated
from fuzzing.workers import outcomes

STEP = 2000  # inputs between two writings of the figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=["all", *READERS])
    parser.add_argument("--count", type=int, default=1000, help="inputs of each reader in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--figures", type=Path, help="a JSON file that keeps the figures")
    parser.add_argument("--guided", type=Path, metavar="FOLDER", help="keep and change further what takes new branches")
    parser.add_argument("--show", type=int, metavar="NUMBER")
    parser.add_argument("--write", nargs=2, metavar=("NUMBER", "FILE"))
    given = parser.parse_args()
    readable = [name for name in READERS if name != "hdf5" or find_spec("h5py")]
    chosen = readable if given.reader == "all" else [given.reader]
    if given.write:
        Path(given.write[1]).write_bytes(mutated(READERS[chosen[0]], given.seed, int(given.write[0])))
        return 0
    if given.show is not None:
        return show(chosen[0], given.seed, given.show)
    if given.guided:
        return led([READERS[name] for name in chosen], given.seed, given.count, given.seconds, given.guided)
    figures, begun = load(given.figures) if given.figures else {}, time.monotonic()
    mine = {name: figures.setdefault(f"{name} {given.seed}", Figures(name, given.seed)) for name in chosen}
    left = {name: one for name, one in mine.items() if one.done < given.count}
    while left and (given.seconds is None or time.monotonic() - begun < given.seconds):
        for name, one in list(left.items()):  # in turns, so that a run that is stopped has some of each
            go_on(one, min(one.done + STEP, given.count))
            if one.done >= given.count:
                del left[name]
            if given.figures:
                save(given.figures, figures.values())
    asked = [one for one in figures.values() if one.reader in chosen]
    print(table(asked))
    for one in asked:
        for note, numbers in one.bad.items():
            print(f"{one.reader} --seed {one.seed} --show {numbers}: {note}")
    return int(any(one.bad for one in asked))


def led(readers: list[Reader], seed: int, count: int, seconds: float | None, folder: Path) -> int:
    """A search led by branches, for so many seconds if they are given, else of so many inputs of each reader."""
    found = guided.search(readers, seed, seconds or math.inf, None if seconds else count)
    print(table(one.figures for one in found), guided.depth(found), sep="\n\n")
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        for number, data in one.bad.items():
            (folder / f"{one.reader.name}-{number}").write_bytes(data)
        for note, numbers in one.figures.bad.items():
            print(f"{one.reader.name}: {note}: {', '.join(f'{folder}/{one.reader.name}-{number}' for number in numbers)}")
    return int(any(one.bad for one in found))


def go_on(one: Figures, count: int) -> None:
    """Up to so many inputs."""
    begun = time.monotonic()
    reader = READERS[one.reader]
    for number, word, note in outcomes(reader, lambda number: mutated(reader, one.seed, number), one.done, count):
        one.add(number, word, note)
        one.done = number + 1
    one.seconds += time.monotonic() - begun


def show(name: str, seed: int, number: int) -> int:
    """Read one input in this process."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / reader.file
        path.write_bytes(mutated(reader, seed, number))
        print("run" if reader.judge(reader.read(path)) else "accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
