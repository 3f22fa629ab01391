"""A search gives more chips to open points only, and goes on with the same ones after it was killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import ELSEWHERE, ENV, good
from sweep_cases import here, tiny

from anna.base.errors import AnnaError, SpecError
from sim.base.contest import Label
from sim.results.fronts import front
from sim.sweep.run import run_sweep
from sim.sweep.search import asked
from sim.sweep.spec import SweepSpec
from sim.sweep.store import Store

AXES = {"first_chip": [0, 3, 6, 9], "chip.state_bits": [1, 3, 4], "chip.weight_bits": [3, 5, 6]}
SEARCH = {"over": ["error", "size"]}


def searched(**search: Any) -> SweepSpec:
    return tiny(axes=AXES, count=100, search={**SEARCH, **search})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("search") / "done"
    here(searched(), home)
    return home


@pytest.mark.slow
def test_chips_go_to_points_that_are_not_told(folder: Path) -> None:
    """After each round, those whose place on the front is told get no more, and the nearest ones get the most."""
    rows = front(folder, over=("error", "size")).rows()
    assert len(rows) == 9 and {row["chips"] for row in rows} <= {3, 6, 9, 12}
    assert max(row["chips"] for row in rows if row["front"] == "open") == 12
    assert min(row["chips"] for row in rows) < 12
    with Store(folder) as store:
        assert len(store.done) < 36


def test_each_round_asks_for_the_nearest_half_of_the_open_points(folder: Path, tmp_path: Path) -> None:
    here(tiny(axes={**AXES, "first_chip": [0]}, count=100), tmp_path)
    first = front(tmp_path, over=("error", "size")).panels[0].points
    with Store(folder) as store:
        second = {point.values["first_chip"] for point in asked(searched(), store)}
        counted = [point for point in asked(searched(), store) if point.values["first_chip"] == 3]
    assert second == {0, 3, 6, 9}
    nearest = min(first, key=lambda placed: (placed.standing.label is not Label.OPEN, placed.standing.behind))
    assert nearest.candidate.values["chip.weight_bits"] in {point.values["chip.weight_bits"] for point in counted}


def test_it_asks_for_nothing_once_it_is_over(folder: Path) -> None:
    with Store(folder) as store:
        points = asked(searched(), store)
        assert {point.number for point in points} == store.done
    before = (folder / "results.csv").read_bytes()
    assert here(searched(), folder).points_done == len(points)
    assert (folder / "results.csv").read_bytes() == before


@pytest.mark.slow
def test_the_rows_are_those_of_the_whole_sweep(folder: Path, tmp_path: Path) -> None:
    here(tiny(axes=AXES, count=100), tmp_path)
    with Store(tmp_path) as whole, Store(folder) as store:
        assert store.rows() == [row for row in whole.rows() if row["point"] in store.done]


def test_a_budget_is_not_exceeded(tmp_path: Path) -> None:
    done = here(searched(runs=40), tmp_path)
    assert 27 < done.rows <= 40


def test_a_search_that_was_killed_goes_on_to_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Half of a round's points are lost; others of it stay."""
    shutil.copytree(folder, tmp_path / "cut")
    with Store(tmp_path / "cut", None) as store:
        for number in sorted(store.done)[5:7] + sorted(store.done)[10:]:
            for table in ("results", "misreads", "spreads", "provenance"):
                store._db.execute(f"DELETE FROM {table} WHERE point = ?", (number,))
    here(searched(), tmp_path / "cut")
    assert (tmp_path / "cut" / "results.csv").read_bytes() == (folder / "results.csv").read_bytes()


@pytest.mark.slow
def test_sigkill_loses_nothing(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    axes = "\n".join(f'"{name}" = {json.dumps(list(values))}' for name, values in searched().content["axes"])
    head = 'name = "tiny"\nnetwork = "linear"\ncount = 100\nchips = 3\n[search]\nover = ["error", "size"]\n[axes]\n'
    path.write_text(head + axes, encoding="utf-8")
    command = [sys.executable, "-m", "sim.cli", "sweep", str(path), "-o", str(tmp_path / "out"), "--workers", "1"]
    process = subprocess.Popen(command, env=ENV, cwd=ELSEWHERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (tmp_path / "out" / "sweep.sqlite").exists():
            try:
                with Store(tmp_path / "out") as store:
                    if len(store.done) >= 4:
                        break
            except AnnaError:
                pass
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    good("sweep", path, "-o", tmp_path / "out", "--workers", 1)
    assert (tmp_path / "out" / "results.csv").read_bytes() == (folder / "results.csv").read_bytes()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"search": {"over": ["size", "time"]}}, "search.over is size, time; expected error and at least one cost"),
        ({"search": SEARCH, "stop": {"width_points": 1}}, "a search takes a grid without stop"),
        ({"search": SEARCH, "axes": {"chip.state_bits": [2, 3]}}, "a search needs an axis first_chip of blocks of chips"),
        ({"search": SEARCH, "axes": {"first_chip": [0, 2]}}, "a search needs an axis first_chip of blocks of chips"),
        ({"search": {**SEARCH, "each": ["scaled.noise"]}}, "search.each names scaled.noise, which is no axis"),
        ({"search": {"over": ["error", "price"]}}, "there is no cost price"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_told(fields: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(AnnaError) as told:
        here(tiny(**{"axes": AXES, **fields}), tmp_path)
    assert sentence in str(told.value)


def test_a_search_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a search has no shards"):
        run_sweep(searched(), tmp_path, workers=1, shard=(1, 2))
