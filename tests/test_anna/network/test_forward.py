"""The float forward against its definition in plain loops, the same bits in every batch, refusals in one sentence."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anna.base.errors import DataError
from anna.network.forward import forward, network_input, run_layer
from anna.network.graph import (
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
from anna.network.prepare import prepare, resize_weights

SQUASH = {
    "none": lambda a, act: a,
    "scaled_tanh": lambda a, act: 1.7159 * math.tanh(2 * a / 3),
    "tanh": lambda a, act: math.tanh(a),
    "sigmoid": lambda a, act: 1 / (1 + math.exp(-a)),
    "relu": lambda a, act: max(a, 0.0),
    "clip": lambda a, act: min(max(a, act.low), act.high),
}


def windows(x, layer, y, z, value):
    """What a window at output position (y, z) sees of one map, with the padding's value beyond the border."""
    rows, columns = x.shape
    top, _, left, _ = layer.padding
    height, width = layer.window if isinstance(layer, Pool) else layer.kernel
    for ky in range(height):
        for kx in range(width):
            r, c = y * layer.stride[0] + ky - top, z * layer.stride[1] + kx - left
            inside = 0 <= r < rows and 0 <= c < columns
            yield ky, kx, x[r, c] if inside else value


def by_definition(layer, x):
    """One image (maps, rows, columns) through one layer, in float64, one unit at a time."""
    out = np.zeros(layer.output_shape(x.shape))
    for o, y, z in np.ndindex(*out.shape):
        if isinstance(layer, Convolution):
            total = 0.0
            for i in np.flatnonzero(layer.table[o]):
                total += sum(
                    layer.weights_oiyx[o, i, ky, kx] * v for ky, kx, v in windows(x[i], layer, y, z, layer.padding_value)
                )
            bias = 0.0 if layer.bias is None else layer.bias[o] if layer.bias.ndim == 1 else layer.bias[o, y, z]
            out[o, y, z] = total + bias
        elif isinstance(layer, Subsample):
            h, w = layer.window
            total = x[layer.source[o], y * h : (y + 1) * h, z * w : (z + 1) * w].sum()
            out[o, y, z] = layer.coefficient_o[o] * total + layer.bias_o[o]
        elif isinstance(layer, Pool):
            seen = [v for _, _, v in windows(x[o], layer, y, z, None) if v is not None]
            out[o, y, z] = max(seen) if layer.mode == "max" else sum(seen) / len(seen)
        elif isinstance(layer, FullConnection):
            out[o] = sum(w * v for w, v in zip(layer.weights_oi[o], x.ravel(), strict=True))
            out[o] += 0.0 if layer.bias_o is None else layer.bias_o[o]
        elif isinstance(layer, Rbf):
            out[o, y, z] = -sum((v - c) ** 2 for v, c in zip(x[:, y, z], layer.centres_oi[o], strict=True))
        elif isinstance(layer, Affine):
            out[o, y, z] = layer.scale_m[o] * x[o, y, z] + layer.offset_m[o]
        elif isinstance(layer, Softmax):
            share = math.exp(x[o, y, z]) / sum(math.exp(v) for v in x[:, y, z])
            out[o, y, z] = math.log(share) if layer.log else share
    squash = SQUASH[layer.activation.kind]
    return out, np.vectorize(lambda a: squash(a, layer.activation))(out)


