"""A short run of the fuzzer over all readers: nothing comes of a damaged file but a sentence, or something that runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EACH = 150  # inputs of a reader: some ten seconds in all


def fuzz(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(one for one in sys.path if one)  # what is installed, which tests find
    command = [sys.executable, "-W", "ignore", ROOT / "benchmarks" / "fuzz.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)


def test_no_reader_gives_a_traceback_a_crash_or_more_than_its_budget(tmp_path: Path) -> None:
    done = fuzz("all", "--count", str(EACH), "--seed", "19", "--figures", tmp_path / "figures.json")
    assert done.returncode == 0, done.stdout + done.stderr
    total = [cell.strip() for cell in done.stdout.splitlines()[-1].split("|")]
    assert total[1] == "all" and int(total[2].replace(",", "")) >= 13 * EACH
    assert total[7:10] == ["0", "0", "0"]
    again = fuzz("all", "--count", str(EACH), "--seed", "19", "--figures", tmp_path / "figures.json")
    assert again.stdout == done.stdout  # goes on where it ended: there is nothing left to do


def test_an_input_is_known_by_reader_seed_and_number(tmp_path: Path) -> None:
    for reader, number in (("program", "7"), ("sweep", "3"), ("npz", "5")):
        for name in ("once", "again"):
            assert fuzz(reader, "--seed", "3", "--write", number, tmp_path / name).returncode == 0
        assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()


def test_a_reader_that_fails_is_told(tmp_path: Path) -> None:
    """The control: a fault in a reader is seen, with the input that shows it."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
from fuzzing import outcomes
def crash(): raise IndexError("a fault")
def greedy(): raise MemoryError
assert outcomes.outcome(crash, bool)[0] == outcomes.FOREIGN
assert outcomes.outcome(greedy, bool)[0] == outcomes.OVER
assert outcomes.outcome(lambda: 1, lambda _: 1 / 0)[0] == outcomes.FOREIGN
import os
from dataclasses import replace
from fuzzing import readers, workers
from anna.base.border import TOML
for read, word in ((lambda _: os.abort(), "crashed"), (lambda _: bytearray(1 << 31), "over budget"),
                   (lambda _: [None for _ in iter(int, 1)], "over budget")):
    one = replace(readers.READERS["toml"], read=read, budget=replace(TOML, seconds=1.0))
    assert [said[1] for said in workers.outcomes(one, lambda number: bytes([number]), 0, 2)] == [word, word], (word, "expected")
"""
    path = os.pathsep.join(one for one in sys.path if one)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr


def test_a_search_led_by_branches_finds_what_one_change_of_a_good_file_cannot() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
from dataclasses import replace
from fuzzing import guided, outcomes, readers
def read(path):
    data = path.read_bytes()
    if data[0] == 65:
        if data[1] == 78:
            if data[2] == 90:
                raise IndexError("a fault")
def one_change(rng, seeds):
    data = bytearray(rng.choice(seeds))
    data[rng.randrange(3)] = rng.randrange(65, 91)
    return bytes(data)
reader = replace(readers.READERS["toml"], read=read, seeds=lambda: [b"..."], mutators=(one_change,))
blind, led = (guided.Search(reader, 0, ours) for ours in ((), ("<string>",)))
for one in (blind, led):
    for _ in range(6):
        one.go_on(500)
assert not blind.bad and not blind.kept and not blind.branches
assert led.kept[0] == b"..." and set(led.bad.values()) == {{b"ANZ"}}
assert led.figures.counts[outcomes.FOREIGN] == len(led.bad) and led.figures.done == 3000
"""
    path = os.pathsep.join(one for one in sys.path if one)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
