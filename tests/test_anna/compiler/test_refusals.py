"""What the compiler refuses: one sentence for each reason, naming layer, limit, number and the way out; all at once."""

from typing import Any

import numpy as np
import pytest

import anna
import lenet
from anna.base.errors import AnnaError, CompileError, GraphError, SpecError
from anna.network.graph import TANH, Convolution, FullConnection, Graph, Layer, Normalisation, Pool, Rbf, Softmax

RNG = np.random.default_rng(1)
IMAGES = RNG.normal(size=(30, 8, 16, 16)).astype(np.float32)


def weights(*shape: int) -> np.ndarray:
    return RNG.normal(0, 0.1, shape).astype(np.float32)


UNEVEN = Pool("P", "average", padding=(1, 0, 1, 0))  # means of fewer numbers at the border


def network(*between: Layer) -> Graph:
    """A 7x7 kernel on 8 maps: 392 inputs."""
    first = Convolution("C1", weights(4, 8, 7, 7), activation=TANH)
    graph = Graph("net", (8, 16, 16), (first, *between))
    shape = graph.output_shape
    return Graph("net", (8, 16, 16), (first, *between, FullConnection("out", weights(10, shape[0] * shape[1] * shape[2]))))


def refused(graph: Graph, *args: Any, **options: Any) -> tuple[str, ...]:
    with pytest.raises(CompileError) as caught:
        anna.compile(graph, *args, **options)
    assert all(len(reason) > 20 and "\n" not in reason for reason in caught.value.reasons)
    return caught.value.reasons


def two_sums() -> Graph:
    """Sums of 8 inputs, then of 392."""
    layers = (Convolution("C1", weights(8, 8, 1, 1), activation=TANH), Convolution("C2", weights(4, 8, 7, 7), activation=TANH),
              FullConnection("out", weights(10, 400)))  # fmt: skip
    return Graph("net", (8, 16, 16), layers)


def test_a_sum_beyond_the_fan_in() -> None:
    """Refused with split=off whatever the host would take over; with split=host only where nothing is left for the chip."""
    beyond = (
        "sums 392 inputs and a bias, but a neuron of the chip has 256 inputs; allow its sum to be split (option split=chip)"
    )
    for split in ("off", "host"):
        assert refused(network(), IMAGES, split=split) == (f"C1: {beyond}",)
    on_host = " or run it and all after it on the host (option host=C2)"
    assert refused(two_sums(), IMAGES, split="off") == (f"C2: {beyond}{on_host}",)
    for options in ({"split": "off", "host": "C2"}, {"split": "host"}):
        report = anna.compile(two_sums(), IMAGES, **options).report
        assert report is not None and [layer["where"] for layer in report["layers"]] == ["chip", "host", "host"]
    assert anna.compile(network(), IMAGES).report is not None


def test_a_host_that_would_take_everything_is_not_advised() -> None:
    graph = Graph("net", (8, 1, 1), (Normalisation("N", "m"), Softmax("S")))
    images = RNG.normal(size=(20, 8, 1, 1)).astype(np.float32)
    reason = refused(graph, images)[0]
    assert (
        reason
        == "N: normalises each image by itself, which the chip cannot; moving it to the host would leave nothing for the chip"
    )


def test_all_reasons_at_once() -> None:
    graph = network(UNEVEN)
    reasons = refused(graph, IMAGES, split="off", host="none")
    assert [reason.split(":")[0] for reason in reasons] == ["C1", "P"]
    assert "its padding (1, 0, 1, 0) is left out of the means" in reasons[1]


def test_what_only_the_host_can() -> None:
    rbf = Graph("net", (8, 1, 1), (FullConnection("F", weights(6, 8), activation=TANH), Rbf("R", weights(3, 6)), Softmax("S")))
    images = RNG.normal(size=(20, 8, 1, 1)).astype(np.float32)
    reasons = refused(rbf, images, host="none")
    assert "R: computes distances" in reasons[0]
    assert "S: is a softmax" in reasons[1]
    program = anna.compile(rbf, images)
    assert program.host is not None
    assert [layer.name for layer in program.host.tails[0].layers] == ["R", "S"]


def test_from_the_first_impossible_layer_on_the_host_takes_over() -> None:
    program = anna.compile(network(UNEVEN), IMAGES)
    assert program.report is not None
    where = {layer["name"]: layer["where"] for layer in program.report["layers"]}
    assert where == {"C1.1": "chip", "C1": "chip", "P": "host", "out": "host"}


