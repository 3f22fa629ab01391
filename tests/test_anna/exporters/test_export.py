"""Exported networks: ONNX Runtime gives the ideal chip's states to the bit, and a check names the first that differs."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, reject, settings
from hypothesis import strategies as st
from random_graphs import graphs, some_images

import anna
import lenet
from anna.base.errors import AnnaError, CompileError, DataError, FileError, GraphError
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.exporters.answers import check_answers
from anna.exporters.bundle import export
from anna.exporters.integer_graph import given_stacks, integer_model, state_kind
from anna.importers.onnx_file import read_onnx
from anna.network.graph import (
    IMAGE,
    NONE,
    RELU,
    TANH,
    Activation,
    Affine,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Graph,
    Layer,
    Pool,
    Shape,
    Subsample,
)

QUICKLY = {"fit": False, "round": "nearest", "range_method": "max", "check_count": 0}
FINE = anna.ANNA_WIDE.changed(weight_bits=16, state_bits=16, adc_full_scale=0.02)


def run_onnx(model: bytes, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What ONNX Runtime makes of a model's inputs."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: exported models are NOT run")
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def expect_equal_bits(done: Compilation, images: np.ndarray) -> None:
    """ONNX Runtime and the plain integer arithmetic, which the self-check holds equal to the chip, give equal states."""
    spec, kind = done.program.spec, state_kind(done.program.spec)
    states = done.host.input_codes(spec, done.checked.network.input_shape, images)
    expected = evaluate(done.quantised, states)
    given = {name: {**expected, "input": states}[name].astype(kind) for name in given_stacks(done.quantised)}
    found = run_onnx(integer_model(done.quantised), given)
    assert set(found) == {layer.stack for layer in done.quantised.lowered.layers}
    for name, maps in found.items():
        assert maps.dtype == kind
        assert np.array_equal(maps, expected[name]), name


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(graph=graphs(), digits=st.integers(1, 2), wide=st.booleans())
def test_random_networks_export_to_the_bit(graph: Graph, digits: int, wide: bool) -> None:
    machine = "wide" if wide else "sequencer"
    try:
        done = anna.compilation(graph, some_images(graph, 20), machine=machine, digits=digits, **QUICKLY)
    except CompileError:  # windows in digits may not fit the latches
        reject()
    expect_equal_bits(done, some_images(graph, 4))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"digits": {"input": 2, "others": 2}},
        {"machine": "wide", "digits": 2, "copies": 2, "synapses": 2},
        {"machine": "board-1991", "host": "none"},
    ],
    ids=["default", "digits", "digits, copies and synapses", "nothing on the host"],
)
def test_a_shipped_network_exports_to_the_bit(options: dict[str, object]) -> None:
    done = anna.compilation(lenet.load("recognizer"), lenet.calibration()[0][:40], **QUICKLY, **options)
    expect_equal_bits(done, lenet.holdout()[0][::500])


def test_partial_sums_and_maxima_export_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    layers = (
        Convolution("C1", rng.normal(0, 0.4, (12, 2, 3, 3)).astype(np.float32), activation=RELU, padding=(1, 1, 1, 1)),
        Pool("M2", "max", (3, 3), (2, 2)),
        Convolution("C3", rng.normal(0, 0.2, (8, 12, 5, 5)).astype(np.float32), activation=TANH, padding=(2, 2, 2, 2)),
        Subsample("S4", np.full(8, 0.3, np.float32), np.zeros(8, np.float32), window=(5, 1)),
        FullConnection("F5", rng.normal(0, 0.2, (30, 40)).astype(np.float32), activation=TANH),
        FullConnection("F6", rng.normal(0, 0.2, (4, 30)).astype(np.float32), activation=NONE),
    )
    graph = Graph("several", (2, 12, 12), layers)
    done = anna.compilation(graph, some_images(graph, 30), host="none", **QUICKLY)
    stacks = {layer.stack for layer in done.quantised.lowered.layers}
    assert {"C3.1", "M2.x1.more", "M2"} <= stacks
    expect_equal_bits(done, some_images(graph, 5))


@pytest.mark.parametrize(
    "chip",
    [FINE, anna.ANNA_WIDE.changed(weight_bits=8, state_bits=8), anna.ANNA_WIDE.changed(weight_bits=10, state_bits=4),
     anna.ANNA_WIDE.changed(adc_curve="squash"), anna.ANNA_WIDE.changed(state_levels="mid-tread")],
    ids=["16 bits", "8 bits", "10 and 4 bits", "squash", "mid-tread"],
)  # fmt: skip
def test_other_chips_export_to_the_bit(chip: anna.ChipSpec) -> None:
    done = anna.compilation(
        lenet.load("recognizer"), lenet.calibration()[0][:40], machine=anna.MACHINES["wide"].with_chip(chip), **QUICKLY
    )
    expect_equal_bits(done, lenet.holdout()[0][::500])


def test_each_border_has_its_maps_code() -> None:
    """Maps whose ranges differ pad with codes that differ."""
    rng = np.random.default_rng(8)
    first = Convolution("C1", rng.normal(0, 0.5, (4, 1, 3, 3)).astype(np.float32),
                        bias=np.array([2, -2, 0.5, 0], np.float32))  # fmt: skip
    second = Convolution("C2", rng.normal(0, 0.5, (3, 4, 3, 3)).astype(np.float32), padding=(1, 0, 2, 1), activation=TANH)
    graph = Graph("bordered", (1, 10, 10), (first, second))
    done = anna.compilation(graph, some_images(graph, 30), host="none", **{**QUICKLY, "range_method": "least-squares"})
    assert len(set(done.quantised.layers[1].border_i.tolist())) > 1
    expect_equal_bits(done, some_images(graph, 5))


@st.composite
def branching(draw: st.DrawFn) -> Graph:
    """A small network with sums, joined maps and layers of the host in the middle."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first: Shape = (draw(st.integers(1, 2)), 8, 8)
    layers, links, maps = list[Layer](), dict[str, tuple[str, ...]](), {IMAGE: first[0]}
    for number in range(draw(st.integers(2, 4))):
        reads, name, out = draw(st.sampled_from(sorted(maps))), f"C{number}", draw(st.integers(1, 4))
        weights = rng.normal(0, 0.4, (out, maps[reads], 3, 3)).astype(np.float32)
        squash = draw(st.sampled_from([RELU, NONE, TANH]))
        layers.append(Convolution(name, weights, padding=(1, 1, 1, 1), activation=squash))
        links[name], maps[name] = (reads,), out
        kind, others = draw(st.sampled_from(["sum", "join", "host", "none"])), sorted(maps.keys() - {IMAGE, name})
        if kind == "sum" and (alike := [one for one in others if maps[one] == out]):
            layers.append(Combination(f"S{number}", "sum", activation=draw(st.sampled_from([RELU, NONE]))))
            links[f"S{number}"], maps[f"S{number}"] = (draw(st.sampled_from(alike)), name), out
        elif kind == "join" and others:
            other = draw(st.sampled_from(others))
            layers.append(Concatenation(f"J{number}"))
            links[f"J{number}"], maps[f"J{number}"] = (other, name), out + maps[other]
        elif kind == "host":
            one = np.ones(out, np.float32)
            layers.append(Affine(f"H{number}", one, 0 * one, Activation("leaky_relu", alpha=0.2)))
            links[f"H{number}"], maps[f"H{number}"] = (name,), out
    read = {one for names in links.values() for one in names}
    ends = tuple(name for name in maps if name not in read and name != IMAGE)
    if len(ends) > 1:
        layers.append(Concatenation("all"))
        links["all"], maps["all"] = ends, sum(maps[one] for one in ends)
    last = layers[-1].name
    layers.append(FullConnection("out", rng.normal(0, 0.2, (4, maps[last] * 64)).astype(np.float32)))
    return Graph("branching", first, tuple(layers), links={**links, "out": (last,)})


