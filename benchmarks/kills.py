"""Kills commands with SIGKILL at random moments, runs them again until they are done, and compares with an undisturbed run.

    python benchmarks/kills.py all                                        # sweep 100, report 20, train 20, compile 50
    python benchmarks/kills.py sweep --count 100 --seed 1 --figures FILE.json   # goes on where it ended
    python benchmarks/kills.py sweep --spec examples/bits.toml --count 20

Half of the kills fall anywhere in the undisturbed time, the start included; half wait for one of the changes that the command
makes to its folder and fall within three milliseconds of it. After each kill every file under a final name must be the one
that was there before or the complete new one, and no finished part of the work may be lost. Ends with 1 if a promise broke.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from lenet.training.checkpoint import Checkpoint
from sim.sweep.store import Store

SPEC = Path(__file__).parents[1] / "tests" / "data" / "tiny.toml"
AFTER_CHANGE_SECONDS = 0.003  # most from a change of the folder to its kill
POLL_SECONDS = 0.0005
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OPENBLAS_NUM_THREADS": "1"}


def anna(*words: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "sim.cli", *map(str, words)]


# --- what is killed: how a folder is prepared, the command, and how much of its work is finished ------------------------
@dataclass(frozen=True)
class Work:
    """One command. `prepare` fills a folder in which it has not run yet; `finished` counts what must never be lost."""

    count: int  # kills, if none are asked for
    prepare: Callable[[Path, Path], None]
    command: Callable[[Path, Path], list[str]]
    finished: Callable[[Path], int] = lambda _: 0


def points(folder: Path) -> int:
    """Finished points of a sweep; raises if one was computed twice, or is only half there."""
    if not (folder / "sweep.sqlite").exists() or not (folder / "sweep.sqlite").stat().st_size:
        return 0
    with Store(folder) as store:
        done = len(store.done)
        assert sum(run["points"] for run in store.runs()) == done, "a point was counted twice, or not at all"
        return done


def passes(folder: Path) -> int:
    """Finished passes of a training."""
    if list(folder.glob("*.json")):
        return 1 << 30  # the record is written last
    return sum(len(Checkpoint.load(path).curve) for path in folder.glob(".*.checkpoint"))


def swept(spec: Path, folder: Path) -> None:
    folder.mkdir()
    subprocess.run(anna("sweep", spec, "-o", folder, "--workers", "1"), env=ENV, check=True, capture_output=True)


def former(spec: Path, folder: Path) -> None:
    """A program of another network stands there already."""
    folder.mkdir()
    subprocess.run(
        anna("compile", "lenet1", "--data", "mnist", "-o", folder / "x.anna"), env=ENV, check=True, capture_output=True
    )


WORKS = {
    "sweep": Work(100, lambda _, folder: folder.mkdir(), lambda spec, folder: anna(
        "sweep", spec, "-o", folder, "--workers", "1"), points),
    "report": Work(20, swept, lambda _, folder: anna("report", folder), points),
    "train": Work(20, lambda _, folder: folder.mkdir(), lambda _, folder: anna(
        "train", "linear", "--count", "500", "--passes", "8", "-o", folder), passes),
    "compile": Work(50, former, lambda _, folder: anna("compile", "linear", "-o", folder / "x.anna")),
}  # fmt: skip


# --- killing ------------------------------------------------------------------------------------------------------------
@dataclass
class Figures:
    """What came of the kills of one command."""

    work: str
    seed: int
    kills: int = 0
    at_writing: int = 0  # of them, those that followed a change of the folder
    completed: int = 0  # runs that ended in spite of the kills, and were compared
    left: int = 0  # temporary files that killed runs left behind
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody killed."""

    seconds: float
    changes: int  # of its folder, as far as they were seen
    before: dict[str, bytes]
    after: dict[str, bytes]


