"""`anna bench`: its fields, what it counts, and that the peers compute what we do."""

import json

import numpy as np
import pytest
from command_line import good, refused

import lenet
from anna.forward import forward, network_input
from anna.graph import Graph
from sim.bench import measure
from sim.bench.peers import NOISY_PYTORCH, peers


@pytest.mark.parametrize("name", ["recognizer", "lenet5"])
def test_peers_read_as_the_float_network_does(name: str) -> None:
    network = lenet.load(name)
    assert isinstance(network, Graph)
    images = lenet.holdout()[0][:200]
    x = np.ascontiguousarray(network_input(network, images).transpose(3, 0, 1, 2))
    found = peers(network)
    if not found:
        pytest.skip("neither ONNX Runtime nor PyTorch is installed")
    labels = forward(network, images).labels
    for peer in found:
        same = np.asarray(peer.read(x)).reshape(len(x), -1).argmax(1) == labels
        assert same.mean() > (0.85 if peer.name == NOISY_PYTORCH else 0.99), peer.name


def test_the_command_has_the_documented_fields() -> None:
    found = json.loads(good("bench", "--quick", "--no-peers", "--threads", 1, "--threads", 2, "--json"))
    assert {"machine", "simd", "rows", "peak_rss_mb"} <= set(found)
    assert [(row["case"], row["threads"]) for row in found["rows"]] == [
        (measure.PEAK, 1),
        *((f"recognizer, {kind} chip", threads) for kind in ("ideal", "typical", "worst") for threads in (1, 2)),
    ]
    wanted = {"case", "threads", "images_per_s", "chip_cycles_per_s", "macs_per_s", "share_of_peak", "ratio_to", "ratio"}
    for row in found["rows"][1:]:
        assert wanted <= set(row)
        assert row["macs_per_s"] == pytest.approx(132_736 * row["images_per_s"])
        assert row["padded_macs_per_s"] > row["macs_per_s"]
        assert 0 < row["share_of_peak"] < 1
        assert (row["ratio"] is None) == (row["threads"] == 1)


def test_bad_thread_counts_are_refused() -> None:
    assert "--threads is 0; expected at least 1" in refused("bench", "--threads", 0)
