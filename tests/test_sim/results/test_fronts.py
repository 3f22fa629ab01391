"""The front of a sweep: what its points cost, which of them are on it, and what it refuses to compare."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ROOT, good, refused
from matplotlib.figure import Figure
from sweep_cases import here, tiny

import anna
import lenet
import sim
from anna.base.errors import AnnaError
from sim.results.fronts import front
from sim.sweep.front import expect_same_images
from sim.sweep.store import Store

AXES = {"chip.state_bits": [2, 3], "chip.weight_bits": [3, 6], "chip.clock_hz": [10_000_000, 20_000_000]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("front") / "done"
    here(tiny(axes=AXES, count=200), home)
    return home


def test_costs_are_the_machines_own(folder: Path) -> None:
    rows = front(folder, over=("error", "time", "size", "cycles")).rows()
    with Store(folder) as store:
        cycles = {row["point"]: row["cycles_per_image"] for row in store.rows()}
    assert len(rows) == 8
    for row in rows:
        chip = anna.ChipSpec(weight_bits=row["chip.weight_bits"], state_bits=row["chip.state_bits"])
        assert row["cycles"] == cycles[row["point"]]
        assert row["time"] == pytest.approx(1e6 * row["cycles"] / row["chip.clock_hz"])
        assert row["size"] == chip.synapses * (row["chip.weight_bits"] + row["chip.state_bits"])


def test_energy_is_that_of_the_program(tmp_path: Path) -> None:
    """Three bits and one copy, and two copies: the second converts more."""
    here(tiny(axes={"compile.copies": [1, 2]}), tmp_path)
    joules = ROOT / "examples" / "joules.toml"
    network = lenet.load("linear")
    for row in front(tmp_path, over=("error", "energy"), joules=joules).rows():
        program = anna.compile(network, lenet.calibration()[0], copies=row["compile.copies"], fit=False, round="nearest",
                               range_method="max", calibration_count=20, check_count=0)  # fmt: skip
        expected = sim.energy(program, joules).joules
        assert expected is not None and row["energy"] == pytest.approx(1e6 * expected)


def test_nothing_is_as_good_as_the_best_where_few_images_tell_little(tmp_path: Path) -> None:
    here(tiny(axes={"chip.state_bits": [3, 4], "chip.weight_bits": [5, 6]}), tmp_path)
    found = front(tmp_path, margin=0.0001)
    assert found.panels[0].smallest is None
    assert "no point is told to be as good as the best, within 0.01 points of error" in found.table()
    assert isinstance(found.plot(), Figure) and not any(row["smallest"] for row in found.rows())


def test_a_front_has_the_errors_of_the_sweep(folder: Path) -> None:
    with Store(folder) as store:
        errors: dict[int, list[float]] = {}
        for row in store.rows():
            errors.setdefault(row["point"], []).append(row["error"])
    for row in front(folder).rows():
        assert row["error"] == pytest.approx(np.mean(errors[row["point"]]))
        assert row["low"] < row["error"] < row["high"] and row["chips"] == 3


def test_the_best_has_the_lowest_error_and_the_smallest_is_as_good(folder: Path) -> None:
    found = front(folder, over=("error", "size"), margin=0.5)
    (panel,), rows = found.panels, found.rows()
    best, least = (next(row for row in rows if row[key]) for key in ("best", "smallest"))
    assert best["error"] == min(row["error"] for row in rows)
    good = [row for row in rows if row["may_be_best"] and row["worse_at_most"] <= 0.5]
    assert least in good and least["size"] == min(row["size"] for row in good)
    assert least["worse_at_most"] >= least["error"] - best["error"]
    assert len(panel.points) == 8
    errors = [error for _, error, _, _ in panel.band]
    assert errors == sorted(errors, reverse=True)
    assert all(low <= error <= high for _, error, low, high in panel.band)


def test_a_slower_clock_is_never_on_the_front_alone(folder: Path) -> None:
    """Without a cost of speed the fast clock wins, unless slow chips err less."""
    rows = front(folder).rows()
    for row in rows:
        if row["front"] == "on the front":
            faster = [one["error"] for one in rows if one["time"] < row["time"]]
            assert not faster or row["error"] < min(faster)


def test_each_value_of_an_axis_has_its_own_front(folder: Path) -> None:
    found = front(folder, each=("chip.state_bits",))
    assert [panel.given for panel in found.panels] == [{"chip.state_bits": 2}, {"chip.state_bits": 3}]
    assert [len(panel.points) for panel in found.panels] == [4, 4]
    assert "state_bits = 2:" in found.table() and isinstance(found.plot(), Figure)
    json.dumps(found.to_json(), allow_nan=False)


def test_blocks_of_chips_are_chips_of_one_point(tmp_path: Path) -> None:
    """Two blocks of three chips are the six chips that one block of six draws."""
    here(tiny(axes={"chip.state_bits": [2, 3], "first_chip": [0, 3]}), tmp_path / "blocks")
    here(tiny(axes={"chip.state_bits": [2, 3]}, chips=6), tmp_path / "one")
    rows = [[{k: v for k, v in row.items() if k not in ("point", "first_chip")} for row in front(tmp_path / name).rows()]
            for name in ("blocks", "one")]  # fmt: skip
    assert rows[0] == rows[1] and rows[0][0]["chips"] == 6


def test_ideal_chips_are_compared_with_drawn_ones(tmp_path: Path) -> None:
    here(tiny(axes={"analog": ["ideal", "typical"]}), tmp_path)
    assert [row["chips"] for row in front(tmp_path, over=("error", "size")).rows()] in ([1, 3], [3, 1])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"over": ("time", "size")}, "a front is over time, size; expected error and at least one cost, such as error,time"),
        ({"over": ("error",)}, "a front is over error; expected error and at least one cost, such as error,time"),
        ({"over": ("error", "tine")}, "there is no cost tine; the nearest is time; costs are time, size, cycles, energy"),
        ({"over": ("error", "energy")}, "energy needs joules for events, which anna does not know: --joules FILE.toml"),
        ({"margin": 2}, "margin is 2; expected a share of images between 0 and 1"),
        ({"each": ("scaled.noise",)}, "scaled.noise is no axis of the sweep"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_front_is_told(folder: Path, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnnaError) as told:
        front(folder, **asked)
    assert sentence in str(told.value)


def test_networks_that_read_different_images_are_not_compared() -> None:
    inputs = (
        ("network linear, weights 1", "1a 2b"),
        ("network recognizer-usps-seed1, weights 1", "1c 2d"),
        ("analog typical", ""),
    )
    expect_same_images("two", (inputs[0], inputs[2]))
    with pytest.raises(AnnaError, match="networks of the sweep two read different images, so their points cannot be paired"):
        expect_same_images("two", inputs)


def test_points_of_a_former_format_are_told(folder: Path, tmp_path: Path) -> None:
    here(tiny(), tmp_path)
    with sqlite3.connect(tmp_path / "sweep.sqlite") as database:
        database.execute("DELETE FROM misreads WHERE point = 0")
    with pytest.raises(AnnaError, match="has points from before its format 4"):
        front(tmp_path)


@pytest.mark.slow
def test_the_command_writes_what_it_prints(folder: Path) -> None:
    text = good("sweep", "front", folder, "--over", "error,size", "--each", "chip.clock_hz")
    assert (folder / "front.txt").read_text() in text and (folder / "front.svg").read_text().startswith("<?xml")
    found = json.loads(good("sweep", "front", folder, "--json"))
    assert found["over"] == ["error", "time"] and len(found["points"]) == 8 and len(found["fronts"]) == 1
    assert "front takes the folder of one sweep" in refused("sweep", "front", folder, folder)
    assert "which are of anna sweep front" in refused("sweep", "plan", folder, "--over", "error,time")
    assert "computes nothing and takes no --workers" in refused("sweep", "front", folder, "--workers", 2)
