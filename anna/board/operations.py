"""What the host's layers take on its DSP, in operations: multiply-adds, and the others that a multiply-add cannot do.

A DSP of 1991 does a multiply-add in one instruction and everything else in short routines. `OPERATIONS` says how long each is;
`EXTRA` and the formulas of the activations say how many of each a layer needs. Multiply-adds of sums are counted by the layers
themselves (`multiply_adds`).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from anna.board.host import HostRound
from anna.chip.facts import A, Fact
from anna.network.activations import Activation, Maths
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Pool, Softmax
from anna.network.layers import Layer
from anna.network.parts import Shape, reduced_shape, units

INSTRUCTIONS, THIS = "instructions", "the routine as one would write it for the DSP32C, which has no divider"
# Instructions of each operation; one instruction takes as long as a multiply-add.
OPERATIONS: Mapping[str, Fact[int]] = {
    "multiply_add": Fact(1, INSTRUCTIONS, A, "one of its unit for floats, sums and products alone included"),
    "compare": Fact(2, INSTRUCTIONS, A, f"{THIS}: a difference and a conditional move"),
    "move": Fact(1, INSTRUCTIONS, A, f"{THIS}: a load and a store side by side"),
    "round": Fact(2, INSTRUCTIONS, A, f"{THIS}: to an integer and back"),
    "reciprocal": Fact(9, INSTRUCTIONS, A, f"{THIS}: a seed and two Newton steps of three"),
    "sqrt": Fact(13, INSTRUCTIONS, A, f"{THIS}: a seed, two Newton steps of five for its reciprocal, and a product"),
    "exp": Fact(14, INSTRUCTIONS, A, f"{THIS}: the exponent apart, a polynomial of degree 6"),
    "log": Fact(14, INSTRUCTIONS, A, f"{THIS}: the exponent apart, a polynomial of degree 7"),
    "sigmoid": Fact(24, INSTRUCTIONS, A, f"{THIS}: exp, a sum and a reciprocal"),
    "tanh": Fact(25, INSTRUCTIONS, A, f"{THIS}: a sigmoid, and a multiply-add"),
    "erf": Fact(31, INSTRUCTIONS, A, f"{THIS}: exp, a reciprocal and a polynomial of degree 5 (Abramowitz and Stegun, 7.1.26)"),
    "read": Fact(3, INSTRUCTIONS, A, f"{THIS}: a state out of its word, and its value from a table"),
    "write": Fact(5, INSTRUCTIONS, A, f"{THIS}: a value scaled, held in the range, rounded, and put into its word"),
}


def _softmax(layer: Any, shape: Shape) -> Counter[str]:
    groups, count = units(reduced_shape(shape, layer.over)), units(shape)
    last = Counter(log=groups, multiply_add=count) if layer.log else Counter(reciprocal=groups, multiply_add=count)
    return Counter(compare=count, exp=count, multiply_add=2 * count) + last


def _normalisation(layer: Any, shape: Shape) -> Counter[str]:
    groups = units(reduced_shape(shape, layer.over))
    return Counter(sqrt=groups, reciprocal=groups)


def _compared(layer: Any, *shapes: Shape) -> Counter[str]:
    """What is compared instead of added."""
    count: int = layer.multiply_adds(*shapes)
    return Counter(compare=count, multiply_add=-count) if layer.mode in ("max", "min") else Counter()


# What the layers of a kind need beside the multiply-adds that they count and their activation.
EXTRA: Mapping[type[Any], Callable[..., Counter[str]]] = {
    Pool: lambda layer, shape: Counter(compare=layer.connections(shape)) if layer.mode == "max" else Counter(),
    Softmax: _softmax,
    Normalisation: _normalisation,
    Combination: _compared,
    Reduction: _compared,
    Prelu: lambda layer, shape: Counter(compare=units(shape)),
    Concatenation: lambda layer, *shapes: Counter(move=sum(map(units, shapes))),
    Arrangement: lambda layer, shape: Counter(move=units(layer.output_shape(shape))),
}


class _Tally:
    """A value of a formula that counts what is done with it."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts

    def _done(self, other: object) -> "_Tally":
        self._counts["multiply_add"] += 1
        return self

    __add__ = __radd__ = __mul__ = __rmul__ = _done


def activation_operations(activation: Activation) -> Counter[str]:
    """What an activation takes for one value, by its formula."""
    counts = Counter[str]()

    def named(name: str, times: int = 1) -> Callable[..., _Tally]:
        def count(x: _Tally, *_: float) -> _Tally:
            counts[name] += times
            return x

        return count

    functions = {name: named(name) for name in ("tanh", "sigmoid", "exp", "log", "sqrt", "erf", "reciprocal", "round")}
    maths = Maths(**functions, relu=named("compare"), step=named("compare"), clip=named("compare", 2))
    activation.value(_Tally(counts), maths)
    return counts


def layer_operations(layer: Layer, *shapes: Shape) -> Counter[str]:
    """Everything that a layer does for one image, by name of the operation."""
    total, extra = Counter(multiply_add=layer.multiply_adds(*shapes)), EXTRA.get(type(layer))
    if extra is not None:
        total.update(extra(layer, *shapes))
    outputs = units(layer.output_shape(*shapes))
    total.update({name: count * outputs for name, count in activation_operations(layer.activation).items()})
    return +total


def round_operations(one: HostRound) -> Counter[str]:
    """What a round takes for one image: its layers, and the states that it reads and writes."""
    total = Counter(read=one.states_read, write=one.states_written)
    for step in one.part.steps:
        total.update(layer_operations(step.layer, *step.input_shapes))
    return total


def instructions(operations: Mapping[str, int]) -> int:
    """How many instructions operations are."""
    return sum(OPERATIONS[name].value * count for name, count in operations.items())
