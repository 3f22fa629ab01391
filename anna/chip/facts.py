"""Every known constant of the chip, its board and its recogniser, once: value, unit, how sure, and from where.

A `Fact` says how sure we are of it:

    P  published  stated in a paper's abstract or text that was read
    R  recalled   stated in the literature, written down from memory of it
    D  derived    follows by arithmetic from P and R facts
    A  assumed    a modelling choice where nothing is known; always a parameter with a name

The numbers in `source` are those of PAPERS.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Mark(StrEnum):
    """How sure we are of a fact."""

    PUBLISHED = "P"
    RECALLED = "R"
    DERIVED = "D"
    ASSUMED = "A"


@dataclass(frozen=True)
class Fact(Generic[T]):
    """One constant with its unit, its mark and its source."""

    value: T
    unit: str
    mark: Mark
    source: str


P, R, D, A = Mark.PUBLISHED, Mark.RECALLED, Mark.DERIVED, Mark.ASSUMED

PAPERS = {
    1: "Boser, Säckinger, Bromley, LeCun, Jackel: An Analog Neural Network Processor with Programmable Topology. "
    "IEEE J. Solid-State Circuits 26(12), 1991",
    2: "Boser, Säckinger, Bromley, LeCun, Howard, Jackel: An Analog Neural Network Processor and its Application to "
    "High-Speed Character Recognition. IJCNN 1991",
    3: "Säckinger, Boser, Jackel: A Neurocomputer Board Based on the ANNA Neural Network Chip. NIPS 4, 1991",
    4: "Säckinger, Boser, Bromley, LeCun, Jackel: Application of the ANNA Neural Network Chip to High-Speed Character "
    "Recognition. IEEE Trans. Neural Networks 3(3), 1992",
    5: "Boser et al.: Hardware Requirements for Neural Network Pattern Classifiers. IEEE Micro 12(1), 1992",
    6: "Säckinger, Graf: A Board System for High-Speed Image Analysis and Neural Networks. "
    "IEEE Trans. Neural Networks 7(1), 1996",
    7: "LeCun et al.: Backpropagation Applied to Handwritten Zip Code Recognition. Neural Computation 1(4), 1989",
    8: "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition. Proc. IEEE 86(11), 1998",
}

# --- what the chip is ------------------------------------------------------------------------------------------------
SYNAPSES = Fact(4096, "synapses", R, "3: physical, time-multiplexed")
COLUMNS = Fact(64, "states", R, "1, 4: registers of 64 states")
ROWS = Fact(64, "rows", D, "4096 synapses / 64 columns")
REGISTERS = Fact(4, "registers", A, "four registers of 64 states feed neurons of up to 256 inputs")
NEURONS_AT_ONCE = Fact(8, "neurons", R, "1")
MAX_INPUTS = Fact(256, "inputs", R, "1")
FAN_INS = Fact((16, 64, 128, 256), "inputs", R, "1: 256 neurons of 16, 64 of 64, 32 of 128 or 16 of 256")
WEIGHT_BITS = Fact(6, "bits", P, "1")
STATE_BITS = Fact(3, "bits", P, "1: in and out")
SCALE_BITS = Fact(4, "bits", R, "3: one scale factor per neuron")
DACS = Fact(2, "DACs", R, "3: two on-chip 6-bit DACs refresh the weights for ever")
TRANSISTORS = Fact(180_000, "transistors", R, "1")
DIE_MM = Fact((4.5, 7.0), "mm", R, "1")
TECHNOLOGY_UM = Fact(0.9, "um", R, "1: CMOS")

# --- how fast it is --------------------------------------------------------------------------------------------------
CLOCK_HZ = Fact(20_000_000, "Hz", R, "1")
CALC_CYCLES = Fact(4, "cycles", R, "1: 8 neurons in 4 cycles = 200 ns")
STATES_IN_PER_CYCLE = Fact(2, "states/cycle", R, "120 Mb/s = 40 M states of 3 bits a second, at 20 MHz")
STATES_OUT_PER_CYCLE = Fact(2, "states/cycle", R, "120 Mb/s; 8 neurons x 3 bits in 200 ns")
STATE_RATE_PER_S = Fact(40_000_000, "states/s", R, "120 Mb/s / 3 bits, input and output each")
PIN_RATE_BITS_PER_S = Fact(120_000_000, "bit/s", R, "input and output each")
PUBLISHED_MULTIPLY_ADDS_AT_ONCE = Fact(2000, "multiply-adds", P, "1: over 2000")
MULTIPLY_ADDS_AT_ONCE = Fact(2048, "multiply-adds", R, "1: 8 neurons x 256 inputs")
PEAK_CONNECTIONS_PER_S = Fact(10_240_000_000, "connections/s", D, "2048 / 200 ns; the literature says 10 GC/s")
REFRESH_WRITES_US = Fact(102.4, "us", D, "2048 writes per DAC x 50 ns")
REFRESH_US = Fact(110.0, "us", R, "about 110 us for all weights")
REFRESH_OVERHEAD_CYCLES = Fact(152, "cycles", D, "110 us - 102.4 us at 20 MHz")

# --- what is assumed of it -------------------------------------------------------------------------------------------
STORE_CYCLES = Fact(1, "cycles", A, "overlapped with SHIFT and with the last cycle of CALC")
ISSUE_WIDTH = Fact(4, "instructions/cycle", A, "the microcode is wide: the units may start in one cycle")
MEMORY_STATES = Fact(1 << 18, "states", A, "the board's static RAM, dual-ported")
MEMORY_LATENCY_CYCLES = Fact(1, "cycles", A, "from a state's arrival in memory until it can be read")
MAX_PAGES = Fact(256, "pages", A, "weight pages that the board's memory holds")
WEIGHT_LEVELS = Fact("mid-tread", "scheme", A, "an exact zero exists")
STATE_LEVELS = Fact("mid-rise", "scheme", A, "eight levels placed evenly about zero")
ADC_CURVE = Fact("linear", "curve", A, "paper 3 recalls a saturating ADC, not a squashing one")
ADC_FULL_SCALE = Fact(2.0, "synapses at full drive", A, "at scale code 0: 256 weight LSB x state LSB")
SCALE_STEP = Fact(2**0.5, "ratio", A, "geometric: fan-ins of 4 to 256 need 64:1, sixteen linear steps give 16:1")
SCALE_LAW = Fact("geometric", "law", A, "as above")
REFRESH_ORDER = Fact("interleaved", "order", A, "row by row, even columns by DAC 0, odd columns by DAC 1")
RESET_STATE_CODE = Fact(0, "state code", A, "what the registers hold before anything was stored")

# --- the board and its host ------------------------------------------------------------------------------------------
DSP_MULTIPLY_ADDS_PER_S = Fact(12_500_000, "multiply-adds/s", P, "7: DSP32C in 32-bit float")
BOARD_1991_CHIPS = Fact(1, "chips", P, "3")
BOARD_1991_SPEEDUP = Fact((10, 100), "times the DSP alone", P, "3")
BOARD_1996_CHIPS = Fact(2, "chips", P, "6")
BOARD_1996_CONNECTIONS_PER_S = Fact(2_000_000_000, "connections/s", P, "6: sustained, up to")
BOARD_1996_CHARACTERS_PER_S = Fact(1000, "characters/s", P, "6: measured")

# --- the recogniser that ran on it -----------------------------------------------------------------------------------
RECOGNIZER_CONNECTIONS = Fact(136_000, "connections", R, "4: the whole network, rounded")
RECOGNIZER_CHIP_CONNECTIONS = Fact(133_000, "connections", P, "5: over 133,000 on the chip")
RECOGNIZER_HOST_CONNECTIONS = Fact(3_000, "connections", R, "4: the last layer, in float on the DSP")
RECOGNIZER_MS = Fact(1.0, "ms", P, "1, 2: over 1000 classifications/s")
RECOGNIZER_ERROR_CHIP = Fact(5.3, "%", R, "4: against 4.9 % in 32-bit float; about the same, 5 %")
RECOGNIZER_ERROR_FLOAT = Fact(4.9, "%", R, "4")


def all_facts() -> dict[str, Fact[object]]:
    """Every fact of this file by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Fact)}
