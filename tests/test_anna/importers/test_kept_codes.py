"""Quantised networks keep their codes on the chip: weights of up to six bits, activations of as many levels as a state; else
one sentence says what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import blob, constant, model, node, number

import anna
from anna.base.errors import GraphError
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.importers import load_network
from anna.importers.steps import steps_of
from anna.network.file import load_graph, save_network
from anna.network.forward import forward
from anna.network.graph import Convolution, Graph

RNG = np.random.default_rng(4)
FIRST = RNG.integers(-7, 8, (4, 1, 3, 3))
SECOND = RNG.integers(-31, 32, (3, 2, 3, 3))
SECOND = np.concatenate([SECOND, -SECOND], axis=1)  # a sum near zero, so that the offset of what it reads fits the constants
LAST = RNG.integers(-7, 8, (5, 3 * 4 * 4))
BIASES = RNG.normal(0, 1, 7)  # no sum of codes lies on a threshold
IMAGES = RNG.uniform(-1, 1, (40, 1, 8, 8)).astype(np.float32)


def quant(inputs: list[str], output: str, **attributes: int) -> bytes:
    """QONNX's Quant, as Brevitas writes it."""
    ends = b"".join(blob(1, one) for one in inputs) + blob(2, output)
    more = b"".join(blob(5, blob(1, name) + number(3, value) + number(20, 2)) for name, value in attributes.items())
    return blob(1, ends + blob(3, f"quant_{output}") + blob(4, "Quant") + blob(7, "qonnx.custom_op.general") + more)


def quantised(path: Path, *, activation: float = 2.0, steps: tuple[float, ...] = (0.125,), bits: float = 3.0,
              weight_bits: float = 6.0) -> Graph:  # fmt: skip
    """Two convolutions and a full connection: image, weights and activations are quantised; the first step is 1/8 x 1/4."""
    weights = {"first": FIRST * np.reshape(steps, (-1, 1, 1, 1)), "second": SECOND * 0.25, "last": LAST * 0.5}
    numbers = {"zero": 0.0, "a": 0.25, "b": activation, "c": activation * 16, "bits": bits, "three": 3.0, "wide": weight_bits}
    parts = [constant(name, np.array(value)) for name, value in numbers.items()]
    parts += [constant(name, value) for name, value in weights.items()]
    parts += [constant("b1", BIASES[:4] / 32), constant("b2", BIASES[4:])]
    parts += [constant("s1", np.reshape(steps, (-1, 1, 1, 1))), constant("s2", np.array(0.25)), constant("s3", np.array(0.5))]
    signed, unsigned = {"signed": 1, "narrow": 0}, {"signed": 0, "narrow": 0}
    parts += [quant([name, step, "zero", "wide"], f"{name}_q", **signed) for name, step in
              (("first", "s1"), ("second", "s2"), ("last", "s3"))]  # fmt: skip
    parts += [
        quant(["x", "a", "zero", "three"], "x_q", **signed),
        node("Conv", ["x_q", "first_q", "b1"], ["p"]), node("Relu", ["p"], ["q"]),
        quant(["q", "b", "zero", "bits"], "r", **unsigned),
        node("Conv", ["r", "second_q", "b2"], ["s"]), node("Relu", ["s"], ["t"]),
        quant(["t", "c", "zero", "bits"], "u", **unsigned),
        node("Flatten", ["u"], ["v"]), node("Gemm", ["v", "last_q"], ["y"], transB=1),
    ]  # fmt: skip
    path.write_bytes(model(*parts, dims=["n", 1, 8, 8]))
    found = load_network(path)
    assert isinstance(found, Graph)
    return found


def compiled(graph: Graph, **options: object) -> Compilation:
    return anna.compilation(graph, IMAGES, host="last", **options)


def test_weights_arrive_as_the_codes_they_were_trained_to(tmp_path: Path) -> None:
    done = compiled(quantised(tmp_path / "net.onnx"))
    first, second = done.quantised.layers
    assert np.array_equal(first.weights_ot, FIRST.reshape(4, -1))
    assert np.array_equal(second.weights_ot, SECOND.reshape(3, -1))
    assert done.quantised.kept == (first.layer.name, second.layer.name)
    assert done.quantised.notes == ()
    assert done.program.report["codes_kept"] == list(done.quantised.kept)


def test_activations_of_three_bits_are_the_states(tmp_path: Path) -> None:
    """The image, both maps and the scores, where steps are powers of two."""
    graph = quantised(tmp_path / "net.onnx", activation=0.5)
    done = compiled(graph)
    states = done.host.input_codes(done.program.spec, (1, 8, 8), IMAGES)
    assert np.array_equal(states, np.clip(np.rint(IMAGES / np.float32(0.25)), -4, 3) + 4)
    maps, found = evaluate(done.quantised, states), forward(graph, IMAGES, keep="all").outputs
    for quant_layer in done.quantised.layers:
        assert np.array_equal(maps[quant_layer.layer.name], found[quant_layer.layer.name])
    assert np.array_equal(anna.Chip().run(done.program, IMAGES).scores, forward(graph, IMAGES).scores)


def test_maps_get_one_lsb_where_the_weights_that_read_them_have_codes(tmp_path: Path) -> None:
    """Activations of eight bits: states are fitted, weights keep their codes."""
    done = compiled(quantised(tmp_path / "net.onnx", bits=8.0))
    first, second = done.quantised.layers
    assert len(set(first.meaning.gain_m.tolist())) == 1
    assert np.array_equal(second.weights_ot, SECOND.reshape(3, -1))
    assert done.quantised.notes == ()


