"""One instruction as a line of text, both ways.

The published set is written as its assembler writes it (paper 3): operands first, without a name, then what the board adds,
as key=value: `SHIFT 4,R0 address=12`. Every field may be given as key=value too, in any order. The wide set has no operands.
"""

import re
from collections.abc import Iterable

from anna.base.errors import AssemblyError
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.instructions import Field, Form, Instruction, rows_per_calc
from anna.program.isa import Op, Value

Pairs = dict[str, str]

FORMER = "; for a program of the former machine write .chip name=anna-wide"
_PREFIX = {Form.SET: "", Form.SOURCE: "R", Form.REGISTERS: "R", Form.LATCHES: "A.L"}
_SETS = (Form.SET, Form.REGISTERS, Form.LATCHES)


# --- writing ---------------------------------------------------------------------------------------------------------
def line_of(spec: ChipSpec, op: Op) -> str:
    """The canonical line of an instruction: fields that have their default are left out."""
    operands, pairs = list[str](), list[str]()
    for place, value in zip(op.instruction.fields, op.values, strict=True):
        if place.default is not None and value == place.default:
            continue
        if place.name in op.instruction.operands:
            operands.append(_value_text(spec, place, value, ","))
        else:
            pairs.append(f"{place.name}={_value_text(spec, place, value, '+')}")
    return " ".join([op.name, *([",".join(operands)] if operands else []), *pairs])


def _value_text(spec: ChipSpec, place: Field, value: Value, joint: str) -> str:
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else ",".join(map(str, value))
    match place.form:
        case Form.SET | Form.REGISTERS | Form.LATCHES:
            return joint.join(f"{_PREFIX[place.form]}{i}" for i in range(value.bit_length()) if value >> i & 1) or "none"
        case Form.SOURCE:
            return f"R{value - 1}" if value else "none"
        case Form.FAN_IN:
            return str(spec.fan_ins[value])
    return str(value)


# --- reading ---------------------------------------------------------------------------------------------------------
def op_of(spec: ChipSpec, name: str, text: str) -> tuple[Op, tuple[str, ...]]:
    """The instruction of this name that follows from the rest of its line, and the fields whose place in memory it leaves
    open: an address that is left out is found by `anna.program.pointers`."""
    instruction = isa.of(spec).by_name[name]
    operands, pairs = split(text)
    if operands and not instruction.operands:
        raise AssemblyError(f"{operands[0]}: expected key=value")
    former = _former(spec, name, pairs)
    _expect_known(name, pairs, instruction, former)
    for place, operand in _placed(instruction, operands):
        if place.name in pairs and place.form not in _SETS:
            raise AssemblyError(f"{name} has its {place.name} twice")
        pairs[place.name] = f"{pairs[place.name]}+{operand}" if place.name in pairs else operand
    values, left_open = dict[str, Value](), tuple[str, ...]()
    for place in instruction.fields:
        if place.name in pairs:
            values[place.name] = _field_value(spec, place, pairs[place.name])
        elif place.name == "address" and not spec.wide:
            values[place.name], left_open = 0, ("address", "step", "outer_step")
        elif place.default is None:
            what = place.name if place.name in instruction.operands else f"{place.name}="
            raise AssemblyError(f"{name} needs {what}{former}")
    for key in pairs:
        if key in left_open:
            raise AssemblyError(f"{name} has {key}= but no address=; leave both out, or give both")
    if name == "CALC" and spec.wide:
        values["registers"] = _spread(spec, values)
    return isa.of(spec).op(name, **values), left_open


def split(text: str) -> tuple[list[str], Pairs]:
    """Operands, apart by commas, and the key=value pairs after them, apart by blanks."""
    first = re.search(r"(^|\s)[^\s,=]*=", text)
    before, after = (text, "") if first is None else (text[: first.start()], text[first.start() :])
    operands = [part.strip() for part in before.split(",")] if before.strip() else []
    for operand in operands:
        if not operand or len(operand.split()) > 1:
            raise AssemblyError(f"{before.strip()}: expected operands with a comma between them, then key=value")
    return operands, pairs_of(after.split())


def pairs_of(words: Iterable[str]) -> Pairs:
    """key=value, by key."""
    pairs = Pairs()
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            raise AssemblyError(f"{word}: expected key=value")
        if key in pairs:
            raise AssemblyError(f"{key}= is given twice")
        pairs[key] = value
    return pairs


