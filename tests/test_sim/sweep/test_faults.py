"""A journal that was cut and a clock that was set back: a sweep goes on to the same table, or says what is wrong."""

import datetime
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import ELSEWHERE, ENV
from sweep_cases import here, tiny

from anna.base.errors import FileError
from sim.base import provenance
from sim.sweep.run import RESULTS
from sim.sweep.store import NAME, Store

SPEC = {"axes": {"chip.state_bits": [2, 3, 4], "chip.weight_bits": [5, 6]}}
JOURNAL = f"{NAME}-journal"
DIE_IN_A_COMMIT = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 1")  # changed pages reach the file before the commit
db.execute("BEGIN IMMEDIATE")
for table in ("results", "misreads", "spreads", "provenance", "points", "runs"):
    db.execute(f"DELETE FROM {table}")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "whole"
    here(tiny(**SPEC), folder)
    return folder


def test_a_journal_cut_at_any_length_is_told_or_costs_nothing(whole: Path, tmp_path: Path) -> None:
    """A process died while it wrote, and then the journal that undoes it lost its end: rows never disappear silently."""
    died = tmp_path / "died"
    shutil.copytree(whole, died)
    done = subprocess.run([sys.executable, "-c", DIE_IN_A_COMMIT, died / NAME], env=ENV, cwd=ELSEWHERE, check=False)
    assert done.returncode == -signal.SIGKILL and (died / JOURNAL).stat().st_size > 0
    journal, told = (died / JOURNAL).read_bytes(), 0
    refused = 0
    with Store(whole) as store:
        expected, misread = store.csv(), store.misreads()
    step = max(1, len(journal) // 150)
    lengths = [*range(64), *range(64, len(journal), step), len(journal)]  # its header byte by byte
    for length in lengths:
        home = tmp_path / "cut"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(died / NAME, home / NAME)
        (home / JOURNAL).write_bytes(journal[:length])
        try:
            with Store(home) as store:
                assert store.csv() == expected, length
                assert store.misreads().keys() == misread.keys(), length
        except FileError as error:
            told += str(error).startswith(f"{home / NAME}: ") and "\n" not in str(error)
            refused += 1
    assert 0 < told == refused < len(lengths)  # with all of its journal the sweep is as it was before


@pytest.mark.parametrize("lost", ["results WHERE point = 2", "results WHERE point = 2 AND chip = 1", "spreads WHERE point = 2",
                                  "misreads WHERE point = 2 AND chip = 1", "provenance WHERE point = 2"])  # fmt: skip
def test_a_point_of_which_a_part_was_lost_is_told(whole: Path, tmp_path: Path, lost: str) -> None:
    shutil.copytree(whole, tmp_path / "part")
    db = sqlite3.connect(tmp_path / "part" / NAME)
    with db:
        db.execute(f"DELETE FROM {lost}")
    db.close()
    with pytest.raises(FileError, match=r"is damaged .*point 2"):
        here(tiny(**SPEC), tmp_path / "part")


def test_a_clock_set_back_changes_no_row_and_gives_no_negative_duration(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times of day are only told; durations come from a clock that nobody sets."""
    here(tiny(**SPEC), tmp_path / "whole")
    times = iter(range(10_000, 0, -10))
    stamp = lambda: datetime.datetime.fromtimestamp(next(times), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    monkeypatch.setattr(provenance, "now", stamp)
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    folder = tmp_path / "back"
    real = Store.add

    def stopped(self: Store, *given: object) -> None:
        if len(self.done) == 3:
            raise KeyboardInterrupt
        real(self, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as some:
        some.setattr(Store, "add", stopped)
        with pytest.raises(KeyboardInterrupt):
            here(tiny(**SPEC), folder)
    here(tiny(**SPEC), folder)
    assert (folder / RESULTS).read_bytes() == (whole / RESULTS).read_bytes()
    with Store(folder) as store:
        runs = store.runs()
        assert [run["points"] for run in runs] == [3, 3] and runs[0]["begun"] > runs[1]["begun"]
        assert all(run["seconds"] >= 0 for run in runs)
        assert all(one.get("seconds", 0) >= 0 for one in store.provenance().values())
