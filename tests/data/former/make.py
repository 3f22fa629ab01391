"""Wrote all files beside it with version 0.1.0, and runs with that version only: `python make.py`, anna installed."""

import hashlib
import json
import shutil
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from anna.graph import (
    RELU,
    SCALED_TANH,
    Activation,
    Affine,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Pool,
    Prepare,
    Rbf,
    Softmax,
    Subsample,
)
from anna.graph_file import save_graph

import anna
import lenet
import sim
from anna.importers import load_network

HOME = Path(__file__).parent
VERSION = "0.1.0"
PICTURES = slice(0, None, 227)  # of the hold-out: 20
INTERRUPTED_AFTER = 5  # points of twelve
NOISE_SEED = 9
TRAINED = "recognizer-mnist-seed1"


def pair() -> Ensemble:
    """Two small networks that have every kind of layer between them, with drawn weights."""
    rng = np.random.Generator(np.random.PCG64(1991))

    def drawn(*shape: int) -> Any:
        return rng.normal(0, 2 / max(4, np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)

    table = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 0, 0]], bool)
    prepare = Prepare((28, 28), crop=(20, 20), resize=(10, 10), field=(12, 12), low=-0.5, high=1.0)
    first = Graph("first", (1, 28, 28), (
        prepare,
        Convolution("C1", drawn(2, 1, 5, 5), drawn(2), padding=(1, 0, 0, 1), padding_value=-0.5,
                    activation=SCALED_TANH),
        Pool("widest", "max", (3, 3), stride=(1, 1), padding=(0, 1, 1, 0)),
        Subsample("S2", drawn(3), drawn(3), source_o=(0, 1, 0), activation=Activation("tanh")),
        Convolution("C3", drawn(4, 3, 3, 3) * table[:, :, None, None], drawn(4, 2, 2), table, activation=RELU),
        FullConnection("F4", drawn(12, 16), drawn(12), activation=Activation("clip", -0.5, 2.0)),
        Rbf("output", drawn(10, 12), trainable=True),
    ), "mnist")  # fmt: skip
    second = Graph("second", (1, 28, 28), (
        prepare,
        Convolution("C1", drawn(4, 1, 3, 3), stride=(2, 2), padding=(1, 0, 0, 1), padding_value=-0.5),
        Affine("factor", drawn(4), drawn(4), activation=Activation("sigmoid")),
        Pool("P2", "average", activation=SCALED_TANH),
        FullConnection("output", drawn(10, 36)),
        Softmax("chances", log=True),
    ), "mnist")  # fmt: skip
    return Ensemble("pair", (first, second), "mnist")


def sweep(folder: Path) -> dict[str, Any]:
    """The sweep to its end, and the same one interrupted; without what they say of the machine."""
    spec = sim.load_spec(folder / "sweep.toml")

    def interrupt(so_far: Any) -> None:
        if so_far.done == INTERRUPTED_AFTER:
            raise KeyboardInterrupt

    for name, watch in (("whole", None), ("interrupted", interrupt)):
        with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(1) as thread:
            try:
                sim.run_sweep(spec, Path(scratch), executor=thread, at_once=1, command="make.py", watch=watch)
            except KeyboardInterrupt:
                assert name == "interrupted"
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(scratch, folder / name, ignore=shutil.ignore_patterns("sweep.lock"))
        with sqlite3.connect(folder / name / "sweep.sqlite") as database:
            for table in ("runs", "provenance"):
                for row, text in database.execute(f"SELECT rowid, facts FROM {table}").fetchall():
                    facts = {**json.loads(text), "host": "host", "cpu": "cpu", "system": "system", "process": 1}
                    database.execute(f"UPDATE {table} SET facts = ? WHERE rowid = ?", (json.dumps(facts), row))
        database.execute("VACUUM")  # nothing of it is left between the rows either
        database.close()
    with sim.Store(folder / "whole") as store:
        return {"points": len(store.points()), "interrupted_after": INTERRUPTED_AFTER, "refusals": store.refusals()}