def named(folder: Path) -> dict[str, bytes]:
    """The files under final names, by what they mean: a record without its seconds, and no database, which has times in it."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "sweep.")):
            continue
        data = path.read_bytes()
        if path.suffix == ".json":
            data = json.dumps({key: one for key, one in json.loads(data).items() if key != "seconds"}).encode()
        if path.name in ("report.html", "report.md"):  # they tell when and how long a sweep ran: that is compared as it stands
            data = data.replace(str(folder).encode(), b"FOLDER")
        found[path.name] = data
    return found


def changes(folder: Path, process: subprocess.Popen[bytes], most: int) -> int:
    """Waits until the folder has changed so often, or the process has ended; returns how often it did."""
    seen, last = 0, folder.stat().st_mtime_ns
    while seen < most and process.poll() is None:
        time.sleep(POLL_SECONDS)
        if (now := folder.stat().st_mtime_ns) != last:
            seen, last = seen + 1, now
    return seen


def started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def undisturbed(work: Work, spec: Path, base: Path, home: Path) -> Undisturbed:
    shutil.copytree(base, home)
    begun = time.perf_counter()
    process = started(work.command(spec, home))
    seen = changes(home, process, 1 << 30)
    if process.wait():
        sys.exit(f"the undisturbed run failed: {process.stderr and process.stderr.read().decode()}")
    return Undisturbed(time.perf_counter() - begun, seen, named(base), named(home))


def killed(work: Work, spec: Path, home: Path, whole: Undisturbed, rng: Random) -> tuple[bool, bool]:
    """Starts the command and kills it; whether it died, and whether that was at a change of its folder."""
    at_writing = rng.random() < 0.5
    process = started(work.command(spec, home))
    if at_writing:
        changes(home, process, rng.randint(1, max(1, whole.changes)))
        time.sleep(rng.uniform(0, AFTER_CHANGE_SECONDS))
    else:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, whole.seconds))
    process.kill()
    code = process.wait()
    assert code in (0, -9), f"it ended with {code}: {process.stderr and process.stderr.read().decode()[-500:]}"
    return code == -9, at_writing


def check(work: Work, home: Path, whole: Undisturbed, before: int) -> int:
    """What is finished after a kill; raises if anything was lost, or half a file stands under a final name."""
    for name, data in named(home).items():
        assert data in (whole.before.get(name), whole.after.get(name)), f"{name} is neither the former file nor the new one"
    now = work.finished(home)
    assert now >= before, f"{before} parts were finished, and {now} are left"
    return now


def check_end(home: Path, whole: Undisturbed) -> int:
    """How many temporary files are left at the end; raises if anything differs from the undisturbed run."""
    assert named(home) == whole.after, "the files differ from those of the undisturbed run"
    left = [path.name for path in home.iterdir() if path.name.startswith(".")]
    assert all(name.endswith(".part") for name in left), f"{left} are left behind"
    assert not list(home.glob("*-journal")), "a journal is left behind"
    return len(left)


def kill(one: Figures, count: int, spec: Path, keep: Callable[[], None]) -> None:
    """Kills until there were so many; each folder is used until its run ends."""
    work, begun = WORKS[one.work], time.perf_counter()
    with tempfile.TemporaryDirectory() as where:
        place = Path(where)
        work.prepare(spec, place / "base")
        whole = undisturbed(work, spec, place / "base", place / "whole")
        number = one.kills
        while one.kills < count and not one.broken:
            number += 1
            home, finished, ended = place / "killed", 0, False  # always the same name: pages tell it
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(place / "base", home)
            try:
                finished = work.finished(home)
                while not ended and one.kills < count:
                    died, at_writing = killed(work, spec, home, whole, Random(f"{one.work} {one.seed} {one.kills} {number}"))
                    ended, number = not died, number + 1
                    one.kills, one.at_writing = one.kills + died, one.at_writing + (died and at_writing)
                    finished = check(work, home, whole, finished)
                    one.seconds, begun = one.seconds + time.perf_counter() - begun, time.perf_counter()
                    keep()
                if not ended:
                    process = started(work.command(spec, home))
                    assert process.wait() == 0, f"it fails after the kills: {process.stderr and process.stderr.read().decode()}"
                one.left += check_end(home, whole)
                one.completed += 1
            except Exception as error:
                one.broken.append(f"after kill {one.kills}: {type(error).__name__}: {error}")
            keep()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["all", *WORKS])
    parser.add_argument("--count", type=int, help="kills of each command in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spec", type=Path, default=SPEC, help="another sweep than that of the tests, of twelve points")
    parser.add_argument("--figures", type=Path, help="a JSON file that keeps the figures")
    given = parser.parse_args()
    kept = json.loads(given.figures.read_text()) if given.figures and given.figures.exists() else {}
    figures = {key: Figures(**one) for key, one in kept.items()}

    def keep() -> None:
        if given.figures:
            given.figures.write_text(json.dumps({key: asdict(one) for key, one in figures.items()}, indent=1) + "\n")

    for name in WORKS if given.work == "all" else [given.work]:
        one = figures.setdefault(f"{name} {given.seed}", Figures(name, given.seed))
        kill(one, given.count or WORKS[name].count, given.spec, keep)
    print("| command | kills | at a writing | runs compared | lost or different | temporary files left | s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for one in figures.values():
        print(f"| {one.work} | {one.kills} | {one.at_writing} | {one.completed} | {len(one.broken)} | {one.left} | "
              f"{one.seconds:.0f} |")  # fmt: skip
        print(*(f"{one.work}: {text}" for text in one.broken), sep="\n", end="\n" * bool(one.broken), file=sys.stderr)
    return int(any(one.broken for one in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