@st.composite
def layers(draw):
    rng = np.random.Generator(np.random.PCG64(draw(st.integers(0, 2**32 - 1))))
    maps = draw(st.integers(1, 3))
    shape = (maps, draw(st.integers(4, 7)), draw(st.integers(4, 7)))
    squash = Activation(draw(st.sampled_from(list(SQUASH))), -0.5, 0.75)
    padding = tuple(draw(st.integers(0, 1)) for _ in range(4))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))

    def make():
        match draw(st.sampled_from(["convolution", "subsample", "pool", "full", "rbf", "affine", "softmax"])):
            case "convolution":
                outs, kernel = draw(st.integers(1, 4)), (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
                table = rng.random((outs, maps)) < 0.6
                table[:, 0] |= ~table.any(axis=1)
                weights = rng.standard_normal((outs, maps, *kernel)) * table[:, :, None, None]
                plain = Convolution("l", weights, None, table, stride, padding, -1.0, squash)
                kind = draw(st.sampled_from(["none", "map", "unit"]))
                out = plain.output_shape(shape)
                bias = None if kind == "none" else rng.standard_normal(out if kind == "unit" else out[:1])
                return replace(plain, bias=bias), shape
            case "subsample":
                source = tuple(rng.integers(0, maps, 3).tolist())
                return Subsample("l", rng.standard_normal(3), rng.standard_normal(3), source, activation=squash), (
                    maps,
                    4,
                    6,
                )
            case "pool":
                return Pool("l", draw(st.sampled_from(["average", "max"])), (2, 3), stride, padding, squash), shape
            case "full":
                bias = draw(st.sampled_from([None, rng.standard_normal(4)]))
                return FullConnection("l", rng.standard_normal((4, maps * shape[1] * shape[2])), bias, squash), shape
            case "rbf":
                return Rbf("l", rng.standard_normal((4, maps))), shape
            case "affine":
                return Affine("l", rng.standard_normal(maps), rng.standard_normal(maps), squash), shape
            case _:
                return Softmax("l", log=draw(st.booleans())), shape

    layer, shape = make()
    return layer, rng.standard_normal((2, *shape))


@given(layers())
@settings(max_examples=150, deadline=None)
def test_every_layer_is_its_definition(case):
    layer, images = case
    x = np.ascontiguousarray(images.transpose(1, 2, 3, 0))
    sums, outputs = run_layer(layer, x)
    for n, image in enumerate(images):
        exact_sums, exact = by_definition(layer, image)
        assert sums[..., n] == pytest.approx(exact_sums, rel=1e-11, abs=1e-11)
        assert outputs[..., n] == pytest.approx(exact, rel=1e-11, abs=1e-11)
    single, _ = run_layer(layer, x.astype(np.float32))
    assert single.dtype == np.float32
    assert single == pytest.approx(sums, rel=1e-4, abs=1e-4)


def example(seed=3):
    rng = np.random.Generator(np.random.PCG64(seed))

    def draw(*shape):
        return (rng.standard_normal(shape) / 3).astype(np.float32)

    squash = Activation("scaled_tanh")
    return Graph(
        "example",
        (1, 10, 12),
        (
            Prepare((10, 12), field=(12, 12)),
            Convolution("c", draw(3, 1, 5, 5), draw(3), activation=squash),
            Subsample("s", draw(3), draw(3), activation=squash),
            Convolution("d", draw(6, 3, 4, 4), draw(6), activation=squash),
            FullConnection("f", draw(5, 6), draw(5)),
        ),
    )


def images(n, shape=(10, 12)):
    return np.random.Generator(np.random.PCG64(1)).integers(0, 256, (n, *shape)).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_image_has_the_same_bits_in_every_batch(dtype):
    graph, stack = example(), images(700)
    whole = forward(graph, stack, dtype=dtype).scores
    assert whole.dtype == dtype
    for step in (1, 3, 64, 333):
        parts = [forward(graph, stack[at : at + step], dtype=dtype).scores for at in range(0, 700 if step > 1 else 20, step)]
        assert np.array_equal(np.concatenate(parts), whole[: sum(map(len, parts))])
    assert np.array_equal(forward(graph, stack[::-1], dtype=dtype).scores[::-1], whole)
    assert np.array_equal(forward(graph, np.asfortranarray(stack), dtype=dtype).scores, whole)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
import test_forward as t
from anna.network.forward import forward
from numpy._core._multiarray_umath import __cpu_features__ as features
print(hashlib.sha256(forward(t.example(), t.images(200), keep="all").sums["d"].tobytes()).hexdigest())
print(*sorted(name for name, there in features.items() if there))
"""


def test_the_bits_do_not_depend_on_simd_or_threads():
    """As it is, without the widest instructions, and without all that NumPy chooses between at run time."""
    from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched

    outcomes, features = set(), set()
    for threads, disabled in enumerate(("", " ".join(dispatched[1:]), " ".join(dispatched)), start=1):
        environment = dict(os.environ, NPY_DISABLE_CPU_FEATURES=disabled, OMP_NUM_THREADS=str(threads))
        environment |= {"PYTHONWARNINGS": "ignore", "PYTHONPATH": os.pathsep.join(sys.path)}
        script = SCRIPT.format(tests=os.path.dirname(__file__))
        answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        digest, active = answer.stdout.splitlines()
        outcomes.add(digest)
        features.add(active)
    assert len(outcomes) == 1
    if len(features) == 1:
        pytest.skip("no SIMD level could be switched off here: bits at several levels are NOT compared")


def test_all_maps_on_request():
    graph, stack = example(), images(5)
    run = forward(graph, stack, keep="all")
    assert list(run.sums) == ["prepare", "c", "s", "d", "f"]
    assert run.outputs["prepare"].shape == (5, 1, 12, 12)
    x = network_input(graph, stack)
    for step in graph.steps[1:]:
        sums, x = run_layer(step.layer, x)
        assert np.array_equal(run.sums[step.layer.name], sums.transpose(3, 0, 1, 2))
        assert np.array_equal(run.outputs[step.layer.name], x.transpose(3, 0, 1, 2))
    assert np.array_equal(run.scores, run.outputs["f"][:, :, 0, 0])
    assert list(forward(graph, stack, keep=("c",)).sums) == ["c"]
    assert forward(graph, stack).sums == {}
    with pytest.raises(DataError, match=r"example: has no layer 'zz' to keep maps of"):
        forward(graph, stack, keep=("zz",))


def test_scores_of_an_ensemble_are_added():
    one, two = replace(example(1), name="one"), replace(example(2), name="two")
    both = Ensemble("both", (one, two))
    run = forward(both, images(4), keep=("two.c",))
    assert np.array_equal(run.scores, forward(one, images(4)).scores + forward(two, images(4)).scores)
    assert list(run.sums) == ["two.c"]


def test_a_widened_network_reads_each_position_as_the_narrow_one():
    graph = replace(example(), layers=(Prepare((12, 12)), *example().layers[1:]), input_shape=(1, 12, 12))
    wide = images(3, (12, 20))
    scores = forward(graph.widened(12, 20), wide).scores
    assert scores.shape == (3, 5, 1, 5)
    for position in range(5):
        window = wide[:, :, 2 * position : 2 * position + 12]
        assert scores[:, :, 0, position] == pytest.approx(forward(graph, window).scores, abs=1e-5)


def test_ties_go_to_the_lowest_label():
    graph = Graph("t", (1, 1, 1), (FullConnection("f", np.array([[0.0], [1.0], [1.0]], np.float32)),))
    assert forward(graph, np.ones((2, 1, 1), np.float32)).labels.tolist() == [1, 1]


def test_bad_images_get_one_sentence():
    graph = example()
    plain = Graph("plain", (2, 3, 3), (FullConnection("f", np.ones((2, 18), np.float32)),))
    nan = np.ones((3, 2, 3, 3))
    nan[1, 0, 2, 2] = np.nan
    cases = [
        (graph, np.zeros((2, 10, 12)), "images are float64; expected uint8, grey levels 0 to 255"),
        (graph, images(2, (9, 12)), "images have shape (2, 9, 12); expected (n, 10, 12), as prepare declares"),
        (
            plain,
            images(2, (3, 3)),
            "images are uint8; expected float32 or float64: this network does not prepare raw images, "
            "so give them in the range it was trained on",
        ),
        (plain, np.zeros((2, 1, 3, 3)), "images have shape (2, 1, 3, 3); expected (n, 2, 3, 3)"),
        (plain, nan, "image 1 holds NaN or infinite values; expected finite ones"),
    ]
    for network, stack, sentence in cases:
        with pytest.raises(DataError) as caught:
            forward(network, stack)
        assert str(caught.value) == sentence
    with pytest.raises(DataError, match=r"forward cannot run in float16; expected float32 or float64"):
        forward(graph, images(1), dtype=np.float16)


def test_no_images_make_no_scores():
    assert forward(example(), images(0)).scores.shape == (0, 5)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_a_resize_keeps_a_flat_image_flat_and_a_mean_where_it_shrinks(size, new):
    weights, total = resize_weights(size, new)
    assert weights.min() >= 0
    assert (weights.sum(axis=1) == total).all()
    if new <= size:  # every old pixel weighs the same in the mean
        assert len(set(weights.sum(axis=0).tolist())) == 1
    assert np.array_equal(weights, weights[::-1, ::-1])


def test_preparation_by_fractions():
    layer = Prepare((6, 6), crop=(4, 5), resize=(3, 8), field=(5, 9), low=-1.0, high=1.0)
    stack = images(3, (6, 6))
    got = prepare(layer, stack, np.float64)
    by_rows, row_sum = resize_weights(4, 3)
    by_columns, column_sum = resize_weights(5, 8)
    for n in range(3):
        cut = stack[n, 1:5, 0:5]
        for y in range(3):
            for x in range(8):
                level = sum(
                    Fraction(int(by_rows[y, r]) * int(by_columns[x, c]) * int(cut[r, c]), row_sum * column_sum)
                    for r in range(4)
                    for c in range(5)
                )
                assert got[n, 1 + y, x] == pytest.approx(float(level / 255 * 2 - 1), abs=1e-15)
    assert (got[:, 0] == -1).all()
    assert (got[:, 4] == -1).all()
    assert (got[:, :, 8] == -1).all()


def test_an_image_that_needs_nothing_is_only_ranged():
    got = prepare(Prepare((1, 3)), np.array([[[0, 51, 255]]], np.uint8))
    assert got.tolist() == [[[-1.0, pytest.approx(-0.6), 1.0]]]
