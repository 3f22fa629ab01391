"""Instructions and their words: how the tables of `anna.program.instructions` are used.

A word has whole 64-bit limbs, lowest bits first. In the published set the lowest 37 bits are what enters at the chip's pins:
opcode, then fields in the order of the table. Above them is the board's part: the opcode of what the sequencer does by
itself, zero in an instruction of the chip, then the fields that stay on the board. A word of the wide set is opcode and
fields.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.chip import facts
from anna.chip.spec import ChipSpec
from anna.program import instructions
from anna.program.instructions import Field, Form, Instruction, Unit

LIMB_BITS = 64
PIN_BITS = facts.INSTRUCTION_PINS.value
CHIP_OPCODE_BITS, BOARD_OPCODE_BITS, WIDE_OPCODE_BITS = 3, 3, 4

Words = NDArray[np.uint64]
Value = int | tuple[int, ...]


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

    def get(self, field: str, otherwise: int) -> int:
        """The same, or another number where the instruction has no such field."""
        return self[field] if field in self.instruction.place else otherwise

    def changed(self, **values: int) -> "Op":
        """The same instruction with other values."""
        found = list(self.values)
        for name, value in values.items():
            found[self.instruction.place[name]] = value
        return Op(self.instruction, tuple(found))

    @property
    def ends(self) -> bool:
        """Whether the program ends here."""
        return self.name in ("STOP", "END")

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
        return self["count"] * self.get("blocks", 1)

    @property
    def addresses(self) -> NDArray[np.int64]:
        """Addresses that a SHIFT or OUT touches, in order."""
        inner = self.get("stride", 1) * np.arange(self["count"], dtype=np.int64)
        outer = self.get("block_stride", 0) * np.arange(self.get("blocks", 1), dtype=np.int64)
        return (self["address"] + outer[:, None] + inner).reshape(-1)

    @property
    def last_address(self) -> int:
        """The highest of them."""
        blocks = self.get("block_stride", 0) * (self.get("blocks", 1) - 1)
        return self["address"] + self.get("stride", 1) * (self["count"] - 1) + blocks

    def __repr__(self) -> str:
        given = zip(self.instruction.fields, self.values, strict=True)
        return " ".join([self.name, *(f"{field.name}={value}" for field, value in given)])


class InstructionSet:
    """A table of instructions, by name."""

    def __init__(self, table: tuple[Instruction, ...]) -> None:
        self.table = table
        self.by_name = {instruction.name: instruction for instruction in table}

    def op(self, name: str, **values: Value) -> Op:
        """An instruction by name; fields with a default may be left out. Values are not checked here but by `verify`."""
        instruction = self.by_name[name]
        unknown = values.keys() - instruction.place.keys()
        assert not unknown, f"{name} has no field {sorted(unknown)}"
        found = list[Value]()
        for field, otherwise in instruction.defaults:
            value = values.get(field, otherwise)
            assert value is not None, f"{name} lacks a field"
            found.append(value)
        return Op(instruction, tuple(found))


PUBLISHED = InstructionSet(instructions.PUBLISHED)
WIDE = InstructionSet(instructions.WIDE)


def of(spec: ChipSpec) -> InstructionSet:
    """The instruction set of a chip."""
    return WIDE if spec.wide else PUBLISHED


def stop(spec: ChipSpec) -> Op:
    """The instruction that ends a program."""
    return WIDE.op("END") if spec.wide else PUBLISHED.op("STOP")


def largest_count(spec: ChipSpec) -> int:
    """The most states of a block, and blocks, that a SHIFT or OUT of a wide chip can name."""
    return (1 << instructions.count_bits(spec)) - 1


def fan_in_of(spec: ChipSpec, calc: Op) -> int:
    """Inputs of each neuron of a CALC."""
    return spec.fan_ins[calc["fan_in"]]


def rows_of(spec: ChipSpec, fan_in: int, neurons: int) -> int:
    """Rows that this many neurons of a fan-in take."""
    if fan_in >= spec.columns:
        return neurons * (fan_in // spec.columns)
    return -(-neurons // (spec.columns // fan_in))


def latches_of(spec: ChipSpec, calc: Op) -> tuple[int, ...]:
    """The latch that each row of a CALC reads; in a wide chip the register, whose hold stage is one."""
    if spec.wide:
        return calc.per_row("registers")
    fan_in = fan_in_of(spec, calc)
    each = max(1, fan_in // spec.columns)
    return tuple(calc["latch"] + row % each for row in range(rows_of(spec, fan_in, calc["neurons"])))


# --- words -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Slot:
    """Where the numbers of a field lie in a word."""

    field: Field
    bits: int  # of one number
    shifts: tuple[int, ...]  # of each number


@dataclass(frozen=True)
class _Layout:
    """Where everything lies in the words of a chip."""

    opcodes: dict[int, Instruction]  # what the opcodes of chip and board together say
    board: int  # where the board's part begins
    slots: dict[str, tuple[_Slot, ...]]
    limbs: int

    def opcode(self, instruction: Instruction) -> int:
        """The bits that name an instruction."""
        return next(bits for bits, one in self.opcodes.items() if one is instruction)


def needed_bits(spec: ChipSpec) -> int:
    """Bits that the longest instruction of the chip needs."""
    return CHIP_OPCODE_BITS + max(sum(field.width(spec) for field in one.fields if not field.board)
                                  for one in instructions.PUBLISHED if one.unit is not Unit.SEQUENCER)  # fmt: skip


def pin_bits(spec: ChipSpec) -> int:
    """Bits of an instruction that enter at the chip's pins: 37, more only where larger fields need them."""
    return max(PIN_BITS, needed_bits(spec))


