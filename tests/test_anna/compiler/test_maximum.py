"""A maximum on the chip: the greatest state of each window, to the code, made of sums and conversions alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import anna
from anna.base.errors import CompileError
from anna.compiler import compilation, maximum
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.network.activations import NONE, Activation
from anna.network.graph import RELU, SCALED_TANH, Affine, Convolution, FullConnection, Graph, Layer, Pool

SIDE, MAPS = 8, 3


def graph(pool: Pool, *before: Layer, seed: int = 0) -> Graph:
    """A convolution or what is given, the maximum, and a full layer for the host."""
    rng = np.random.default_rng(seed)
    layers = before or (convolution(rng, RELU),)
    return Graph("pooled", (1, SIDE, SIDE), (*layers, pool, FullConnection("last", full(rng, pool, layers))))


def full(rng: np.random.Generator, pool: Pool, layers: tuple[Layer, ...]) -> NDArray[np.float32]:
    shape = (1, SIDE, SIDE)
    for layer in (*layers, pool):
        shape = layer.output_shape(shape)
    return rng.normal(0, 0.3, (4, int(np.prod(shape)))).astype(np.float32)


def convolution(rng: np.random.Generator, activation: Activation) -> Convolution:
    return Convolution("C", rng.normal(0, 0.5, (MAPS, 1, 3, 3)).astype(np.float32), activation=activation, padding=(1, 1, 1, 1))


def images(seed: int, count: int = 40) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, (count, 1, SIDE, SIDE)).astype(np.float32)


def greatest(states: NDArray[np.uint16], pool: Pool, turned: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The state of the greatest value of each window; in turned maps that is the lowest code."""
    sign = np.where(turned, -1, 1)[:, None, None]
    top, bottom, left, right = pool.padding
    codes = np.pad(sign * states.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=-99)
    view = np.lib.stride_tricks.sliding_window_view(codes, pool.window, axis=(2, 3))
    return sign * view[:, :, :: pool.stride[0], :: pool.stride[1]].max(axis=(4, 5))


