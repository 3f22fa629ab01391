"""`anna bench`: its fields, what it counts, and that peers compute the same."""

import json
import os
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from command_line import good, refused

import anna
import lenet
from anna.chip import facts
from anna.chip.machines import DEFAULT
from anna.network.forward import forward, network_input
from anna.network.graph import Graph
from sim.bench import measure
from sim.bench.peers import AIHWKIT, BREVITAS, CROSSSIM, NOISY_PYTORCH, ONNX_RUNTIME, PYTORCH, Peer, missing, peers

LEAST_SAME = {ONNX_RUNTIME: 0.99, PYTORCH: 0.99, NOISY_PYTORCH: 0.85, AIHWKIT: 0.85, BREVITAS: 0.95, CROSSSIM: 0.85}
SOURCES = os.environ.get("CROSSSIM")  # a folder of CrossSim's, if there is one


@lru_cache
def found_peers(network: str) -> dict[str, Peer]:
    graph = lenet.load(network)
    assert isinstance(graph, Graph)
    found, refused = peers(graph, lenet.calibration()[0], Path(SOURCES) if SOURCES else None)
    assert refused == []
    return {peer.name: peer for peer in found}


@lru_cache
def images_and_labels(network: str) -> tuple[np.ndarray, np.ndarray]:
    graph = lenet.load(network)
    assert isinstance(graph, Graph)
    images = lenet.holdout()[0][:200]
    return np.ascontiguousarray(network_input(graph, images).transpose(3, 0, 1, 2)), forward(graph, images).labels


def scores(network: str, name: str) -> np.ndarray:
    """A peer's reader; skips the test if it is not installed."""
    found = found_peers(network)
    if name not in found:
        pytest.skip(f"NOT TESTED: {name} is not installed, or the variable CROSSSIM does not name its sources")
    return np.asarray(found[name].read(images_and_labels(network)[0])).reshape(200, -1)


@pytest.mark.parametrize("name", LEAST_SAME)
@pytest.mark.parametrize("network", ["recognizer", "lenet5"])
def test_peers_read_as_the_float_network_does(network: str, name: str) -> None:
    same = scores(network, name).argmax(1) == images_and_labels(network)[1]
    assert same.mean() > LEAST_SAME[name]


@pytest.mark.parametrize(("name", "noisy"), [(NOISY_PYTORCH, True), (AIHWKIT, True), (BREVITAS, False), (CROSSSIM, True)])
def test_noise_is_drawn_anew_where_there_is_some(name: str, noisy: bool) -> None:
    assert (scores("lenet5", name) != scores("lenet5", name)).any() == noisy


@pytest.mark.parametrize("name", [AIHWKIT, BREVITAS, CROSSSIM])
def test_peers_with_few_levels_differ_from_the_float_network(name: str) -> None:
    exact = scores("lenet5", PYTORCH)
    assert np.abs(scores("lenet5", name) - exact).max() > 0.01 * np.abs(exact).max()


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.bench.peers.find_spec", lambda package: None)
    assert missing() == [ONNX_RUNTIME, PYTORCH, "aihwkit", "Brevitas"]
    graph = lenet.load("recognizer")
    assert isinstance(graph, Graph)
    assert peers(graph, lenet.calibration()[0]) == ([], [])


def test_a_slow_peer_gets_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(images: np.ndarray) -> None:
        until = time.process_time() + 0.002 * len(images) + (0.1 if len(images) > 32 else 0)
        while time.process_time() < until:
            pass

    network = lenet.load("recognizer")
    monkeypatch.setattr(measure, "peers", lambda *_: ([Peer("slow", read, "1.2")], []))
    (case,), _ = measure.peer_cases(network, lenet.holdout()[0][:256], 256, lenet.calibration()[0])
    assert case.version == "1.2"
    assert case.batch == 32 and case.images % 32 == 0
    assert 32 <= case.images <= 224  # within half a second at 2 ms an image or a little more


def test_the_command_has_the_documented_fields() -> None:
    words = ("--quick", "--measure", "runs", "--no-peers", "--thread-counts", 1, "--thread-counts", 2)
    found = json.loads(good("bench", *words, "--json"))
    assert (found["left_out"], found["tasks"]) == ([], [])
    assert {"machine", "simd", "rows", "peak_rss_mb"} <= set(found)
    (program,) = found["programs"]
    assert (program["network"], program["machine"], program["published_us_per_image"]) == ("recognizer", DEFAULT, 1000)
    assert [(row["case"], row["threads"]) for row in found["rows"]] == [
        *((measure.PEAK, threads) for threads in (1, 2)),
        *(
            (f"recognizer, {kind} chip{part}", threads)
            for kind in ("ideal", "typical", "worst")
            for part, threads in (("", 1), (", codes to codes", 1), ("", 2))
        ),
    ]
    wanted = {"case", "threads", "images_per_s", "chip_cycles_per_s", "macs_per_s", "share_of_peak", "ratio_to", "ratio"}
    assert found["rows"][0]["share_of_peak"] == 1 and found["rows"][1]["ratio"] > 0
    for row in found["rows"][2:]:
        assert wanted <= set(row)
        assert row["macs_per_s"] == pytest.approx(132_736 * row["images_per_s"])
        assert row["padded_macs_per_s"] > row["macs_per_s"]
        assert 0 < row["share_of_peak"] < 1
        assert (row["ratio"] is None) == (row["threads"] == 1)


def test_bad_thread_counts_are_refused() -> None:
    assert "threads is 0; expected at least 1" in refused("bench", "--thread-counts", 0)


def test_faster_than_the_silicon() -> None:
    """The chip read a thousand characters per second; a typical one with noise is simulated ten times as fast."""
    images = lenet.holdout()[0][:2000]
    program, chip = anna.compile(lenet.load("recognizer"), lenet.calibration()), anna.Chip(seed=1)
    chip.run(program, images[:1])
    times = []
    for _ in range(3):
        began = time.process_time()
        assert len(chip.run(program, images).labels) == len(images)
        times.append(time.process_time() - began)
    assert len(images) / min(times) > 10 * facts.BOARD_1996_CHARACTERS_PER_S.value
