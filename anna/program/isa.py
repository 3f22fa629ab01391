"""The instruction set, as one table: encoder, decoder, assembler, disassembler and manual page all come from it.

ANNA's literature names SHIFT, STORE and CALC (R, paper 4). A sequencer must also say which weight page it needs (PAGE),
where results go (OUT), when to let time pass (WAIT) and when it is done (END); those four, and the fields of all seven,
are assumed (A). A microcode word is as wide as the widest instruction, in whole 64-bit limbs, lowest bits first: opcode,
then the fields in the order of the table.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.chip.spec import ChipSpec

OPCODE_BITS = 4
LIMB_BITS = 64
UNLIMITED_ADDRESS_BITS = 32

Words = NDArray[np.uint64]
Value = int | tuple[int, ...]


class Unit(StrEnum):
    """What an instruction keeps busy."""

    SEQUENCER = "sequencer"
    INPUT = "input"
    ARRAY = "array"
    OUTPUT = "output"


class Form(StrEnum):
    """How the value of a field reads."""

    NUMBER = "number"
    SET = "set"  # a bit per member, written 0+2
    FAN_IN = "fan-in"  # an index into the chip's fan-ins, written as the fan-in itself
    PER_ROW = "per row"  # one number for each row that the CALC uses, written 0,0,1,1, or once if all are the same


def _bits_for(count: int) -> int:
    """Bits that hold 0 .. count - 1."""
    return max(1, (count - 1).bit_length())


def address_bits(spec: ChipSpec) -> int:
    """Bits of an address or stride of the state memory."""
    return UNLIMITED_ADDRESS_BITS if spec.memory_states is None else _bits_for(spec.memory_states + 1)


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

    def entries(self, spec: ChipSpec) -> int:
        """How many numbers the field holds."""
        return rows_per_calc(spec) if self.form is Form.PER_ROW else 1

    def width(self, spec: ChipSpec) -> int:
        """Bits of the whole field."""
        return self.bits(spec) * self.entries(spec)


@dataclass(frozen=True)
class Instruction:
    """One instruction: its code, its unit, its fields and what it does."""

    name: str
    opcode: int
    unit: Unit
    mark: str
    summary: str
    timing: str
    fields: tuple[Field, ...] = ()

    @cached_property
    def place(self) -> dict[str, int]:
        """Position of each field."""
        return {field.name: i for i, field in enumerate(self.fields)}


def _count_bits(spec: ChipSpec) -> int:
    """Bits of a count of states up to a whole register."""
    return _bits_for(spec.columns + 1)


def largest_count(spec: ChipSpec) -> int:
    """The most states of a block, and blocks, that a SHIFT or OUT can name."""
    return (1 << _count_bits(spec)) - 1


_COUNT = Field("count", _count_bits, "states of a block", default=1)
_STRIDE = Field("stride", address_bits, "address step from state to state within a block", default=1)
_BLOCKS = Field("blocks", _count_bits, "blocks", default=1)
_BLOCK_STRIDE = Field("block_stride", address_bits, "address step from block to block", default=0)

TABLE = (
    Instruction(
        "PAGE", 1, Unit.SEQUENCER, "A",
        "Begins a page segment: the named page of weights and scales is in the array, the registers are reset, "
        "the cycle count and the refresh restart.",
        "Everything on other pages finishes first; loading a page takes a refresh period, shared by a batch of images.",
        (Field("page", lambda spec: _bits_for(spec.max_pages), "weight page"),),
    ),
    Instruction(
        "SHIFT", 2, Unit.INPUT, "R",
        "Shifts columns first .. first+width-1 of a register's shift stage down by count x blocks and brings in as many "
        "states from memory at the upper end; other columns stay.",
        "states / states_in_per_cycle cycles, rounded up; state j is read in cycle j / states_in_per_cycle.",
        (
            Field("register", lambda spec: _bits_for(spec.registers), "register"),
            Field("first", lambda spec: _bits_for(spec.columns), "first column of the range", default=0),
            Field("width", _count_bits, "columns of the range"),
            Field("address", address_bits, "where the first state lies in memory"),
            _COUNT, _STRIDE, _BLOCKS, _BLOCK_STRIDE,
        ),
    ),
    Instruction(
        "STORE", 3, Unit.INPUT, "R",
        "Copies the shift stage of the named registers to their hold stage, which the array reads.",
        "Waits for SHIFT to end, then store_cycles; the next SHIFT and the last cycle of a CALC may overlap it.",
        (Field("registers", lambda spec: spec.registers, "registers", Form.SET),),
    ),
    Instruction(
        "CALC", 4, Unit.ARRAY, "R",
        "Each neuron sums its synapses' weights times the states of the registers that its rows name, scales the sum "
        "and converts it to a state. Neuron k uses the rows after those of neuron k-1; those of less than a row share it.",
        "calc_cycles; reads the hold stage in all of them, each weight's charge in the first.",
        (
            Field("fan_in", lambda spec: _bits_for(len(spec.fan_ins)), "inputs of each neuron", Form.FAN_IN),
            Field("row", lambda spec: _bits_for(spec.rows), "first row"),
            Field("neurons", lambda spec: _bits_for(spec.neurons_at_once + 1), "neurons"),
            Field("registers", lambda spec: _bits_for(spec.registers), "register that each row reads", Form.PER_ROW),
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
        (Field("cycles", lambda _: 24, "cycles"),),
    ),
    Instruction(
        "END", 7, Unit.SEQUENCER, "A",
        "The image is done when all units are idle.",
        "None of its own.",
    ),
)  # fmt: skip

BY_NAME = {instruction.name: instruction for instruction in TABLE}
BY_OPCODE = {instruction.opcode: instruction for instruction in TABLE}


@dataclass(frozen=True)
class Op:
    """One instruction with its values, in the order of its fields."""

    instruction: Instruction
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        """Name of the instruction."""
        return self.instruction.name

    def __getitem__(self, field: str) -> int:
        """Value of a field that holds one number."""
        value = self.values[self.instruction.place[field]]
        assert isinstance(value, int)
        return value

    def per_row(self, field: str) -> tuple[int, ...]:
        """Value of a field that holds a number for each row."""
        value = self.values[self.instruction.place[field]]
        assert isinstance(value, tuple)
        return value

    def members(self, field: str) -> tuple[int, ...]:
        """Members of a set."""
        mask = self[field]
        return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)

    @property
    def states(self) -> int:
        """States that a SHIFT or OUT moves."""
        return self["count"] * self["blocks"]

    @property
    def addresses(self) -> NDArray[np.int64]:
        """Addresses that a SHIFT or OUT touches, in order."""
        inner = self["stride"] * np.arange(self["count"], dtype=np.int64)
        outer = self["block_stride"] * np.arange(self["blocks"], dtype=np.int64)
        return (self["address"] + outer[:, None] + inner).reshape(-1)

    def __repr__(self) -> str:
        given = zip(self.instruction.fields, self.values, strict=True)
        return " ".join([self.name, *(f"{field.name}={value}" for field, value in given)])


def op(name: str, **values: Value) -> Op:
    """An instruction by name; fields with a default may be left out. Values are not checked here but by `verify`."""
    instruction = BY_NAME[name]
    unknown = set(values) - set(instruction.place)
    assert not unknown, f"{name} has no field {sorted(unknown)}"
    filled = (values.get(field.name, field.default) for field in instruction.fields)
    return Op(instruction, tuple(_given(name, value) for value in filled))


def _given(name: str, value: Value | None) -> Value:
    assert value is not None, f"{name} lacks a field"
    return value


def fan_in_of(spec: ChipSpec, calc: Op) -> int:
    """Inputs of each neuron of a CALC."""
    return spec.fan_ins[calc["fan_in"]]


def rows_of(spec: ChipSpec, fan_in: int, neurons: int) -> int:
    """Rows that this many neurons of a fan-in take."""
    if fan_in >= spec.columns:
        return neurons * (fan_in // spec.columns)
    return -(-neurons // (spec.columns // fan_in))


# --- words -----------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=64)
def limbs(spec: ChipSpec) -> int:
    """64-bit limbs of a microcode word."""
    widest = max(sum(field.width(spec) for field in instruction.fields) for instruction in TABLE)
    return -(-(OPCODE_BITS + widest) // LIMB_BITS)


@dataclass(frozen=True)
class _Slot:
    """Where the numbers of a field lie in a word."""

    field: Field
    bits: int  # of one number
    shifts: tuple[int, ...]  # of each number


@lru_cache(maxsize=64)
def _layout(spec: ChipSpec) -> dict[int, tuple[_Slot, ...]]:
    """For each opcode, where its fields lie."""
    found = {}
    for instruction in TABLE:
        slots, at = list[_Slot](), OPCODE_BITS
        for field in instruction.fields:
            bits, entries = field.bits(spec), field.entries(spec)
            slots.append(_Slot(field, bits, tuple(at + i * bits for i in range(entries))))
            at += bits * entries
        found[instruction.opcode] = tuple(slots)
    return found


def encode(spec: ChipSpec, ops: Iterable[Op]) -> Words:
    """Microcode words, one row of limbs per instruction; raises if a value does not fit its field."""
    size, layout = limbs(spec), _layout(spec)
    words = [_encode_one(op, layout[op.instruction.opcode]) for op in ops]
    data = b"".join(word.to_bytes(size * LIMB_BITS // 8, "little") for word in words)
    return np.frombuffer(data, dtype="<u8").reshape(len(words), size)


def _encode_one(op: Op, slots: tuple[_Slot, ...]) -> int:
    word = op.instruction.opcode
    for slot, value in zip(slots, op.values, strict=True):
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) > len(slot.shifts):
            raise FileError(f"{op.name}: {slot.field.name} holds {len(slot.shifts)} numbers, got {len(parts)}")
        for part, shift in zip(parts, slot.shifts, strict=False):
            if not 0 <= part < 1 << slot.bits:
                raise FileError(f"{op.name}: {slot.field.name} holds 0 to {(1 << slot.bits) - 1}, got {part}")
            word |= part << shift
    return word


def decode(spec: ChipSpec, words: Words) -> list[Op]:
    """The instructions that words stand for; raises for unknown opcodes and stray bits."""
    if words.ndim != 2 or words.shape[1] != limbs(spec):
        raise FileError(f"microcode words of this chip have {limbs(spec)} limbs, got an array of shape {words.shape}")
    layout, known, ops = _layout(spec), dict[bytes, Op](), list[Op]()
    for index, row in enumerate(words.astype("<u8")):
        word = row.tobytes()
        if word not in known:  # programs repeat the same words
            known[word] = _decode_one(spec, layout, index, int.from_bytes(word, "little"))
        ops.append(known[word])
    return ops


def _decode_one(spec: ChipSpec, layout: dict[int, tuple[_Slot, ...]], index: int, word: int) -> Op:
    instruction = BY_OPCODE.get(word & ((1 << OPCODE_BITS) - 1))
    if instruction is None:
        raise FileError(f"word {index}: there is no opcode {word & ((1 << OPCODE_BITS) - 1)}")
    values, end = list[Value](), OPCODE_BITS
    for slot in layout[instruction.opcode]:
        ones = (1 << slot.bits) - 1
        if slot.field.form is Form.PER_ROW:
            values.append(tuple(word >> shift & ones for shift in slot.shifts))
        else:
            values.append(word >> slot.shifts[0] & ones)
        end = slot.shifts[-1] + slot.bits
    if word >> end:
        raise FileError(f"word {index}: {instruction.name} has bits set beyond its fields")
    decoded = Op(instruction, tuple(values))
    return _trim_rows(spec, index, decoded) if instruction.name == "CALC" else decoded


def _trim_rows(spec: ChipSpec, index: int, calc: Op) -> Op:
    """A CALC with a register for each row it uses; registers of rows that it does not use must be zero."""
    if calc["fan_in"] >= len(spec.fan_ins):
        raise FileError(f"word {index}: CALC names fan-in {calc['fan_in']}, the chip has {len(spec.fan_ins)}")
    used = rows_of(spec, fan_in_of(spec, calc), calc["neurons"])
    registers = calc.per_row("registers")
    if any(registers[used:]):
        raise FileError(f"word {index}: CALC names registers for rows that it does not use")
    return Op(calc.instruction, (*calc.values[:-1], registers[:used]))


# --- the manual page -------------------------------------------------------------------------------------------------
def manual(spec: ChipSpec) -> str:
    """The instruction set as a Markdown page, for one chip."""
    lines = [
        "# Instruction set",
        "",
        f"A word has {limbs(spec)} limbs of {LIMB_BITS} bits. Instructions start in the order of the text, up to "
        f"{spec.issue_width} in a cycle, each as soon as its unit is free.",
        "",
    ]
    for instruction in TABLE:
        lines += [f"## {instruction.name}", "", f"Opcode {instruction.opcode}, {instruction.unit.value} unit, mark "
                  f"{instruction.mark}. {instruction.summary}", "", f"Time: {instruction.timing}", ""]  # fmt: skip
        if instruction.fields:
            lines += ["| field | bits | default | meaning |", "|---|---|---|---|"]
            lines += [_manual_row(spec, field) for field in instruction.fields]
            lines.append("")
    return "\n".join(lines)


def _manual_row(spec: ChipSpec, field: Field) -> str:
    entries, bits = field.entries(spec), field.bits(spec)
    width = f"{entries} x {bits}" if entries > 1 else str(bits)
    default = "required" if field.default is None else str(field.default)
    note = {Form.SET: ", written 0+2", Form.PER_ROW: ", written 0,0,1,1 or once for all", Form.FAN_IN: ", written as "
            + ", ".join(map(str, spec.fan_ins)), Form.NUMBER: ""}[field.form]  # fmt: skip
    return f"| {field.name} | {width} | {default} | {field.note}{note} |"
