"""What every activation promises, a new one as well: each test runs through all of `CURVES`."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import model, node

import anna
from anna.base.errors import CompileError, GraphError
from anna.compiler import compilation
from anna.compiler.calibrate import CARE, care_of
from anna.importers import load_network
from anna.network.activations import CURVES, NONE, SCALED_TANH, Activation, Curve, Maths, Squash, Straight, by_onnx_operator
from anna.network.file import graph_bytes, load_graph, save_network
from anna.network.forward import forward
from anna.network.graph import Affine, Convolution, FullConnection, Graph

KINDS = pytest.mark.parametrize("kind", list(CURVES))
ON_CHIP = [kind for kind in CURVES if Activation(kind).curve.adc is not None]
CHIP_KINDS = pytest.mark.parametrize("kind", ON_CHIP)
SMOOTH_KINDS = pytest.mark.parametrize("kind", [kind for kind in ON_CHIP if kind != "rounded"])  # that is a staircase
SUMS = np.linspace(-6.0, 6.0, 1201)  # the corners of a clip at -0.5 and 0.75 lie on the grid, at places of their own
FINE = anna.ANNA_WIDE.changed(weight_bits=16, state_bits=16, adc_full_scale=0.02)


def some(kind: str) -> Activation:
    return Activation(kind, -0.5, 0.75)


def test_the_scaled_tanh_meets_one_at_one() -> None:
    assert SCALED_TANH.value(np.array([1.0, -1.0, 0.0])) == pytest.approx([1.0, -1.0, 0.0], abs=2e-5)


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_value_keeps_its_type_and_stays_in_its_range(kind: str, dtype: type) -> None:
    with np.errstate(divide="ignore"):
        value = some(kind).value(SUMS.astype(dtype))
    low, high = some(kind).curve.range
    assert value.dtype == dtype
    value = value[~np.isnan(value)]  # of a root or a logarithm below zero
    assert dtype(low) <= value.min()
    assert value.max() <= dtype(high)


@CHIP_KINDS
def test_no_activation_of_the_chip_falls(kind: str) -> None:
    """The compiler moves a maximum to the other side of an activation."""
    assert (np.diff(some(kind).value(SUMS)) >= -1e-15).all()


@SMOOTH_KINDS
def test_the_slope_is_that_of_the_value(kind: str) -> None:
    activation, step = some(kind), 1e-6
    curve = activation.curve
    seen = SUMS + 0.003  # beside the corners
    differences = (activation.value(seen + step) - activation.value(seen - step)) / (2 * step)
    slope = curve.slope(seen, activation.value(seen))
    assert differences == pytest.approx(curve.steepest * slope, abs=1e-8)
    assert slope.max() == pytest.approx(1.0, abs=1e-4)


def test_codes_of_a_quantised_network_lie_within_half_a_step_of_a_straight_curve() -> None:
    """The converter makes the steps."""
    activation = Activation("rounded", -2.0, 3.0)
    adc = activation.curve.adc
    assert adc == Straight(-2.5, 3.5)
    assert np.abs(activation.value(SUMS) - np.clip(SUMS, -2.5, 3.5)).max() <= 0.5
    assert set(activation.value(SUMS)) == set(range(-2, 4))
    assert np.array_equal(activation.curve.slope(SUMS, activation.value(SUMS)) > 0, (SUMS > -2.5) & (SUMS < 3.5))


@SMOOTH_KINDS
def test_the_adc_curve_matches_the_value(kind: str) -> None:
    """A straight curve is a line between two sums and flat beyond; the line of a squash ends at half its range."""
    activation = some(kind)
    curve, value = activation.curve, activation.value(SUMS)
    match curve.adc:
        case Straight(low, high):
            assert value == pytest.approx(curve.steepest * np.clip(SUMS, low, high) + curve.offset, abs=1e-12)
        case Squash(half_range):
            assert curve.steepest * half_range + curve.offset == pytest.approx(curve.range[1])
            assert activation.value(np.zeros(1)) == pytest.approx(curve.offset)


@CHIP_KINDS
def test_an_error_matters_most_where_the_slope_is_steepest(kind: str) -> None:
    care = care_of(some(kind), SUMS)
    assert care.max() == CARE
    assert care.min() >= 1


@KINDS
def test_its_text_names_the_numbers_that_its_kind_has(kind: str) -> None:
    ends = dict.fromkeys(("clip", "rounded"), "(-0.5, 0.75)")
    alpha = dict.fromkeys(("elu", "celu", "thresholded_relu", "silu"), "(1.0)")
    others = {"leaky_relu": "(0.01)", "selu": "(1.6732632423543772, 1.0507009873554805)"}
    assert str(some(kind)) == kind + (ends | alpha | others).get(kind, "")


def test_a_number_that_a_kind_does_not_have_is_refused() -> None:
    with pytest.raises(GraphError, match=r"activation relu has alpha 0\.1; expected no alpha for this kind"):
        Activation("relu", alpha=0.1)
    with pytest.raises(GraphError, match="activation elu has alpha nan; expected a finite number"):
        Activation("elu", alpha=math.nan)
    assert Activation("elu") == Activation("elu", alpha=1.0) != Activation("elu", alpha=2.0)


@KINDS
def test_a_file_keeps_it(kind: str, tmp_path: Path) -> None:
    graph = graph_of(some(kind))
    save_network(graph, tmp_path / "a.safetensors")
    assert graph_bytes(load_graph(tmp_path / "a.safetensors")) == graph_bytes(graph)


@pytest.mark.parametrize("operator", list(by_onnx_operator()))
def test_onnx_operators_become_activations(operator: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(node("Neg", ["x"], ["a"]), node(operator, ["a"], ["y"])))
    assert load_network(path).steps[-1].layer.activation == by_onnx_operator()[operator]


# --- a new one, planted ----------------------------------------------------------------------------------------------
def bent(x: object, maths: Maths) -> object:
    return maths.relu(x) + maths.relu(x * -1.0) * -0.125


PLANTED = Curve(bent, lambda x, y: np.where(x > 0, 1.0, 0.125), (-math.inf, math.inf), adc=None)
HARD_SIGMOID = Curve(
    lambda x, maths: maths.clip(x * 0.2 + 0.5, 0.0, 1.0),
    lambda x, y: np.where(abs(x) < 2.5, 1.0, 0.0),
    (0.0, 1.0),
    Straight(-2.5, 2.5),
    steepest=0.2,
    offset=0.5,
)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Curve], Activation]:
    def planted(name: str, curve: Curve) -> Activation:
        monkeypatch.setitem(CURVES, name, curve)
        return Activation(name)

    return planted


def graph_of(activation: Activation) -> Graph:
    rng = np.random.default_rng(3)
    first = Convolution("c", rng.normal(0, 0.4, (4, 1, 3, 3)).astype(np.float32), activation=activation)
    return Graph("small", (1, 8, 8), (first, FullConnection("out", rng.normal(0, 0.2, (5, 144)).astype(np.float32))))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(4).uniform(-1, 1, (count, 1, 8, 8)).astype(np.float32)


def test_a_new_activation_that_the_adc_can_compute_runs_on_the_chip(plant: Callable[[str, Curve], Activation]) -> None:
    graph, seen = graph_of(plant("hard_sigmoid", HARD_SIGMOID)), images(60)
    program = compilation(graph, seen, chip=FINE, range_method="max").program
    scores, wanted = anna.Chip().run(program, seen[:12]).scores, forward(graph, seen[:12]).scores
    assert np.abs(scores - wanted).max() < 0.005 * float(wanted.max() - wanted.min())


def test_a_new_activation_that_it_cannot_compute_runs_on_the_host(plant: Callable[[str, Curve], Activation]) -> None:
    graph, seen = graph_of(plant("bent", PLANTED)), images(60)
    straight = replace(graph, layers=(replace(graph.layers[0], name="b", activation=NONE), *graph.layers[1:]))
    factor = Affine("a", np.ones(4, np.float32), np.zeros(4, np.float32), Activation("bent"))
    graph = replace(graph, layers=(straight.layers[0], factor, *straight.layers[1:]))
    with pytest.raises(CompileError, match=r"a: ends in bent, which no range of the ADC computes; run it and all after"):
        compilation(graph, seen, host="none")
    program = compilation(graph, seen, chip=FINE, range_method="max").program
    assert program.report is not None
    assert [region.name for region in program.outputs] == ["b"]
    scores, wanted = anna.Chip().run(program, seen[:12]).scores, forward(graph, seen[:12]).scores
    assert np.abs(scores - wanted).max() < 0.005 * float(wanted.max() - wanted.min())
