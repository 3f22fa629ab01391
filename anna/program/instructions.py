"""The two instruction sets, as tables: encoder, decoder, assembler, disassembler and manual pages all come from them.

ANNA has RFSH, SHIFT, STORE, CALC and OUT (P, paper 3), in words of 37 bits; which bit means what is not published (A). What
follows the 37 bits stays on the board: addresses of the state memory, and what the sequencer does by itself, which is to
turn pages, wait, repeat and stop (A; REPEAT, ENDREP and STOP are in the assembler of paper 3). The wide set is a what-if
(A): a shift stage for each register, and memory read in any pattern of two strides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from anna.chip.spec import ChipSpec

UNLIMITED_ADDRESS_BITS = 32


class Unit(StrEnum):
    """What an instruction keeps busy."""

    SEQUENCER = "sequencer"
    WEIGHTS = "weights"
    INPUT = "input"
    ARRAY = "array"
    OUTPUT = "output"


class Form(StrEnum):
    """How the value of a field reads."""

    NUMBER = "number"
    SET = "set"  # a bit per member, written 0+2
    FAN_IN = "fan-in"  # an index into the chip's fan-ins, written as the fan-in itself
    PER_ROW = "per row"  # one number for each row that the CALC uses, written 0,0,1,1, or once if all are the same
    SOURCE = "source"  # 0: the shifter itself; k + 1: register k, written Rk
    REGISTERS = "registers"  # a bit per register, written R0
    LATCHES = "latches"  # a bit per latch, written A.L2


def bits_for(count: int) -> int:
    """Bits that hold 0 .. count - 1."""
    return max(1, (count - 1).bit_length())


def address_bits(spec: ChipSpec) -> int:
    """Bits of an address or stride of the state memory."""
    return UNLIMITED_ADDRESS_BITS if spec.memory_states is None else bits_for(spec.memory_states + 1)


def rows_per_calc(spec: ChipSpec) -> int:
    """Rows that the widest CALC uses."""
    return spec.neurons_at_once * spec.max_rows_per_neuron


@dataclass(frozen=True)
class Field:
    """One field of an instruction; `bits` is the width of one entry."""

    name: str
    bits: Callable[[ChipSpec], int]
    note: str
    form: Form = Form.NUMBER
    default: int | None = None
    board: bool = False  # whether it stays on the board

    def entries(self, spec: ChipSpec) -> int:
        """How many numbers the field holds."""
        return rows_per_calc(spec) if self.form is Form.PER_ROW else 1

    def width(self, spec: ChipSpec) -> int:
        """Bits of the whole field."""
        return self.bits(spec) * self.entries(spec)


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction: its code, its unit, its fields and what it does. There is one object of each.

    `operands` are the fields that the published assembler writes without a name.
    """

    name: str
    opcode: int
    unit: Unit
    mark: str
    summary: str
    timing: str
    fields: tuple[Field, ...] = ()
    operands: tuple[str, ...] = ()

    @cached_property
    def defaults(self) -> tuple[tuple[str, int | None], ...]:
        """Name and default of each field."""
        return tuple((field.name, field.default) for field in self.fields)

    @cached_property
    def place(self) -> dict[str, int]:
        """Position of each field."""
        return {field.name: i for i, field in enumerate(self.fields)}


def count_bits(spec: ChipSpec) -> int:
    """Bits of a count of states up to a whole register."""
    return bits_for(spec.columns + 1)


def _repeats(_: ChipSpec) -> int:
    return 24


_PAGE = Field("page", lambda spec: bits_for(spec.max_pages), "weight page", board=True)
_CYCLES = Field("cycles", _repeats, "cycles", board=True)
_ADDRESS = Field("address", address_bits, "where the first state lies in memory", board=True)
_STEP = Field("step", address_bits, "added to the address in each turn of the loop around it", default=0, board=True)
_OUTER_STEP = Field("outer_step", address_bits, "added in each turn of the loop around that", default=0, board=True)

