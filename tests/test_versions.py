"""Versions of package, noise and files are told apart; files of an older format are carried over, newer ones refused."""

import hashlib
import importlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from command_line import ROOT, good

import anna
from anna.analog import die, noise, thermal
from anna.base.container import upgraded
from anna.base.errors import FileError
from anna.exporters import bundle
from anna.lab import trim
from anna.network import file as network
from anna.program import file as program
from lenet.networks import record
from sim.cli.versions import versions
from sim.sweep import store

FORMER = Path(__file__).parent / "data" / "former"
PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Kind:
    """One kind of file: a file of the newest format, and what identifies what it holds."""

    module: ModuleType
    file: str
    identity: Callable[[Path], Any]
    renew: Callable[[Path], None] = lambda path: None  # writes the file in the newest format, if it is of an older one


def sweep_identity(path: Path) -> str:
    with store.Store(path.parent) as found:
        return found.identity.content


def renew_sweep(path: Path) -> None:
    identity = store.Store(path.parent).identity.content
    with sqlite3.connect(path) as database:
        database.execute("UPDATE sweep SET content = ?", (identity,))
        database.execute(f"PRAGMA user_version = {store.FORMAT}")
    database.close()


def renew_program(path: Path) -> None:
    """A program with two results: those with one, and without rounds of the host, stay in format 2."""
    found = anna.Program.load(path)
    assert found.host is not None
    tail = found.host.tails[0]
    two = replace(tail, outputs=(*tail.outputs, tail.readings[0].name))
    replace(found, host=replace(found.host, tails=(two,))).save(path)


def renew_network(path: Path) -> None:
    """A network with a branch: chains stay in format 1."""
    ones = np.ones((2, 1, 3, 3), np.float32)
    layers = (anna.Convolution("a", ones), anna.Convolution("b", ones), anna.Combination("sum", "sum"))
    links = {"b": ("/image",), "sum": ("a", "b")}
    network.save_network(anna.Graph("branches", (1, 8, 8), layers, links=links), path)


def renew_bundle(path: Path) -> None:
    """A bundle of one layer: version 0.1 wrote none."""
    layer = {"name": "C1", "stack": "C1", "first_map": 0, "shape": [4, 28, 28]}
    path.write_text(json.dumps({"format": bundle.FORMAT, "layers": [layer]}), encoding="utf-8")


KINDS = {
    "program": Kind(
        program,
        "recognizer.anna",
        lambda path: anna.Program.load(path).digest,
        renew_program,
    ),
    "network": Kind(network, "pair.safetensors", lambda path: network.load_graph(path).digest, renew_network),
    "die": Kind(
        die,
        "chip.die",
        lambda path: anna.Die.load(path).weights_lsb().tobytes(),
        lambda path: anna.Die.load(path).save(path),
    ),
    "trim": Kind(trim, "calibration.json", lambda path: trim.Trim.load(path)),
    "bundle": Kind(bundle, "calibration.json", bundle.read_parts, renew_bundle),
    "training record": Kind(record, "recognizer-mnist-seed1.json", record.read_record),
    "sweep": Kind(store, "sweep/whole/sweep.sqlite", sweep_identity, renew_sweep),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def copy(kind: str, tmp_path: Path) -> Path:
    """A file of the newest format."""
    path = Path(shutil.copy(FORMER / KINDS[kind].file, tmp_path))
    KINDS[kind].renew(path)
    return path


def written_as(path: Path, number: int) -> None:
    """Name another format in a file, if it is one of plain JSON or a database."""
    if path.suffix == ".json":
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "format": number}))
    else:
        with sqlite3.connect(path) as database:
            database.execute(f"PRAGMA user_version = {number}")
        database.close()


