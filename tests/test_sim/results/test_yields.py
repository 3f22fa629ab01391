"""How many chips are good: every chip is what `Chip` draws, and an interrupted count goes on."""

import json
import re
from pathlib import Path

import pytest
from command_line import good, refused
from matplotlib.figure import Figure

import anna
import sim
from anna.base.errors import AnnaError
from sim.inputs.digits import for_network
from sim.inputs.models import load_network
from sim.results.yields import WORST, chip_yield, read_yield
from sim.sweep.store import Store

IMAGES = 60


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, sim.Yield]:
    folder = tmp_path_factory.mktemp("yield")
    return folder, chip_yield("recognizer", folder, chips=12, images=IMAGES, chip_seed=5, limit=0.03, workers=1)


def _errors(seeds: range, **faults: float) -> list[float]:
    network = load_network("recognizer", None, 1)
    digits, (calibration, _) = for_network(network, None)
    some = digits.first(IMAGES)
    program = anna.compile(network, calibration)
    chips = [anna.Chip(seed=seed, faults=anna.Faults(seed=seed, **faults)) for seed in seeds]
    return [float((chip.run(program, some.images, noise_seed=5).labels != some.labels).mean()) for chip in chips]


def test_every_chip_is_the_one_that_its_seed_draws(counted: tuple[Path, sim.Yield]) -> None:
    _, found = counted
    assert found.seeds == tuple(range(5, 17))
    assert list(found.errors) == _errors(range(5, 17))


@pytest.mark.slow
def test_faults_are_drawn_for_each_chip_from_its_seed(tmp_path: Path) -> None:
    rates = {"dead_synapse_rate": 0.02, "dead_neuron_rate": 0.1}
    found = chip_yield("recognizer", tmp_path, chips=4, images=IMAGES, chip_seed=5, faults=rates, workers=1)
    assert list(found.errors) == _errors(range(5, 9), **rates)
    assert found.kind == "typical chips with dead_synapse_rate 0.02, dead_neuron_rate 0.1"


def test_ideal_chips_differ_by_their_faults_alone(tmp_path: Path) -> None:
    found = chip_yield(
        "recognizer", tmp_path, chips=4, images=IMAGES, analog="ideal", faults={"dead_neuron_rate": 0.3}, workers=1
    )
    assert len(found.errors) == 4 and len(set(found.errors)) > 1


@pytest.mark.slow
def test_an_interrupted_count_goes_on_to_the_same_bytes(counted: tuple[Path, sim.Yield], tmp_path: Path) -> None:
    """Points that were lost are counted again, and no others."""
    whole, _ = counted
    ask = {"chips": 12, "images": IMAGES, "chip_seed": 5, "workers": 1}
    chip_yield("recognizer", tmp_path, **ask)
    with Store(tmp_path) as store:
        for table in ("results", "misreads", "spreads", "provenance"):
            store._db.execute(f"DELETE FROM {table} WHERE point = 0")
    chip_yield("recognizer", tmp_path, **ask)
    assert (tmp_path / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()


def test_it_tells_quantiles_good_chips_and_the_worst(counted: tuple[Path, sim.Yield]) -> None:
    folder, found = counted
    ordered = sorted(found.errors)
    assert found.median.value == pytest.approx((ordered[5] + ordered[6]) / 2)
    assert found.good(0.03).share == sum(error <= 0.03 for error in ordered) / 12
    assert [error for _, error in found.worst] == ordered[::-1][:WORST]
    assert "misread at most 3 %" in found.table() and isinstance(found.plot(), Figure)
    assert read_yield(folder).errors == found.errors
    assert found.to_json()["good"]["limit"] == 0.03
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.slow
def test_options_reach_the_compiler_and_the_chip(tmp_path: Path) -> None:
    """Chips of two bits a weight misread much; on another machine an image takes other cycles."""
    ask = {"network": "recognizer", "chips": 2, "images": IMAGES, "workers": 1}
    assert min(chip_yield(folder=tmp_path / "two", chip_fields={"weight_bits": 2}, **ask).errors) > 0.05
    cycles = []
    for machine in ("sequencer", "board-1991"):
        chip_yield(folder=tmp_path / machine, compile_options={"machine": machine}, **ask)
        with Store(tmp_path / machine) as store:
            cycles.append(store.rows()[0]["cycles_per_image"])
    assert cycles[0] < cycles[1]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"faults": {"broken": 0.1}}, "faults: broken is not a rate; expected dead_synapse_rate, stuck_synapse_rate, "
         "dead_neuron_rate, stuck_bit_rate, ram_flip_rate"),
        ({"faults": {"dead_neuron_rate": 2.0}}, "axis 'faults.dead_neuron_rate': "),
        ({"chips": 1}, "chips is 1; expected 2 to 1000000"),
        ({"limit": 7}, "limit is 7; expected a share of images between 0 and 1"),
        ({"network": "lenet9"}, "lenet9"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(tmp_path: Path, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(AnnaError, match=re.escape(sentence)):
        chip_yield(**{"network": "recognizer", "folder": tmp_path / "none", "chips": 2, "images": IMAGES, **given})


@pytest.mark.slow
def test_the_folder_of_another_sweep_is_told(tmp_path: Path) -> None:
    spec = sim.make_spec({"name": "bits", "images": 10, "chips": 1, "axes": {"chip.weight_bits": [5, 6]}})
    sim.run_sweep(spec, tmp_path, workers=1)
    with pytest.raises(AnnaError, match=r"is not a yield; its sweep varies chip\.weight_bits"):
        read_yield(tmp_path)


@pytest.mark.slow
def test_the_command_writes_what_it_prints(tmp_path: Path) -> None:
    folder = tmp_path / "wafer"
    ask = ("yield", "--chips", "4", "--count", str(IMAGES), "--limit", "3", "--fault", "dead_synapse_rate=0.001", "-o", folder)
    text = good(*ask)
    assert (folder / "yield.txt").read_text() in text and "of the chips misread at most 3 %" in text
    assert (folder / "yield.svg").read_text().startswith("<?xml")
    assert len((folder / "results.csv").read_text().splitlines()) == 5
    found = json.loads(good(*ask, "--json"))
    assert found["chips"] == 4 and len(found["worst"]) == WORST
    assert "expected NAME=RATE, such as dead_synapse_rate=0.001" in refused("yield", "--fault", "x", "-o", folder)
    assert "yield needs a folder for its chips" in refused("yield")
