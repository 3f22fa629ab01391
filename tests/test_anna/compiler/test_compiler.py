"""The compiler's properties: what any network's program must be, whatever the network."""

import inspect
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import expect_integer_arithmetic, graphs, some_images

import anna
import lenet
from anna.base.border import PROGRAM
from anna.base.errors import CompileError, DataError, FileError
from anna.compiler import NAIVE, PASSES, CompileOptions, compilation, exact, integer
from anna.compiler import split as split_pass
from anna.compiler.calibrate import evenly, float_layer
from anna.compiler.check import check
from anna.compiler.latch_packing import options
from anna.compiler.patterns import patterns
from anna.compiler.rungs import PrecisionOptions
from anna.network.graph import SCALED_TANH, TANH, Convolution, FullConnection, Graph, Layer
from anna.network.parts import Shape
from anna.program.file import Program

SLOW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


# --- addresses and sums ----------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 40), min_size=1, max_size=40))
def test_patterns_say_the_same_addresses(addresses: list[int]) -> None:
    said = [p.offset + (k % p.length) * p.stride + (k // p.length) * p.block_stride for p in patterns(addresses)
            for k in range(p.states)]  # fmt: skip
    assert said == addresses


@given(st.integers(0, 30), st.integers(1, 6), st.integers(0, 5), st.integers(1, 6), st.integers(0, 9))
def test_a_pattern_is_found_whole(offset: int, length: int, stride: int, blocks: int, block_stride: int) -> None:
    addresses = [offset + k * stride + b * block_stride for b in range(blocks) for k in range(length)]
    assert len(patterns(addresses)) <= max(1, min(length, blocks))


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 40))
def test_products_are_exact(seed: int, terms: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-7, 8, (rows, terms)), rng.integers(-32, 32, (terms, 5))
    bound = float((np.abs(a) @ np.abs(b)).max())
    assert np.array_equal(exact.product(a.astype(np.float32), b.astype(np.float32), bound), a @ b)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_line_is_the_least_squares_one(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, 200).astype(np.uint16)
    levels = np.arange(8) - 3.5
    target = 0.7 * levels[codes] + 0.2 + rng.normal(0, 0.3, 200)
    care = rng.integers(1, 16, 200).astype(np.uint8) if weighted else None
    line = exact.line(levels, codes, target, care)
    gain, offset = np.polyfit(levels[codes], target, 1, w=None if care is None else np.sqrt(care.astype(np.float64)))
    assert np.allclose([line.gain, line.offset], [gain, offset], atol=1e-6)
    left = (target - gain * levels[codes] - offset) ** 2
    assert np.isclose(line.error, np.average(left, weights=care), rtol=1e-6)
    targets = exact.Targets.of(target[None], None if care is None else care[None])
    many = exact.line_errors(levels, np.stack([codes, codes[::-1]]), targets, np.array([0, 0]))
    assert many[0] == line.error
    assert many[1] == exact.line(levels, codes[::-1], target, care).error


# --- any small network -----------------------------------------------------------------------------------------------
@pytest.mark.slow
@SLOW
@given(graphs(), st.sampled_from(["auto", "none"]), st.integers(1, 3))
def test_a_program_is_the_integer_arithmetic_of_its_codes(graph: Graph, host: str, batch: int) -> None:
    """Legal (the compiler refuses itself otherwise), and the same states from interpreter, engine and plain sums."""
    seen = some_images(graph, 24)
    expect_integer_arithmetic(compilation(graph, seen, host=host, batch=batch, check_count=0), seen)


def chain(seed: int, shape: Shape, maps: list[int], kernel: tuple[int, int], padding: tuple[int, int, int, int]) -> Graph:
    """Convolutions that read all maps, and a full connection."""
    rng, first, layers = np.random.default_rng(seed), shape, list[Layer]()
    for depth, count in enumerate(maps):
        weights = rng.normal(0, 0.6, (count, shape[0], *kernel)).astype(np.float32)
        layers.append(Convolution(f"C{depth}", weights, None, None, (1, 1), padding, -1.0, SCALED_TANH))
        shape = layers[-1].output_shape(shape)
    weights = rng.normal(0, 0.3, (5, shape[0] * shape[1] * shape[2])).astype(np.float32)
    return Graph("chain", first, (*layers, FullConnection("out", weights)))