@pytest.mark.slow
@settings(max_examples=180, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(graph=branching(), digits=st.sampled_from([1, 1, 2]))
def test_random_branches_and_hosts_in_the_middle_export_to_the_bit(graph: Graph, digits: int) -> None:
    """What the host makes on the way is an input of the model."""
    try:
        done = anna.compilation(graph, some_images(graph, 10), machine="wide", digits=digits, **QUICKLY)
    except CompileError:
        reject()
    event("all on the chip" if given_stacks(done.quantised) == ("input",) else "with the host in the middle")
    expect_equal_bits(done, some_images(graph, 3))


def test_a_bundle_supplies_what_the_host_makes_on_the_way(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    first = Convolution("C1", rng.normal(0, 0.4, (4, 1, 3, 3)).astype(np.float32))
    leaky = Affine("leaky", np.ones(4, np.float32), np.zeros(4, np.float32), Activation("leaky_relu", alpha=0.1))
    second = Convolution("C2", rng.normal(0, 0.4, (3, 4, 3, 3)).astype(np.float32), activation=RELU)
    graph = Graph("leaky", (1, 8, 8), (first, leaky, second, FullConnection("F", rng.normal(0, 1, (3, 48)).astype(np.float32))))
    export(anna.compilation(graph, some_images(graph, 20), **QUICKLY), tmp_path, some_images(graph, 4))
    described, inputs = json.loads((tmp_path / "bundle.json").read_text()), arrays(tmp_path / "inputs.npz")
    (made,) = set(inputs) - {"input"}
    assert described["host"][0] == {"reads": ["C1"], "layers": ["leaky (affine)"], "writes": [made]}
    assert check_answers(tmp_path, run_onnx((tmp_path / "network.onnx").read_bytes(), inputs)).stacks == ("C1", "C2")


# --- the bundle ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def done() -> Compilation:
    options = {**QUICKLY, "digits": {"C3": 2}}
    return anna.compilation(lenet.load("recognizer"), lenet.calibration()[0][:40], machine="wide", **options)


@pytest.fixture(scope="module")
def folder(done: Compilation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(done, tmp_path_factory.mktemp("bundle") / "new" / "recognizer", lenet.holdout()[0][:6])


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)


def test_a_bundle_holds_all_that_is_needed(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"network.onnx", "inputs.npz", "answers.npz", "images.npy", "scores.npy", "program.anna", "bundle.json"}


def test_a_bundles_answers_are_the_ideal_chips(folder: Path, done: Compilation) -> None:
    images, answers = np.load(folder / "images.npy"), arrays(folder / "answers.npz")
    result = anna.Chip().run(anna.Program.load(folder / "program.anna"), images, taps=["C1", "S2", "C3"])
    for name, maps in {**result.maps, **result.codes}.items():
        assert np.array_equal(answers[name], maps)
    assert np.array_equal(np.load(folder / "scores.npy"), result.scores)
    assert json.loads((folder / "bundle.json").read_text())["cycles_per_image"] == result.cycles_per_image


def test_onnx_runtime_answers_a_bundle_as_the_chip_does(folder: Path) -> None:
    found = run_onnx((folder / "network.onnx").read_bytes(), arrays(folder / "inputs.npz"))
    agreed = check_answers(folder, found)
    assert agreed.stacks == ("C1", "S2", "C3", "S4") and agreed.not_given == ()
    assert agreed.states == sum(maps.size for maps in found.values())


def test_a_bundles_description_tells_what_codes_stand_for(folder: Path, done: Compilation) -> None:
    described = json.loads((folder / "bundle.json").read_text())
    assert [layer["name"] for layer in described["layers"]] == ["C1", "S2", "C3", "C3.d2", "S4"]
    finer = described["layers"][3]
    assert (finer["stack"], finer["first_map"], finer["of"]) == ("C3", finer["shape"][0], "C3")
    assert finer["gain"] == done.quantised.layers[3].meaning.gain_m.tolist()
    assert described["inputs"] == [{"name": "input", "shape": [1, 32, 32], "type": "uint8"}]


def test_equal_compilations_export_equal_bytes(folder: Path, done: Compilation, tmp_path: Path) -> None:
    again = export(done, tmp_path, lenet.holdout()[0][:6])
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_first_difference_is_named(folder: Path) -> None:
    found = arrays(folder / "answers.npz")
    maps = found["C3"].shape[1] // 2
    found["C3"][2, maps + 3, 4, 1] ^= 1
    found["S4"][0, 0, 0, 0] ^= 1
    was, got = arrays(folder / "answers.npz")["C3"][2, maps + 3, 4, 1], found["C3"][2, maps + 3, 4, 1]
    with pytest.raises(DataError) as caught:
        check_answers(folder, found)
    states = found["C3"][:, maps:].size
    assert str(caught.value) == (
        f"the answers: layer C3.d2, map 3 row 4 column 1 of image 2 is {got}; expected {was} "
        f"(1 of its {states:,} states differ; C1, S2, C3 before it agree)"
    )


def test_maps_that_are_not_given_are_not_compared(folder: Path) -> None:
    found = arrays(folder / "answers.npz")
    agreed = check_answers(folder, {"S2": found["S2"].astype(np.float32), "more": np.zeros(3)})
    assert (agreed.stacks, agreed.not_given, agreed.images) == (("S2",), ("C1", "C3", "S4"), 6)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"c1": np.zeros(3)}, "the answers: holds c1; expected maps by name: C1, S2, C3, S4"),
        ({}, "the answers: holds nothing; expected maps by name: C1, S2, C3, S4"),
        ({"C1": np.zeros((6, 2))}, "the answers: C1 is float64 of shape (6, 2); expected state codes of shape (6, 4, 28, 28)"),
        ({"C1": np.full((6, 4, 28, 28), "x")},
         "the answers: C1 is <U1 of shape (6, 4, 28, 28); expected state codes of shape (6, 4, 28, 28)"),
    ],
    ids=["another name", "nothing", "another shape", "text"],
)  # fmt: skip
def test_other_answers_are_refused(folder: Path, answers: dict[str, np.ndarray], why: str) -> None:
    with pytest.raises(DataError) as caught:
        check_answers(folder, answers)
    assert str(caught.value) == why


