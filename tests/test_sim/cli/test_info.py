"""`anna info` tells what a machine is, and what a program does on it."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import good

import anna
import lenet


def test_info_of_the_chip_has_the_documented_fields() -> None:
    info = json.loads(good("info", "--json"))
    assert info["clock_hz"] == 20_000_000
    assert info["synapses"] == 4096
    assert info["neurons_at_once"] == 8
    assert info["max_inputs"] == 256
    assert info["peak_connections_per_s"] == 10.24e9
    assert info["refresh_us"] == pytest.approx(110)
    assert info["state_rate_per_s"] == 40_000_000


def test_info_shows_the_refresh_both_ways_and_the_marks() -> None:
    text = good("info")
    assert "110 us = 102.4 us of writes + 152 cycles" in text
    assert "marks: P published, R recalled, D derived, A assumed" in text


def test_info_describes_each_machine() -> None:
    assert "the wide set" in good("info", "--machine", "wide")
    board = good("info", "--machine", "board-1991")
    assert "board-1991: 1 chip" in board and "the published set" in board
    assert "the host, 5 M instructions/s, 5 MByte/s, nothing runs side by side" in board
    info = json.loads(good("info", "--machine", "board-1996", "--json"))
    assert (info["machine"], info["chips"], info["instruction_set"]) == ("board-1996", 2, "published")
    assert (info["sequencer"]["overlap"], info["host_multiply_adds_per_s"]) == ("shift-calc", 12_500_000)
    assert json.loads(good("doctor", "--json"))["machines"] == list(anna.MACHINES)


def test_rounds_of_the_host_are_told_with_layers_states_and_time(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "silu.anna"
    first = anna.Convolution("first", rng.normal(size=(4, 1, 3, 3)).astype(np.float32) / 3, activation=anna.Activation("silu"))
    others = [anna.Convolution(name, rng.normal(size=(4, 4, 3, 3)).astype(np.float32) / 6) for name in ("second", "third")]
    network = anna.Graph("silu", (1, 10, 10), (first, *others), outputs=("third", "second"))
    images = rng.normal(size=(12, 1, 10, 10))
    anna.compile(network, images, check_count=2).save(path)
    np.save(tmp_path / "images.npy", images.astype(np.float32))
    (one,) = json.loads(good("info", path, "--json"))["rounds"]
    assert (one["segment"], one["layers"], one["states_read"], one["states_written"]) == (1, ["first"], 4 * 64, 4 * 64)
    assert one["us"] > 0 and one["operations"]["sigmoid"] == 4 * 64
    assert "host in between   before segment 1: first; 256 states read, 256 written, " in good("info", path)
    run = json.loads(good("run", path, "--images", tmp_path / "images.npy", "--json"))
    assert list(run["results"]) == ["third", "second"]
    codes = anna.input_codes(anna.Program.load(path), images)[0]
    np.save(tmp_path / "codes.npy", codes[None])
    good("trace", path, "--codes", tmp_path / "codes.npy", "--vcd", tmp_path / "silu.vcd", "--perfetto", tmp_path / "silu.json")


def test_info_of_a_program(edges: Path) -> None:
    info = json.loads(good("info", edges, "--json"))
    assert info["cycles_per_image"] == anna.verified(anna.Program.load(edges)).cycles_per_image
    assert info["utilisation"]["array"] == pytest.approx(48 / info["cycles_per_image"])
    assert good("info", edges).startswith("program")


def test_shares_of_the_time_count_page_loads(paged: Path) -> None:
    """An image's time is its own cycles and its share of the page loads; each unit's share is of the whole."""
    info = json.loads(good("info", paged, "--json"))
    whole, loading = info["cycles_per_image"], info["page_load_cycles_per_image"]
    assert info["page_loads_per_batch"] > 1
    assert loading == info["page_load_cycles"] / info["batch"] > (0.9 if info["machine"] == "wide" else 0.7) * whole
    assert whole == loading + sum(segment["cycles"] for segment in info["segments"])
    assert info["utilisation"]["page_loads"] == pytest.approx(loading / whole)
    assert info["utilisation"]["input"] == pytest.approx(info["busy_cycles"]["input"] / whole)
    assert f"page loads        {loading:,g} cycles, {loading / whole:.1%}\n" in good("info", paged)


def test_info_and_run_describe_host_and_board(paged: Path, tmp_path: Path) -> None:
    """They say what compiling said: useful multiply-adds, the host's time, and the slower of chip and host."""
    report = anna.Program.load(paged).report
    assert report is not None and report["chip_multiply_adds"] == 235_200 and report["host_multiply_adds"] == 3_000
    names = (
        "machine",
        "chip_multiply_adds",
        "host_multiply_adds",
        "host_us_per_image",
        "board_us_per_image",
        "board_images_per_s",
        "board_binds",
        "connections_per_s",
        "published_us_per_image",
    )
    told = {name: report[name] for name in names}
    np.save(tmp_path / "digits.npy", lenet.holdout()[0][:2])
    for command in (("info", paged), ("run", paged, "--images", tmp_path / "digits.npy")):
        assert told.items() <= json.loads(good(*command, "--json")).items()
        text = good(*command)
        assert "3,000 multiply-adds per image, 240 us" in text
        speed = f"{report['board_us_per_image']:,.1f} us per image, {report['board_images_per_s']:,.0f} images/s"
        assert f"{report['machine']}, {speed}, bound by the chip" in text


def test_products_of_live_synapses_have_their_own_name(paged: Path) -> None:
    """They count biases and partial sums, and no weight that became zero; multiply-adds are the network's."""
    info = json.loads(good("info", paged, "--json"))
    assert info["live_synapse_products"] == anna.verified(anna.Program.load(paged)).live_products
    assert info["live_synapse_products"] != info["chip_multiply_adds"] and "multiply_adds" not in info
