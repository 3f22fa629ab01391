"""Compiling scales: a network twice as large takes about twice the work and the memory, counted, not timed."""

import cProfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import anna
from anna.compiler import compilation
from anna.compiler.latch_schedule import LatchScheduler
from anna.compiler.place import _best


def dense(units: int, inputs: int) -> anna.Graph:
    rng = np.random.default_rng(units)

    def full(name: str, out: int, of: int) -> anna.FullConnection:
        weights = (rng.normal(size=(out, of)) / of**0.5).astype(np.float32)
        return anna.FullConnection(name, weights, np.zeros(out, np.float32), anna.Activation("tanh"))

    return anna.Graph(
        "dense", (inputs, 1, 1), (full("first", units, inputs), full("second", units, units), full("last", 10, units))
    )


def separable(maps: int) -> anna.Graph:
    rng, relu = np.random.default_rng(maps), anna.Activation("relu")
    own = np.zeros((maps, maps, 3, 3), np.float32)
    own[range(maps), range(maps)] = rng.normal(size=(maps, 3, 3)) / 3
    across = (rng.normal(size=(maps, maps, 1, 1)) / maps**0.5).astype(np.float32)
    last = rng.normal(size=(2, maps, 1, 1)).astype(np.float32)
    layers = (
        anna.Convolution("depth", own, None, np.eye(maps, dtype=bool), padding=(1, 1, 1, 1), activation=relu),
        anna.Convolution("point", across, None, activation=relu),
        anna.Convolution("last", last),
    )
    return anna.Graph("separable", (maps, 6, 6), layers)


def images_of(network: anna.Graph) -> np.ndarray:
    return np.random.default_rng(0).random((8, *network.input_shape), np.float32)


def calls(run: Callable[[], object]) -> int:
    """Calls of functions, Python's and others, where no layer that is alike was seen before."""
    _best.cache_clear()
    counting = cProfile.Profile()
    counting.runcall(run)
    return sum(entry.callcount for entry in counting.getstats())  # type: ignore[attr-defined]


@pytest.mark.slow
def test_twice_the_pages_are_twice_the_work() -> None:
    small, large = dense(128, 1024), dense(128, 2048)
    anna.compile(small, images_of(small))  # so that modules are loaded and tables cached
    counts = [calls(lambda net=net: anna.compile(net, images_of(net))) for net in (small, large)]
    assert counts[1] < 2.2 * counts[0]


def test_layers_whose_maps_repeat_are_looked_at_once() -> None:
    small, large = separable(32), separable(64)
    anna.compile(small, images_of(small))
    counts = [calls(lambda net=net: anna.compile(net, images_of(net))) for net in (small, large)]
    assert counts[1] < 3.2 * counts[0]  # maps, and what each of them reads across: some work is four times as much


def test_a_network_that_is_alike_is_not_searched_again() -> None:
    """Other weights and other images, and the bytes of a compilation that remembers nothing."""
    small = dense(64, 128)
    other = anna.Graph("other", small.input_shape, tuple(replace(one, weights_oi=one.weights_oi[::-1]) for one in small.layers))
    _best.cache_clear()
    anna.compile(small, images_of(small))
    searched = _best.cache_info().misses
    found = anna.compile(other, 2 * images_of(other)).to_bytes()
    assert _best.cache_info().misses == searched > 0
    _best.cache_clear()
    assert anna.compile(other, 2 * images_of(other)).to_bytes() == found


def test_scheduling_considers_each_instruction_so_many_times() -> None:
    work = []
    for inputs in (1024, 4096):
        network = dense(64, inputs)
        done = compilation(network, images_of(network), check_count=0)
        options = done.options
        scheduler = LatchScheduler(options.chip, options.sequencer, done.memory)
        scans = list(zip(done.placement.scans, done.memory.unit_biases, strict=True))
        for page in range(done.placement.pages):
            scheduler.segment([one for one in scans if one[0].page == page])
        work.append(scheduler.greedy.work / len(done.schedule.issued))
    assert max(work) < 6  # itself, and the first lines of each scan with four orders of preference
    assert work[1] < 1.2 * work[0]


@pytest.mark.slow
def test_twice_the_network_is_twice_the_memory() -> None:
    peaks = []
    for inputs in (1024, 2048):
        network = dense(128, inputs)
        images = images_of(network)
        tracemalloc.start()
        anna.compile(network, images)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.5 * peaks[0]
