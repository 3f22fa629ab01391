"""Every known constant of the chip, its board and its recogniser, once: value, unit, confidence and source.

A `Fact` says how sure we are of it:

    P  published  stated in a paper's abstract or text that was read
    R  recalled   stated in the literature, written down from memory
    D  derived    follows by arithmetic from P and R facts
    A  assumed    a modelling choice where nothing is known; always a named parameter
    F  fitted     chosen to reproduce one named published figure; never shown as a prediction of it

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
    FITTED = "F"


@dataclass(frozen=True)
class Fact(Generic[T]):
    """One constant with its unit, its mark and its source."""

    value: T
    unit: str
    mark: Mark
    source: str


P, R, D, A, F = Mark.PUBLISHED, Mark.RECALLED, Mark.DERIVED, Mark.ASSUMED, Mark.FITTED

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
SYNAPSES = Fact(4096, "synapses", P, "3: physical, time-multiplexed")
COLUMNS = Fact(64, "states", R, "1, 4: registers of 64 states")
ROWS = Fact(64, "rows", D, "4096 synapses / 64 columns")
REGISTERS = Fact(4, "registers", A, "state storage of four registers of 64 states: neurons have up to 256 inputs")
LATCHES = Fact(4, "latches", A, "four arithmetic latches of 64 states; paper 3 names a latch L2")
SHIFT_FROM = Fact("either", "source", A, "SHIFT 4,R0 goes on from register R0, SHIFT 4 from what the shifter holds")
NEURONS_AT_ONCE = Fact(8, "neurons", P, "3: CALC computes eight dot products")
MAX_INPUTS = Fact(256, "inputs", R, "1")
FAN_INS = Fact((16, 64, 128, 256), "inputs", R, "1: 256 neurons of 16, 64 of 64, 32 of 128 or 16 of 256")
WEIGHT_BITS = Fact(6, "bits", P, "1")
STATE_BITS = Fact(3, "bits", P, "1: in and out")
SCALE_BITS = Fact(4, "bits", P, "3: one scaling factor for each neuron")
DACS = Fact(2, "DACs", P, "3: two on-chip 6-bit DACs refresh the weights periodically")
TRANSISTORS = Fact(180_000, "transistors", P, "3")
DIE_MM = Fact((4.5, 7.0), "mm", P, "3")
TECHNOLOGY_UM = Fact(0.9, "um", P, "3: CMOS")
STATE_PINS = Fact(12, "pins", P, "3: state input and state output, each")
WEIGHT_PINS = Fact(12, "pins", P, "3: weight input")
INSTRUCTION_PINS = Fact(37, "pins", P, "3: micro-instruction input; which bit means what is not published")
STATES_PER_WORD = Fact(4, "states", D, "12 pins / 3 bits; SHIFT loads up to four states (P, 3)")
OUT_WORDS = Fact(1, "words", A, "an OUT moves a word of results; a CALC of eight needs two")
WEIGHTS_PER_WORD = Fact(2, "weights", D, "12 pins / 6 bits: one for each DAC")

INSTRUCTION_SET = Fact("published", "set", P, "3: RFSH, SHIFT, STORE, CALC and OUT; one barrel shifter")

# --- how fast it is --------------------------------------------------------------------------------------------------
CLOCK_HZ = Fact(20_000_000, "Hz", R, "1")
CALC_CYCLES = Fact(4, "cycles", R, "1: 8 neurons in 4 cycles = 200 ns")
STATES_IN_PER_CYCLE = Fact(2, "states/cycle", R, "120 Mb/s = 40 M states of 3 bits a second, at 20 MHz")
STATES_OUT_PER_CYCLE = Fact(2, "states/cycle", R, "120 Mb/s; 8 neurons x 3 bits in 200 ns")
STATE_RATE_PER_S = Fact(40_000_000, "states/s", R, "120 Mb/s / 3 bits, input and output each")
PIN_RATE_BITS_PER_S = Fact(120_000_000, "bit/s", R, "input and output each")
WORD_CYCLES = Fact(2, "cycles", D, "a word of 12 pins at 120 Mb/s is one every two cycles of 20 MHz")
PUBLISHED_MULTIPLY_ADDS_AT_ONCE = Fact(2000, "multiply-adds", P, "1: over 2000")
MULTIPLY_ADDS_AT_ONCE = Fact(2048, "multiply-adds", R, "1: 8 neurons x 256 inputs")
PEAK_CONNECTIONS_PER_S = Fact(10_240_000_000, "connections/s", D, "2048 / 200 ns; the literature says 10 GC/s")
REFRESH_WRITES_US = Fact(102.4, "us", D, "2048 writes per DAC x 50 ns")
REFRESH_US = Fact(110.0, "us", R, "about 110 us to write all weights once; how often that is needed is not known")
REFRESH_OVERHEAD_CYCLES = Fact(152, "cycles", D, "110 us - 102.4 us at 20 MHz")

# --- what is assumed of it -------------------------------------------------------------------------------------------
STORE_CYCLES = Fact(1, "cycles", A, "overlapped with SHIFT and with the last cycle of CALC")
ISSUE_WIDTH = Fact(1, "instructions/cycle", A, "one micro-instruction enters at the pins in a cycle")
MEMORY_STATES = Fact(1 << 21, "states", D, "1 MByte of static RAM (P, 3), four states of 3 bits in 16 bits (A)")
MEMORY_LATENCY_CYCLES = Fact(1, "cycles", A, "from a state's arrival in memory until it can be read")
MAX_PAGES = Fact(256, "pages", A, "weight pages that the board's memory holds")
WEIGHT_LEVELS = Fact("mid-tread", "scheme", A, "an exact zero exists")
STATE_LEVELS = Fact("mid-rise", "scheme", A, "eight levels placed evenly about zero")
ADC_CURVE = Fact("linear", "curve", A, "paper 3 describes a saturating ADC, and a CALC that squashes")
ADC_FULL_SCALE = Fact(0.25, "synapses at full drive", A, "at scale code 0; sixteen ranges then reach 45 synapses")
SCALE_STEP = Fact(2**0.5, "ratio", A, "geometric: fan-ins of 4 to 256 need 64:1, sixteen linear steps give 16:1")
SCALE_LAW = Fact("geometric", "law", A, "as above")
REFRESH_ORDER = Fact("interleaved", "order", A, "row by row, even columns by DAC 0, odd columns by DAC 1")
RESET_STATE_CODE = Fact(0, "state code", A, "what a register holds before the first STORE")

# --- what is assumed of the sequencers that issue its instructions
OVERLAP = Fact("shift-calc", "instructions", A, "SHIFT and CALC, the only pair that paper 3 names, run side by side")
INSTRUCTIONS_PER_S: Fact[float | None] = Fact(None, "instructions/s", A, "a dedicated sequencer issues one in each cycle")
BYTES_PER_S: Fact[float | None] = Fact(None, "bytes/s", A, "a dedicated sequencer keeps up with the pins")
BYTES_PER_WORD = Fact(2, "bytes", A, "a word of four states occupies 16 bits of the board's memory")
HOST_ISSUES = Fact(False, "whether", A, "a dedicated sequencer issues the instructions, and the host computes meanwhile")
ALIGNED = Fact(False, "whether", A, "a sequencer reads any four consecutive states; a DSP aligned words only")
MAX_CHARGE_LOST = Fact(0.01, "share", A, "how much of its charge a weight may have lost when it is read")

# --- what-if: the machine with four shift stages that this model assumed before paper 3 could be read
WIDE_ISSUE_WIDTH = Fact(4, "instructions/cycle", A, "the microcode is wide: the units may start in one cycle")
WIDE_MEMORY_STATES = Fact(1 << 18, "states", A, "the board's static RAM, dual-ported")
WIDE_ADC_FULL_SCALE = Fact(2.0, "synapses at full drive", A, "at scale code 0: 256 weight LSB x state LSB")

# --- the board and its host ------------------------------------------------------------------------------------------
DSP_MULTIPLY_ADDS_PER_S = Fact(12_500_000, "multiply-adds/s", P, "7: DSP32C in 32-bit float")
DSP_CONNECTIONS_PER_S = Fact(3_000_000, "connections/s", P, "3: the DSP alone, on sparse networks, about")
DSP_CLOCK_HZ = Fact(40_000_000, "Hz", P, "3: DSP32C without wait states")
DSP_INSTRUCTION_NS = Fact(100, "ns", P, "3")
BOARD_1991_CHIPS = Fact(1, "chips", P, "3")
BOARD_1991_MEMORY_BYTES = Fact(1 << 20, "bytes", P, "3: 1 MByte of static RAM")
BOARD_1991_INSTRUCTIONS_PER_S = Fact(5_000_000, "instructions/s", P, "3: about 5 MIPS; the DSP makes each instruction")
BOARD_1991_HOST_ISSUES = Fact(True, "whether", P, "3: the DSP generates the micro-instructions and moves the states")
BOARD_1991_BYTES_PER_S = Fact(5_000_000, "bytes/s", P, "3: about 5 MByte/s of states")
BOARD_1991_CONNECTIONS_PER_S = Fact((30_000_000, 400_000_000), "connections/s", P, "3: by application")
BOARD_1991_SPEEDUP = Fact((10, 100), "times the DSP alone", P, "3")
SEQUENCER_SPEEDUP = Fact(10, "times", P, "3: up to, by a dedicated hardware sequencer, which the board lacks")
BOARD_1996_CHIPS = Fact(2, "chips", P, "6")
BOARD_1996_HOST_MULTIPLY_ADDS_PER_S = Fact(
    12_500_000, "multiply-adds/s", A, "its processor is not known here: taken as fast as the DSP of 1991"
)
BOARD_1996_CONNECTIONS_PER_S = Fact(2_000_000_000, "connections/s", P, "6: sustained, up to")
BOARD_1996_CHARACTERS_PER_S = Fact(1000, "characters/s", P, "6: measured")

# --- the recogniser that ran on it -----------------------------------------------------------------------------------
RECOGNIZER_CONNECTIONS = Fact(136_000, "connections", R, "4: the whole network, rounded")
RECOGNIZER_CHIP_CONNECTIONS = Fact(133_000, "connections", P, "5: over 133,000 on the chip")
RECOGNIZER_HOST_CONNECTIONS = Fact(3_000, "connections", R, "4: the last layer, in float on the DSP")
RECOGNIZER_MULTIPLY_ADDS = Fact(135_736, "multiply-adds", D, "its shape on an image of 32 x 32, without biases")
RECOGNIZER_MS = Fact(1.0, "ms", P, "1, 2: over 1000 classifications/s")
RECOGNIZER_ERROR_FLOAT = Fact(4.9, "%", P, "3, table 1: full precision")
RECOGNIZER_ERROR_CHIP = Fact(5.3, "%", P, "3, table 1: ANNA and DSP, +- 0.2")
RECOGNIZER_ERROR_RETRAINED = Fact(4.9, "%", P, "3, table 1: last layer trained again on the chip's outputs, +- 0.2")
RECOGNIZER_REJECTS_FLOAT = Fact(9.1, "%", P, "3, table 1: rejected for 1 % error")
RECOGNIZER_REJECTS_CHIP = Fact(13.5, "%", P, "3, table 1: +- 0.8")
RECOGNIZER_REJECTS_RETRAINED = Fact(11.5, "%", P, "3, table 1: +- 0.8")

# --- what else ran on it ---------------------------------------------------------------------------------------------
CONVOLVER_NEURONS = Fact(16, "neurons", P, "3: stepped over a large image")
CONVOLVER_SYNAPSES = Fact(256, "synapses", P, "3: of each neuron, on a field of 16 x 16")
SEGMENTER_PLACES = Fact((31, 6), "places", P, "3: the recogniser replicated, to cut ZIP codes into digits")
SEGMENTER_CONNECTIONS = Fact(2_000_000, "connections", P, "3: about")
SEGMENTER_MULTIPLY_ADDS = Fact(2_013_616, "multiply-adds", D, "the recogniser's shape on an image of 52 x 152")


def all_facts() -> dict[str, Fact[object]]:
    """Every fact of this file by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Fact)}
