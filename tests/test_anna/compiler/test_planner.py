"""The planner: its figures against compiled programs, its refusals, and its time."""

import time
from dataclasses import replace

import numpy as np
import pytest

import anna
import lenet
from anna.base.errors import CompileError, GraphError
from anna.chip.machines import MACHINES

NETWORKS = ("lenet1_28", "recognizer", "lenet4", "lenet5", "lenet5_modern", "linear", "mlp300")


def dense(units: int, inputs: int = 1024) -> anna.Graph:
    rng = np.random.default_rng(units)
    some = [
        rng.normal(size=(out, of)).astype(np.float32) / of**0.5 for out, of in ((units, inputs), (units, units), (10, units))
    ]
    layers = [
        anna.FullConnection(f"fc{k}", weights, np.zeros(len(weights), np.float32), anna.Activation("tanh"))
        for k, weights in enumerate(some)
    ]
    return anna.Graph("dense", (inputs, 1, 1), tuple(layers))


@pytest.mark.slow
@pytest.mark.parametrize("machine", ["sequencer", "board-1991", "wide"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_plan_is_what_a_compiled_program_takes(name: str, machine: str) -> None:
    network = lenet.load(name)
    found = anna.plan(network, machine=machine)
    report = anna.compile(network, lenet.calibration(), machine=machine, check_count=0, calibration_count=20).report
    assert report is not None
    assert found.pages == report["pages"]
    assert found.host_multiply_adds == report["host_multiply_adds"]
    assert found.chip_multiply_adds == report["chip_multiply_adds"]
    assert found.run_cycles == pytest.approx(report["run_cycles"], rel=0.05 if machine != "wide" else 0.15)


@pytest.mark.slow
def test_a_large_kernel_on_several_maps_is_planned_as_it_is_compiled() -> None:
    """Of 187 inputs, 11 columns wide, with a step of 4, a part has no room for all the constants that a bias may have."""
    rng = np.random.default_rng(0)
    kernels, bias = rng.normal(size=(8, 3, 11, 11)).astype(np.float32) / 19, rng.normal(size=8).astype(np.float32)
    first = anna.Convolution("first", kernels, bias, stride=(4, 4), activation=anna.Activation("relu"))
    last = anna.Convolution("last", rng.normal(size=(4, 8, 3, 3)).astype(np.float32) / 8, None)
    network = anna.Graph("wide_kernel", (3, 43, 43), (first, last))
    report = anna.compile(network, rng.uniform(-1, 1, (8, 3, 43, 43)).astype(np.float32), check_count=2).report
    assert report is not None
    found = anna.plan(network)
    assert found.pages == report["pages"]
    assert found.run_cycles == pytest.approx(report["run_cycles"], rel=0.05)


def test_the_fastest_cut_is_the_least_of_all() -> None:
    found = anna.plan(lenet.load("lenet5"), machine="board-1996")
    assert [cut.host for cut in found.cuts] == ["as planned", "S2", "C3", "S4", "C5", "F6"]
    assert found.fastest.us == min(cut.us for cut in found.cuts)
    planned, earlier = (replace(found, cuts=(cut,)).text.splitlines() for cut in found.cuts[:2])
    assert "fastest cut: as planned" in planned
    assert f"fastest cut: host=S2, {found.cuts[1].us:,.0f} us" in earlier
    assert found.cuts[0].chip_us == pytest.approx(found.times.chip_us, rel=1e-3)
    assert found.cuts[0].host_us == pytest.approx(found.times.host_us)


def test_a_network_too_large_is_planned_and_says_what_would_mend_it() -> None:
    found = anna.plan(dense(1200))
    assert found.pages > 256
    assert found.short[0].startswith(f"needs {found.pages} weight pages, of which fc1 takes ")
    assert f"take a board with more (chip max_pages={found.pages}), or run fc1 and all after it" in found.short[0]
    assert anna.plan(dense(1200), machine=MACHINES["sequencer"].with_fields(max_pages=found.pages)).short == ()


def test_the_compiler_refuses_what_cannot_fit_before_it_looks_at_images() -> None:
    begun = time.process_time()
    with pytest.raises(CompileError, match=r"needs at least \d+ weight pages, of which fc1 takes \d+, .*option host=fc1"):
        anna.compile(dense(1500), None)
    assert time.process_time() - begun < 10


def test_memory_is_planned_too() -> None:
    conv = anna.Convolution("conv", np.ones((64, 1, 3, 3), np.float32), None, np.ones((64, 1), bool))
    last = anna.Convolution("last", np.ones((2, 64, 1, 1), np.float32), None, np.ones((2, 64), bool))
    wide = anna.Graph("wide", (1, 200, 200), (conv, last))
    assert "an image needs" in anna.plan(wide).short[0] and "chip memory_states=4194304" in anna.plan(wide).short[0]


def test_a_plan_has_a_text_and_is_json() -> None:
    found = anna.plan(lenet.load("recognizer"))
    assert found.text.startswith("recognizer on machine sequencer: about ")
    assert {"network", "machine", "pages", "cycles_per_image", "chip_us_per_image", "host_multiply_adds", "chip_multiply_adds",
            "memory_states", "cut", "seconds"} <= found.json.keys()  # fmt: skip


def test_only_networks_are_planned() -> None:
    with pytest.raises(GraphError, match="expected a network to plan, got str"):
        anna.plan("lenet5")  # type: ignore[arg-type]