def states_of(done: Compilation, x: NDArray[np.float32]) -> dict[str, NDArray[np.uint16]]:
    assert done.program.host is not None
    shape = done.program.input.shape
    return evaluate(done.quantised, done.program.host.input_codes(done.program.spec, shape, x))  # type: ignore[arg-type]


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    window = draw(st.sampled_from([(2, 2), (3, 3), (2, 3), (1, 2), (4, 1), (3, 2)]))
    stride = tuple(draw(st.integers(1, 3)) if size > 1 else 1 for size in window)
    padding = tuple(draw(st.integers(0, window[n // 2] - 1)) for n in range(4))
    return Pool("P", "max", window, stride, padding)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(pools(), st.sampled_from([RELU, SCALED_TANH, NONE]), st.integers(0, 99))
def test_the_greatest_state_of_each_window_comes_out(pool: Pool, activation: Activation, seed: int) -> None:
    """On the interpreter too: the compiler checks its own work on every program that it makes."""
    x = images(seed)
    done = compilation(
        graph(pool, convolution(np.random.default_rng(seed), activation), seed=seed), x, machine=roomy(), maxima="chip"
    )
    states = states_of(done, x[:9])
    assert np.array_equal(states["P"], greatest(states["C"], pool, np.zeros(MAPS, bool)))
    tapped = anna.Chip().run(done.program, x[:9], taps=[])
    assert np.array_equal(tapped.codes["P"], states["P"])


def roomy() -> anna.Machine:
    """Memory for maps of a window that hardly moves."""
    return anna.MACHINES["wide"].with_chip(anna.ANNA_WIDE.changed(memory_states=None))


def test_a_map_that_falls_where_its_values_rise_is_turned_round() -> None:
    rng, pool = np.random.default_rng(5), Pool("P", "max")
    turned = np.array([True, False, True])
    scale = np.where(turned, -0.7, 1.3).astype(np.float32)
    net = graph(pool, convolution(rng, RELU), Affine("A", scale, np.array([0.1, 0.2, 0.3], np.float32)))
    x = images(1)
    done = compilation(net, x, maxima="chip")
    states = states_of(done, x[:9])
    assert np.array_equal(states["P"], greatest(states["C"], pool, turned))
    quant = {q.layer.name: q for q in done.quantised.layers}
    assert np.array_equal(quant["P"].meaning.gain_m, quant["C"].meaning.gain_m)
    assert (quant["P"].meaning.gain_m[turned] < 0).all()


def test_a_factor_behind_it_changes_what_its_states_stand_for() -> None:
    scale, offset = np.array([0.5, 2.0, -1.0], np.float32), np.array([0.0, 1.0, 2.0], np.float32)
    first, pool = convolution(np.random.default_rng(0), RELU), Pool("P", "max")
    last = FullConnection("last", full(np.random.default_rng(1), pool, (first,)))
    quants = []
    for between in ((), (Affine("A", scale, offset),)):
        done = compilation(Graph("pooled", (1, SIDE, SIDE), (first, pool, *between, last)), images(2), maxima="chip")
        quants.append(done.quantised.layers[-1])
    plain, scaled = quants
    assert plain.layer.name == scaled.layer.name == "P"
    assert np.array_equal(plain.weights_ot, scaled.weights_ot)
    assert np.allclose(scaled.meaning.gain_m, plain.meaning.gain_m * scale)
    assert np.allclose(scaled.meaning.offset_m, plain.meaning.offset_m * scale + offset)


def test_a_image_may_be_pooled_at_once() -> None:
    pool, x = Pool("P", "max", (2, 2), (2, 2)), images(3)
    net = Graph("first", (1, SIDE, SIDE), (pool, convolution(np.random.default_rng(1), RELU),
                                           FullConnection("last", np.ones((2, 48), np.float32))))  # fmt: skip
    done = compilation(net, x, maxima="chip")
    states = states_of(done, x[:5])
    assert np.array_equal(states["P"], greatest(states["input"], pool, np.zeros(1, bool)))


def test_the_activation_behind_it_goes_before_it() -> None:
    behind = graph(Pool("P", "max", activation=RELU), convolution(np.random.default_rng(0), NONE))
    before = graph(Pool("P", "max"), convolution(np.random.default_rng(0), RELU))
    one, other = (compilation(net, images(4), maxima="chip").program for net in (behind, before))
    assert np.array_equal(one.weight_codes, other.weight_codes)
    assert np.array_equal(one.words, other.words)


def test_typical_chips_are_seldom_two_states_off() -> None:
    """Every sum lies in the middle between two thresholds; four conversions one after the other are noisy all the same."""
    x, done = images(6, 200), compilation(graph(Pool("P", "max")), images(6, 200), maxima="chip")
    run = anna.Chip(seed=3, analog=anna.Analog.typical()).run(done.program, x, taps=["C"])
    away = run.codes["P"].astype(int) - greatest(run.maps["C"].astype(np.uint16), Pool("P", "max"), np.zeros(MAPS, bool))
    assert (np.abs(away) <= 1).mean() > 0.95
    assert (away == 0).mean() > 0.6


def test_one_state_lsb_comes_out_as_one() -> None:
    for spec in (anna.ANNA_WIDE, anna.ANNA_WIDE.changed(state_bits=2), anna.ANNA_WIDE.changed(weight_bits=8, state_bits=5)):
        found = maximum.unit(spec)
        assert found is not None
        lsb = maximum.lsb_of(spec)[found.scale_code]
        assert abs(found.weight / lsb - 1) * (1 << spec.state_bits) / 2 <= maximum.MARGIN
    assert maximum.unit(anna.ANNA_WIDE.changed(weight_bits=4)) is None  # 7 weight LSBs are too coarse a measure of its ADC's


def test_a_chip_that_cannot_says_so() -> None:
    squash = anna.ANNA_WIDE.changed(adc_curve="squash")
    assert maximum.unit(squash) is None
    with pytest.raises(CompileError, match=r"P: .* ADC cannot compute exactly \(curve squash"):
        compilation(graph(Pool("P", "max")), images(7), chip=squash, host="none")
    with pytest.raises(CompileError, match=r"P: takes a maximum over \(1, 2\) and skips states"):
        compilation(graph(Pool("P", "max", (1, 2), (2, 2))), images(7), host="none")
    hosted = compilation(graph(Pool("P", "max")), images(7), chip=squash)
    assert [layer.name for layer in hosted.checked.members[0].tail.layers] == ["P", "last"]
