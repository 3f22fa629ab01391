"""The energy listing: joules are the user's own, times the events; a file of them is checked, and nothing is invented."""

import json
import tomllib
from pathlib import Path

import pytest
from command_line import ROOT, good, refused

import anna
import lenet
import sim
from anna.base.errors import FileError
from anna.sequencer.tally import EVENTS
from sim.inputs.joules import Cost, load_joules

EXAMPLE = ROOT / "examples" / "joules.toml"
COST = 'joules = 2e-12\nmark = "A"\nsource = "assumed"\n'


@pytest.fixture(scope="module")
def program() -> anna.Program:
    return anna.compile(lenet.load("recognizer"), lenet.calibration()[0][:60], round="nearest", fit=False, batch=20)


def test_joules_are_events_times_costs(program: anna.Program) -> None:
    costs = {
        "products": Cost.of(joules=2e-12, mark="A", source="assumed"),
        "dac_writes": Cost.of(joules=3e-9, mark="P", source="x"),
    }
    found, total = sim.energy(program, costs), anna.tally(program).total
    assert found.joules == pytest.approx((total["products"] * 2e-12 + total["dac_writes"] * 3e-9) / 20)
    assert sum(row["joules"] for row in found.rows()) == pytest.approx(found.joules)


def test_without_joules_events_are_counted_and_no_energy_is_told(program: anna.Program) -> None:
    found = sim.energy(program)
    assert found.joules is None and "no joules are given" in found.table() and "joules" not in found.rows()[0]


def test_what_has_no_cost_is_said(program: anna.Program, tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text(f"[products]\n{COST}")
    found = sim.energy(program, path)
    assert "conversions" in found.without_cost and "products" not in found.without_cost
    assert "counted, but no joules are given: conversions, shifts" in found.table()


def test_every_number_of_the_example_is_assumed_and_says_so() -> None:
    costs = load_joules(EXAMPLE)
    assert set(costs) == set(EVENTS)
    assert {(cost.mark, cost.source.split(":")[0]) for cost in costs.values()} == {("A", "assumed")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "gives no joules"),
        ("[products\n", "is not TOML"),
        ("products = 1e-12\n", "products is 1e-12; expected a table with joules, mark and source"),
        (f"[product]\n{COST}", "there is no event product; the nearest is products; events are products, conv"),
        ("[products]\njoules = 1e-12\nmark = 'A'\n", "products: cost: source is missing"),
        ("[products]\njoules = 1e-12\nmark = 'X'\nsource = 'me'\n", "products: cost: mark"),
        ("[products]\njoules = -1.0\nmark = 'A'\nsource = 'me'\n", "products: cost: joules"),
        ("[products]\njoules = nan\nmark = 'A'\nsource = 'me'\n", "products: cost: joules"),
        ("[products]\njoules = inf\nmark = 'A'\nsource = 'me'\n", "products: cost: joules"),
        ("[products]\njoules = '1'\nmark = 'A'\nsource = 'me'\n", "products: cost: joules"),
        ("[products]\njoules = 1e-12\nmark = 'A'\nsource = ''\n", "products: cost: source"),
        (f"[products]\n{COST}unit = 'pJ'\n", "products: cost: unit is not known"),
        ("a = " + "[" * 2000, "is nested too deeply; expected joules of events"),
        ("#" * (5 << 20), "has more than 4,194,304 bytes; expected joules of events"),
    ],
)
def test_a_file_of_joules_that_is_wrong_is_refused_with_what_is_wrong(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "joules.toml"
    path.write_text(text)
    with pytest.raises(FileError) as told:
        load_joules(path)
    assert f"{path}: {sentence}" in str(told.value)


def test_the_command_counts_and_prices(program: anna.Program, tmp_path: Path) -> None:
    program.save(tmp_path / "p.anna")
    counted = json.loads(good("energy", tmp_path / "p.anna", "--json"))
    priced = json.loads(good("energy", tmp_path / "p.anna", "--joules", EXAMPLE, "--json"))
    assert counted["joules_per_image"] is None and counted["total"] == priced["total"]
    costs = {name: cost["joules"] for name, cost in tomllib.loads(EXAMPLE.read_text()).items()}
    expected = sum(priced["total"][name] * cost for name, cost in costs.items())
    assert priced["joules_per_image"] == pytest.approx(expected)
    assert "all" in good("energy", tmp_path / "p.anna")
    assert "cannot be read" in refused("energy", tmp_path / "p.anna", "--joules", tmp_path / "none.toml")
