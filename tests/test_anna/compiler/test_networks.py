"""The networks of the project, compiled: cycles, bounds, what the host does, many bits, and accuracy where the data is."""

from dataclasses import replace

import numpy as np
import pytest

import anna
import lenet
from anna.chip.machines import MACHINES
from anna.compiler import compilation
from anna.compiler.selfcheck import evaluate
from anna.network.forward import forward
from anna.network.graph import Convolution, Network
from anna.program.report import listing

FINE = anna.ANNA_WIDE.changed(weight_bits=16, state_bits=16, adc_curve="squash", adc_full_scale=0.02)


def images(net: Network, count: int) -> np.ndarray:
    """Calibration images of the size that a network takes; without the data folder, built-in digits cut to 16x16."""
    found = lenet.calibration()[0]
    assert net.prepare is not None
    if net.prepare.source == (16, 16):
        found = np.ascontiguousarray(found[:, 6:22, 6:22])
    return found[:count]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_recogniser_comes_within_five_percent_of_its_bound_on_every_machine(machine: str) -> None:
    program = anna.compile(lenet.load("recognizer"), lenet.calibration(), machine=machine)
    assert program.report is not None
    assert program.report["bound_cycles"] <= program.report["cycles_per_image"] <= 1.05 * program.report["bound_cycles"]
    assert program.report["pages"] == 1


def test_the_recogniser_on_a_wide_chip_is_scheduled_within_one_percent_of_its_bound() -> None:
    """4,576 cycles is the bound from input and array: 1,568 (C1) + 1,568 (S2) + 840 (C3) + 600 (S4)."""
    program = anna.compile(lenet.load("recognizer"), calibration=lenet.calibration(), machine="wide")
    report = program.report
    assert report is not None
    assert report["bound_cycles"] == 4576
    assert report["cycles_per_image"] <= 4641
    assert report["chip_us_per_image"] <= 300
    assert report["board_images_per_s"] >= 3000
    assert report["pages"] == 1
    assert report["chip_multiply_adds"] == 132_736
    assert report["host_multiply_adds"] == 3_000
    assert [layer["binds"] for layer in report["layers"]] == ["array", "input", "input", "input", "host"]
    assert "recognizer on machine wide: 4," in listing(report)


