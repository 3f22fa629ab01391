"""Every reader: good files to begin from, how they are changed, how one is read, and what is asked of what it accepts."""

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzzing import mutators
from fuzzing.mutators import Mutator

import anna
from anna.base import border
from anna.base.border import Budget
from anna.base.container import pack
from anna.base.errors import AnnaError, DataError, IllegalProgram
from anna.importers import load_network
from anna.lab.trim import Trim
from anna.network.file import graph_bytes
from anna.network.forward import forward
from anna.network.graph import RELU
from anna.sequencer.tally import tally
from lenet.datasets.idx import encode_idx, read_idx
from lenet.datasets.usps import read_usps, read_zip_text
from lenet.networks.record import read_record
from lenet.training.checkpoint import KEY, Checkpoint, Pass
from sim.cli.machine import machine_facts
from sim.inputs.files import images_and_labels
from sim.inputs.joules import load_joules
from sim.report.sweep_text import markdown
from sim.sweep.spec import load_spec
from sim.sweep.store import Store
from sim.sweep.summary import read

ROOT = Path(__file__).parents[2]
FORMER = ROOT / "tests" / "data" / "former"
LONGEST_RUN = 2000  # instructions of a program that is run: the interpreter does some thousands a second
LARGEST_RUN = 1 << 15  # states of its memory, and units of a network's widest maps
MOST_WORK = 1 << 20  # multiply-adds of a network for one image


@dataclass(frozen=True)
class Reader:
    """One reader. `name` is that of the command; `file` is what the input is called in a folder of its own."""

    name: str
    budget: Budget
    file: str
    seeds: Callable[[], list[bytes]]
    mutators: tuple[Mutator, ...]
    read: Callable[[Path], Any]
    judge: Callable[[Any], bool] = lambda _: False  # whether what was accepted was also run; raises if two ways differ


class DifferentError(Exception):
    """Two evaluators disagree on what was accepted."""


# --- good files -------------------------------------------------------------------------------------------------------
def _files(*patterns: str) -> Callable[[], list[bytes]]:
    return cache(lambda: [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))])


@cache
def _programs() -> list[bytes]:
    """Programs written by hand, compiled ones with a host before, between and after the chip, and files of former versions."""
    texts = [path.read_text() for path in sorted((ROOT / "tests" / "programs").glob("*.asm"))]
    byhand = [anna.assemble(text).to_bytes() for text in texts]
    return [*byhand, *(_compiled(one).to_bytes() for one in _networks()), (FORMER / "by_hand.anna").read_bytes()]


def _compiled(network: anna.Graph) -> anna.Program:
    rng = np.random.default_rng(0)
    if network.prepare is not None:
        images = rng.integers(0, 256, (8, *network.prepare.source), np.uint8)
    else:
        images = rng.normal(size=(8, *network.input_shape)).astype(np.float32)
    return anna.compile(network, calibration=images)


@cache
def _networks() -> list[anna.Graph]:
    """Small ones that together hold most kinds of layers."""
    rng = np.random.default_rng(1)

    def some(*shape: int) -> np.ndarray[Any, Any]:
        return rng.normal(size=shape).astype(np.float32)

    first = anna.Convolution("c1", some(2, 1, 3, 3), some(2), activation=RELU, padding=(1, 1, 1, 1))
    chain = anna.Graph("chain", (1, 8, 8), (
        anna.Prepare((8, 8), (6, 6)), first,
        anna.Pool("p", "max"), anna.FullConnection("f", some(3, 18), some(3)), anna.Softmax("s"),
    ))  # fmt: skip
    branches = anna.Graph("branches", (1, 6, 6), (
        first, anna.Convolution("c2", some(2, 2, 3, 3), padding=(1, 1, 1, 1)), anna.Combination("sum", "sum"),
        anna.Normalisation("n", "m"), anna.Reduction("r", "mean", "yx"), anna.FullConnection("f", some(3, 2)),
    ), links={"sum": ("c1", "c2")})  # fmt: skip
    return [chain, branches]


@cache
def _dies() -> list[bytes]:
    spec = anna.ANNA_1991.changed(rows=8, columns=16, fan_ins=(16,), neurons_at_once=4)
    return [anna.Die.draw(spec, anna.Analog.preset(name), 1).to_bytes() for name in ("typical", "worst")]


@cache
def _checkpoints() -> list[bytes]:
    """Of a training by hand, which keeps weights alone, and of one by Adam, which keeps three arrays more of each."""
    rng, curve = np.random.default_rng(2), [asdict(Pass(n, 1 / n, 20 / n, None if n < 3 else 9.0)) for n in (1, 2, 3)]
    weights = {f"p{n}": rng.normal(size=shape).astype(np.float32) for n, shape in enumerate(((2, 1, 3, 3), (2,), (3, 18)))}
    moments = {f"s{n}.{name}": weights[f"p{n}"] ** 2 for n in range(3) for name in ("exp_avg", "exp_avg_sq")}
    steps = {f"s{n}.step": np.float32([30]) for n in range(3)}
    about = {"fingerprint": "f" * 64, "curve": curve}
    return [pack(KEY, about, weights), pack(KEY, about, weights | moments | steps)]


