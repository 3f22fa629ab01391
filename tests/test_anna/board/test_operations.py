"""What the host takes for its layers: operations counted from their formulas, and the time of rounds."""

import numpy as np
import pytest

from anna.board.host import HostRound, HostWriting
from anna.board.host_part import HostPart, HostReading
from anna.board.operations import OPERATIONS, activation_operations, instructions, layer_operations, round_operations
from anna.board.times import Times, round_us, rounds_us
from anna.chip.facts import Mark
from anna.chip.machines import MACHINES
from anna.network.activations import CURVES, SCALED_TANH, Activation
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Pool, Softmax
from anna.network.layers import FullConnection

SHAPE = (6, 4, 5)
UNITS = 120


def a_round() -> HostRound:
    """Twelve states become four: a full connection with a scaled tanh."""
    layer = FullConnection("full", np.ones((4, 12), np.float32), activation=SCALED_TANH)
    part = HostPart((HostReading("x", "x", (12, 1, 1), np.ones(12), np.zeros(12)),), (layer,))
    return HostRound(1, part, (HostWriting("full", "y", np.ones(8), np.zeros(8), digits=2),))


def test_every_operation_is_assumed_and_says_so() -> None:
    assert {fact.mark for fact in OPERATIONS.values()} == {Mark.ASSUMED}
    assert all(fact.value >= 1 and fact.unit == "instructions" and fact.source for fact in OPERATIONS.values())


@pytest.mark.parametrize("kind", CURVES)
def test_every_activation_is_counted_in_operations_of_the_table(kind: str) -> None:
    found = activation_operations(Activation(kind))
    assert found.keys() <= OPERATIONS.keys()
    assert bool(found) == (kind != "none")


def test_an_activation_is_counted_by_its_formula() -> None:
    assert activation_operations(Activation("relu")) == {"compare": 1}
    assert activation_operations(Activation("gelu")) == {"multiply_add": 4, "erf": 1}  # x * 0.5 * (erf(x * c) + 1)
    assert activation_operations(Activation("hard_swish")) == {"multiply_add": 3, "compare": 2}


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (Softmax("s"), [SHAPE], {"compare": UNITS, "exp": UNITS, "multiply_add": 3 * UNITS, "reciprocal": 20}),
        (Softmax("s", log=True), [SHAPE], {"compare": UNITS, "exp": UNITS, "multiply_add": 3 * UNITS, "log": 20}),
        (Normalisation("n", "yx"), [SHAPE], {"multiply_add": 3 * UNITS, "sqrt": 6, "reciprocal": 6}),
        (Combination("c", "product"), [SHAPE, SHAPE], {"multiply_add": UNITS}),
        (Combination("c", "max"), [SHAPE, SHAPE], {"compare": UNITS}),
        (Reduction("r", "mean", "m"), [SHAPE], {"multiply_add": UNITS}),
        (Reduction("r", "max", "m"), [SHAPE], {"compare": UNITS}),
        (Prelu("p", np.ones((6, 1, 1), np.float32)), [SHAPE], {"multiply_add": UNITS, "compare": UNITS}),
        (Pool("p", "max", (2, 2), (2, 2)), [(6, 4, 4)], {"compare": 6 * 4 * 4}),
        (Pool("p", "average", (2, 2), (2, 2)), [(6, 4, 4)], {"multiply_add": 6 * 4 * 4}),
        (Concatenation("c"), [SHAPE, SHAPE], {"move": 2 * UNITS}),
        (Arrangement("a", np.zeros((2, 1, 1), np.int32)), [SHAPE], {"move": 2}),
    ],
)
def test_a_layer_is_counted_by_what_it_does(layer, shapes, expected) -> None:
    assert layer_operations(layer, *shapes) == expected


def test_a_round_reads_computes_and_writes() -> None:
    assert round_operations(a_round()) == {"read": 12, "multiply_add": 48 + 2 * 4, "tanh": 4, "write": 8}
    assert instructions({"read": 12, "tanh": 4}) == 12 * OPERATIONS["read"].value + 4 * OPERATIONS["tanh"].value


def test_a_round_takes_its_instructions_and_the_bus() -> None:
    own = 1e6 * instructions(round_operations(a_round())) / 12_500_000
    for name, machine in MACHINES.items():
        bus = machine.sequencer.bytes_per_s
        moved = 0.0 if bus is None else 1e6 * (12 + 8) * 3 / 8 / bus
        assert round_us(machine, a_round()) == pytest.approx(own + moved), name
    assert rounds_us(MACHINES["wide"], [a_round()] * 2) == pytest.approx(2 * own)
    unknown = MACHINES["wide"].changed(host_multiply_adds_per_s=None)
    assert rounds_us(unknown, [a_round()]) is None
    assert rounds_us(unknown, []) == 0


def test_the_chip_waits_for_rounds_and_works_beside_the_tail() -> None:
    times = Times(MACHINES["sequencer"], 2_000, 1_250, 30.0)  # 100 us on the chip, 100 us of tail
    assert (times.chip_us, times.tail_us, times.host_us) == (100, 100, 130)
    assert times.latency_us == 230
    assert times.images_per_s == pytest.approx(1e6 / 130)
    both = Times(MACHINES["board-1991"], 2_000, 1_250, 30.0)
    assert both.images_per_s == pytest.approx(1e6 / 230)
    two = Times(MACHINES["board-1996"], 2_000, 0, 30.0)
    assert two.images_per_s == pytest.approx(1e6 / 65)
    assert Times(MACHINES["sequencer"], 2_000, 0, None).latency_us is None
