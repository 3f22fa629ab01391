"""The quantities by which published numbers are predicted, each a function of what it is taken of."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from anna.analog.parameters import Analog
from anna.board.times import Times
from anna.chip import facts
from anna.chip.machines import MACHINES, Machine
from anna.chip.spec import ANNA_1991, ANNA_WIDE, Overlap
from anna.network.graph import Graph
from anna.program import isa
from anna.sequencer.timeline import Timeline
from lenet.datasets.digits import holdout
from lenet.datasets.registry import DATA_SETS
from lenet.networks import catalogue
from lenet.training.recipes import RECIPES
from sim.comparison.arms import chip_arm, float_arm
from sim.published import programs
from sim.published.networks import network as network_of
from sim.published.row import By
from sim.published.runs import Runs, Setting, program_of

ERROR_CHIPS, FIRST_CHIP = 8, 100
RECOGNIZER = Setting("recognizer", "sequencer")
DEDICATED_OVER_DSP = ("sequencer", "board-1991")
COUNTED = 10, 110  # CALCs of two programs: their difference is free of how a program begins and ends


class Quantities:
    """Computes quantities; what they share is compiled once and kept in memory."""

    def __init__(self, runs: Runs | None = None, threads: int = 1) -> None:
        self.runs = runs or Runs()
        self.threads = threads
        self._errors = lru_cache(self._count_errors)
        self._busy = lru_cache(_busy)

    def value(self, by: By) -> float:
        """The quantity that a row names."""
        return float(QUANTITIES[by.quantity](self, **by.of))

    # --- times and rates of compiled networks; `of` is what a Setting is made of
    def chip_ms(self, refresh: bool = True, **of: Any) -> float:
        """One image on one chip."""
        return self._times(refresh, **of).chip_us / 1e3

    def host_ms(self, refresh: bool = True, **of: Any) -> float:
        """The host's layers for one image."""
        return _known(self._times(refresh, **of).host_us) / 1e3

    def latency_ms(self, refresh: bool = True, **of: Any) -> float:
        """One image from beginning to end."""
        return _known(self._times(refresh, **of).latency_us) / 1e3

    def images_per_s(self, refresh: bool = True, **of: Any) -> float:
        """Images per second of the machine in steady state."""
        return self._times(refresh, **of).images_per_s

    def connections_per_s(self, refresh: bool = True, **of: Any) -> float:
        """Multiply-adds per second of the machine in steady state, those of the host included."""
        return self.runs.run(Setting(**of)).multiply_adds * self.images_per_s(refresh, **of)

    def dsp_speed_up(self, refresh: bool = True, **of: Any) -> float:
        """The machine against its DSP alone."""
        return self.connections_per_s(refresh, **of) / facts.DSP_CONNECTIONS_PER_S.value

    def sequencer_speed_up(self, networks: Sequence[str], refresh: bool = True, **of: Any) -> float:
        """A dedicated sequencer against the DSP, where it gains most."""
        rates = [[self.images_per_s(refresh, network=one, machine=machine, **of) for machine in DEDICATED_OVER_DSP]
                 for one in networks]  # fmt: skip
        return max(dedicated / dsp for dedicated, dsp in rates)

    def synapses_of_one_page(self, network: str) -> float:
        """Synapses that carry a weight, on each weight page."""
        report = self.runs.run(Setting(network, "sequencer")).report
        return float(report["synapses_used"] / report["pages"])

    def _times(self, refresh: bool, **of: Any) -> Times:
        return self.runs.run(Setting(**of)).times(refresh)

    # --- counts of networks
    def count(self, network: str, what: str, layer: str | None = None, without: str | None = None, constants: int = 0) -> float:
        """Connections, multiply-adds, parameters or units of a network or a layer; `constants` are units that it lacks."""
        graph = network_of(network)
        assert isinstance(graph, Graph)
        if what == "units" and layer is None:
            return sum(step.units for step in graph) + constants
        count = int(getattr(graph if layer is None else graph[layer], what))
        return count - (0 if without is None else int(getattr(graph[without], what)))

    def places(self, network: str) -> float:
        """Places at which a network that slides has scores."""
        graph = network_of(network)
        return graph.output_shape[1] * graph.output_shape[2]

    def dsp_images_per_s(self, network: str) -> float:
        """Images per second of the DSP alone."""
        return float(facts.DSP_CONNECTIONS_PER_S.value / self.count(network, "multiply_adds"))

    def digits(self, data: str, part: str) -> float:
        """Digits of a data set."""
        return DATA_SETS[data].parts[part]

    def passes(self, recipe: str) -> float:
        """Passes of a training recipe."""
        return RECIPES[recipe].passes

    # --- errors
    def trained_error_percent(self, network: str, variant: str = "") -> float:
        """Error of the shipped weights on the published test digits, from their record."""
        return float(catalogue.record(network, None, 1, variant)["results"][0]["error_percent"])

    def error_cost_points(self) -> float:
        """Mean error of typical chips less that of floats, on the hold-out."""
        chip, reference = self._errors()
        return 100 * (chip - reference)

    def error_cost_ratio(self) -> float:
        """The same as a ratio."""
        chip, reference = self._errors()
        return chip / reference

    def _count_errors(self) -> tuple[float, float]:
        network, digits = network_of(RECOGNIZER.network), holdout()
        program = program_of(RECOGNIZER)
        seeds = range(FIRST_CHIP, FIRST_CHIP + ERROR_CHIPS)
        arm = chip_arm("typical", "", program, digits, Analog.typical(), seeds, 0, self.threads)
        return tuple(float(np.mean(one.wrong_cn(digits.labels))) for one in (arm, float_arm(network, digits)))  # type: ignore[return-value]

    # --- the chip, by its record and by programs
    def chip(self, field: str) -> float:
        """A field of the chip's record, or what follows from several."""
        return float(getattr(ANNA_1991, field))

    def state_pins(self) -> float:
        """Pins that a word of states needs."""
        return ANNA_1991.word_states * ANNA_1991.state_bits

    def weight_pins(self) -> float:
        """Pins that a word of weights needs."""
        return ANNA_1991.dacs * ANNA_1991.weight_bits

    def instruction_bits(self) -> float:
        """Bits that the widest instruction needs at the pins."""
        return isa.needed_bits(ANNA_1991)

    def calc_ns(self) -> float:
        """Time of a CALC."""
        return ANNA_1991.calc_cycles * ANNA_1991.cycle_ns

    def multiply_adds_at_once(self) -> float:
        """Products of a CALC of the largest fan-in."""
        return ANNA_1991.neurons_at_once * ANNA_1991.max_inputs

    def neurons_of(self, inputs: int) -> float:
        """Neurons of a fan-in that the rows hold."""
        columns = ANNA_1991.columns
        return ANNA_1991.rows * (columns // inputs) if inputs < columns else ANNA_1991.rows // (inputs // columns)

    def pin_bits_per_s(self) -> float:
        """Rate of the state input."""
        return ANNA_1991.state_rate_per_s * ANNA_1991.state_bits

    def refresh_period_us(self) -> float:
        """Period of the wide chip's refresh."""
        return ANNA_WIDE.refresh_period_cycles * ANNA_WIDE.cycle_ns / 1e3

    def peak_connections_per_s(self, overlap: Overlap) -> float:
        """Products per second of CALCs back to back."""
        short, long = self._busy(overlap)
        return (long.live_products - short.live_products) / _seconds_between(short, long)

    def output_bits_per_s(self, overlap: Overlap) -> float:
        """Bits per second that the results of CALCs back to back make."""
        short, long = self._busy(overlap)
        states = (len(long.calcs) - len(short.calcs)) * ANNA_1991.neurons_at_once
        return states * ANNA_1991.state_bits / _seconds_between(short, long)

    def refresh_us(self, machine: str = "sequencer") -> float:
        """One RFSH after the other, for every pair of weights."""
        return programs.refreshed(MACHINES[machine]).run_cycles * ANNA_1991.cycle_ns / 1e3

    def example_states(self) -> float:
        """What the assembler example of paper 3 leaves in latch L2."""
        return programs.example_states(MACHINES["sequencer"])

    # --- boards, by their records
    def board_chips(self, machine: str) -> float:
        """Chips of a board."""
        return MACHINES[machine].chips

    def memory_bytes(self, machine: str) -> float:
        """Static RAM of a board."""
        board = MACHINES[machine]
        return (board.chip.memory_states or 0) // board.chip.word_states * board.sequencer.bytes_per_word

    def sequencer_field(self, machine: str, field: str) -> float:
        """A field of a board's sequencer."""
        return float(getattr(MACHINES[machine].sequencer, field))

    def host_multiply_adds_per_s(self, machine: str) -> float:
        """Speed of a board's host."""
        return _known(MACHINES[machine].host_multiply_adds_per_s)


def _known(value: float | None) -> float:
    assert value is not None, "the host of this machine has a known speed"
    return value


def _under(overlap: Overlap) -> Machine:
    machine = MACHINES["sequencer"]
    return machine.changed(sequencer=machine.sequencer.changed(overlap=overlap))


def _busy(overlap: Overlap) -> tuple[Timeline, Timeline]:
    short, long = (programs.busy_array(_under(overlap), calcs) for calcs in COUNTED)
    return short, long


def _seconds_between(short: Timeline, long: Timeline) -> float:
    return (long.run_cycles - short.run_cycles) / long.spec.clock_hz


def settings_of(by: By) -> list[Setting]:
    """What a quantity needs compiled."""
    if by.quantity not in COMPILED or by.quantity.startswith("error_"):
        return []
    of = {name: value for name, value in by.of.items() if name not in ("refresh", "networks")}
    match by.quantity:
        case "sequencer_speed_up":
            return [Setting(network=one, machine=machine, **of) for one in by.of["networks"] for machine in DEDICATED_OVER_DSP]
        case "synapses_of_one_page":
            return [Setting(machine="sequencer", **of)]
    return [Setting(**of)]


# Quantities that need a compiled network: seconds each.
COMPILED = frozenset(
    {"chip_ms", "host_ms", "latency_ms", "images_per_s", "connections_per_s", "dsp_speed_up", "sequencer_speed_up",
     "synapses_of_one_page", "error_cost_points", "error_cost_ratio"}
)  # fmt: skip

QUANTITIES: dict[str, Callable[..., Any]] = {
    name: function for name, function in vars(Quantities).items() if not name.startswith("_") and name != "value"
}
