"""What came before ANNA and after it, in numbers: networks from 1980 to 2012, and what they would have taken on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from anna.chip import facts
from anna.chip.facts import A, Fact, P, R
from anna.compiler.planner import Plan, plan
from anna.network.graph import Graph
from lenet.networks import alexnet, catalogue
from sim.published.runs import Runs, Setting

MACHINE = "sequencer"
READERS = ("board-1991", "sequencer", "board-1996")  # machines that might have read checks
RECOGNISER = "recognizer"

# Cells of the neocognitron of 1980 that excite: 16 x 16 inputs, then 24 planes of 16 x 16, 10 x 10, 8 x 8, 6 x 6, 2 x 2 and 1.
NEOCOGNITRON_UNITS = Fact(16 * 16 + 24 * (16 * 16 + 10 * 10 + 8 * 8 + 6 * 6 + 2 * 2 + 1), "cells", R,
                          "Fukushima: Neocognitron. Biological Cybernetics 36, 1980")  # fmt: skip
ALEXNET = "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks. NIPS 25, 2012"
ALEXNET_UNITS = Fact(650_000, "neurons", P, ALEXNET)
ALEXNET_IMAGES = Fact(1_200_000, "images", P, ALEXNET)
ALEXNET_ERROR = Fact(15.3, "% of images without their class among the first five", P, f"{ALEXNET}; several networks together")

# --- checks ----------------------------------------------------------------------------------------------------------
BULLETIN = "Gerdes, Walton: The Use of Checks and Other Noncash Payment Instruments. Federal Reserve Bulletin 88, 2002"
CHECKS = Fact(49_500_000_000, "checks a year", P, f"{BULLETIN}: paid in the United States in 1995")
SHARE = Fact(0.1, "of all checks", P, "LeCun's own account, 2014: 10 to 20 % in the late 1990s; the lower end")
DAYS = Fact(250, "days a year", A, "on which banks work")
HOURS = Fact(8, "hours a day", A, "at night, when checks are sorted")
CHARACTERS = Fact(5, "characters", A, "of the amount in figures")
CANDIDATES = Fact(3, "candidates a character", A, "cuts between characters that are tried, each with the recogniser")
ASSUMED = (CHECKS, SHARE, DAYS, HOURS, CHARACTERS, CANDIDATES)


class Step(NamedTuple):
    """A network of the line; None where nothing is known or it has no meaning."""

    year: int
    name: str
    network: str | None  # in the catalogue
    units: int | None
    connections: int | None
    parameters: int | None
    examples: int | None  # that it was trained on
    error: str
    source: str


@dataclass(frozen=True)
class Reader:
    """How many machines of a kind would have read the checks."""

    machine: str
    characters_per_s: float
    boards: int


@dataclass(frozen=True)
class History:
    """Everything that the page of history shows as a number of this model."""

    line: tuple[Step, ...]
    plans: dict[str, Plan]  # of the networks of the line, by their names there
    readers: tuple[Reader, ...]

    @property
    def alexnet(self) -> Plan:
        """AlexNet on one chip."""
        return self.plans["AlexNet"]

    @property
    def alexnet_seconds(self) -> float:
        """One image, chip and host."""
        return us_of(self.alexnet) / 1e6

    @property
    def alexnet_chips(self) -> int:
        """Chips for one image a second, if they share the work evenly."""
        return math.ceil(self.alexnet_seconds)

    def content(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "line": [one._asdict() for one in self.line],
            "plans": {name: {"pages": one.pages, "ms": round(us_of(one) / 1e3, 3)} for name, one in self.plans.items()},
            "alexnet": {"seconds": round(self.alexnet_seconds, 3), "chips": self.alexnet_chips,
                        "multiply_adds": self.alexnet.chip_multiply_adds + self.alexnet.host_multiply_adds},
            "characters_per_s": round(characters_per_s(), 1),
            "readers": [vars(one) for one in self.readers],
            "assumed": [{"value": one.value, "unit": one.unit, "mark": str(one.mark), "source": one.source} for one in ASSUMED],
        }  # fmt: skip


def history(show: Callable[[str], None]) -> History:
    """Counted, planned and compiled anew."""
    large = alexnet.alexnet()
    show("plan")
    line = _line(large)
    plans = {one.name: plan(catalogue.define(one.network), machine=MACHINE) for one in line if one.network}
    plans["AlexNet"] = plan(large, machine=MACHINE)
    show("compile")
    runs = Runs()
    rates = {machine: runs.run(Setting(RECOGNISER, machine)).times(True).images_per_s for machine in READERS}
    alone = facts.DSP_CONNECTIONS_PER_S.value / catalogue.define(RECOGNISER).multiply_adds
    readers = [Reader(name, rate, boards(rate)) for name, rate in {"the DSP alone": alone, **rates}.items()]
    return History(line, plans, tuple(readers))


def us_of(one: Plan) -> float:
    """What an image takes from beginning to end, in us."""
    return one.times.chip_us + (one.times.host_us or 0.0)


def characters_per_s() -> float:
    """Characters that a tenth of the checks has, candidates and all, while banks read them."""
    of_a_year = CHECKS.value * SHARE.value * CHARACTERS.value * CANDIDATES.value
    return of_a_year / (DAYS.value * HOURS.value * 3600)


def boards(rate: float) -> int:
    """Boards of so many characters per second that keep up."""
    return math.ceil(characters_per_s() / rate)


def _line(large: Graph) -> tuple[Step, ...]:
    """From the neocognitron to AlexNet."""
    return (
        Step(1980, "Neocognitron", None, NEOCOGNITRON_UNITS.value, None, None, None,
             "learned without labels", "cells R"),
        _counted(1989, "LeNet-1, zip codes", "lenet1", 7_291, "5.0 % of zip-code digits", "P"),
        _counted(1990, "LeNet-1, 28 x 28", "lenet1_28", 60_000, "1.7 % on MNIST, in 1998", "P"),
        _counted(1991, "recogniser on ANNA", RECOGNISER, None, "5.3 % of zip-code digits, in floats 4.9 %", "P"),
        _counted(1995, "LeNet-4", "lenet4", 60_000, "1.1 % on MNIST", "P"),
        _counted(1998, "LeNet-5", "lenet5", 60_000, "0.95 % on MNIST", "P"),
        Step(2012, "AlexNet", None, ALEXNET_UNITS.value, large.connections, large.parameters, ALEXNET_IMAGES.value,
             "15.3 % of ImageNet, first five", "P; counts D"),
    )  # fmt: skip


def _counted(year: int, name: str, network: str, examples: int | None, error: str, source: str) -> Step:
    """A LeNet, counted from its definition: constants of one are no units."""
    graph = catalogue.define(network)
    assert isinstance(graph, Graph)
    units = sum(step.units for step in graph)
    return Step(year, name, network, units, graph.connections, graph.parameters, examples, error, source)


def marked(fact: Fact[Any]) -> str:
    """A fact's value with unit and mark."""
    value = f"{fact.value:,.0f}" if fact.value >= 1 else f"{100 * fact.value:g} %"
    return f"{value} {fact.unit} ({fact.mark})"