def test_a_state_that_two_lines_compute_is_read_after_the_second() -> None:
    """Eleven rows, several at once: the last line moves up, and writes states a second time."""
    graph = chain(0, (1, 10, 6), [1], (1, 3), (1, 0, 1, 2))
    seen = some_images(graph, 24)
    done = compilation(graph, seen, host="none", check_count=0, machine="wide")
    outs = [op.addresses for op in done.program.ops if op.name == "OUT"]
    assert np.unique(np.concatenate(outs), return_counts=True)[1].max() == 2
    expect_integer_arithmetic(done, seen)


@pytest.mark.parametrize("seed", range(2))
def test_maps_that_share_memory_are_read_after_they_are_written(seed: int) -> None:
    """A map in the memory of an earlier one: its reader must not take what the earlier one left there."""
    graph = chain(seed, (1, 8, 8), [3, 3, 3, 3, 3], (1, 2), (0, 0, 0, 0))
    seen = some_images(graph, 24)
    roomy = compilation(graph, seen, host="none", check_count=0).program
    small = anna.ANNA_WIDE.changed(memory_states=roomy.window_states * 3 // 4)
    done = compilation(graph, seen, host="none", check_count=0, chip=small)
    assert done.program.window_states < roomy.window_states
    expect_integer_arithmetic(done, seen)


@SLOW
@given(graph=graphs())
def test_bytes_are_a_function_of_network_and_images(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> None:
    seen = some_images(graph, 16)
    first = anna.compile(graph, seen, check_count=0).to_bytes()
    assert anna.compile(graph, seen, check_count=0).to_bytes() == first
    path = tmp_path_factory.mktemp("programs") / "drawn.anna"
    path.write_bytes(first)
    assert Program.load(path).to_bytes() == first


@pytest.mark.parametrize("machine", ["sequencer", "board-1991"])
@pytest.mark.parametrize("other", [0, 3, 6, 7])
def test_a_map_that_breaks_a_pattern_of_maps_is_computed_as_it_is(machine: str, other: int) -> None:
    """Each map reads its own input map, so that half of the maps are computed as the other half; one map reads two."""
    rng, maps = np.random.default_rng(other), 8
    table = np.eye(maps, maps + 1, dtype=bool)
    table[other, maps if other == maps - 1 else other - 4] = True
    weights = (rng.normal(0, 0.5, (*table.shape, 5, 5)) * table[:, :, None, None]).astype(np.float32)
    layers = (
        Convolution("C0", rng.normal(0, 0.5, (maps + 1, 1, 1, 1)).astype(np.float32)),
        Convolution("C1", weights, None, table),
        FullConnection("out", rng.normal(0, 0.3, (3, maps * 25)).astype(np.float32)),
    )
    graph = Graph("broken", (1, 9, 9), layers)
    seen = some_images(graph, 8)
    made = compilation(graph, seen, machine=machine, check_count=0)
    expect_integer_arithmetic(made, seen)
    layer = made.split.layers[1]
    ways = [[repeated.made for repeated in way] for way in options(layer, made.program.spec, made.program.sequencer, 1, ())]
    for way in ways:
        assert sorted(o for scan in way for o in scan.outputs) == [*range(maps)]
        assert all(tap in scan.latch_of for scan in way for o in scan.outputs for tap in layer.taps[o])
    assert ways


@given(st.integers(0, 2**32 - 1), st.integers(17, 40))
def test_a_split_sum_is_the_whole_sum(seed: int, maps: int) -> None:
    rng = np.random.default_rng(seed)
    graph = Graph("wide", (maps, 4, 4), (
        FullConnection("F", rng.normal(0, 0.1, (6, maps * 16)).astype(np.float32), rng.normal(size=6).astype(np.float32), TANH),
        FullConnection("out", np.ones((2, 6), np.float32)),
    ))  # fmt: skip
    options = CompileOptions()
    whole = check(graph, options)
    parts = split_pass.split(whole, options).layers
    inputs = rng.uniform(-1, 1, (3, maps, 4, 4))
    sums, carried = float_layer(whole.layers[0], inputs).sums, None
    for part in parts:
        assert int(part.inputs_o.max()) <= split_pass.capacity(options.chip)
        carried = float_layer(part, inputs, carried).sums
    assert carried is not None
    assert np.allclose(carried, sums, atol=1e-4)
    assert (len(parts) > 1) == (maps * 16 > split_pass.capacity(options.chip))


def test_the_adc_of_the_arithmetic_is_the_chips() -> None:
    from anna.chip import codes

    spec = anna.ANNA_WIDE
    sums = np.arange(-4000, 4000, dtype=np.float32)[:, None]
    for scale_code in range(1 << spec.scale_bits):
        limits = codes.thresholds(spec, scale_code)
        wanted = np.searchsorted(limits, sums[:, 0].astype(np.int64) << spec.weight_fraction_bits, side="right")
        assert np.array_equal(integer.convert(spec, sums, np.array([scale_code]))[:, 0], wanted)


@given(st.integers(1, 5000), st.integers(1, 500), st.integers(1, 20))
def test_images_are_picked_from_all_classes(count: int, wanted: int, classes: int) -> None:
    """Evenly, each once, and from every class that comes round again and again."""
    wanted = min(count, wanted)
    picked = evenly(count, wanted)
    assert len(np.unique(picked)) == wanted
    assert (np.diff(picked) > 0).all()
    assert picked[0] >= 0
    assert picked[-1] < count
    if wanted >= classes * 20 and count >= wanted * classes:
        assert len(np.unique(picked % classes)) == classes


# --- bytes on any machine --------------------------------------------------------------------------------------------
DIGEST = """
import anna, lenet
net = lenet.load("recognizer")
print(anna.compile(net, calibration=lenet.calibration(), check_count=0).digest)
"""


def test_threads_and_kernels_of_the_linear_algebra_do_not_matter(tmp_path: Path) -> None:
    found = set()
    for settings_ in ({"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_NUM_THREADS": "4"},
                      {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}):  # fmt: skip
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", **settings_}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


# --- passes to look at -----------------------------------------------------------------------------------------------
def test_every_pass_has_a_text() -> None:
    done = compilation(lenet.load("recognizer"), lenet.calibration()[0][:40])
    for name in PASSES:
        assert done.text(name).strip()
    assert "C3: S2 4@14x14 -> 12@10x10, window 5x5 stride 1x1, inputs 25/50" in done.text("check").replace("(1, 1)", "1x1")
    assert done.text("selfcheck").startswith("1 images")


def test_the_selfcheck_refuses_a_wrong_program() -> None:
    from anna.compiler.selfcheck import selfcheck

    done = compilation(lenet.load("recognizer"), lenet.calibration()[0][:40])
    weights = done.program.weight_codes.copy()
    c3 = next(placed for placed in done.placement.scans if placed.scan.layer.name == "C3")
    weights[0, c3.row : c3.row + c3.scan.rows] = 32
    wrong = replace(done.program, weight_codes=weights)
    with pytest.raises(
        CompileError, match=r"internal error: map .* of C3 is \d in the compiled program but \d in the quantised graph"
    ):
        selfcheck(wrong, done.quantised, done.calibration, 1)


def test_the_link_map_finds_every_weight() -> None:
    done = compilation(lenet.load("recognizer"), lenet.calibration()[0][:40])
    program, spec = done.program, done.program.spec
    zero = 1 << (spec.weight_bits - 1)
    assert (program.weight_codes[program.links["taps"] == -1] == zero).all()
    for number, quant in enumerate(done.quantised.layers):
        for row in program.links["neurons"][program.links["neurons"][:, 0] == number]:
            _, o, _, _, page, first, rows = (int(n) for n in row)
            taps = program.links["taps"][page, first : first + rows]
            weights = program.weight_codes[page, first : first + rows].astype(int) - zero
            assert np.array_equal(weights[taps >= 0], quant.weights_ot[o][taps[taps >= 0]])
            assert program.scale_codes[page, first, 0] == quant.scale_codes_o[o]


def test_a_damaged_host_part_is_refused(tmp_path: Path) -> None:
    from anna.base import container
    from anna.program.file import KEY

    program = anna.compile(lenet.load("recognizer"), lenet.calibration()[0][:40], check_count=0)
    path = tmp_path / "p.anna"
    program.save(path)
    content, tensors = container.unpack(path, KEY, "program", PROGRAM)
    for change in ({"host": {**content["host"], "tails": []}}, {"host": {"prepare": None}}, {"host": None}):
        path.write_bytes(container.pack(KEY, {**content, **change}, tensors))
        with pytest.raises(FileError):
            Program.load(path)


def test_a_bias_that_constants_cannot_carry_at_one_scale_code_is_carried_at_another() -> None:
    """The wide chip has room for more constants than the published one, which then weighs more finely or more coarsely."""
    graph, (images, _) = lenet.load("lenet5_modern"), lenet.calibration()
    done = {name: compilation(graph, images[:200], round="nearest", machine=name, check_count=0).quantised.layers
            for name in ("sequencer", "wide")}  # fmt: skip
    for published, wide in zip(*done.values(), strict=True):
        if not published.layer.partial:
            assert published.sqnr_db > wide.sqnr_db - 2.0, published.layer.name


def test_naive_is_worse() -> None:
    images = lenet.calibration()[0][:100]
    net = lenet.load("recognizer")
    naive = compilation(net, images, **NAIVE.model_dump(include={"range_method", "fit", "round"}), check_count=0)
    best = compilation(net, images, check_count=0)
    for bad, good in zip(naive.quantised.layers, best.quantised.layers, strict=True):
        assert good.sqnr_db > bad.sqnr_db


def test_the_signature_of_compile_is_the_record_of_its_options() -> None:
    """What a user reads in the signature is what is checked."""
    given = dict(inspect.signature(anna.compile).parameters)
    assert [given.pop(name).kind.name for name in ("network", "calibration")] == ["POSITIONAL_OR_KEYWORD"] * 2
    assert given.pop("chip").default is None  # the machine's own
    assert {parameter.kind.name for parameter in given.values()} == {"KEYWORD_ONLY"}
    assert given.pop("precision").default == "given"
    fields = {**CompileOptions.model_fields, **PrecisionOptions.model_fields}
    del fields["chips"]  # how many a program is judged on is not asked
    assert [record.model_fields["against"].default for record in (CompileOptions, PrecisionOptions)] == ["ideal", "typical"]
    assert given.pop("against").default is None  # what the record in charge says
    del fields["against"]
    assert {name: parameter.default for name, parameter in given.items()} == {name: fields[name].default for name in fields}
    named = (*fields, "chip", "calibration", "precision", "against")
    assert all(re.search(rf"^ *{name}[, ]", anna.compile.__doc__ or "", re.M) for name in named)


def test_calibration_is_images_or_images_with_their_labels() -> None:
    net, (images, labels) = lenet.load("linear"), (part[:40] for part in lenet.calibration())
    assert anna.compile(net, images).digest == anna.compile(net, (images, labels)).digest
    for pair in ((images, labels[:9]), (images, images), (images,)):
        with pytest.raises(DataError, match=r"^calibration is a tuple, but not of images and as many labels; expected"):
            anna.compile(net, pair)


def test_compiling_says_where_one_state_a_value_loses_much() -> None:
    net, (images, _) = lenet.load("linear"), lenet.calibration()
    with pytest.warns(UserWarning, match=r"^linear: the ideal chip gives \d.* another class .*option digits") as told:
        anna.compile(net, images, check_count=0)
    assert [one.filename for one in told] == [__file__]
    assert compilation(net, images, check_count=0, digits=2).warning is None
    assert compilation(lenet.load("recognizer"), images, check_count=0).warning is None


def test_old_names_of_options_mean_the_new_ones() -> None:
    net, images = lenet.load("recognizer"), lenet.calibration()[0][:40]
    with pytest.warns(DeprecationWarning, match="is now (network|range_method|calibration_count|check_count)") as told:
        old = anna.compile(net=net, calibration=images, calibrate="max", calibration_pictures=20, check_pictures=0)
    assert len(told) == 4 and {one.filename for one in told} == {__file__}
    assert old.digest == anna.compile(net, images, range_method="max", calibration_count=20, check_count=0).digest
    with pytest.warns(DeprecationWarning, match="calibrate is now range_method"):
        assert CompileOptions(calibrate="max") == CompileOptions(range_method="max")