def sha256(array: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def main() -> None:
    assert anna.__version__ == VERSION
    images, labels = (part[PICTURES] for part in lenet.holdout())
    windows = images[:, None, 10:18, 10:18].astype(np.uint16) >> 5  # state codes for the program by hand

    for path in (Path(lenet.__file__).parent / "weights").glob(f"{TRAINED}.*"):
        shutil.copy(path, HOME)
    save_graph(pair(), HOME / "pair.safetensors")
    networks = {name: load_network(HOME / f"{name}.safetensors") for name in (TRAINED, "pair")}
    small = anna.ANNA_WIDE.changed(rows=32)  # so that a small network takes several pages
    programs = {
        "recognizer": anna.compile(networks[TRAINED], lenet.calibration()),
        "pair": anna.compile(networks["pair"], lenet.calibration(), board=anna.BOARD_1996, chip=small, batch=7),
        "by_hand": anna.assemble((HOME / "by_hand.asm").read_text(encoding="utf-8")),
    }
    for name, program in programs.items():
        program.save(HOME / f"{name}.anna")

    faults = anna.Faults(dead_synapses=((3, 5),), stuck_synapses=((0, 1, 4.5),), stuck_bits=((2, 0, 1),),
                         ram_flips=((0, 7, 9, 2),), seed=(1 << 64) - 2, dead_synapse_rate=0.001)  # fmt: skip
    chip = anna.Chip(seed=(1 << 64) - 1, analog="typical", faults=faults, chip_on_board=3)
    die = chip.die()
    die.save(HOME / "chip.die")
    calibration = anna.calibrate(chip, programs["recognizer"])
    calibration.save(HOME / "calibration.json")
    calibrated = anna.calibrated(programs["recognizer"], calibration)

    measured = calibration.neurons
    arrays: dict[str, Any] = {"gains": [one.gain for one in measured], "offsets_lsb": [one.offset_lsb for one in measured]}
    for name, program, its_chip in (
        ("recognizer", programs["recognizer"], anna.Chip()),
        ("pair", programs["pair"], anna.Chip()),
        ("recognizer on the die", programs["recognizer"], chip),
        ("recognizer calibrated", calibrated, chip),
    ):
        arrays[f"program {name}"] = its_chip.run(program, images, noise_seed=NOISE_SEED).scores
    arrays["program by_hand"] = anna.Chip().run(programs["by_hand"], windows).codes["second"]
    for name, program in ((TRAINED, "recognizer"), ("pair", "pair")):
        found = sim.compare(networks[name], programs[program], images, labels, chips=1)
        arrays[f"network {name}"] = found.reference.scores_nk
    np.savez_compressed(HOME / "expected.npz", **arrays)

    expected = {
        "version": VERSION,
        "pictures_apart": PICTURES.step,
        "noise_seed": NOISE_SEED,
        "programs": {name: {"digest": program.digest, "instructions": len(program.ops), "pages": len(program.weight_codes),
                            "batch": program.batch, "cycles_per_image": anna.elaborate(program).cycles_per_image}
                     for name, program in programs.items()},
        "networks": {name: {"digest": network.digest, "text": str(network).split("\n")} for name, network in networks.items()},
        "die": {"seed": str(die.seed), "chip_on_board": die.chip_on_board, "analog": die.analog.model_dump(mode="json"),
                "faults": die.faults.model_dump(mode="json"), "weights_sha256": sha256(die.weights_lsb()),
                "weights_after_5000_cycles_sha256": sha256(die.weights_lsb(-9, 5000))},
        "calibration": {"neurons": len(measured), "calibrated_digest": calibrated.digest},
        "analog": anna.Analog.load(HOME / "chip.toml").model_dump(mode="json"),
        "sweep": sweep(HOME / "sweep"),
    }  # fmt: skip
    (HOME / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
