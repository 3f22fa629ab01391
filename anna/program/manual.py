"""The instruction set of a chip as a Markdown page, from its table."""

from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.instructions import Field, Form


def manual(spec: ChipSpec) -> str:
    """The page for one chip."""
    lines = [
        "# Instruction set",
        "",
        f"A word has {isa.limbs(spec)} limbs of {isa.LIMB_BITS} bits. Instructions start in the order of the text, up to "
        f"{spec.issue_width} in a cycle, each as soon as its unit is free.",
        "",
    ]
    for instruction in isa.of(spec).table:
        lines += [f"## {instruction.name}", "", f"Opcode {instruction.opcode}, {instruction.unit.value} unit, mark "
                  f"{instruction.mark}. {instruction.summary}", "", f"Time: {instruction.timing}", ""]  # fmt: skip
        if instruction.fields:
            lines += ["| field | bits | default | meaning |", "|---|---|---|---|"]
            lines += [_row(spec, field) for field in instruction.fields]
            lines.append("")
    return "\n".join(lines)


_WRITTEN = {
    Form.SET: ", written 0+2",
    Form.PER_ROW: ", written 0,0,1,1 or once for all",
    Form.SOURCE: ", written R0",
    Form.REGISTERS: ", written R0",
    Form.LATCHES: ", written A.L0",
    Form.NUMBER: "",
}


def _row(spec: ChipSpec, field: Field) -> str:
    entries, bits = field.entries(spec), field.bits(spec)
    width = f"{entries} x {bits}" if entries > 1 else str(bits)
    default = "required" if field.default is None else str(field.default)
    fan_ins = ", written as " + ", ".join(map(str, spec.fan_ins))
    return f"| {field.name} | {width} | {default} | {field.note}{_WRITTEN.get(field.form, fan_ins)} |"