PUBLISHED = (
    Instruction(
        "RFSH", 1, Unit.WEIGHTS, "P",
        "Writes the page's weights into a pair of synapses, one by each DAC; pairs are numbered row by row.",
        "One cycle.",
        (
            Field("pair", lambda spec: bits_for(spec.pairs), "first column of the pair, row by row, over the number of DACs"),
            Field("step", lambda spec: bits_for(spec.pairs), "added to the pair in each turn of the loop around it", default=0,
                  board=True),
            Field("outer_step", lambda spec: bits_for(spec.pairs), "added in each turn of the loop around that", default=0,
                  board=True),
        ),
    ),
    Instruction(
        "SHIFT", 2, Unit.INPUT, "P",
        "Shifts the barrel shifter to the left by count columns and brings in as many states from memory at the right end. "
        "With a register, what is shifted is that register's states; without, what the shifter holds (A, shift_from).",
        "A word, however full: word_states / states_in_per_cycle cycles, rounded up; state j is read in cycle "
        "j / states_in_per_cycle. Waits for STORE.",
        (
            Field("count", lambda spec: bits_for(spec.word_states + 1), "states, at most a word"),
            Field("register", lambda spec: bits_for(spec.registers + 1), "register that is shifted; none: the shifter",
                  Form.SOURCE, default=0),
            _ADDRESS, _STEP, _OUTER_STEP,
        ),
        ("count", "register"),
    ),
    Instruction(
        "STORE", 3, Unit.INPUT, "P",
        "Copies the shifter to registers of the state storage, to latches of the array, or to both.",
        "Waits for SHIFT to end, then store_cycles.",
        (
            Field("registers", lambda spec: spec.registers, "registers", Form.REGISTERS, default=0),
            Field("latches", lambda spec: spec.latches, "latches", Form.LATCHES, default=0),
        ),
        ("registers", "latches"),
    ),
    Instruction(
        "CALC", 4, Unit.ARRAY, "P",
        "Each neuron sums its synapses' weights times the states of the latches that its rows read, scales the sum and "
        "converts it to a state. Neuron k uses the rows after those of neuron k-1; those of less than a row share it. A neuron "
        "of several rows reads as many latches, from the named one on, which must be a multiple of their number.",
        "calc_cycles; reads the latches in all of them, each weight's charge in the first. Waits for STORE to end, and until "
        "the output latch will be free for its results.",
        (
            Field("fan_in", lambda spec: bits_for(len(spec.fan_ins)), "inputs of each neuron", Form.FAN_IN),
            Field("row", lambda spec: bits_for(spec.rows), "first row"),
            Field("neurons", lambda spec: bits_for(spec.neurons_at_once + 1), "neurons"),
            Field("latch", lambda spec: bits_for(spec.latches), "first latch", default=0),
        ),
    ),
    Instruction(
        "OUT", 5, Unit.OUTPUT, "P",
        "Moves the next results of the oldest CALC that has any left to consecutive addresses.",
        "Waits for that CALC to end; each word of them, however full, takes word_states / states_out_per_cycle cycles, "
        "rounded up.",
        (
            Field("count", lambda spec: bits_for(spec.neurons_at_once + 1), "results, at most out_words words of them"),
            _ADDRESS, _STEP, _OUTER_STEP,
        ),
        ("count",),
    ),
    Instruction(
        "PAGE", 1, Unit.SEQUENCER, "A",
        "Begins a page segment: shifter, registers and latches are reset, the cycle count restarts. Before the first image of "
        "a batch, RFSH writes the named page's weights and scales to all rows that CALCs of the segment use, row by row.",
        "Everything on other pages finishes first; loading takes an RFSH for each pair, shared by a batch of images.",
        (_PAGE,),
    ),
    Instruction(
        "WAIT", 2, Unit.SEQUENCER, "A",
        "Lets cycles pass before the next instruction may start.",
        "cycles, counted from the start of the instruction before.",
        (_CYCLES,),
    ),
    Instruction(
        "REPEAT", 3, Unit.SEQUENCER, "P",
        "Begins a loop: what stands before its ENDREP is issued this many times. A loop may stand within another.",
        "None of its own (A).",
        (Field("count", _repeats, "times", board=True),),
        ("count",),
    ),
    Instruction("ENDREP", 4, Unit.SEQUENCER, "P", "Ends a loop.", "None of its own (A)."),
    Instruction("STOP", 5, Unit.SEQUENCER, "P", "The image is done when all units are idle.", "None of its own."),
)  # fmt: skip