def test_answers_come_in_a_file(folder: Path, tmp_path: Path) -> None:
    assert check_answers(folder, folder / "answers.npz").images == 6
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("no numbers")
    for name in ("one.npy", "text.npz", "none.npz"):
        with pytest.raises(AnnaError, match=name):
            check_answers(folder, tmp_path / name)


def test_a_damaged_bundle_is_refused(folder: Path, tmp_path: Path, done: Compilation) -> None:
    home = export(done, tmp_path, lenet.holdout()[0][:2])
    described = json.loads((home / "bundle.json").read_text())
    described["layers"][0]["shape"] = [99, 28, 28]
    (home / "bundle.json").write_text(json.dumps(described))
    with pytest.raises(FileError, match=r"answers\.npz lacks the maps of C1"):
        check_answers(home, home / "answers.npz")
    del described["layers"][0]["shape"]
    (home / "bundle.json").write_text(json.dumps(described))
    with pytest.raises(FileError, match=r"bundle\.json: is not complete \(KeyError"):
        check_answers(home, home / "answers.npz")


def test_a_program_alone_cannot_be_exported(done: Compilation, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="got Program: a program has no layers"):
        export(done.program, tmp_path, lenet.holdout()[0][:2])  # type: ignore[arg-type]
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be made a folder"):
        export(done, tmp_path / "file", lenet.holdout()[0][:2])


def test_the_model_is_valid_onnx_of_integers(folder: Path) -> None:
    model = read_onnx(folder / "network.onnx")
    assert {node.op for node in model.nodes} <= {
        "Add", "Cast", "Concat", "ConvInteger", "Gather", "GreaterOrEqual", "Mul", "Pad", "ReduceSum", "Unsqueeze", "Where",
    }  # fmt: skip
    assert all(array.dtype.kind in "iub" for array in model.constants.values())
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: exported models are NOT checked by it")
    onnx.checker.check_model(onnx.load(folder / "network.onnx"), full_check=True)
