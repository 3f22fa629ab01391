"""Small files that ask for much: each is refused in one sentence, soon, and by no more memory than there is for all readers."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import hostile_files
import pytest
from command_line import refused
from made_once import made_once

from anna.base.border import BUDGETS
from anna.base.errors import MachineError
from sim.base.drawn_chips import checked_chips
from sim.sweep.store import NAME

SECONDS = 10.0


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, float]]:
    """What one process with a gigabyte of memory says of all files, and how long it takes for each."""

    def make(folder: Path) -> None:
        hostile_files.write_all(folder)
        command, threads = [sys.executable, hostile_files.__file__, str(folder)], {"OPENBLAS_NUM_THREADS": "1"}
        run = subprocess.run(command, capture_output=True, text=True, timeout=250, env={**os.environ, **threads})
        (folder / "said").write_text(run.stdout, encoding="utf-8")

    lines = (made_once(tmp_path_factory, "hostile", make) / "said").read_text(encoding="utf-8").splitlines()
    return {name: (sentence, seconds) for name, sentence, seconds in map(json.loads, lines)}


@pytest.mark.slow
@pytest.mark.parametrize("file", hostile_files.FILES)
def test_a_small_file_that_asks_for_much_is_refused_in_a_sentence(file: str, said: dict[str, tuple[str, float]]) -> None:
    assert file in said, "the process died"
    sentence, seconds = said[file]
    assert hostile_files.FILES[file][1] in sentence
    assert not sentence.startswith(("accepted", "FOREIGN")) and "\n" not in sentence and "OUT OF MEMORY" not in sentence
    assert len(sentence) < 500 and seconds < SECONDS


def test_every_kind_of_file_has_a_budget_with_a_name_of_its_own() -> None:
    assert len({one.name for one in BUDGETS}) == len(BUDGETS) > 10
    assert all(0 < one.file_bytes <= 1 << 30 and 0 < one.memory_bytes <= 1 << 30 for one in BUDGETS)


def test_more_chips_than_there_is_memory_for_are_refused_at_once() -> None:
    begun = time.monotonic()
    assert "chips is 1000000000; expected 1 to 1000000" in refused(
        "compare", "linear", "--count", "10", "--chips", "1000000000"
    )
    assert time.monotonic() - begun < SECONDS


def test_a_locked_database_says_so_at_once(tmp_path: Path) -> None:
    hostile_files.sweep()(tmp_path / NAME)
    holder = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    assert f"{NAME}: is locked by another process; try again when that has ended" in refused("report", tmp_path)
    assert time.monotonic() - begun < SECONDS
    holder.close()


def test_a_damaged_sweep_is_no_bug(tmp_path: Path) -> None:
    hostile_files.cut_sweep(tmp_path / NAME)
    assert "is damaged" in refused("report", tmp_path)


def test_a_socket_in_the_place_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("x.anna")
        assert "is not a file; expected a program file" in refused("info", tmp_path / "x.anna")


def test_what_matplotlib_says_of_a_legend_reaches_nobody() -> None:
    from sim.report.figure import svg_file, themed

    with themed(3, 2) as (figure, axes):  # warnings are errors here
        axes.plot([0, 1], label="_no_name")
        axes.legend()
        axes.set_title("\U0001f600")
    assert svg_file(figure).startswith("<?xml")


def test_more_readings_than_there_is_memory_for_are_refused() -> None:
    assert checked_chips(1000, 10_000) == 1000
    with pytest.raises(MachineError, match="900,000 chips on 4,500 images read 4,050,000,000; expected at most 134,217,728"):
        checked_chips(900_000, 4500)
    program = hostile_files.ROOT / "tests" / "data" / "former" / "by_hand.anna"
    said = refused("run", program, "--random", "10000000")
    assert "--random 10000000: images of " in said and "expected at most 268,435,456 in all" in said


# Everything that opens a file of a stranger, and the files in which it may stand: each inside the border.
OPENERS: dict[str, tuple[str, ...]] = {
    "np.load(": (), "gzip.open(": (), "gzip.decompress(": (), "is_zipfile(": (), "torch.load": (),
    "tomllib.load": ("anna/base/toml.py",),
    "h5py.File(": ("lenet/datasets/usps.py",),
    "sqlite3.connect(": ("sim/sweep/store.py",),
    "safe_open(": ("anna/base/container.py", "anna/importers/__init__.py"),
    ".read_bytes()": ("anna/exporters/rtl.py", "anna/native/borrowed.py"),  # sources of its own
    "pickle.load": ("sim/sweep/processes.py",),  # from workers that it started
}  # fmt: skip


@pytest.mark.parametrize("opener", OPENERS)
def test_files_of_strangers_are_opened_at_the_border_only(opener: str) -> None:
    sources = [path for name in ("anna", "lenet", "sim") for path in (hostile_files.ROOT / name).rglob("*.py")]
    found = {str(path.relative_to(hostile_files.ROOT)) for path in sources if opener in path.read_text(encoding="utf-8")}
    assert found == set(OPENERS[opener])