_COUNT = Field("count", count_bits, "states of a block", default=1)
_STRIDE = Field("stride", address_bits, "address step from state to state within a block", default=1)
_BLOCKS = Field("blocks", count_bits, "blocks", default=1)
_BLOCK_STRIDE = Field("block_stride", address_bits, "address step from block to block", default=0)

WIDE = (
    Instruction(
        "PAGE", 1, Unit.SEQUENCER, "A",
        "Begins a page segment: the named page of weights and scales is in the array, the registers are reset, "
        "the cycle count and the refresh restart.",
        "Everything on other pages finishes first; loading a page takes a refresh period, shared by a batch of images.",
        (Field("page", lambda spec: bits_for(spec.max_pages), "weight page"),),
    ),
    Instruction(
        "SHIFT", 2, Unit.INPUT, "A",
        "Shifts columns first .. first+width-1 of a register's shift stage down by count x blocks and brings in as many "
        "states from memory at the upper end; other columns stay.",
        "states / states_in_per_cycle cycles, rounded up; state j is read in cycle j / states_in_per_cycle.",
        (
            Field("register", lambda spec: bits_for(spec.registers), "register"),
            Field("first", lambda spec: bits_for(spec.columns), "first column of the range", default=0),
            Field("width", count_bits, "columns of the range"),
            Field("address", address_bits, "where the first state lies in memory"),
            _COUNT, _STRIDE, _BLOCKS, _BLOCK_STRIDE,
        ),
    ),
    Instruction(
        "STORE", 3, Unit.INPUT, "A",
        "Copies the shift stage of the named registers to their hold stage, which the array reads.",
        "Waits for SHIFT to end, then store_cycles; the next SHIFT and the last cycle of a CALC may overlap it.",
        (Field("registers", lambda spec: spec.registers, "registers", Form.SET),),
    ),
    Instruction(
        "CALC", 4, Unit.ARRAY, "A",
        "Each neuron sums its synapses' weights times the states of the registers that its rows name, scales the sum "
        "and converts it to a state. Neuron k uses the rows after those of neuron k-1; those of less than a row share it.",
        "calc_cycles; reads the hold stage in all of them, each weight's charge in the first. Waits for STORE to end, and "
        "until the output latch will be free for its results.",
        (
            Field("fan_in", lambda spec: bits_for(len(spec.fan_ins)), "inputs of each neuron", Form.FAN_IN),
            Field("row", lambda spec: bits_for(spec.rows), "first row"),
            Field("neurons", lambda spec: bits_for(spec.neurons_at_once + 1), "neurons"),
            Field("registers", lambda spec: bits_for(spec.registers), "register that each row reads", Form.PER_ROW),
        ),
    ),
    Instruction(
        "OUT", 5, Unit.OUTPUT, "A",
        "Moves to memory the results of the oldest CALC whose results are still there: neuron j goes to "
        "address + (j mod count) x stride + (j div count) x block_stride; neurons beyond count x blocks are dropped.",
        "Waits for that CALC to end; states / states_out_per_cycle cycles, rounded up.",
        (Field("address", address_bits, "where the first result goes"), _COUNT, _STRIDE, _BLOCKS, _BLOCK_STRIDE),
    ),
    Instruction(
        "WAIT", 6, Unit.SEQUENCER, "A",
        "Lets cycles pass before the next instruction may start.",
        "cycles, counted from the start of the instruction before.",
        (Field("cycles", _repeats, "cycles"),),
    ),
    Instruction(
        "END", 7, Unit.SEQUENCER, "A",
        "The image is done when all units are idle.",
        "None of its own.",
    ),
)  # fmt: skip
