"""Small networks of any kind, and what the program of each must compute."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

import anna
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.machine.interpreter import interpret
from anna.network.graph import NONE, RELU, SCALED_TANH, TANH, Affine, Convolution, FullConnection, Graph, Layer, Pool, Subsample
from anna.network.parts import Shape


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A small chain of layers: tables, strides, borders, biases per unit, subsampling, factors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape: Shape = (draw(st.integers(1, 3)), draw(st.integers(6, 11)), draw(st.integers(6, 11)))
    first, layers = shape, list[Layer]()
    for depth in range(draw(st.integers(1, 2))):
        kernel = draw(st.integers(1, min(4, shape[1]))), draw(st.integers(1, min(4, shape[2])))
        maps, stride = draw(st.integers(1, 7)), draw(st.sampled_from([(1, 1), (2, 2), (1, 2)]))
        padding = draw(st.sampled_from([(0, 0, 0, 0), (1, 0, 1, 2)]))
        table = rng.random((maps, shape[0])) < 0.7
        table[np.arange(maps), rng.integers(0, shape[0], maps)] = True
        weights = (rng.normal(0, 0.6, (maps, shape[0], *kernel)) * table[:, :, None, None]).astype(np.float32)
        squash = draw(st.sampled_from([SCALED_TANH, RELU, NONE]))
        layer = Convolution(f"C{depth}", weights, None, table, stride, padding, -1.0, squash)
        out = layer.output_shape(shape)
        kind = draw(st.sampled_from(["none", "map", "unit"]))
        if kind != "none":
            size = (maps,) if kind == "map" else out
            layer = replace(layer, bias=rng.normal(0, 0.4, size).astype(np.float32))
        layers.append(layer)
        shape = out
        if shape[1] % 2 == 0 and shape[2] % 2 == 0 and draw(st.booleans()):
            ones = np.ones(maps, np.float32)
            layers.append(Subsample(f"S{depth}", ones * 0.4, ones * 0.1, activation=TANH) if draw(st.booleans())
                          else Pool(f"S{depth}", "average"))  # fmt: skip
            shape = layers[-1].output_shape(shape)
        if draw(st.booleans()):
            layers.append(
                Affine(f"A{depth}", rng.normal(1, 0.3, shape[0]).astype(np.float32), np.full(shape[0], 0.1, np.float32))
            )
    weights = rng.normal(0, 0.3, (5, shape[0] * shape[1] * shape[2])).astype(np.float32)
    return Graph("drawn", first, (*layers, FullConnection("out", weights)))


def some_images(graph: Graph, count: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (count, *graph.input_shape)).astype(np.float32)


def expect_integer_arithmetic(done: Compilation, seen: np.ndarray) -> None:
    program = done.program
    assert program.host is not None
    states = program.host.input_codes(program.spec, seen.shape[1:], seen[:2])
    expected = evaluate(done.quantised, states)
    maps = [region.name for region in program.regions if region.kind == "map"]
    result = anna.Chip().run(program, seen[:2], taps=maps)
    for name, part in interpret(program, states[1]).items():
        assert np.array_equal(part, expected[name][1])
    for name, part in {**result.codes, **result.maps}.items():
        assert np.array_equal(part, expected[name])
    assert result.scores.shape[0] == 2