def test_a_scale_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """0.6 / (1/8 x 1/4) is between two ranges of the ADC."""
    done = compiled(quantised(tmp_path / "net.onnx", activation=0.6))
    first = done.quantised.layers[0]
    assert np.array_equal(first.weights_ot, FIRST.reshape(4, -1))
    assert (
        f"{first.layer.name}: the step of its activations is 19.2 times that of its sums, and the nearest ranges of the ADC "
        "are 16 and 22.63: its states are fitted"
    ) in done.quantised.notes
    assert done.warning is not None and done.quantised.notes[0] in done.warning


def test_steps_that_differ_from_map_to_map_are_named(tmp_path: Path) -> None:
    done = compiled(quantised(tmp_path / "net.onnx", steps=(0.125, 0.1, 0.08, 0.12), bits=8.0))
    first, second = done.quantised.layers
    assert np.array_equal(first.weights_ot, FIRST.reshape(4, -1))
    assert done.quantised.kept == (first.layer.name,)
    steps, lsbs = done.quantised.notes
    assert steps.startswith(f"{first.layer.name}: its weights have steps from ")
    assert lsbs.startswith(
        f"{second.layer.name}: its weights lose their codes, since it reads maps whose states have LSBs from "
    )


def test_weights_of_more_bits_than_the_chip_has_are_said_once(tmp_path: Path) -> None:
    fewer = anna.ANNA_WIDE.changed(weight_bits=3)
    done = compiled(quantised(tmp_path / "net.onnx", bits=8.0), machine=anna.MACHINES["wide"].with_chip(fewer))
    names = ", ".join(quant_layer.layer.name for quant_layer in done.quantised.layers)
    assert [note for note in done.quantised.notes if "bits" in note] == [
        f"{names.split(', ')[0]}: its weights have 4 bits, those of the chip 3: they are rounded again",
        f"{names.split(', ')[1]}: its weights have 6 bits, those of the chip 3: they are rounded again",
    ]


def test_fewer_levels_than_a_state_has_are_fitted(tmp_path: Path) -> None:
    done = compiled(quantised(tmp_path / "net.onnx", bits=2.0))
    names = ", ".join(quant_layer.layer.name for quant_layer in done.quantised.layers)
    assert done.quantised.notes == (f"{names}: its activations have 4 levels, a state has 8: its states are fitted",)


def test_codes_in_digits_and_synapses_are_not_kept(tmp_path: Path) -> None:
    done = compiled(quantised(tmp_path / "net.onnx", bits=8.0), machine="wide", synapses={"others": 2})
    assert done.quantised.kept == ()


# --- steps -----------------------------------------------------------------------------------------------------------
def test_a_float_network_has_no_steps() -> None:
    graph = load_network(Path(__file__).parents[2] / "data" / "onnx" / "net00.onnx")
    assert all(getattr(layer, "steps_o", None) is None for layer in graph.members[0].layers)
    assert steps_of(RNG.normal(0, 1, (3, 20))) is None


def test_steps_are_found_in_folded_weights() -> None:
    codes, factors = RNG.integers(-31, 32, (5, 30)).astype(float), np.array([0.3, 1.7, 0.01, 5.0, 0.77])
    weights = (codes * factors[:, None]).astype(np.float32).astype(np.float64)
    found = steps_of(weights)
    assert found is not None
    assert np.abs(weights / found[:, None] - np.rint(weights / found[:, None])).max() < 1e-4
    assert found == pytest.approx(factors, rel=1e-5)
    alike = steps_of(codes * 0.3)
    assert alike is not None and len(set(alike)) == 1 and alike[0] == pytest.approx(0.3)


def test_a_step_for_all_maps_is_preferred_to_one_each() -> None:
    """A map whose codes are even keeps them; where codes would grow, each map has its own."""
    codes = np.array([[2.0, -4, 6, 4], [1, 3, -5, 7]])
    assert steps_of(codes * 0.5) == pytest.approx([0.5, 0.5])
    assert steps_of(np.array([[4.0, -7, 6, 1], [1, 3, -5, 7]]) * [[2], [1]]) == pytest.approx([2, 1])
    assert steps_of(np.zeros((2, 4))) == pytest.approx([1.0, 1.0])


def test_steps_are_kept_in_a_file(tmp_path: Path) -> None:
    graph = quantised(tmp_path / "net.onnx")
    save_network(graph, tmp_path / "net.safetensors")
    again = load_graph(tmp_path / "net.safetensors")
    assert again.digest == graph.digest
    first = next(layer for layer in again.members[0].layers if isinstance(layer, Convolution))
    assert first.steps_o is not None and first.steps_o.shape == (4,)


def test_steps_that_weights_do_not_have_are_refused(tmp_path: Path) -> None:
    first = next(layer for layer in quantised(tmp_path / "net.onnx").layers if isinstance(layer, Convolution))
    assert first.steps_o is not None
    for steps in (first.steps_o * np.float32(0.7), -first.steps_o):
        with pytest.raises(GraphError, match="weights are no whole multiples of the weight steps"):
            replace(first, steps_o=steps)
    with pytest.raises(GraphError, match="number of weight steps is 3; expected 4"):
        replace(first, steps_o=first.steps_o[:3])