@lru_cache(maxsize=64)
def _layout(spec: ChipSpec) -> _Layout:
    chip_bits, board = (WIDE_OPCODE_BITS, 0) if spec.wide else (CHIP_OPCODE_BITS, pin_bits(spec))
    opcodes, slots, end = dict[int, Instruction](), dict[str, tuple[_Slot, ...]](), 0
    for instruction in of(spec).table:
        on_board = board and instruction.unit is Unit.SEQUENCER
        opcodes[instruction.opcode << board if on_board else instruction.opcode] = instruction
        at, found = {False: chip_bits, True: board + BOARD_OPCODE_BITS}, list[_Slot]()
        for field in instruction.fields:
            bits, entries, part = field.bits(spec), field.entries(spec), bool(board) and field.board
            found.append(_Slot(field, bits, tuple(at[part] + i * bits for i in range(entries))))
            at[part] += bits * entries
        slots[instruction.name] = tuple(found)
        end = max(end, at[False], at[True] if board else 0)
    return _Layout(opcodes, board, slots, -(-end // LIMB_BITS))


def limbs(spec: ChipSpec) -> int:
    """64-bit limbs of a word."""
    return _layout(spec).limbs


def slots(spec: ChipSpec, name: str) -> tuple[tuple[str, int, int], ...]:
    """Field, first bit and bits of every number of an instruction's word."""
    return tuple((slot.field.name, shift, slot.bits) for slot in _layout(spec).slots[name] for shift in slot.shifts)


def slot(spec: ChipSpec, name: str, field: str) -> tuple[int, int]:
    """First bit and bits of a field that holds one number."""
    return next((shift, bits) for one, shift, bits in slots(spec, name) if one == field)


def put(words: Words, index: NDArray[np.int64], shift: int, bits: int, numbers: NDArray[np.int64]) -> None:
    """Set numbers of less than 64 bits in that place of some words, where there are zeros."""
    limb, at = divmod(shift, LIMB_BITS)
    values = numbers.astype(np.uint64)
    words[index, limb] |= values << np.uint64(at)
    if at + bits > LIMB_BITS:
        words[index, limb + 1] |= values >> np.uint64(LIMB_BITS - at)


def encode(spec: ChipSpec, ops: Iterable[Op]) -> Words:
    """Words, one row of limbs per instruction; raises if a value does not fit its field."""
    layout = _layout(spec)
    opcodes = {instruction.name: bits for bits, instruction in layout.opcodes.items()}
    words = [_encode_one(op, opcodes[op.name], layout.slots[op.name]) for op in ops]
    data = b"".join(word.to_bytes(layout.limbs * LIMB_BITS // 8, "little") for word in words)
    return np.frombuffer(data, dtype="<u8").reshape(len(words), layout.limbs)


def _encode_one(op: Op, word: int, slots: tuple[_Slot, ...]) -> int:
    for slot, value in zip(slots, op.values, strict=True):
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) > len(slot.shifts):
            raise FileError(f"{op.name}: {slot.field.name} holds {len(slot.shifts)} numbers, got {len(parts)}")
        for part, shift in zip(parts, slot.shifts, strict=False):
            if not 0 <= part < 1 << slot.bits:
                raise FileError(f"{op.name}: {slot.field.name} holds 0 to {(1 << slot.bits) - 1}, got {part}")
            word |= part << shift
    return word


def kinds(spec: ChipSpec, words: Words) -> NDArray[np.int64]:
    """Which row of the chip's table each word's instruction is; -1 for an opcode that there is not."""
    layout, chip_bits = _layout(spec), WIDE_OPCODE_BITS if spec.wide else CHIP_OPCODE_BITS
    opcode, found = number(words, 0, chip_bits), np.full(1 << chip_bits + BOARD_OPCODE_BITS, -1, np.int64)
    if layout.board:
        opcode |= number(words, layout.board, BOARD_OPCODE_BITS) << chip_bits
    for bits, instruction in layout.opcodes.items():
        chip, board = bits & (1 << chip_bits) - 1, bits >> layout.board if layout.board else 0
        found[board << chip_bits | chip] = of(spec).table.index(instruction)
    return np.asarray(found[opcode])


def number(words: Words, shift: int, bits: int) -> NDArray[np.int64]:
    """The number of less than 64 bits that every word has in that place."""
    limb, at = divmod(shift, LIMB_BITS)
    found = words[:, limb] >> np.uint64(at)
    if at + bits > LIMB_BITS:
        found = found | words[:, limb + 1] << np.uint64(LIMB_BITS - at)
    return (found & np.uint64((1 << bits) - 1)).astype(np.int64)


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


def _decode_one(spec: ChipSpec, layout: _Layout, index: int, word: int) -> Op:
    chip = word & ((1 << (WIDE_OPCODE_BITS if spec.wide else CHIP_OPCODE_BITS)) - 1)
    board = (word >> layout.board & ((1 << BOARD_OPCODE_BITS) - 1)) if layout.board else 0
    instruction = layout.opcodes.get(board << layout.board | chip)
    if instruction is None:
        both = f"{chip}" + (f" with board opcode {board}" if board else "")
        raise FileError(f"word {index}: there is no opcode {both}")
    left = word ^ layout.opcode(instruction)
    values = list[Value]()
    for slot in layout.slots[instruction.name]:
        ones = (1 << slot.bits) - 1
        parts = tuple(word >> shift & ones for shift in slot.shifts)
        for part, shift in zip(parts, slot.shifts, strict=True):
            left ^= part << shift
        values.append(parts if slot.field.form is Form.PER_ROW else parts[0])
    if left:
        raise FileError(f"word {index}: {instruction.name} has bits set beyond its fields")
    decoded = Op(instruction, tuple(values))
    return _trim_rows(spec, index, decoded) if instruction.name == "CALC" else decoded


def _trim_rows(spec: ChipSpec, index: int, calc: Op) -> Op:
    """A CALC of a fan-in that exists; in a wide chip with a register for each row it uses, and zeros for the others."""
    if calc["fan_in"] >= len(spec.fan_ins):
        raise FileError(f"word {index}: CALC names fan-in {calc['fan_in']}, the chip has {len(spec.fan_ins)}")
    if not spec.wide:
        return calc
    used = rows_of(spec, fan_in_of(spec, calc), calc["neurons"])
    registers = calc.per_row("registers")
    if any(registers[used:]):
        raise FileError(f"word {index}: CALC names registers for rows that it does not use")
    return Op(calc.instruction, (*calc.values[:-1], registers[:used]))


def chip_word(spec: ChipSpec, op: Op) -> int:
    """What enters at the chip's pins for an instruction; 0 for what the sequencer does by itself."""
    word = int.from_bytes(encode(spec, [op]).tobytes(), "little")
    return word & ((1 << pin_bits(spec)) - 1)