def _placed(instruction: Instruction, operands: list[str]) -> Iterable[tuple[Field, str]]:
    """The field of each operand: numbers, registers and latches in the order of the table."""
    places, at = [instruction.fields[instruction.place[name]] for name in instruction.operands], 0
    for operand in operands:
        found = next((i for i in range(at, len(places)) if _is(places[i].form, operand)), None)
        if found is None:
            takes = ", then ".join(f"{place.name} ({_example(place.form)})" for place in places)
            raise AssemblyError(f"{instruction.name} does not take {operand} here; it takes {takes}")
        at = found if places[found].form in _SETS else found + 1
        yield places[found], operand


def _is(form: Form, operand: str) -> bool:
    """Whether an operand is written as this form is."""
    prefix = _PREFIX.get(form, "")
    return operand[: len(prefix)].upper() == prefix and operand[len(prefix) :].isdecimal()


def _example(form: Form) -> str:
    return "4" if form is Form.NUMBER else f"{_PREFIX[form]}0"


def _expect_known(name: str, pairs: Pairs, instruction: Instruction, former: str) -> None:
    for key in pairs:
        if key not in instruction.place:
            raise AssemblyError(f"{name} does not take {key}=; it takes {', '.join(instruction.place) or 'nothing'}{former}")


def _former(spec: ChipSpec, name: str, pairs: Pairs) -> str:
    """What to do if a line of the published set has fields of the wide one, in which programs were once written."""
    mine, wide = isa.of(spec).by_name.get(name), isa.WIDE.by_name.get(name)
    if spec.wide or wide is None:
        return ""
    return FORMER if mine is None or any(key in wide.place and key not in mine.place for key in pairs) else ""


def unknown(spec: ChipSpec, name: str, others: Iterable[str]) -> AssemblyError:
    """The refusal of a line that begins with neither an instruction nor one of the others."""
    known = ", ".join([*isa.of(spec).by_name, *others])
    return AssemblyError(f"there is no {name}; known: {known}{_former(spec, name.upper(), {})}")


def _field_value(spec: ChipSpec, place: Field, text: str) -> Value:
    match place.form:
        case Form.SET | Form.REGISTERS | Form.LATCHES:
            members = [] if text == "none" else [_member(place, part) for part in text.split("+")]
            if any(member >= 64 for member in members):
                raise AssemblyError(f"{place.name}={text}: expected members 0 to 63")
            return _fitting(spec, place, sum(1 << member for member in set(members)), text)
        case Form.SOURCE:
            return 0 if text == "none" else _fitting(spec, place, _member(place, text) + 1, text)
        case Form.FAN_IN:
            fan_in = number(place.name, text)
            if fan_in not in spec.fan_ins:
                raise AssemblyError(f"{place.name}={fan_in}: the chip has fan-ins {', '.join(map(str, spec.fan_ins))}")
            return spec.fan_ins.index(fan_in)
        case Form.PER_ROW:
            return tuple(number(place.name, part) for part in text.split(","))
    return _fitting(spec, place, number(place.name, text), text)


def _member(place: Field, text: str) -> int:
    """The number of a register or latch, which the published set writes R0 and A.L2."""
    prefix = _PREFIX[place.form]
    if not text.upper().startswith(prefix):
        wide = FORMER if prefix == "R" and text.isdecimal() else ""
        raise AssemblyError(f"{place.name}={text}: expected a name like {prefix}0{wide}")
    return number(place.name, text[len(prefix) :])


def _fitting(spec: ChipSpec, place: Field, value: int, text: str) -> int:
    if value >= 1 << place.bits(spec):
        raise AssemblyError(f"{place.name}={text} does not fit its {place.bits(spec)} bits")
    return value


def _spread(spec: ChipSpec, values: dict[str, Value]) -> tuple[int, ...]:
    """A register for each row that a CALC uses: given once for all, or for each."""
    fan_in, neurons, given = values["fan_in"], values["neurons"], values["registers"]
    assert isinstance(fan_in, int) and isinstance(neurons, int) and isinstance(given, tuple)
    rows = isa.rows_of(spec, spec.fan_ins[fan_in], neurons)
    if len(given) == 1:
        return given * min(rows, rows_per_calc(spec))
    if len(given) != rows:
        raise AssemblyError(f"registers= names {len(given)} registers; this CALC uses {rows} rows")
    return given


def number(name: str, text: str) -> int:
    """A whole number, zero or more."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise AssemblyError(f"{name}={text}: expected a whole number, zero or more")
    return int(text)
