"""Assembly text for programs, an exact round trip.

A line is a directive with `key=value` pairs, or an instruction (`anna.program.line`); a semicolon begins a comment. Every
program has one canonical text, which `disassemble` writes; `assemble` reads that and anything a person would write for it.
Addresses may be left out (`anna.program.pointers`), and so may PAGE in a program of one page.

    .program   name=NAME batch=1                    its name; images that share a page
    .chip      name=anna-1991 weight_bits=8 ...     the chip, and what differs from it
    .sequencer name=dedicated overlap=none ...      what issues the instructions, and what differs from it
    .input     name=NAME address=0 shape=1x8x8      where the image goes (strides=AxBxC if not contiguous)
    .output    name=NAME address=64 shape=1x6x6     what is read at the end
    .host      name=NAME address=64 shape=1x6x6     what the host writes between page segments
    .map       name=NAME address=64 shape=1x6x6     a feature map that can be tapped
    .constant  address=100 codes=7,7,0              states that are always there
    .weights   page=0 row=0 column=0 values=-1,0,1  weights, in weight LSB
    .scale     page=0 row=0 group=0 codes=4         scale codes of the neurons that begin there
    SHIFT      4,R0 address=0                       an instruction of the tables in `anna.program.instructions`
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

from anna.base.border import ASSEMBLY, border
from anna.base.errors import AnnaError, AssemblyError
from anna.chip.codes import weight_converter
from anna.chip.spec import ANNA_1991, ANNA_WIDE, CHIPS, DEDICATED, DSP, ChipSpec, Record, Sequencer, first_sentence
from anna.program import isa
from anna.program.file import Codes, Program, Region, assemble_program, blank_pages
from anna.program.instructions import UNLIMITED_ADDRESS_BITS
from anna.program.isa import Op
from anna.program.line import Pairs, line_of, number, op_of, pairs_of, unknown
from anna.program.loops import LoopError, order
from anna.program.pointers import AddressError, addressed

MOST_CODES = 1 << 21  # weights, scales and constants that a text sets one by one: twice what 256 pages hold
MOST_LINES = 1 << 21
SEQUENCERS = {"dedicated": DEDICATED, "dsp": DSP}


# --- reading text ----------------------------------------------------------------------------------------------------
def _numbers(name: str, text: str, separator: str = ",") -> list[int]:
    return [number(name, part) for part in text.split(separator)]


def _expect_no_more(name: str, rest: Pairs, known: list[str]) -> None:
    if rest:
        raise AssemblyError(f"{name} does not take {next(iter(rest))}=; it takes {', '.join(known)}")


@dataclass
class _Reader:
    """The program read so far."""

    name: str = "program"
    batch: int = 1
    spec: ChipSpec = ANNA_1991
    sequencer: Sequencer = DEDICATED
    regions: list[Region] = field(default_factory=list)
    constants: dict[int, int] = field(default_factory=dict)
    weights: dict[tuple[int, int, int], int] = field(default_factory=dict)
    scales: dict[tuple[int, int, int], int] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # of the text, by instruction
    left_open: set[int] = field(default_factory=set)  # instructions without an address
    chip_fixed: bool = False
    codes: int = 0  # weights, scales and constants

    def program(self, pairs: Pairs) -> None:
        self.name = pairs.pop("name", self.name)
        self.batch = number("batch", pairs.pop("batch", "1"))
        _expect_no_more(".program", pairs, ["name", "batch"])

    def chip(self, pairs: Pairs) -> None:
        if self.chip_fixed:
            raise AssemblyError(".chip must come before anything that depends on it")
        name = pairs.pop("name", "anna-1991")
        if name not in CHIPS:
            raise AssemblyError(f"there is no chip {name}; known: {', '.join(CHIPS)}")
        self.spec = CHIPS[name].changed(**_values(ChipSpec, pairs))

    def sequenced(self, pairs: Pairs) -> None:
        if self.spec.wide:
            raise AssemblyError("a wide chip has a sequencer of its own; leave .sequencer out")
        name = pairs.pop("name", "dedicated")
        if name not in SEQUENCERS:
            raise AssemblyError(f"there is no sequencer {name}; known: {', '.join(SEQUENCERS)}")
        self.sequencer = SEQUENCERS[name].changed(**_values(Sequencer, pairs))

    def region(self, kind: str, pairs: Pairs) -> None:
        values: dict[str, Any] = {"kind": kind}
        for key in ("name", "address", "shape"):
            if key not in pairs:
                raise AssemblyError(f".{kind} needs {key}=")
        values["name"] = pairs.pop("name")
        values["address"] = number("address", pairs.pop("address"))
        for key in ("shape", "strides"):
            if key in pairs:
                values[key] = tuple(_numbers(key, pairs.pop(key), "x"))
        _expect_no_more(f".{kind}", pairs, ["name", "address", "shape", "strides"])
        try:
            self.regions.append(Region(**values))
        except ValidationError as error:
            raise AssemblyError(f".{kind} {first_sentence(error)}") from None

    def constant(self, pairs: Pairs) -> None:
        address = number("address", pairs.pop("address", "0"))
        for code in self._codes("codes", pairs, self.spec.state_bits):
            if address in self.constants:
                raise AssemblyError(f"address {address} already has a constant")
            if address >> UNLIMITED_ADDRESS_BITS:
                raise AssemblyError(f"address {address} of a constant; expected less than {1 << UNLIMITED_ADDRESS_BITS}")
            self.constants[address] = code
            address += 1
        _expect_no_more(".constant", pairs, ["address", "codes"])

    def weight(self, pairs: Pairs) -> None:
        page, row, column = (number(key, pairs.pop(key, "0")) for key in ("page", "row", "column"))
        converter = weight_converter(self.spec)
        if "values" not in pairs:
            raise AssemblyError(".weights needs values=")
        values = pairs.pop("values").split(",")
        self._count(len(values))
        for text in values:
            if not re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]{1,3})?", text):
                raise AssemblyError(f"values={text}: expected a number of weight LSBs")
            self._place(self.weights, page, row, column, self.spec.columns, converter.exact(float(text)), "weight")
            column += 1
        _expect_no_more(".weights", pairs, ["page", "row", "column", "values"])

    def scale(self, pairs: Pairs) -> None:
        page, row, group = (number(key, pairs.pop(key, "0")) for key in ("page", "row", "group"))
        for code in self._codes("codes", pairs, self.spec.scale_bits):
            self._place(self.scales, page, row, group, self.spec.groups, code, "scale")
            group += 1
            if group == self.spec.groups:
                row, group = row + 1, 0
        _expect_no_more(".scale", pairs, ["page", "row", "group", "codes"])

    def _codes(self, key: str, pairs: Pairs, bits: int) -> list[int]:
        if key not in pairs:
            raise AssemblyError(f"{key}= is missing")
        self._count(pairs[key].count(",") + 1)
        codes = _numbers(key, pairs.pop(key))
        if max(codes) >= 1 << bits:
            raise AssemblyError(f"code {max(codes)} does not fit {bits} bits")
        return codes

    def _count(self, more: int) -> None:
        self.codes += more
        if self.codes > MOST_CODES:
            raise AssemblyError(f"sets more than {MOST_CODES:,} weights, scales and constants")

    def _place(self, where: dict[tuple[int, int, int], int], page: int, row: int, at: int, limit: int, code: int,
               what: str) -> None:  # fmt: skip
        if page >= self.spec.max_pages or row >= self.spec.rows or at >= limit:
            raise AssemblyError(
                f"there is no {what} at page {page}, row {row}, place {at}; the chip has {self.spec.max_pages} pages of "
                f"{self.spec.rows} rows of {limit}"
            )
        if (page, row, at) in where:
            raise AssemblyError(f"page {page}, row {row}, place {at} already has a {what}")
        where[page, row, at] = code

    def instruction(self, name: str, text: str, line: int) -> None:
        op, left_open = op_of(self.spec, name, text)
        if left_open:
            self.left_open.add(len(self.ops))
        self.ops.append(op)
        self.lines.append(line)

    def finish(self) -> Program:
        regions = {"SHIFT": "input", "OUT": "output"}
        starts = {name: next((one.address for one in self.regions if one.kind == kind), None) for name, kind in regions.items()}
        self.ops = addressed(self.ops, self.left_open, {name: at for name, at in starts.items() if at is not None})
        order(self.ops)  # which raises if loops do not match
        if not self.spec.wide and all(op.name != "PAGE" for op in self.ops):
            self.ops.insert(0, isa.PUBLISHED.op("PAGE", page=0))
        used = [place[0] for place in (*self.weights, *self.scales)]
        pages = [op["page"] for op in self.ops if op.name == "PAGE"]
        # A PAGE beyond what the text defines is left to the verifier, unless nothing was defined at all.
        count = max(used, default=max(pages, default=0)) + 1
        pages_bytes = 2 * count * self.spec.rows * (self.spec.columns + self.spec.groups)
        ASSEMBLY.expect_memory(f"program {self.name}", pages_bytes, "its pages")
        weight_codes, scale_codes = blank_pages(self.spec, count)
        for place, code in self.weights.items():
            weight_codes[place] = code
        for place, code in self.scales.items():
            scale_codes[place] = code
        return assemble_program(self.name, self.spec, self.ops, weight_codes, scale_codes, self.regions, self.constants,
                                self.batch, sequencer=self.sequencer)  # fmt: skip


def _values(record: type[Record], pairs: Pairs) -> dict[str, Any]:
    """The fields of a record as its validation takes them."""
    return {key: _value(record, key, text) for key, text in pairs.items()}


def _value(record: type[Record], key: str, text: str) -> Any:
    if text == "none" and key in record.model_fields and NoneType in get_args(record.model_fields[key].annotation):
        return None
    if "," in text or re.fullmatch(r"[0-9]+x", text):
        return tuple(_numbers("value", text.rstrip(",x")))
    return text


_DIRECTIVES: dict[str, Callable[[_Reader, Pairs], None]] = {
    ".program": _Reader.program,
    ".chip": _Reader.chip,
    ".sequencer": _Reader.sequenced,
    ".input": lambda reader, pairs: reader.region("input", pairs),
    ".host": lambda reader, pairs: reader.region("host", pairs),
    ".output": lambda reader, pairs: reader.region("output", pairs),
    ".map": lambda reader, pairs: reader.region("map", pairs),
    ".constant": _Reader.constant,
    ".weights": _Reader.weight,
    ".scale": _Reader.scale,
}


def assemble(text: str, source: str = "assembly") -> Program:
    """The program that a text describes; raises AssemblyError with the line. `anna.sequencer.rules` checks legality."""
    reader = _Reader()
    if text.count("\n") > MOST_LINES:
        raise AssemblyError(f"{source}: has more than {MOST_LINES:,} lines")
    with border(source, ASSEMBLY):
        return _assembled(reader, text, source)


def _assembled(reader: _Reader, text: str, source: str) -> Program:
    for line, words in enumerate(text.splitlines(), start=1):
        word, *rest = words.split(";", 1)[0].split(None, 1) or [""]
        if not word:
            continue
        try:
            _read_line(reader, word, "".join(rest), line)
        except AnnaError as error:
            raise AssemblyError(f"{source}, line {line}: {error}") from None
    if not reader.ops:
        raise AssemblyError(f"{source}: has no instructions")
    try:
        return reader.finish()
    except (LoopError, AddressError) as fault:
        raise AssemblyError(f"{source}, line {reader.lines[fault.index]}: {fault.sentence}") from None
    except AnnaError as error:
        raise AssemblyError(f"{source}: {error}") from None


def _read_line(reader: _Reader, word: str, rest: str, line: int) -> None:
    if word in _DIRECTIVES:
        _DIRECTIVES[word](reader, pairs_of(rest.split()))
        reader.chip_fixed |= word not in (".program", ".chip")
    elif word.upper() in isa.of(reader.spec).by_name:
        reader.instruction(word.upper(), rest, line)
        reader.chip_fixed = True
    else:
        raise unknown(reader.spec, word, _DIRECTIVES)


# --- writing text ----------------------------------------------------------------------------------------------------
def disassemble(program: Program) -> str:
    """The canonical text of a program."""
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Iterator[str]:
    spec = program.spec
    yield f".program name={program.name} batch={program.batch}"
    name, like = ("anna-wide", ANNA_WIDE) if spec.wide else ("anna-1991", ANNA_1991)
    yield " ".join([f".chip name={name}", *_changes(spec, like)])
    yield from _sequencer_line(program)
    for region in program.regions:
        shape = "x".join(map(str, region.shape))
        strides = "" if region.strides is None else " strides=" + "x".join(map(str, region.strides))
        yield f".{region.kind} name={region.name} address={region.address} shape={shape}{strides}"
    for start, codes in _runs(program.constant_addresses.tolist(), program.constant_codes.tolist()):
        yield f".constant address={start} codes={','.join(map(str, codes))}"
    blank_weights, blank_scales = blank_pages(spec, len(program.weight_codes))
    yield from _weight_lines(spec, program.weight_codes, blank_weights)
    for page, row in np.argwhere((program.scale_codes != blank_scales).any(axis=2)):
        groups = program.scale_codes[page, row]
        group = int(np.flatnonzero(groups)[0])
        last = int(np.flatnonzero(groups)[-1])
        yield f".scale page={page} row={row} group={group} codes={','.join(map(str, groups[group : last + 1]))}"
    depth = 0
    for op in program.code:
        depth -= op.name == "ENDREP"
        yield "  " * depth + line_of(spec, op)
        depth += op.name == "REPEAT"


def _sequencer_line(program: Program) -> Iterator[str]:
    """The sequencer as it differs from the known one that is nearest; nothing if it is the dedicated one."""
    if program.spec.wide or program.sequencer == DEDICATED:
        return
    changes = {name: _changes(program.sequencer, like) for name, like in SEQUENCERS.items()}
    name = min(changes, key=lambda name: len(changes[name]))
    yield " ".join([f".sequencer name={name}", *changes[name]])


def _changes(record: Record, like: Record) -> list[str]:
    """The fields in which a record differs from another, as text."""
    return [f"{key}={_chip_text(value)}" for key, value in record.model_dump().items() if value != getattr(like, key)]


def _weight_lines(spec: ChipSpec, weight_codes: Codes, blank: Codes) -> Iterator[str]:
    converter = weight_converter(spec)
    different = weight_codes != blank
    last = len(weight_codes) - 1
    if not different[last].any():  # the last page says how many there are, even where it is empty
        different = different.copy()
        different[last, 0, 0] = True
    for page, row in np.argwhere(different.any(axis=2)):
        columns = np.flatnonzero(different[page, row])
        values = converter.values(weight_codes[page, row, columns[0] : columns[-1] + 1])
        text = ",".join(f"{value:g}" for value in values)
        yield f".weights page={page} row={row} column={columns[0]} values={text}"


def _chip_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) if len(value) > 1 else f"{value[0]}x"
    return repr(value) if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _runs(addresses: list[int], codes: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Consecutive addresses together."""
    at = 0
    while at < len(addresses):
        end = at + 1
        while end < len(addresses) and addresses[end] == addresses[end - 1] + 1:
            end += 1
        yield addresses[at], codes[at:end]
        at = end
