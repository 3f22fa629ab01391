"""Networks with branches on the chip, and layers in their middle that only the host computes."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from random_graphs import expect_integer_arithmetic

import anna
from anna.base.errors import CompileError
from anna.compiler import compilation
from anna.compiler.cut import cut
from anna.compiler.ir import HostStage
from anna.compiler.nodes import Nodes
from anna.compiler.options import CompileOptions
from anna.compiler.passes import Compilation
from anna.compiler.selfcheck import evaluate
from anna.network.forward import forward
from anna.network.graph import (
    NONE,
    RELU,
    Activation,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Graph,
    Layer,
    Normalisation,
    Pool,
    Reduction,
    Softmax,
)

SHAPE = (3, 8, 8)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(0, 1, (60, *SHAPE)).astype(np.float32)
SILU = Activation("silu")


def conv(name: str, maps: int, inputs: int, kernel: int = 3, stride: int = 1, activation: Activation = RELU) -> Convolution:
    rng = np.random.default_rng(sum(map(ord, name)))
    weights = (rng.normal(0, 1, (maps, inputs, kernel, kernel)) / np.sqrt(inputs * kernel**2)).astype(np.float32)
    bias = rng.normal(0, 0.1, maps).astype(np.float32)
    return Convolution(name, weights, bias, stride=(stride, stride), padding=(kernel // 2,) * 4, activation=activation)


def full(name: str, outputs: int, inputs: int) -> FullConnection:
    rng = np.random.default_rng(sum(map(ord, name)))
    return FullConnection(name, (rng.normal(0, 1, (outputs, inputs)) / np.sqrt(inputs)).astype(np.float32))


def net(layers: list[Layer], outputs: tuple[str, ...] = (), **links: tuple[str, ...]) -> Graph:
    return Graph("net", SHAPE, tuple(layers), links=links, outputs=outputs)


RESIDUAL = net(
    [conv("first", 4, 3), conv("a", 4, 4), conv("b", 4, 4, activation=NONE), Combination("sum", "sum", activation=RELU),
     conv("c", 6, 4, stride=2), conv("d", 6, 6, activation=NONE), conv("short", 6, 4, 1, 2, NONE),
     Combination("sum2", "sum", activation=RELU), Pool("mean", "average", (4, 4), (4, 4)), full("out", 5, 6)],
    sum=("b", "first"), short=("sum",), sum2=("d", "short"),
)  # fmt: skip
INCEPTION = net(
    [conv("first", 4, 3), conv("a", 3, 4), conv("b", 5, 4, 1), Pool("best", "max", (3, 3), (1, 1), (1, 1, 1, 1)),
     Concatenation("joined"), conv("more", 4, 12), Concatenation("all"), conv("last", 3, 16),
     Pool("mean", "average", (8, 8), (8, 8)), full("out", 5, 3)],
    b=("first",), best=("first",), joined=("best", "a", "b"), all=("joined", "more"),
)  # fmt: skip
GATED = net(
    [conv("first", 6, 3, activation=SILU), conv("a", 6, 6, activation=NONE), Reduction("squeeze", "mean", "yx"),
     conv("gate", 6, 6, 1, activation=Activation("sigmoid")), Combination("excited", "product"),
     Combination("sum", "sum"), conv("b", 4, 6, stride=2), full("out", 5, 64)],
    squeeze=("a",), excited=("a", "gate"), sum=("excited", "first"),
)  # fmt: skip


def quiet(graph: Graph, **options: object) -> Compilation:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compilation(graph, IMAGES, **options)  # type: ignore[arg-type]


def closeness(done: Compilation, graph: Graph) -> float:
    found, wanted = anna.Chip().run(done.program, IMAGES).scores, forward(graph, IMAGES).scores
    return float(np.corrcoef(found.ravel(), wanted.ravel())[0, 1])


@pytest.mark.parametrize("machine", ["sequencer", "board-1991", "wide"])
@pytest.mark.parametrize("graph", [RESIDUAL, INCEPTION, GATED], ids=["residual", "inception", "gated"])
def test_a_network_with_branches_runs_on_every_machine(graph: Graph, machine: str) -> None:
    done = quiet(graph, machine=machine)
    expect_integer_arithmetic(done, IMAGES)
    assert closeness(done, graph) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"digits": 2}, {"copies": 2}, {"digits": 2, "synapses": 2}], ids=str)
@pytest.mark.parametrize("graph", [RESIDUAL, INCEPTION, GATED], ids=["residual", "inception", "gated"])
def test_branches_in_digits_and_copies(graph: Graph, options: dict[str, int]) -> None:
    done = quiet(graph, **options)
    expect_integer_arithmetic(done, IMAGES)
    assert "digits" not in options or closeness(done, graph) > max(0.95, closeness(quiet(graph), graph))


def test_a_residual_sum_takes_no_neurons_of_its_own() -> None:
    layers = {layer.name: layer for layer in quiet(RESIDUAL).checked.layers}
    assert list(layers) == ["first", "a", "b", "c", "d", "short", "mean"]
    assert (layers["b"].carry, layers["b"].activation) == ("first", RELU)
    assert (layers["short"].carry, layers["short"].activation) == ("d", RELU)  # the later of two convolutions


def test_a_sum_of_what_others_read_too_has_neurons_of_its_own() -> None:
    graph = net([conv("a", 4, 3), Combination("sum", "sum"), conv("c", 4, 4), Combination("again", "sum"), full("out", 5, 256)],
                sum=("a", "a"), again=("c", "sum"))  # fmt: skip
    done = quiet(graph)
    assert {"sum", "again"} <= {layer.name for layer in done.checked.layers}
    assert closeness(done, graph) > 0.95


def test_a_wide_sum_adds_its_other_operand_in_its_first_part() -> None:
    graph = net([conv("first", 40, 3), conv("wide", 40, 40, activation=NONE), Combination("sum", "sum", activation=RELU),
                 full("out", 5, 2560)], sum=("wide", "first"))  # fmt: skip
    done = quiet(graph)
    parts = [layer for layer in done.split.layers if layer.origin == "wide"]
    assert len(parts) > 1
    assert [part.carry for part in parts] == ["first", *(part.name for part in parts[:-1])]
    assert closeness(done, graph) > 0.85


def test_joined_maps_lie_in_one_stack_from_the_beginning() -> None:
    layers = {layer.name: layer for layer in quiet(INCEPTION).checked.layers}
    assert [(layers[name].stack, layers[name].first_map) for name in ("best", "a", "b", "more")] == [
        ("all", 0), ("all", 4), ("all", 7), ("all", 12)
    ]  # fmt: skip
    assert layers["more"].source == layers["last"].source == "all"
    assert not layers["more"].mask_oiyx[:, 12:].any()


def test_maps_that_are_picked_are_read_where_they_are() -> None:
    units = np.arange(6 * 64, dtype=np.int32).reshape(6, 8, 8)[[4, 1]]
    graph = net([conv("a", 6, 3), Arrangement("picked", units), conv("b", 3, 2), full("out", 5, 192)])
    done = quiet(graph)
    assert [layer.name for layer in done.checked.layers] == ["a", "b"]
    assert closeness(done, graph) > 0.9


def test_what_the_chip_cannot_is_a_round_trip_between_pages() -> None:
    done = quiet(GATED)
    (member,) = done.checked.members
    assert [[layer.name for layer in step.layers] for step in member.steps if isinstance(step, HostStage)] == [
        ["first"], ["excited", "sum"]
    ]  # fmt: skip
    report = done.program.report
    assert report is not None
    assert [one.segment for one in done.host.rounds] == sorted({placed.page for placed in done.placement.scans})[1:3]
    assert closeness(done, GATED) > 0.9


def test_two_branches_share_a_round_trip() -> None:
    graph = net([conv("a", 3, 3, activation=SILU), conv("b", 3, 3, activation=SILU), conv("c", 4, 3), conv("d", 4, 3),
                 Concatenation("both"), full("out", 5, 512)],
                b=("/image",), c=("a",), d=("b",), both=("c", "d"))  # fmt: skip
    assert len(quiet(graph).host.rounds) == 1


def test_what_has_no_weights_stays_on_the_host_between_its_layers() -> None:
    graph = net([conv("a", 4, 3, activation=SILU), Pool("best", "max"), conv("b", 4, 4), full("out", 5, 64)])
    stages = [step for step in quiet(graph).checked.members[0].steps if isinstance(step, HostStage)]
    assert [layer.name for layer in stages[0].layers] == ["a", "best"]


def test_layers_before_the_first_that_the_chip_runs_take_floats() -> None:
    graph = net([Normalisation("norm", "yx"), conv("a", 4, 3), full("out", 5, 256)])
    done = quiet(graph)
    assert [layer.name for layer in done.host.before] == ["norm"]
    assert not done.host.rounds
    assert closeness(done, graph) > 0.9


def test_a_network_of_several_outputs_gives_each_by_name() -> None:
    graph = net([conv("a", 4, 3), full("scores", 5, 256), Softmax("chances"), Reduction("mean", "mean", "yx")],
                ("chances", "mean"), mean=("a",))  # fmt: skip
    result = anna.Chip().run(quiet(graph).program, IMAGES)
    assert list(result.results) == ["chances", "mean"]
    assert result.scores.shape == (60, 5)
    wanted = forward(graph, IMAGES)
    assert np.corrcoef(result.results["mean"].ravel(), wanted.outputs["mean"].ravel())[0, 1] > 0.9


def test_without_a_host_every_layer_that_needs_one_is_named_at_once() -> None:
    with pytest.raises(CompileError) as caught:
        quiet(GATED, host="none")
    assert [why.partition(";")[0] for why in caught.value.reasons] == [
        "first: ends in silu(1.0), which no range of the ADC computes",
        "excited: takes the product of maps, unit by unit, which the chip cannot",
    ]


def test_a_network_with_nothing_for_the_chip_is_refused() -> None:
    with pytest.raises(CompileError, match="moving it to the host would leave nothing for the chip"):
        quiet(net([Normalisation("norm", "yx"), Softmax("soft")]))


def test_borders_beyond_what_images_hold_are_in_the_inputs_range() -> None:
    shift = Affine("shift", np.ones(3, np.float32), np.full(3, 1.5, np.float32))
    graph = net([shift, conv("a", 4, 3), full("out", 5, 256)])
    brighter = replace(graph, name="brighter")
    done = compilation(brighter, np.abs(IMAGES), chip=anna.ANNA_WIDE.changed(state_bits=16, weight_bits=16), machine="wide")
    found = anna.Chip().run(done.program, np.abs(IMAGES)).scores
    wanted = forward(graph, np.abs(IMAGES)).scores
    assert np.abs(found - wanted).max() < 0.005 * np.ptp(wanted)


# --- random graphs ---------------------------------------------------------------------------------------------------
# A straight ADC only comes near a squash; a clip at both ends is lost where an input's weight cannot fill the ADC's range.
SQUASHES = ("tanh", "scaled_tanh", "sigmoid", "erf", "softsign", "clip")


def cut_off(done: Compilation, stacks: dict[str, np.ndarray]) -> np.ndarray:
    """The images of which a value lies beyond a range: at the top of any, or at the bottom of what the host makes."""
    top, made = (1 << done.program.spec.state_bits) - 1, {"input", *done.quantised.written}
    at_an_end = [(part == top) | ((part == 0) & (name in made)) for name, part in stacks.items()]
    found: np.ndarray = np.any([part.reshape(len(part), -1).any(axis=1) for part in at_an_end], axis=0)
    return found


@pytest.mark.slow
def test_random_graphs_compile_and_at_16_bits_come_near_the_float_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On images that calibration did not see; the compiler checks each program against integer arithmetic."""
    pytest.importorskip("onnx", reason="onnx is absent: random graphs are NOT compiled")
    from random_onnx import models

    many_bits = anna.ANNA_WIDE.changed(weight_bits=16, state_bits=16)
    seen = {"compiled": 0, "trips": 0, "branches": 0, "near": 0, "clear": 0}

    @given(models())
    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def compile_one(case: tuple[bytes, tuple[int, int, int]]) -> None:
        path = tmp_path_factory.mktemp("net") / "net.onnx"
        path.write_bytes(case[0])
        graph = anna.load_network(path)
        assert isinstance(graph, Graph)
        images = np.random.default_rng(1).normal(size=(50, *graph.input_shape)).astype(np.float32)
        reasons = list[str]()
        for options in (CompileOptions(), CompileOptions(machine=anna.MACHINES["wide"].with_chip(many_bits))):
            cut(graph.name, Nodes.of(graph), options, reasons)
        if reasons:  # nothing for the chip
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = compilation(graph, images[:40])
            wide = compilation(graph, images[:40], chip=many_bits, machine="wide", check_count=0)
        expect_integer_arithmetic(done, images[40:42])
        seen["compiled"] += 1
        seen["trips"] += bool(done.host.rounds)
        seen["branches"] += not graph.is_chain
        if any(step.layer.activation.kind in SQUASHES for step in graph.steps):
            return
        codes = wide.host.input_codes(many_bits, wide.checked.input_shape, images[40:])
        stacks = evaluate(wide.quantised, codes)
        clear = ~cut_off(wide, stacks)
        found = wide.host.scores(many_bits, stacks)
        wanted = forward(graph, images[40:]).scores
        assert np.abs(found - wanted)[clear].max(initial=0.0) <= 0.005 * max(float(np.ptp(wanted)), 0.1)
        seen["near"] += 1
        seen["clear"] += int(clear.sum())

    compile_one()
    assert min(seen["trips"], seen["branches"], seen["near"]) >= 40
    assert seen["compiled"] >= 200
    assert seen["clear"] >= 9.5 * seen["near"]  # of ten images
