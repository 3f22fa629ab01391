"""Where maxima are taken: judged on drawn chips, or as asked for."""

import numpy as np
import pytest

import anna
from anna.base.errors import CompileError
from anna.compiler import compilation
from anna.compiler.maxima import MOST_MULTIPLY_ADDS


def network(maps: int = 4, size: int = 12, scale: float = 1.0) -> anna.Graph:
    rng, relu = np.random.default_rng(3), anna.Activation("relu")
    kernel = (scale * rng.normal(size=(maps, 1, 5, 5)) / 5).astype(np.float32)
    inputs = maps * (size // 2) ** 2
    last = (rng.normal(size=(10, inputs)) / inputs**0.5).astype(np.float32)
    layers = (
        anna.Convolution("conv", kernel, np.zeros(maps, np.float32), padding=(2, 2, 2, 2), activation=relu),
        anna.Pool("pool", "max", (2, 2), (2, 2)),
        anna.FullConnection("last", last, np.zeros(10, np.float32)),
    )
    return anna.Graph("maxima", (1, size, size), layers)


def images(count: int = 80, size: int = 12) -> np.ndarray:
    return np.random.default_rng(1).random((count, 1, size, size), np.float32)


def test_a_network_with_maxima_is_judged_on_drawn_chips() -> None:
    done = compilation(network(), images())
    assert done.program.report is not None
    judged = done.program.report["judged"]
    assert judged.startswith("maxima on the host, judged by calibration images: ")
    assert "on 4 typical chips" in judged and judged in anna.listing(done.program.report)
    assert done.timeline.program is done.program


def test_the_judged_program_is_that_of_the_option() -> None:
    judged, asked = anna.compile(network(), images()), anna.compile(network(), images(), maxima="host")
    assert np.array_equal(judged.words, asked.words) and np.array_equal(judged.weight_codes, asked.weight_codes)


@pytest.mark.parametrize("host", ["last", "pool"])
def test_nothing_is_judged_where_the_host_is_given(host: str) -> None:
    report = anna.compile(network(), images(), host=host).report
    assert report is not None and "judged" not in report


def test_maxima_stay_where_they_are_asked_to() -> None:
    on_chip = compilation(network(), images(), maxima="chip").checked
    on_host = compilation(network(), images(), maxima="host").checked
    assert "pool" in {layer.origin for layer in on_chip.layers}
    assert "pool" not in {layer.origin for layer in on_host.layers}


def test_a_host_that_does_nothing_takes_no_maxima() -> None:
    with pytest.raises(CompileError, match=r"pool: takes a maximum, which the host is to take \(option maxima\)"):
        anna.compile(network(), images(), host="none", maxima="host")


def test_a_network_too_large_to_be_judged_leaves_maxima_to_the_host() -> None:
    large = network(maps=24, size=64)
    assert large.multiply_adds > MOST_MULTIPLY_ADDS
    report = anna.compile(large, images(4, 64), calibration_count=4).report
    assert report is not None and report["judged"].startswith("maxima on the host, unjudged: ")
