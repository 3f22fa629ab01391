"""The host's fast paths give the bits of the plain ones: tables of state codes, and float sums by the engine."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.board import host, host_part
from anna.board.host import HostWork
from anna.board.host_part import HostPart
from anna.chip.codes import state_converter
from anna.chip.spec import ANNA_WIDE, ChipSpec
from anna.engine import simd_levels
from anna.native.float_sums import window_sums, window_sums_by_numpy
from anna.native.loader import native
from anna.network.activations import RELU, SCALED_TANH, Activation
from anna.network.forward import run_layer
from anna.network.graph import Layer, Prepare
from anna.network.layers import Convolution, FullConnection, Rbf

SIXTEEN = ANNA_WIDE.model_copy(update={"state_bits": 16})
sizes = st.one_of(st.integers(1, 12), st.integers(15, 40))


def only_prepare(layer: Prepare, gain: float = 0.5, offset: float = 0.0) -> HostWork:
    return HostWork(layer, np.array([gain]), np.array([offset]), ())


@st.composite
def preparations(draw: st.DrawFn, resizing: bool) -> Prepare:
    source = draw(sizes), draw(sizes)
    crop = draw(st.integers(1, source[0])), draw(st.integers(1, source[1]))
    resized = (draw(sizes), draw(sizes)) if resizing else crop
    field = resized[0] + draw(st.integers(0, 5)), resized[1] + draw(st.integers(0, 5))
    low, high = draw(st.sampled_from([(-1.0, 1.0), (-0.1, 1.175), (1.0, -1.0), (0.0, 1.0)]))
    return Prepare(source, crop, resized if resizing else None, field, low, high)


@pytest.mark.parametrize("resizing", [False, True])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_codes_from_a_table_are_those_of_arithmetic(resizing: bool, data: st.DataObject) -> None:
    layer = data.draw(preparations(resizing))
    host = only_prepare(layer, data.draw(st.floats(0.05, 3)), data.draw(st.floats(-2, 2)))
    spec = data.draw(st.sampled_from([ANNA_WIDE, SIXTEEN]))
    seed, count = data.draw(st.integers(0, 99)), data.draw(st.integers(0, 4))
    images = np.random.default_rng(seed).integers(0, 256, (count, *layer.source)).astype(np.uint8)
    expected = host.input_codes_by_values(spec, images)
    found = host.input_codes(spec, (1, *layer.fielded), images)
    assert (found.dtype, found.shape, found.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


@pytest.mark.parametrize("simd", simd_levels())
@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(0, 2**32 - 1), st.sampled_from(["rising", "falling", "any", "flat"]), st.integers(1, 99))
def test_any_table_is_looked_up_and_black_lies_around(simd: str, data: st.DataObject, seed: int, kind: str, most: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, most + 1, 256).astype(np.uint8)
    table = {"rising": np.sort(table), "falling": np.sort(table)[::-1], "any": table, "flat": table * 0 + 5}[kind]
    n, rows, columns = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 99))
    top, left, below, right = (data.draw(st.sampled_from([0, 0, 1, 3])) for _ in range(4))
    up, aside = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))
    images = rng.integers(0, 256, (n, rows + up, columns + aside)).astype(np.uint8)
    found = np.full((n, top + rows + below, left + columns + right), 77, np.uint8)
    where = (up, aside), (rows, columns), (top, left)
    native().pictures_to_codes(simd, images, *where, np.ascontiguousarray(table), found)
    expected = np.full_like(found, table[0])
    expected[:, top : top + rows, left : left + columns] = table[images[:, up:, aside:]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("simd", simd_levels())
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.integers(1, 40), st.integers(1, 5), st.integers(1, 23))
def test_codes_become_the_values_of_their_maps(simd: str, seed: int, bits: int, n: int, maps: int, positions: int) -> None:
    rng, levels = np.random.default_rng(seed), 1 << bits
    table = rng.normal(size=(maps, levels)).astype(np.float32)
    codes = rng.integers(0, 256, (n, maps, positions)).astype(np.uint8)
    found = np.full((maps, positions, n), np.nan, np.float32)
    native().codes_to_values(simd, codes, table, found)
    expected = table[np.arange(maps)[:, None], codes & (levels - 1)].transpose(1, 2, 0)
    np.testing.assert_array_equal(found, expected)


def test_all_grey_levels_and_a_view_of_images() -> None:
    layer = Prepare((16, 16), None, None, (20, 18))
    host = only_prepare(layer, 0.31, 0.07)
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for images in (grey, grey.transpose(0, 2, 1), grey[:, ::-1]):
        found = host.input_codes(ANNA_WIDE, (1, 20, 18), images)
        np.testing.assert_array_equal(found, host.input_codes_by_values(ANNA_WIDE, images))


def test_without_the_engine_the_codes_and_scores_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Prepare((6, 5), (5, 5), None, (7, 8))
    work, images = only_prepare(layer), np.random.default_rng(0).integers(0, 256, (9, 6, 5)).astype(np.uint8)
    tail, states = tail_of(RELU), np.random.default_rng(1).integers(0, 8, (300, 3, 2, 2)).astype(np.uint8)
    with_it = work.input_codes(ANNA_WIDE, (1, 7, 8), images), scores(tail, ANNA_WIDE, states)
    monkeypatch.setattr(host, "engine", lambda: None)
    monkeypatch.setattr(host_part, "engine", lambda: None)
    without = work.input_codes(ANNA_WIDE, (1, 7, 8), images), scores(tail, ANNA_WIDE, states)
    for a, b in zip(with_it, without, strict=True):
        assert a.tobytes() == b.tobytes()


def test_a_gain_of_zero_is_refused() -> None:
    images = np.full((1, 2, 2), 9, np.uint8)
    with pytest.raises(DataError, match="NaN or infinite"), np.errstate(all="ignore"):
        only_prepare(Prepare((2, 2)), gain=0.0).input_codes(ANNA_WIDE, (1, 2, 2), images)


def tail_of(activation: Activation, kind: type = np.float32) -> HostPart:
    rng = np.random.default_rng(3)
    layers: tuple[Layer, ...] = (
        Convolution("mix", rng.normal(size=(5, 3, 2, 1)).astype(kind), rng.normal(size=5).astype(kind), activation=activation),
        FullConnection("full", rng.normal(size=(6, 10)).astype(kind), rng.normal(size=6).astype(kind), activation),
        Rbf("far", rng.normal(size=(4, 6)).astype(kind)),
    )
    return HostPart.chain("out", (3, 2, 2), rng.normal(size=3), rng.normal(size=3), layers)


def scores(tail: HostPart, spec: ChipSpec, states: NDArray[np.integer[Any]], threads: int = 1) -> NDArray[np.float32]:
    return tail.run(spec, {"out": states}, threads)["far"]


def plain_scores(spec: ChipSpec, tail: HostPart, states: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """The tail image by image, from values in float64 rounded once."""
    read = tail.readings[0]
    values = state_converter(spec).values(states) * read.gain_m[:, None, None] + read.offset_m[:, None, None]
    rows = []
    for image in values.astype(np.float32):
        x: NDArray[Any] = image[..., None]
        for layer in tail.layers:
            _, x = run_layer(layer, x)
        rows.append(x[..., 0])
    return np.array(rows)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("activation", [SCALED_TANH, RELU, Activation("clip"), Activation()])
@pytest.mark.parametrize("spec", [ANNA_WIDE, SIXTEEN], ids=["3 bits", "16 bits"])
def test_the_tail_is_the_same_for_one_image_and_for_many(spec: ChipSpec, activation: Activation, kind: type) -> None:
    dtype = np.uint8 if spec.state_bits <= 8 else np.uint16
    states = np.random.default_rng(4).integers(0, 1 << spec.state_bits, (601, 3, 2, 2)).astype(dtype)
    tail = tail_of(activation, kind)
    found = scores(tail, spec, states)
    assert found[:40].tobytes() == plain_scores(spec, tail, states[:40]).tobytes()
    assert found.tobytes() == scores(tail, spec, np.asfortranarray(states)).tobytes()
    assert found[-1:].tobytes() == scores(tail, spec, states[-1:]).tobytes()


def test_the_tail_is_the_same_for_every_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_part, "PIECES_A_TURN", 1)
    states = np.random.default_rng(5).integers(0, 8, (1500, 3, 2, 2)).astype(np.uint8)
    tail = tail_of(SCALED_TANH)
    alone = scores(tail, ANNA_WIDE, states)
    for threads in (2, 3, 9):
        assert scores(tail, ANNA_WIDE, states, threads).tobytes() == alone.tobytes()


@pytest.mark.parametrize("simd", simd_levels())
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_window_sums_are_numpys_to_the_bit(simd: str, kind: type, data: st.DataObject) -> None:
    kernel = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    stride = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    maps, outputs, images = (data.draw(st.integers(0, top)) for top in (4, 11, 150))
    rows, columns = (k + data.draw(st.integers(0, 4)) for k in kernel)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = (rng.normal(size=(maps, rows, columns, images)) * 10.0 ** rng.integers(-30, 30, (maps, 1, 1, 1))).astype(kind)
    x[rng.random(x.shape) < 0.1] = -0.0
    weights = rng.normal(size=(outputs, maps, *kernel)).astype(kind)
    table, squared = rng.random((outputs, maps)) < data.draw(st.sampled_from([0.7, 1.0])), data.draw(st.booleans())
    with np.errstate(all="ignore"):
        expected = window_sums_by_numpy(x, weights, table, stride, squared=squared)
    found = window_sums(x, weights, table, stride, squared=squared, simd=simd)
    assert (found.shape, found.dtype, found.tobytes()) == (expected.shape, expected.dtype, expected.tobytes())


def test_the_border_refuses_shapes_that_do_not_fit() -> None:
    ones = np.ones((1, 2, 2, 3), np.float32)
    with pytest.raises(ValueError, match="shapes do not fit"):
        native().window_sums("plain", ones, np.ones((1, 1, 3, 1), np.float32), np.ones((1, 1), np.uint8), 1, 1, False,
                             np.ones((1, 1, 2, 3), np.float32))  # fmt: skip
    images, field = np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="shapes do not fit"):
        native().pictures_to_codes("plain", images, (1, 0), (4, 4), (0, 0), np.zeros(256, np.uint8), field)
    with pytest.raises(ValueError, match="shapes do not fit"):
        native().codes_to_values("plain", images, np.zeros((3, 8), np.float32), np.zeros((4, 4, 1), np.float32))
    with pytest.raises(ValueError, match="shapes do not fit"):  # a code's low bits are its place: a power of two
        native().codes_to_values("plain", images, np.zeros((4, 7), np.float32), np.zeros((4, 4, 1), np.float32))
