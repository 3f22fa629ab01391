"""Files that version 0.1.0 wrote still load and still mean the same; tests/data/former/make.py wrote them."""

import csv
import hashlib
import itertools
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command_line import good

import anna
import lenet
import sim
from anna.importers import load_network

FORMER = Path(__file__).parent / "data" / "former"
EXPECTED: dict[str, Any] = json.loads((FORMER / "expected.json").read_text(encoding="utf-8"))
PROGRAMS, NETWORKS, DIE, SWEEP = (EXPECTED[kind] for kind in ("programs", "networks", "die", "sweep"))
TRAINED = "recognizer-mnist-seed1"
COMPILED = {"recognizer": TRAINED, "pair": "pair"}  # programs and their networks
PICTURES = slice(0, None, EXPECTED["pictures_apart"])
NOISE_SEED = EXPECTED["noise_seed"]
NOISY = ("wrong", "disagreement", "error")  # columns of a sweep


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(FORMER / "expected.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return lenet.holdout()[0][PICTURES]


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """The sweep's folders, and what it names, where they can be written."""
    shutil.copytree(FORMER, tmp_path / "former")
    return tmp_path / "former" / "sweep"


def program(name: str) -> anna.Program:
    return anna.Program.load(FORMER / f"{name}.anna")


def network(name: str) -> Any:
    return load_network(FORMER / f"{name}.safetensors")


def chip() -> anna.Chip:
    return anna.Chip(die=anna.Die.load(FORMER / "chip.die"))


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def told_of(record: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """What a record says today of the fields that it had."""
    found = record.model_dump(mode="json")
    return {name: found[name] for name in expected}


# --- programs
@pytest.mark.parametrize("name", COMPILED)
def test_the_report_of_a_program_reads_as_today_and_its_machine_is_the_wide_one(name: str) -> None:
    """All chips were wide then. Its numbers stay what they were; what is new follows from them."""
    report = dict(program(name).report or {})
    assert "machine" not in report
    told = json.loads(good("info", FORMER / f"{name}.anna", "--json"))
    assert (told["machine"], told["board_images_per_s"]) == ("wide", report["board_images_per_s"])
    if name == "recognizer":
        assert told["published_us_per_image"] == 1000
        assert told["board_us_per_image"] == pytest.approx(report["chip_us_per_image"] + 240)
        assert told["connections_per_s"] == pytest.approx(135_736 * report["board_images_per_s"])
    assert " on machine wide: " in anna.listing(report)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_keeps_its_digest(name: str) -> None:
    assert program(name).digest == PROGRAMS[name]["digest"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_saved_again_is_the_same_program(name: str, tmp_path: Path) -> None:
    program(name).save(tmp_path / "again.anna")
    assert anna.Program.load(tmp_path / "again.anna").digest == PROGRAMS[name]["digest"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_as_long_and_takes_as_many_cycles(name: str) -> None:
    found = program(name)
    assert {
        "digest": PROGRAMS[name]["digest"], "instructions": len(found.ops), "pages": len(found.weight_codes),
        "batch": found.batch, "cycles_per_image": anna.verified(found).cycles_per_image,
    } == PROGRAMS[name]  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_program_gives_the_same_scores(name: str, images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    result = anna.Chip().run(program(name), images)
    wanted = expected[f"program {name}"]
    assert np.array_equal(result.scores, wanted)
    assert np.array_equal(result.labels, wanted.argmax(axis=1))
    assert result.cycles == PROGRAMS[name]["cycles_per_image"] * len(images)


@pytest.mark.parametrize("name", COMPILED)
def test_no_result_is_shown_on_the_pictures_that_a_program_was_calibrated_on(name: str) -> None:
    images, labels = lenet.calibration()
    with pytest.raises(anna.AnnaError, match="500 images are used for both calibration and results"):
        sim.compare(network(COMPILED[name]), program(name), images, labels, chips=1)


def test_a_program_by_hand_gives_the_same_codes(images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    windows = images[:, None, 10:18, 10:18].astype(np.uint16) >> 5
    assert np.array_equal(anna.Chip().run_codes(program("by_hand"), windows).codes["second"], expected["program by_hand"])


def test_assembly_text_still_makes_the_same_program_once_it_names_its_chip() -> None:
    text = (FORMER / "by_hand.asm").read_text(encoding="utf-8")
    with pytest.raises(anna.AnnaError, match=r"for a program of the former machine write \.chip name=anna-wide$"):
        anna.assemble(text)
    again = re.sub("name=anna-1991", "name=anna-wide", text)
    assert anna.assemble(again).digest == PROGRAMS["by_hand"]["digest"]


# --- chips
def test_a_die_is_the_same_silicon() -> None:
    die = anna.Die.load(FORMER / "chip.die")
    assert (str(die.seed), die.chip_on_board) == (DIE["seed"], DIE["chip_on_board"])
    assert told_of(die.analog, DIE["analog"]) == DIE["analog"]
    assert told_of(die.faults, DIE["faults"]) == DIE["faults"]
    assert sha256(die.weights_lsb()) == DIE["weights_sha256"]
    assert sha256(die.weights_lsb(-9, 5000)) == DIE["weights_after_5000_cycles_sha256"]


def assert_same_but_for_noise(made: anna.Program, images: np.ndarray, former: np.ndarray, on: anna.Chip) -> None:
    """Scores of former noise are no farther from today's than those of two noise seeds are from each other, and nearer than
    those of other dies."""
    runs = [on.run(made, images, noise_seed=seed).scores for seed in range(12)]
    apart = [float(np.square(a - b).mean()) for a, b in itertools.combinations(runs, 2)]
    away = [float(np.square(run - former).mean()) for run in runs]
    assert np.mean(away) < 1.5 * np.mean(apart)
    others = [anna.Chip(seed=seed, analog=on.analog).run(made, images, noise_seed=seed).scores for seed in range(100, 124)]
    assert np.mean(away) < np.mean([float(np.square(other - former).mean()) for other in others]) * 0.9


def test_a_die_gives_the_same_scores_but_for_the_noise(images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    assert_same_but_for_noise(program("recognizer"), images, expected["program recognizer on the die"], chip())


def test_a_die_saved_again_gives_the_same_scores(images: np.ndarray, tmp_path: Path) -> None:
    anna.Die.load(FORMER / "chip.die").save(tmp_path / "again.die")
    again = anna.Chip(die=anna.Die.load(tmp_path / "again.die"))
    result = again.run(program("recognizer"), images, noise_seed=NOISE_SEED)
    assert np.array_equal(result.scores, chip().run(program("recognizer"), images, noise_seed=NOISE_SEED).scores)


def test_a_file_of_analog_parameters_means_the_same() -> None:
    assert told_of(anna.Analog.load(FORMER / "chip.toml"), EXPECTED["analog"]) == EXPECTED["analog"]


def test_a_trim_holds_what_was_measured(expected: dict[str, np.ndarray]) -> None:
    trim = anna.Trim.load(FORMER / "calibration.json")
    assert trim.program == program("recognizer").digest
    assert trim.chip_seed == DIE["seed"]
    assert len(trim.neurons) == EXPECTED["calibration"]["neurons"]
    assert [one.gain for one in trim.neurons] == expected["gains"].tolist()
    assert [one.offset_lsb for one in trim.neurons] == expected["offsets_lsb"].tolist()


def test_a_trim_makes_the_same_program_for_its_chip(images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    trim = anna.Trim.load(FORMER / "calibration.json")
    trimmed = anna.trim(program("recognizer"), trim)
    assert trimmed.digest == EXPECTED["calibration"]["calibrated_digest"]
    assert_same_but_for_noise(trimmed, images, expected["program recognizer calibrated"], chip())


# --- networks
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_keeps_its_layers_and_its_digest(name: str) -> None:
    found = network(name)
    assert str(found).splitlines() == NETWORKS[name]["text"]
    assert found.digest == NETWORKS[name]["digest"]


@pytest.mark.parametrize("its_program", COMPILED)
def test_a_network_gives_the_same_scores(its_program: str, images: np.ndarray, expected: dict[str, np.ndarray]) -> None:
    name, labels = COMPILED[its_program], lenet.holdout()[1][PICTURES]
    found = sim.compare(network(name), program(its_program), images, labels, chips=1)
    assert np.array_equal(found.reference.scores_nk, expected[f"network {name}"])


def test_a_record_of_a_training_tells_of_the_weights_beside_it() -> None:
    record = json.loads((FORMER / f"{TRAINED}.json").read_text(encoding="utf-8"))
    assert network(TRAINED).digest == record["weights_digest"]


def test_training_for_the_chip_goes_on_from_weights_whose_record_tells_of_the_same_training() -> None:
    from lenet.training.recipes import recipe_for
    from lenet.training.train import trained_before

    record = json.loads((FORMER / f"{TRAINED}.json").read_text(encoding="utf-8"))
    recipe = recipe_for(record["network"], record["data"], record["recipe"]["name"])
    digits: Any = SimpleNamespace(digest=record["training_digits"]["sha256"])
    found = trained_before((FORMER,), TRAINED, recipe, digits, record["seed"])
    assert found is not None and found.digest == NETWORKS[TRAINED]["digest"]
    assert trained_before((FORMER,), TRAINED, recipe, digits, record["seed"] + 1) is None


# --- sweeps
def table(folder: Path) -> str:
    return (folder / "results.csv").read_text(encoding="utf-8")


def test_a_sweep_is_read_as_it_was(sweep: Path) -> None:
    with sim.Store(sweep / "whole") as store:
        assert store.csv() == table(sweep / "whole")
        assert [list(one) for one in store.refusals()] == SWEEP["refusals"]
        assert [run["points"] for run in store.runs()] == [SWEEP["points"]]
        assert {facts["anna"] for facts in store.provenance().values()} == {EXPECTED["version"]}


def test_an_interrupted_sweep_has_the_first_points(sweep: Path) -> None:
    with sim.Store(sweep / "interrupted") as store, sim.Store(sweep / "whole") as whole:
        assert store.done == set(range(SWEEP["interrupted_after"]))
        assert store.points() == whole.points()
        assert store.rows() == [row for row in whole.rows() if row["point"] in store.done]


@pytest.mark.skipif(anna.__version__ != EXPECTED["version"], reason="another version begins a sweep anew")
@pytest.mark.parametrize("folder", ["interrupted", "whole"])
def test_other_noise_does_not_continue_a_sweep(sweep: Path, folder: str) -> None:
    """It says `typical`, which is another chip since noise version 2: rows of two kinds of chips must not be mixed."""
    before = (sweep / folder / "sweep.sqlite").read_bytes()
    with (
        ThreadPoolExecutor(1) as thread,
        pytest.raises(anna.AnnaError, match=r"noise version 1, and this is 4; finish it with the anna that began it, or give "
                      r"this sweep a new folder: typical-v1 and worst-v1 are the chips of version 1, typical-v2 and "
                      r"worst-v2 those of version 2"),
    ):  # fmt: skip
        sim.run_sweep(sim.load_spec(sweep / "sweep.toml"), sweep / folder, executor=thread)
    assert (sweep / folder / "sweep.sqlite").read_bytes() == before


def test_the_same_sweep_on_chips_of_version_1_has_the_same_rows_but_for_the_noise(sweep: Path) -> None:
    """On the machine that was the only one: every column but those that noise decides, and about the same misread images."""
    text = (sweep / "sweep.toml").read_text(encoding="utf-8").replace('"typical"', '"typical-v1"')
    (sweep / "again.toml").write_text(text + '"compile.machine" = ["wide"]\n', encoding="utf-8")
    with ThreadPoolExecutor(1) as thread:
        sim.run_sweep(sim.load_spec(sweep / "again.toml"), sweep / "again", executor=thread)
    now = list(csv.DictReader(table(sweep / "again").replace("typical-v1", "typical").splitlines()))
    former = list(csv.DictReader(table(sweep / "whole").splitlines()))
    assert len(now) == len(former)
    for row, before in zip(now, former, strict=True):
        assert row.pop("compile.machine") == "wide"
        assert {k: v for k, v in row.items() if k not in NOISY} == {k: v for k, v in before.items() if k not in NOISY}
    misread = [sum(int(row["wrong"]) for row in rows) for rows in (now, former)]
    assert abs(misread[0] - misread[1]) < 4 * sum(misread) ** 0.5


def test_a_sweep_of_format_3_is_read_as_it_was(sweep: Path) -> None:
    """Then `images` was the number of images, and it was not kept which of them a chip misreads."""
    folder = sweep.parent / "sweep3"
    with sim.Store(folder) as store:
        assert store.csv() == table(folder)
        assert store.misreads() == {} and store.identity.spec.count == 20 and store.identity.spec.images is None
    with pytest.raises(anna.AnnaError, match="has points from before its format 4"):
        sim.front(folder)


def test_another_version_does_not_continue_a_sweep(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anna, "__version__", "0.1.0.later")
    with (
        ThreadPoolExecutor(1) as thread,
        pytest.raises(anna.AnnaError, match=r"was started by anna 0\.1\.0, and this is 0\.1\.0\.later"),
    ):
        sim.run_sweep(sim.load_spec(sweep / "sweep.toml"), sweep / "interrupted", executor=thread)


def test_parts_of_a_sweep_are_merged(sweep: Path) -> None:
    found = json.loads(good("sweep", "merge", sweep / "interrupted", sweep / "whole", "-o", sweep / "merged", "--json"))
    assert (found["points_done"], found["points_total"]) == (SWEEP["points"], SWEEP["points"])
    assert table(sweep / "merged") == table(sweep / "whole")
