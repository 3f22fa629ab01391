"""The instruction set of a chip as a Markdown page, from its table: words bit by bit, and what each instruction does."""

from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.instructions import Field, Form, Instruction, Unit
from anna.program.isa import Op
from anna.program.line import line_of


def manual(spec: ChipSpec) -> str:
    """The page for one chip."""
    return "\n".join(["# Instruction set", "", *words_of(spec), *instructions_of(spec, "##")])


def instructions_of(spec: ChipSpec, heading: str) -> list[str]:
    """A section for each instruction."""
    lines = list[str]()
    for instruction in isa.of(spec).table:
        lines += [
            f"{heading} {instruction.name}", "",
            f"Opcode {instruction.opcode}, {instruction.unit.value} unit, mark {instruction.mark}. {instruction.summary}", "",
            f"Time: {instruction.timing}", "",
        ]  # fmt: skip
        if instruction.fields:
            lines += ["| field | bits | default | meaning |", "|---|---|---|---|"]
            lines += [_row(spec, instruction, field) for field in instruction.fields]
            lines.append("")
    return lines


def words_of(spec: ChipSpec) -> list[str]:
    """Where the parts of a word lie."""
    limbs, last = isa.limbs(spec), isa.limbs(spec) * isa.LIMB_BITS - 1
    rows = [f"| 0 to {last} | {limbs} limbs of {isa.LIMB_BITS} bits, lowest first |"]
    if spec.wide:
        rows += [f"| 0 to {isa.WIDE_OPCODE_BITS - 1} | opcode |", f"| {isa.WIDE_OPCODE_BITS} and up | fields |"]
    else:
        pins, chip, board = isa.pin_bits(spec), isa.CHIP_OPCODE_BITS, isa.BOARD_OPCODE_BITS
        rows += [
            f"| 0 to {chip - 1} | chip's opcode; 0 in what the sequencer does by itself |",
            f"| {chip} to {pins - 1} | fields that enter at the chip's pins |",
            f"| {pins} to {pins + board - 1} | board's opcode; 0 in an instruction of the chip |",
            f"| {pins + board} to {last} | fields that stay on the board |",
        ]
    return ["| bits | what |", "|---|---|", *rows, "", *opcodes_of(spec), ""]


def opcodes_of(spec: ChipSpec) -> list[str]:
    """Every opcode."""
    if spec.wide:
        return ["| opcode | instruction |", "|---|---|", *(f"| {one.opcode} | {one.name} |" for one in isa.of(spec).table)]
    chip, board = dict[int, str](), dict[int, str]()
    for one in isa.of(spec).table:
        (board if one.unit is Unit.SEQUENCER else chip)[one.opcode] = one.name
    rows = [f"| {code} | {chip.get(code, '')} | {board.get(code, '')} |" for code in sorted({*chip, *board})]
    return ["| opcode | of the chip | of the board |", "|---|---|---|", *rows]


def worked_word(spec: ChipSpec, op: Op) -> list[str]:
    """One instruction bit by bit."""
    word = int.from_bytes(isa.encode(spec, [op]).tobytes(), "little")
    pins, chip_bits = isa.pin_bits(spec), isa.CHIP_OPCODE_BITS
    rows = [f"| 0 to {chip_bits - 1} | chip's opcode | {op.instruction.opcode} | {op.name} |",
            f"| {pins} to {pins + isa.BOARD_OPCODE_BITS - 1} | board's opcode | 0 | none |"]  # fmt: skip
    for name, first, bits in isa.slots(spec, op.name):
        value = word >> first & ((1 << bits) - 1)
        place = f"{first}" if bits == 1 else f"{first} to {first + bits - 1}"
        rows.append(f"| {place} | {name} | {value} | {value:0{bits}b} |")
    rows.sort(key=lambda row: int(row.split()[1]))
    limbs = ", ".join(f"0x{limb:016x}" for limb in isa.encode(spec, [op])[0].tolist())
    return [
        f"`{line_of(spec, op)}`: limbs {limbs}; at the pins, highest bit first, {word & ((1 << pins) - 1):0{pins}b}.", "",
        "| bits | what | value | binary |", "|---|---|---|---|", *rows, "",
    ]  # fmt: skip


_WRITTEN = {
    Form.SET: ", written 0+2",
    Form.PER_ROW: ", written 0,0,1,1 or once for all",
    Form.SOURCE: ", written R0; bits 0: none, k + 1: register k",
    Form.REGISTERS: ", written R0; bit k of the field: register k",
    Form.LATCHES: ", written A.L0; bit k of the field: latch k",
    Form.NUMBER: "",
}


def _row(spec: ChipSpec, instruction: Instruction, field: Field) -> str:
    place = [(first, bits) for name, first, bits in isa.slots(spec, instruction.name) if name == field.name]
    first, each = place[0]
    width = f"{first}" if each == len(place) == 1 else f"{first} to {first + each * len(place) - 1}"
    many = f", {len(place)} of {each} bits, lowest row first" if len(place) > 1 else ""
    default = "required" if field.default is None else str(field.default)
    fan_ins = ", as an index: " + ", ".join(f"{i} is {fan_in}" for i, fan_in in enumerate(spec.fan_ins))
    return f"| {field.name} | {width} | {default} | {field.note}{_WRITTEN.get(field.form, fan_ins)}{many} |"