def test_calibration_is_needed() -> None:
    for nothing in (None, IMAGES[:0]):
        (reason,) = refused(network(), nothing)
        assert "no calibration images were given" in reason


@pytest.mark.parametrize("images", [7, "digits.npy", []])
def test_what_is_no_image_calibrates_nothing(images: object) -> None:
    (reason,) = refused(network(), images)
    assert reason.startswith("net: no calibration images were given")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("lenet5", "'lenet5' is a name, not a network; load it with lenet.load('lenet5') or, from a file, "
                   "anna.load_network('lenet5')"),
        (7, "expected a network to compile, got int"),
    ],
)  # fmt: skip
def test_only_networks_are_compiled(given: object, sentence: str) -> None:
    with pytest.raises(GraphError) as caught:
        anna.compile(given, IMAGES)  # type: ignore[arg-type]
    assert str(caught.value) == sentence


def test_calibration_of_another_kind() -> None:
    with pytest.raises(CompileError, match="calibration images have shape"):
        anna.compile(network(), IMAGES[:, :3])
    with pytest.raises(CompileError, match="calibration images are float32; expected uint8"):
        anna.compile(lenet.load("recognizer"), IMAGES)
    bad = IMAGES.copy()
    bad[3, 0, 0, 0] = np.nan
    with pytest.raises(CompileError, match="image 3 holds NaN"):
        anna.compile(network(), bad)


def test_weights_that_are_no_numbers() -> None:
    with pytest.raises(GraphError, match="C1: weights holds 1 of 9 numbers that are NaN or infinite"):
        Convolution("C1", np.array([[[[np.nan] + [1.0] * 2, [1.0] * 3, [1.0] * 3]]], np.float32))


def test_a_batch_that_does_not_fit_the_memory() -> None:
    (reason,) = refused(network(), IMAGES, batch=1000)
    assert "a batch of 1000 images needs 1000 x " in reason
    assert "but the memory holds 2097152; choose a batch of at most " in reason
    fits = int(reason.rsplit(" ", 1)[1])
    assert anna.compile(network(), IMAGES, batch=fits).batch == fits
    refused(network(), IMAGES, batch=fits + 1)


def test_a_window_wider_than_the_registers() -> None:
    wide = Graph(
        "net", (1, 80, 80), (Convolution("C1", weights(2, 1, 70, 70), activation=TANH), FullConnection("out", weights(3, 242)))
    )
    (reason,) = refused(wide, RNG.normal(size=(3, 1, 80, 80)).astype(np.float32))
    assert reason.startswith("C1.1: a window of ")
    assert reason.endswith("; moving it to the host would leave nothing for the chip")


def test_unknown_options() -> None:
    (reason,) = refused(network(), IMAGES, host="C9")
    assert "names no layer; expected auto, last, none or one of C1, out" in reason
    with pytest.raises(TypeError, match="colour"):
        anna.compile(network(), IMAGES, colour="red")  # type: ignore[call-arg]
    with pytest.raises(SpecError, match="batch"):
        anna.compile(network(), IMAGES, batch=0)


def test_a_chip_without_a_zero_weight() -> None:
    (reason,) = refused(network(), IMAGES, chip=anna.ANNA_WIDE.changed(weight_levels="mid-rise"))
    assert "no exact zero" in reason


def test_a_result_counts_what_was_misread() -> None:
    net = lenet.load("linear")
    images, labels = lenet.holdout()
    result = anna.Chip().run(anna.compile(net, lenet.calibration(), calibration_count=50), images[:200])
    assert result.error(labels[:200].tolist()) == (result.labels != labels[:200]).mean()
    with pytest.raises(AnnaError, match=r"^labels have shape \(199,\); expected \(200,\), one per image$"):
        result.error(labels[:199])


def test_an_uncompiled_program_has_no_scores() -> None:
    program = anna.assemble(".input name=x address=0 shape=1\n.output name=y address=0 shape=1\nPAGE page=0\nSTOP\n")
    with pytest.raises(AnnaError):
        anna.Chip().run_codes(program, np.zeros((1, 1), np.uint8)).scores  # noqa: B018


def test_a_bad_option_of_the_compiler_says_that_it_is_one() -> None:
    with pytest.raises(SpecError, match=r"^compile options: batch: expected at least 1, got 0$"):
        anna.CompileOptions.of(batch=0)