def test_a_file_of_an_older_format_is_carried_over_and_keeps_its_identity(
    kind: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Today's file becomes one of an older format when the newest is raised by two."""
    module, identity = KINDS[kind].module, KINDS[kind].identity
    before, today, steps = identity(copy), module.FORMAT, []

    def step(number: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def one(content: dict[str, Any]) -> dict[str, Any]:
            steps.append(number)
            assert "format" not in content
            return dict(content)

        return one

    monkeypatch.setattr(module, "FORMAT", today + 2)
    monkeypatch.setattr(module, "UPGRADES", {today: step(today), today + 1: step(today + 1)})
    assert identity(copy) == before
    assert steps == [today, today + 1]


@pytest.mark.parametrize("kind", ["program"], indirect=True)
def test_what_an_upgrade_makes_is_what_is_read(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = program.FORMAT
    monkeypatch.setattr(program, "FORMAT", today + 1)
    monkeypatch.setattr(program, "UPGRADES", {today: lambda content: {**content, "name": f"{content['name']}-upgraded"}})
    assert anna.Program.load(copy).name.endswith("-upgraded")


@pytest.mark.parametrize("kind", ["program"], indirect=True)
def test_a_program_saved_in_a_newer_format_keeps_its_digest(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, today = anna.Program.load(copy).digest, program.FORMAT
    monkeypatch.setattr(program, "FORMAT", today + 1)
    monkeypatch.setattr(program, "UPGRADES", {today: dict})
    anna.Program.load(copy).save(copy)
    assert anna.Program.load(copy).digest == digest


def test_a_file_of_a_format_that_is_no_longer_read_is_refused(kind: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = KINDS[kind].module
    today = module.FORMAT
    monkeypatch.setattr(module, "FORMAT", today + 1)
    monkeypatch.setattr(module, "UPGRADES", {})
    with pytest.raises(FileError, match=f"has format {today}; this version of anna does not read {kind} files of that format"):
        KINDS[kind].identity(copy)


@pytest.mark.parametrize("kind", ["trim", "bundle", "training record", "sweep"])
def test_a_file_of_a_newer_format_is_refused(kind: str, copy: Path) -> None:
    newest = KINDS[kind].module.FORMAT
    written_as(copy, newest + 1)
    with pytest.raises(
        FileError, match=f"has format {newest + 1}; this version of anna reads up to format {newest}: update anna"
    ):
        KINDS[kind].identity(copy)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, "has format None; expected the number of a format of test files"),
        ({"format": True}, "has format True; expected the number"),
        ({"format": "2"}, "has format '2'; expected the number"),
        ({"format": 0}, "has format 0; this version of anna does not read test files of that format"),
        ({"format": 1}, r"is not a complete test file of format 1 \('name'\)"),
        ({"format": 3}, "has format 3; this version of anna reads up to format 2: update anna"),
    ],
)
def test_a_format_that_cannot_be_read_is_told_in_one_sentence(content: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FileError, match=f"^x: {sentence}"):
        upgraded("x", "test", content, 2, {1: lambda content: {"title": content["name"]}})


def test_upgrading_leaves_the_content_as_it_was() -> None:
    content = {"format": 1, "name": "x"}
    assert upgraded("x", "test", content, 2, {1: lambda content: {"title": content["name"]}}) == {"title": "x"}
    assert content == {"format": 1, "name": "x"}


def test_a_file_of_json_that_holds_no_object_is_refused(tmp_path: Path) -> None:
    for text, sentence in (("[1]", "the JSON in it is not an object"), ("{", "is not JSON"), ("[" * 100_000, "is not JSON")):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(FileError, match=f"is not a trim: .*{sentence}"):
            trim.Trim.load(tmp_path / "x.json")


def test_noise_version_4_is_these_bits_and_these_chips() -> None:
    """Other bits are another version; draws of dies are those of version 1."""
    z = np.stack(
        [noise.normals(seed, 5, 3, stream, np.arange(64)) for seed in (0, 1 << 63) for stream in (noise.THERMAL, noise.DIE)]
    )
    assert hashlib.sha256(z.tobytes()).hexdigest() == "267a35d1ded2c4b83707b752cf943123e10868ab41efe9094e975df4421a502c"
    normals = thermal.normals(1 << 63, np.arange(9)[:, None], 3, np.arange(64)[None])
    assert (
        hashlib.sha256(normals.astype("<i2").tobytes()).hexdigest()
        == "42c385b0372d8ce55cdfa43362adb662f154b425b847d9a08990a1e7d563bc3f"
    )
    assert noise.NOISE_VERSION == 4
    assert (anna.Analog.typical(), anna.Analog.worst()) == tuple(map(anna.Analog.preset, ("typical-v2", "worst-v3")))


def test_versions_are_told_in_json() -> None:
    formats = {name: kind.module.FORMAT for name, kind in KINDS.items()}
    expected = {"anna": anna.__version__, "noise": noise.NOISE_VERSION, "formats": formats}
    assert json.loads(good("--version", "--json")) == versions() == expected
    assert good("--version") == f"anna {anna.__version__}\n"


def test_the_formats_in_the_docs_are_the_formats() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| `.*` \| `(.*)` \| (\d+) \|$", PAGE, re.M)
    assert {name: int(number) for name, _, number in rows} == versions()["formats"]
    for name, path, _ in rows:
        assert importlib.import_module(path.removesuffix(".py").replace("/", ".")) is KINDS[name].module