def test_a_table_that_mixes_the_pairs_compiles_too() -> None:
    """At most 5,270 cycles on a wide chip, where no register holds what every map reads; on one of a single shifter, where
    every map reads both latches, as many as if it did not mix them."""
    net = lenet.load("recognizer")
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (0, 1), (2, 3), (0,), (1,), (2,), (3,)]
    table = np.zeros((12, 4), bool)
    for o, maps in enumerate(pairs):
        table[o, list(maps)] = True
    weights = (np.random.default_rng(1).normal(0, 0.2, (12, 4, 5, 5)) * table[:, :, None, None]).astype(np.float32)
    layers = [replace(layer, weights_oiyx=weights, table_oi=table) if layer.name == "C3" and isinstance(layer, Convolution)
              else layer for layer in net.members[0].layers]  # fmt: skip
    mixed, seen = replace(net.members[0], layers=tuple(layers)), lenet.calibration()[0][:60]
    wide, published = (anna.compile(mixed, seen, machine=machine).report for machine in ("wide", "sequencer"))
    usual = anna.compile(net, seen).report
    assert wide is not None and published is not None and usual is not None
    assert wide["cycles_per_image"] <= 5270
    assert published["cycles_per_image"] <= 1.01 * usual["cycles_per_image"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear", "lenet1", "lenet1_28", "lenet4", "lenet5", "lenet5_modern", "mlp300", "mlp1000"])
def test_every_network_compiles_and_runs(name: str) -> None:
    net = lenet.load(name)
    seen = images(net, 60)
    program = anna.compile(net, seen)
    result = anna.Chip().run(program, seen[:3])
    assert result.scores.shape == (3, 10)
    assert result.board_images_per_s > 0


def test_an_ensemble_adds_its_members_scores() -> None:
    net = lenet.load("boosted_lenet4")
    seen = images(net, 40)
    program = anna.compile(net, seen, check_count=1)
    result = anna.Chip().run(program, seen[:4])
    assert program.host is not None
    assert len(program.host.tails) == 3
    parts = [tail.run(program.spec, result.codes)[tail.outputs[0]][:, :, 0, 0] for tail in program.host.tails]
    assert np.array_equal(result.scores, parts[0] + parts[1] + parts[2])


def test_a_wider_image_is_read_in_one_pass() -> None:
    """Where the wide image shows what a 32x32 one shows, the scores there are the same."""
    net = lenet.load("recognizer").members[0]
    seen = lenet.calibration()[0][:60]
    wide = net.widened(32, 72)
    strip = np.zeros((60, 32, 72), np.uint8)
    for k in range(60):
        strip[k, 2:30, 2:30], strip[k, 2:30, 42:70] = seen[k], seen[(k + 7) % 60]
    program = anna.compile(wide, strip)
    result = anna.Chip().run(program, strip[:5])
    assert result.scores.shape == (5, 10, 1, 11)
    assert program.host is not None
    one = forward(net, seen[:5]).scores
    spread = float(one.max() - one.min())
    assert np.abs(result.scores[:, :, 0, 0] - one).max() < 0.35 * spread
    assert (result.scores[:, :, 0, 0].argmax(axis=1) == one.argmax(axis=1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recognizer", "lenet1", "lenet5"])
def test_many_bits_converge_on_the_float_network(name: str) -> None:
    """16-bit weights and states and an ADC that follows the squash: within 0.5 % of the range of the scores."""
    net = lenet.load(name)
    seen = images(net, 150)
    done = compilation(net, seen[50:], chip=FINE)
    host = done.program.host
    assert host is not None
    states = host.input_codes(FINE, done.program.input.shape, seen[:50])  # type: ignore[arg-type]
    scores = host.scores(FINE, evaluate(done.quantised, states))
    wanted = forward(net, seen[:50]).scores
    assert np.abs(scores - wanted).max() < 0.005 * float(wanted.max() - wanted.min())


def errors(name: str, data: str, seed: int = 1) -> tuple[float, float]:
    """Test error of the float network and of the ideal chip, in percent."""
    net = lenet.load(name, data, seed)
    images, labels = lenet.digits(data, "test")
    program = anna.compile(net, calibration=lenet.calibration(data))
    float_labels = forward(net, images).labels
    chip_labels = anna.Chip().run(program, images).labels
    return 100 * float((float_labels != labels).mean()), 100 * float((chip_labels != labels).mean())


@pytest.mark.data
def test_the_recogniser_on_usps_keeps_its_error() -> None:
    """Within 0.4 points of float, mean of three seeds."""
    found = np.array([errors("recognizer", "usps", seed) for seed in (1, 2, 3)])
    assert found[:, 1].mean() - found[:, 0].mean() <= 0.4


@pytest.mark.data
@pytest.mark.parametrize("name", ["recognizer", "lenet5"])
def test_mnist_keeps_its_error(name: str) -> None:
    """Within 0.3 points of float on the 10,000 test digits."""
    float_error, chip_error = errors(name, "mnist")
    assert chip_error - float_error <= 0.3


@pytest.mark.slow
def test_paging_is_shared_by_a_batch() -> None:
    net, seen = lenet.load("lenet5"), images(lenet.load("lenet5"), 40)
    alone, shared = (anna.compile(net, seen, batch=batch, check_count=0).report for batch in (1, 28))
    wide, wide_shared = (anna.compile(net, seen, batch=batch, machine="wide", check_count=0).report for batch in (1, 28))
    hosted = anna.compile(net, seen, host="C5", check_count=0).report
    assert alone is not None
    assert shared is not None
    assert wide is not None
    assert wide_shared is not None
    assert hosted is not None
    assert wide_shared["cycles_per_image"] < 0.3 * wide["cycles_per_image"]
    # Where a program of many pages shares them, others may be cheaper.
    assert shared["page_load_cycles_per_image"] < 0.05 * alone["page_load_cycles_per_image"]
    assert hosted["board_binds"] == "host"
    assert hosted["host_multiply_adds"] == 48_000 + 10_080 + 840


def test_a_neuron_reads_no_more_rows_than_its_chip_lets_it() -> None:
    """With 64 inputs at most, a sum lies in one register, whatever the other registers hold."""
    net = lenet.load("linear")
    program = anna.compile(net, images(net, 60), chip=anna.ANNA_WIDE.changed(fan_ins=(64,)))
    assert anna.Chip().run(program, images(net, 3)).scores.shape == (3, 10)


@pytest.mark.slow
def test_a_part_of_a_sum_that_a_map_reads_nothing_of_is_computed_exactly() -> None:
    """C3's partial tables: with 64 inputs at most, some part of its sums has maps without inputs."""
    net = lenet.load("lenet5")
    some = images(net, 40)
    made = anna.compilation(net, some, chip=anna.ANNA_WIDE.changed(fan_ins=(64,)))
    assert any((layer.inputs_o == 0).any() for layer in made.split.layers)
    assert made.checked_images > 0  # the interpreter gave what the integers give, map by map
    assert anna.Chip().run(made.program, some).scores.shape == (40, 10)