@cache
def _arrays(kind: str) -> list[bytes]:
    images = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
    many = [images, images.astype(np.float32), images[:, None].astype("<i2")]
    if kind == "idx":
        return [encode_idx(images), encode_idx(np.arange(9, dtype=np.uint8))]
    files = [_npy(one) for one in many]
    if kind == "gz":
        return [gzip.compress(one, mtime=0) for one in (encode_idx(images), *files)]
    return files if kind == "npy" else [_npz(images=one, labels=_npy(np.arange(3))) for one in files]


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(**members: bytes) -> bytes:
    """As `np.savez`, but without the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), data)
    return buffer.getvalue()


@cache
def _digits() -> list[bytes]:
    lines = [" ".join([f"{k % 10}.0000", *(f"{(k * i % 21) / 10 - 1:.3f}" for i in range(256))]) for k in range(12)]
    return [("\n".join(lines) + "\n").encode()]


@cache
def _hdf5() -> list[bytes]:
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for part in ("train", "test"):
            file.create_dataset(f"{part}/data", data=np.zeros((10, 256), np.float32), compression="gzip")
            file.create_dataset(f"{part}/target", data=np.arange(10))
    return [buffer.getvalue()]


def of_sqlite(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """A database with strange values in its tables; now and then with changed bytes."""
    if rng.random() < 0.5:
        return mutators.of_bytes(rng, seeds)
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(rng.choice(seeds))
    try:
        for _ in range(rng.choice((1, 1, 2))):
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            table = rng.choice(tables or ["sweep"])
            column = rng.choice([row[1] for row in db.execute(f"PRAGMA table_info({table})")] or ["content"])
            (old,) = rng.choice(db.execute(f"SELECT {column} FROM {table}").fetchall() or [(0,)])
            if isinstance(old, str) and old[:1] == "{" and rng.random() < 0.8:
                value = json.dumps(mutators.changed_json(rng, json.loads(old)))
            else:
                value = rng.choice([one for one in mutators.STRANGE if not isinstance(one, list | dict)])
                value = value if not isinstance(value, int) or abs(value) < 1 << 63 else str(value)
            match rng.randrange(8):
                case 0:
                    db.execute(f"DELETE FROM {table}")
                case 1:
                    db.execute(f"DROP TABLE {table}")
                case _:
                    db.execute(f"UPDATE OR REPLACE {table} SET {column} = ?", (value,))
    except sqlite3.Error:
        pass  # a constraint holds: what was done before stands
    return db.serialize()


# --- what is asked of what a reader accepts ---------------------------------------------------------------------------
def run_both_ways(program: anna.Program) -> bool:
    """A loaded program runs, the same on the engine and the interpreter, or breaks a rule of the chip; False if too long."""
    host, region = program.host, program.input
    if len(program.issued) > LONGEST_RUN or program.window_states > LARGEST_RUN:
        return False
    if host is not None and (host.multiply_adds > MOST_WORK or _widest(host) > LARGEST_RUN):
        return False
    rng, chip = np.random.default_rng(0), anna.Chip()
    try:
        timeline = anna.verified(program)
    except IllegalProgram:
        return True
    _ = machine_facts(program), tally(program), anna.disassemble(program)
    if host is None or len(region.shape) != 3:
        codes = rng.integers(0, 1 << program.spec.state_bits, (2, *region.shape))
        found = [chip.run_codes(program, codes, engine=name, timeline=timeline) for name in ("engine", "interpreter")]
    else:
        shape = host.image_shape or region.shape
        grey = host.prepare is not None
        images = rng.integers(0, 256, (2, *host.prepare.source), np.uint8) if grey else rng.random((2, *shape), np.float32)
        try:
            found = [chip.run(program, images, engine=name, timeline=timeline) for name in ("engine", "interpreter")]
            _ = [one.results for one in found]
        except DataError as error:
            if "NaN or infinite" in str(error):  # what the weights make of these images
                return True
            raise
    first, second = found
    same = all(np.array_equal(first.codes[name], second.codes[name]) for name in first.codes)
    if not same or (
        host
        and len(region.shape) == 3
        and any(not np.array_equal(first.results[k], second.results[k], True) for k in first.results)
    ):
        raise DifferentError(f"engine and interpreter differ on {program!r}")
    return True


def _widest(host: Any) -> int:
    shapes = [shape for part in host.parts for shape in part.shapes.values()]
    shapes += [shape for _, shape in host.steps_before()]
    return max((int(np.prod(shape)) for shape in shapes), default=0)


def run_network(network: Any) -> bool:
    """A loaded network runs on one image; False if it is large."""
    shapes = [network.input_shape, *(step.output_shape for one in network.members for step in one.steps)]
    work = sum(step.connections for one in network.members for step in one.steps)
    if work > MOST_WORK or max(int(np.prod(shape)) for shape in shapes) > LARGEST_RUN:
        return False
    first = network.prepare
    image = np.zeros((1, *first.source), np.uint8) if first else np.zeros((1, *network.input_shape), np.float32)
    with np.errstate(all="ignore"):
        forward(network, image)
    return True


def _tomls(path: Path) -> list[Any]:
    """All readers of TOML; refused if none of them accepts it."""
    found, refusals = list[Any](), list[AnnaError]()
    for one in (anna.Analog.load, load_spec, load_joules):
        try:
            found.append(one(path))
        except AnnaError as error:
            refusals.append(error)
    if not found:
        raise next((one for one in refusals if one.__cause__), refusals[0])
    return found


def _jsons(path: Path) -> Any:
    try:
        return Trim.load(path)
    except AnnaError as error:
        if error.__cause__:
            raise
        return read_record(path)


def _images(path: Path) -> Any:
    return images_and_labels(str(path))


def _usps(path: Path) -> Any:
    return read_usps(path.parent, "train")


def _sweep(path: Path) -> str:
    with Store(path.parent) as store:
        _ = store.misreads(), store.trainings, store.row_count
        return markdown(read(store))


bytes_, text = mutators.of_bytes, mutators.of_text
READERS = {one.name: one for one in (
    Reader("program", border.PROGRAM, "x.anna", _programs, (mutators.of_container, mutators.of_container, bytes_),
           anna.Program.load, run_both_ways),
    Reader("die", border.DIE, "x.die", _dies, (mutators.of_container, bytes_), anna.Die.load,
           lambda die: bool(die.weights_lsb().size)),
    Reader("network", border.NETWORK, "x.safetensors", lambda: [*map(graph_bytes, _networks()), *_files(
        "tests/data/former/pair.safetensors")()], (mutators.of_container, mutators.of_container, bytes_),
           load_network, run_network),
    Reader("onnx", border.ONNX, "x.onnx", _files("tests/data/onnx/net0*.onnx", "tests/data/exported/pytorch_s*.onnx",
           "tests/data/quantised/*qcdq.onnx"), (mutators.of_onnx, mutators.of_onnx, bytes_), load_network, run_network),
    Reader("assembly", border.ASSEMBLY, "x.asm", _files("tests/programs/*.asm", "examples/*.asm"), (text, text, bytes_),
           lambda path: anna.assemble(border.read_text(path, border.ASSEMBLY)), run_both_ways),
    Reader("toml", border.TOML, "x.toml", _files("examples/*.toml", "tests/data/former/*.toml", "tests/data/former/*/*.toml"),
           (text, text, bytes_), _tomls),
    Reader("json", border.JSON, "x.json", _files("tests/data/former/*.json", "lenet/weights/lenet1-usps-seed1.json"),
           (mutators.of_json, bytes_), _jsons),
    Reader("idx", border.IDX, "x", lambda: [*_arrays("idx"), gzip.compress(_arrays("idx")[0], mtime=0)], (bytes_,), read_idx),
    Reader("npy", border.IMAGES, "x.npy", lambda: _arrays("npy"), (mutators.of_npy, bytes_), _images),
    Reader("npz", border.IMAGES, "x.npz", lambda: _arrays("npz"), (mutators.of_npz, bytes_), _images),
    Reader("gz", border.IMAGES, "x.gz", lambda: _arrays("gz"), (mutators.within_gzip(bytes_),), _images),
    Reader("usps", border.USPS_TEXT, "zip.train", _digits, (text, bytes_), read_zip_text),
    Reader("hdf5", border.USPS_HDF5, "usps.h5", _hdf5, (bytes_,), _usps),
    Reader("sweep", border.SWEEP, "sweep.sqlite", _files(
        "tests/data/former/sweep3/*.sqlite", "tests/data/former/sweep/*/*.sqlite"), (of_sqlite,), _sweep),
    Reader("checkpoint", border.CHECKPOINT, "x.checkpoint", _checkpoints,
           (mutators.of_container, mutators.of_container, bytes_), Checkpoint.load),
)}  # fmt: skip


def mutated(reader: Reader, seed: int, number: int) -> bytes:
    """The input of a number, the same wherever and whenever it is made."""
    rng = Random(f"{reader.name} {seed} {number}")
    return rng.choice(reader.mutators)(rng, reader.seeds())
