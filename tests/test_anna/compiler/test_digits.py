"""Values in several digits and copies: how near they come to the sums, and programs that compute with them."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_graphs import expect_integer_arithmetic, graphs, some_images

import anna
from anna.base.errors import CompileError, SpecError
from anna.chip import codes
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.compiler import CompileOptions, compilation
from anna.compiler.check import check
from anna.compiler.digits import widened
from anna.compiler.ladder import Ladder, ladder
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.network.graph import NONE, RELU, Affine, Convolution, FullConnection, Graph, Pool


# --- a sum in digits -------------------------------------------------------------------------------------------------
@st.composite
def chips(draw: st.DrawFn) -> ChipSpec:
    """A chip of other bits, levels and ranges."""
    law = draw(st.sampled_from(["geometric", "linear"]))
    steps = st.sampled_from([2.0**0.25, 2.0**0.5, 2.0, 1.3]) if law == "geometric" else st.just(ANNA_1991.scale_step)
    try:
        return ANNA_1991.changed(
            scale_law=law,
            scale_step=draw(steps),
            scale_bits=draw(st.integers(3, 6)),
            adc_full_scale=draw(st.sampled_from([0.1, 0.25, 0.3, 1.0, 2.0])),
            state_bits=draw(st.integers(2, 5)),
            weight_bits=draw(st.integers(4, 8)),
            state_levels=draw(st.sampled_from(["mid-rise", "mid-tread"])),
        )
    except SpecError:
        assume(False)
        raise


def ladders(spec: ChipSpec, overlap: bool) -> list[Ladder]:
    """Those of one, two and three digits that a chip has."""
    found = []
    for digits in (1, 2, 3):
        try:
            found.append(ladder(spec, digits, overlap))
        except CompileError:
            break
    return found


def sums_in_range(spec: ChipSpec, scale_code: int) -> np.ndarray:
    """Sums inside the range of a scale code, evenly, in weight LSB x half state LSB."""
    lsb, own = codes.full_scales(spec)[scale_code] / (1 << spec.state_bits), codes.state_converter(spec).values([0, -1])
    low, high = np.ceil(2 * lsb * (own[0] - 0.5)), np.floor(2 * lsb * (own[1] + 0.5))
    return np.unique(np.rint(np.linspace(low, high, 2001)))


def errors(steps: Ladder, scale_code: int) -> np.ndarray:
    """Of what the digits of these sums stand for, in weight LSB x state LSB."""
    sums = sums_in_range(steps.spec, scale_code)
    joint = steps.convert(sums[:, None], np.array([scale_code]))[:, 0]
    lsb = codes.full_scales(steps.spec)[scale_code] / steps.levels
    return steps.values(scale_code)[joint] * lsb - sums / 2


@dataclass(frozen=True)
class Allowed:
    """The error that a sum in digits may have: half the last LSB, the rounding of the coarser worths, and what a finer range
    lacks of what it should span, where no scale code hits it, or where mid-tread levels reach less far up than down."""

    half_last_lsb: float
    rounding: float
    lacking: float

    @property
    def total(self) -> float:
        return self.half_last_lsb + self.rounding + self.lacking


def allowed(steps: Ladder, scale_code: int) -> Allowed:
    spec, used = steps.spec, steps.scale_kd[scale_code]
    lsb = codes.full_scales(spec)[used] / steps.levels
    own = codes.state_converter(spec).values([0, -1])
    reach = min(-own[0], own[1]) + 0.5  # of a finer digit, in its LSB
    rounding = float((np.abs(own).max() * np.abs(steps.worth_kd[scale_code] - lsb)).sum())
    lacking = float(np.maximum(0.0, lsb[:-1] / 2 - reach * lsb[1:]).sum())
    # A threshold lies on a whole accumulator unit.
    return Allowed(float(lsb[-1]) / 2, rounding + len(used) / 2 / codes.units_per_lsb_product(spec), lacking)


@settings(max_examples=150, deadline=None)
@given(chips(), st.booleans())
def test_the_error_of_a_sum_is_half_the_last_lsb_and_the_rounding_of_worths(spec: ChipSpec, overlap: bool) -> None:
    found = ladders(spec, overlap)
    assume(len(found) > 1)
    for steps in found:
        for code in np.flatnonzero(steps.scale_kd[:, -1] >= 0).tolist():
            assert np.abs(errors(steps, code)).max() <= allowed(steps, code).total * (1 + 1e-9)


@pytest.mark.parametrize("spec", [ANNA_1991, ANNA_WIDE], ids=["published", "wide"])
@pytest.mark.parametrize("overlap", [False, True])
def test_the_ranges_of_the_chip_lack_nothing(spec: ChipSpec, overlap: bool) -> None:
    for steps in ladders(spec, overlap):
        for code in np.flatnonzero(steps.scale_kd[:, -1] >= 0).tolist():
            assert allowed(steps, code).lacking == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(chips(), st.booleans())
def test_the_rms_error_of_a_sum_never_grows_with_a_digit(spec: ChipSpec, overlap: bool) -> None:
    found = ladders(spec, overlap)
    assume(len(found) > 1)
    for fewer, more in pairwise(found):
        for code in np.flatnonzero(more.scale_kd[:, -1] >= 0).tolist():
            before, after = (float(np.sqrt((errors(steps, code) ** 2).mean())) for steps in (fewer, more))
            assert after <= before * (1 + 1e-9), (code, before, after)


# --- programs in digits ----------------------------------------------------------------------------------------------
@st.composite
def choices(draw: st.DrawFn) -> dict[str, Any]:
    """Digits, copies and synapses, of all layers or by layer."""
    few = st.sampled_from([1, 2, 2, 3])
    return {
        "digits": draw(few | st.fixed_dictionaries({"input": few, "C0": few, "others": few})),
        "copies": draw(st.sampled_from([1, 1, 2, 3]) | st.fixed_dictionaries({"C0": st.integers(1, 3)})),
        "synapses": draw(st.sampled_from([1, 1, 2, 4]) | st.fixed_dictionaries({"C0": st.integers(1, 4)})),
        "overlap": draw(st.booleans()),
        "balance": draw(st.booleans()),
        "input_clip": draw(st.sampled_from([0.0, 0.5, 4.0])),
        "machine": draw(st.sampled_from(["sequencer", "board-1991", "board-1996", "wide"])),
        "host": draw(st.sampled_from(["auto", "none"])),
        "batch": draw(st.integers(1, 3)),
    }


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs(), choices())
def test_a_program_in_digits_is_the_integer_arithmetic_of_its_codes(graph: Graph, chosen: dict[str, Any]) -> None:
    """Or the compiler says in a sentence why there is none."""
    seen = some_images(graph, 24)
    try:
        done = compilation(graph, seen, check_count=1, **chosen)
    except CompileError as error:
        refusal = str(error)
    else:
        refusal = ""
        expect_integer_arithmetic(done, seen)
    assert "internal error" not in refusal


def test_a_window_in_digits_is_shared_among_latches_in_entire_words() -> None:
    """Three maps in two digits, of which the coarsest is read three times: words begin where memory's do, not the window's."""
    rng = np.random.default_rng(4)
    layers = (
        Convolution("C", rng.normal(0, 0.5, (2, 3, 4, 4)).astype(np.float32)),
        FullConnection("out", rng.normal(0, 0.3, (5, 84)).astype(np.float32)),
    )
    graph = Graph("shared", (3, 9, 10), layers)
    seen = some_images(graph, 24)
    done = compilation(graph, seen, machine="board-1991", digits={"input": 2}, synapses={"C": 3})
    assert any(len(placed.scan.layouts) > 1 for placed in done.placement.scans if placed.scan.layer.name == "C")
    expect_integer_arithmetic(done, seen)


def test_a_map_that_fills_a_word_has_a_gain_like_all_others() -> None:
    """Three maps take a word of four states; what reads them may have a border, for which every map needs a code."""
    kernel = np.ones((3, 1, 2, 2), np.float32)
    factors = Affine("A", np.full(3, 0.5, np.float32), np.full(3, 0.1, np.float32))
    last = FullConnection("out", np.ones((2, 75), np.float32))
    graph = Graph("filled", (1, 6, 6), (Convolution("C", kernel, activation=RELU), factors, last))
    options = CompileOptions(digits=2, machine="board-1991", host="none")
    first, *_ = widened(check(graph, options), options).layers
    assert first.post_scale_o is not None
    assert first.post_scale_o.tolist() == [0.5, 0.5, 0.5, 1.0]


def test_upside_down_maps_take_a_common_error_out_of_their_readers() -> None:
    """A rectifier's maps are silent most of the time, so what a DAC's bow adds to all weights adds up in their readers."""
    rng = np.random.default_rng(8)
    first = FullConnection("C", rng.normal(0, 1, (64, 9)).astype(np.float32), np.full(64, -3, np.float32), activation=RELU)
    graph = Graph("silent", (1, 3, 3), (first, FullConnection("out", rng.normal(0, 1, (6, 64)).astype(np.float32))))
    seen, error = rng.normal(0, 1, (300, 1, 3, 3)).astype(np.float32), {}
    chips = [anna.Chip(seed=seed, analog=anna.Analog(dac_inl_lsb=1.0)) for seed in range(6)]
    for balance in (False, True):
        done = compilation(graph, seen, host="none", digits=2, balance=balance)
        ideal = anna.Chip().run(done.program, seen).scores
        away = [anna.Chip.run(chip, done.program, seen).scores - ideal for chip in chips]
        error[balance] = np.sqrt(np.mean(np.square(away)))
        assert all(layer.turned == (balance and layer.origin == "C") for layer in done.split.layers)
    assert error[True] < 0.8 * error[False], error


# --- maxima ----------------------------------------------------------------------------------------------------------
def values_of(done: Compilation, stacks: dict[str, np.ndarray], name: str, maps: int) -> tuple[np.ndarray, np.ndarray]:
    """What the states of a stack stand for, (images, maps, rows, columns), and the size of a last LSB, (maps, 1, 1)."""
    meaning = done.quantised.meaning_of(name)
    levels = codes.state_converter(done.program.spec).values(stacks[name])
    value = meaning.gain_m[:, None, None] * levels + meaning.offset_m[:, None, None]
    value = value.reshape(len(value), meaning.digits, -1, *value.shape[2:]).sum(axis=1)
    last = np.abs(meaning.gain_m.reshape(meaning.digits, -1)[-1, :maps, None, None])
    return value[:, :maps], last


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("overlap", "most", "rms"), [(False, 4.0, 0.7), (True, 12.0, 1.3)])
def test_a_maximum_in_digits_errs_by_the_last_lsb_of_its_steps(seed: int, overlap: bool, most: float, rms: float) -> None:
    """Four conversions make a maximum over 2x2; with overlap the search also cuts off a few large differences."""
    rng = np.random.default_rng(seed)
    kernel = rng.normal(0, 0.5, (3, 1, 3, 3)).astype(np.float32)
    last = FullConnection("last", rng.normal(0, 0.3, (4, 48)).astype(np.float32))
    layers = (Convolution("C", kernel, activation=RELU, padding=(1, 1, 1, 1)), Pool("P", "max", (2, 2), (2, 2)), last)
    seen = rng.normal(0, 1, (60, 1, 8, 8)).astype(np.float32)
    done = compilation(Graph("pooled", (1, 8, 8), layers), seen, digits=2, overlap=overlap, maxima="chip")
    assert done.program.host is not None
    stacks = evaluate(done.quantised, done.program.host.input_codes(done.program.spec, (1, 8, 8), seen))
    (before, fine), (found, step) = (values_of(done, stacks, name, 3) for name in ("C", "P"))
    error = (found - before.reshape(60, 3, 4, 2, 4, 2).max(axis=(3, 5))) / np.maximum(fine, step)
    assert np.abs(error).max() < most
    assert np.sqrt((error**2).mean()) < rms


# --- what fits -------------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("machine", ["sequencer", "board-1991", "board-1996"])
@pytest.mark.parametrize("seed", range(8))
def test_any_convolution_in_two_digits_fits_every_published_machine(seed: int, machine: str) -> None:
    """Whatever its window and maps: a sum is cut so far that its digits have room, and maps that fill words are made with
    their neighbours."""
    rng = np.random.default_rng(seed)
    maps, outputs = (int(n) for n in rng.integers(1, [17, 33]))
    rows, columns = (int(n) for n in rng.integers(1, 8, 2))
    shape = (maps, rows + int(rng.integers(0, 6)), columns + int(rng.integers(0, 6)))
    padding = tuple(int(n) for n in rng.integers(0, 2, 4) * (min(rows, columns) > 1))
    kernel = rng.normal(0, 1 / np.sqrt(maps * rows * columns), (outputs, maps, rows, columns)).astype(np.float32)
    bias = rng.normal(0, 0.3, outputs).astype(np.float32) if rng.random() < 0.7 else None
    curve, step = RELU if rng.random() < 0.7 else NONE, int(rng.integers(1, 3))
    first = Convolution("C", kernel, bias, activation=curve, padding=padding, stride=(step, step))
    inputs = math.prod(Graph("first", shape, (first,)).output_shape)
    graph = Graph("random", shape, (first, FullConnection("out", rng.normal(0, 0.2, (5, inputs)).astype(np.float32))))
    seen, host = some_images(graph, 8), ("auto", "none")[seed % 2]
    compilation(graph, seen, check_count=1, digits=2, machine=machine, host=host, round="nearest")


def test_a_layer_in_digits_does_not_learn_few_images_by_heart() -> None:
    """With fewer windows than inputs, weights could be moved until these few come out right, and no others."""
    rng = np.random.default_rng(5)
    hidden = FullConnection("hidden", rng.normal(0, 0.1, (24, 150)).astype(np.float32), activation=RELU)
    graph = Graph("few", (1, 10, 15), (hidden, FullConnection("out", rng.normal(0, 0.3, (8, 24)).astype(np.float32))))
    mixing = rng.normal(0, 1, (12, 150))  # images differ in a few ways, as most do
    images = (rng.normal(0, 1, (460, 12)) @ mixing).reshape(-1, 1, 10, 15).astype(np.float32)
    wanted, error = anna.forward(graph, images[60:]).scores, {}
    for way in ("calibrated", "nearest"):
        program = anna.compile(graph, images[:60], host="none", digits=2, overlap=False, round=way, check_count=0)
        error[way] = np.square(anna.Chip().run(program, images[60:]).scores - wanted).mean()
    assert error["calibrated"] < 1.1 * error["nearest"], error


# --- several synapses a weight ---------------------------------------------------------------------------------------
def test_synapses_share_weights_evenly_but_in_a_maximum_the_first_are_full() -> None:
    rng = np.random.default_rng(7)
    layers = (Convolution("C", rng.normal(0, 1, (4, 1, 3, 3)).astype(np.float32), padding=(1, 1, 1, 1)),
              Pool("P", "max", (2, 2), (2, 2)), FullConnection("out", np.ones((2, 36), np.float32)))  # fmt: skip
    graph = Graph("shared", (1, 6, 6), layers)
    options = {"digits": 2, "synapses": {"C": 3, "P": 3}, "round": "nearest", "maxima": "chip"}
    done = compilation(graph, some_images(graph, 24), **options)
    by_name = {quant.layer.name: quant for quant in done.quantised.layers}
    first = by_name["C"].weights_ot.reshape(4, -1, 9)[:, :3]
    assert (first == first[:, :1]).all()
    for quant in by_name.values():
        if quant.layer.lowest_border and not quant.layer.digit:
            share = np.abs(quant.weights_ot.reshape(4, -1, 4 * math.prod(quant.layer.kernel))[:, :3])
            assert all((before[after > 0] == 31).all() for before, after in pairwise(share.swapaxes(0, 1)))
        elif quant.layer.lowest_border:  # what subtracts the coarser digit comes last of a unit's own columns
            worth = np.abs(quant.unit_weights_ou[:, by_name[quant.layer.stack].unit_weights_ou.shape[1] :])
            assert all((before[after > 0] == 31).all() for before, after in pairwise(worth.T))


def test_more_synapses_make_a_maximum_err_less_on_a_noisy_wire() -> None:
    """A step of a maximum adds up two or three inputs, which do not fill a range that is much wider than the wire's noise."""
    rng, error = np.random.default_rng(2), {}
    last = FullConnection("last", rng.normal(0, 0.3, (4, 16)).astype(np.float32))
    graph = Graph("pooled", (1, 8, 8), (Pool("P", "max", (2, 2), (2, 2)), last))
    seen = rng.normal(0, 1, (200, 1, 8, 8)).astype(np.float32)
    noisy = anna.Chip(seed=1, analog=anna.Analog.typical().alone("thermal_noise"))
    for synapses in (1, 4):
        program = anna.compile(graph, seen, digits=2, synapses={"P": synapses}, maxima="chip", check_count=0)
        error[synapses] = np.square(noisy.run(program, seen).scores - anna.Chip().run(program, seen).scores).mean()
    assert error[4] < 0.6 * error[1], error
