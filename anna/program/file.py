"""A program for the chip, and the `.anna` file that holds it.

A `Program` is data: the chip it is for, microcode words, pages of weight and scale codes, constants and regions of the
state memory, and the batch of images that shares a page. All addresses count from the start of an image's window; the
sequencer adds the window's place in the board's memory. A compiled program also says what the host does before and after
the chip, which neuron of the network each synapse belongs to, and the compiler's report; one written by hand need not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, ValidationError, model_validator

from anna.base import container
from anna.base.border import PROGRAM, border
from anna.base.errors import AnnaError, FileError, SpecError
from anna.base.frozen import Settled
from anna.chip.codes import weight_converter
from anna.chip.spec import ALL_AT_ONCE, DEDICATED, NEW_FIELDS, ChipSpec, Record, Sequencer, first_sentence, made_wide
from anna.program import isa
from anna.program.described import misdescribed
from anna.program.instructions import UNLIMITED_ADDRESS_BITS
from anna.program.isa import Op, Words
from anna.program.issued import Issued, issued
from anna.program.loops import unrolled

if TYPE_CHECKING:
    from anna.board.host import HostRound, HostWork

KEY = "anna_program"
FORMAT = 3
UPGRADES: container.Upgrades = {1: lambda content: _made_wide(content), 2: lambda content: content}
WITHOUT_ROUNDS = 2  # the format of programs that need no later one, which former versions read
DIGEST_FORMAT = 1  # never changes: a digest identifies a program, whatever the format of its file
SUFFIX = ".anna"
CALIBRATED = "calibrated_on"
LARGEST_REGION = 1 << 24  # states; those of all regions together may be twice as many
FARTHEST_STRIDE = 1 << 48  # beyond any memory, and all sums of addresses fit 64 bits
MOST_OPERANDS = 1 << 28  # of all CALCs, times the neurons that one computes: six times MobileNet's on images of 96x96
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}"

Codes = NDArray[np.uint16]


class Region(Record):
    """A block of the state memory with a meaning.

    `input`: where the image goes. `host`: what the host writes between page segments. `output`: what is read at the end.
    `map`: a feature map that can be tapped.
    """

    name: str = Field(pattern=f"^{NAME}$")
    kind: Literal["input", "output", "map", "host"]
    address: int = Field(ge=0, lt=1 << UNLIMITED_ADDRESS_BITS)
    shape: tuple[int, ...] = Field(min_length=1, max_length=4)
    strides: tuple[int, ...] | None = None  # address steps per axis; None: one after the other, last axis first

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if min(self.shape) < 1 or self.size > LARGEST_REGION:
            raise ValueError(f"region {self.name} cannot have shape {'x'.join(map(str, self.shape))}")
        if self.strides is not None and (len(self.strides) != len(self.shape) or min(self.strides) < 0):
            raise ValueError(f"region {self.name} needs one stride, zero or more, for each of its {len(self.shape)} axes")
        if max(self.strides or (0,)) > FARTHEST_STRIDE:
            raise ValueError(f"region {self.name} cannot have a stride of more than {FARTHEST_STRIDE:,}")
        return self

    @property
    def size(self) -> int:
        """States of the region."""
        total = 1
        for length in self.shape:
            total *= length
        return total

    @property
    def end(self) -> int:
        """One beyond its last address, without laying out the addresses."""
        return self.address + sum((n - 1) * s for n, s in zip(self.shape, self.steps, strict=True)) + 1

    @property
    def steps(self) -> tuple[int, ...]:
        """Address steps per axis."""
        if self.strides is not None:
            return self.strides
        steps, step = list[int](), 1
        for length in reversed(self.shape):
            steps.insert(0, step)
            step *= length
        return tuple(steps)

    @property
    def addresses(self) -> NDArray[np.int64]:
        """Address of every state, in the region's shape."""
        grid = np.full(self.shape, self.address, dtype=np.int64)
        for axis, (length, step) in enumerate(zip(self.shape, self.steps, strict=True)):
            along = [1] * len(self.shape)
            along[axis] = length
            grid += (step * np.arange(length, dtype=np.int64)).reshape(along)
        return grid


def _frozen(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    copy = np.array(array, dtype=dtype)
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, eq=False)
class Program(Settled):
    """A program for one chip; raises unless shapes fit the chip and codes fit their bits."""

    name: str
    spec: ChipSpec
    words: Words  # (instructions, limbs)
    weight_codes: Codes  # (pages, rows, columns)
    scale_codes: Codes  # (pages, rows, groups); a neuron of a row or more uses group 0 of its first row
    regions: tuple[Region, ...] = ()
    constant_addresses: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    constant_codes: Codes = field(default_factory=lambda: np.zeros(0, np.uint16))
    batch: int = 1  # images that share a page load
    host: "HostWork | None" = None  # preparation and float layers of a compiled network
    report: Mapping[str, Any] | None = None  # the compiler's report, as JSON
    links: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)  # `neurons` and `taps`, see anna.compiler.emit
    sequencer: Sequencer = DEDICATED  # what issues its instructions; a wide chip has its own
    calibrated_on: NDArray[np.uint64] | None = None  # keys of the images it was fitted to, which no result may use

    def _settled(self) -> Mapping[str, Any]:
        arrays = {name: _frozen(getattr(self, name), dtype) for name, dtype in _TENSORS.items()}
        sequencer = ALL_AT_ONCE if self.spec.wide else self.sequencer
        return {
            **arrays,
            "sequencer": sequencer,
            CALIBRATED: None if self.calibrated_on is None else _frozen(self.calibrated_on, "<u8"),
        }

    def __post_init__(self) -> None:
        super().__post_init__()
        spec = self.spec
        pages = self.weight_codes.shape[0] if self.weight_codes.ndim else 0
        if not 1 <= pages <= spec.max_pages:
            raise FileError(f"program {self.name}: has {pages} weight pages; expected 1 to {spec.max_pages}")
        self._expect("weight codes", self.weight_codes, (pages, spec.rows, spec.columns), spec.weight_bits)
        self._expect("scale codes", self.scale_codes, (pages, spec.rows, spec.groups), spec.scale_bits)
        self._expect("constants", self.constant_codes, self.constant_addresses.shape, spec.state_bits)
        if self.constant_addresses.ndim != 1:
            raise FileError(f"program {self.name}: constants must be a list")
        if len(set(self.constant_addresses.tolist())) != len(self.constant_addresses):
            raise FileError(f"program {self.name}: two constants share an address")
        if not 1 <= self.batch <= 1 << 20:
            raise FileError(f"program {self.name}: has a batch of {self.batch}; expected 1 to {1 << 20}")
        if not re.fullmatch(NAME, self.name):
            raise FileError(f"program {self.name!r}: a name has 1 to 100 letters, digits, dots, dashes and underscores")
        if sum(region.size for region in self.regions) > 2 * LARGEST_REGION:
            raise FileError(f"program {self.name}: its regions have more than {2 * LARGEST_REGION:,} states in all")
        names = [region.name for region in self.regions]
        if len(set(names)) != len(names):
            raise FileError(f"program {self.name}: two regions share a name")
        if len(self.inputs) != 1:
            raise FileError(f"program {self.name}: has {len(self.inputs)} input regions; expected one")
        if self.host is not None:
            segments = int(self.issued.named("PAGE").sum()) if self.host.rounds else 0
            known = {region.name: (region.kind, region.shape) for region in self.regions}
            for misfit in self.host.misfits(known, segments):
                raise FileError(f"program {self.name}: {misfit}")

    def _expect(self, what: str, codes: Codes, shape: tuple[int, ...], bits: int) -> None:
        if codes.shape != shape:
            raise FileError(f"program {self.name}: {what} have shape {codes.shape}; expected {shape}")
        if codes.size and int(codes.max()) >= 1 << bits:
            raise FileError(f"program {self.name}: {what} reach {int(codes.max())}; they have {bits} bits")

    def __repr__(self) -> str:
        pages = f"{len(self.weight_codes)} page" + ("s" if len(self.weight_codes) > 1 else "")
        return f"Program({self.name}: {len(self.words)} instructions, {pages})"

    @cached_property
    def code(self) -> tuple[Op, ...]:
        """The instructions as they are written, loops and all."""
        return tuple(isa.decode(self.spec, self.words))

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The instructions as they are issued, loops unrolled."""
        return tuple(unrolled(self.code))

    @cached_property
    def issued(self) -> Issued:
        """The same in numbers."""
        found = issued(self.spec, self.words)
        each = [isa.fan_in_of(self.spec, form) if form.name == "CALC" else 0 for form in found.forms]
        if (operands := int(found.of_form(each).sum()) * self.spec.neurons_at_once) > MOST_OPERANDS:
            raise FileError(f"program {self.name}: its CALCs have {operands:,} operands; expected at most {MOST_OPERANDS:,}")
        return found

    @property
    def inputs(self) -> tuple[Region, ...]:
        """Regions that an image fills."""
        return tuple(region for region in self.regions if region.kind == "input")

    @property
    def input(self) -> Region:
        """The region that an image fills."""
        return self.inputs[0]

    @property
    def outputs(self) -> tuple[Region, ...]:
        """Regions that are read at the end."""
        return tuple(region for region in self.regions if region.kind == "output")

    @property
    def readable(self) -> tuple[Region, ...]:
        """Regions that the program or its host writes: outputs and maps that can be tapped."""
        return tuple(region for region in self.regions if region.kind != "input")

    @cached_property
    def window_states(self) -> int:
        """States of memory that one image needs: one beyond the highest address that anything touches."""
        ends = [region.end for region in self.regions]
        ends += [int(self.constant_addresses.max()) + 1] if len(self.constant_addresses) else []
        return max([*ends, self.issued.end])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the entire program; that of one for a wide chip is what it was before there were others."""
        content = {**self._content(), "format": DIGEST_FORMAT}
        if self.spec.wide:
            content["spec"] = {key: value for key, value in content["spec"].items() if key not in NEW_FIELDS}
            del content["sequencer"]
        return container.checksum(content, self._tensors())

    @property
    def rounds(self) -> "tuple[HostRound, ...]":
        """What the host does between page segments."""
        return () if self.host is None else self.host.rounds

    def _content(self) -> dict[str, Any]:
        from anna.board import host_file

        former = self.host is None or host_file.is_former(self.host)
        former &= all(region.kind != "host" for region in self.regions)
        return {
            "format": WITHOUT_ROUNDS if former else FORMAT,
            "name": self.name,
            "spec": self.spec.model_dump(mode="json"),
            "sequencer": self.sequencer.model_dump(mode="json"),
            "regions": [region.model_dump(mode="json") for region in self.regions],
            "batch": self.batch,
            **({} if self.host is None else {"host": host_file.host_content(self.host)}),
            **({} if self.report is None else {"report": dict(self.report)}),
        }

    def _tensors(self) -> dict[str, NDArray[Any]]:
        from anna.board import host_file

        host = {} if self.host is None else host_file.host_tensors(self.host)
        links = {f"links.{name}": array for name, array in self.links.items()}
        fitted = {} if self.calibrated_on is None else {CALIBRATED: self.calibrated_on}
        return {name: getattr(self, name) for name in _TENSORS} | host | links | fitted

    def to_bytes(self) -> bytes:
        """The bytes of the `.anna` file, determined by the program alone."""
        return container.pack(KEY, self._content(), self._tensors())

    def save(self, path: Path | str) -> None:
        """Write the `.anna` file, all or nothing."""
        container.write_beside(Path(path), self.to_bytes())

    @staticmethod
    def load(path: Path | str) -> "Program":
        """Read an `.anna` file; raises FileError if it is damaged, foreign or too new."""
        return _load(Path(path))


_TENSORS = {
    "words": np.dtype("<u8"),
    "weight_codes": np.dtype(np.uint16),
    "scale_codes": np.dtype(np.uint16),
    "constant_addresses": np.dtype(np.uint32),
    "constant_codes": np.dtype(np.uint16),
}


def _made_wide(content: dict[str, Any]) -> dict[str, Any]:
    """A program of format 1 was for what is now called a wide chip."""
    return {**content, "spec": made_wide(content["spec"]), "sequencer": ALL_AT_ONCE.model_dump(mode="json")}


class _Header(Record):
    """The metadata of a file."""

    name: str
    spec: ChipSpec
    sequencer: Sequencer
    regions: tuple[Region, ...] = Field(max_length=10_000)
    batch: int = Field(ge=1, le=1 << 20)
    host: dict[str, JsonValue] | None = None
    report: dict[str, JsonValue] | None = None
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def _load(path: Path) -> Program:
    with border(path, PROGRAM):
        return _read(path)


def _read(path: Path) -> Program:
    content, tensors = container.unpack(path, KEY, "program", PROGRAM)
    try:
        header = _Header.model_validate(container.upgraded(path, "program", content, FORMAT, UPGRADES))
    except ValidationError as error:
        raise FileError(f"{path}: {first_sentence(error)}") from None
    own = {name for name in tensors if not name.startswith(("host.", "links."))} - {CALIBRATED}
    if own != set(_TENSORS):
        wrong = sorted(own ^ set(_TENSORS))
        raise FileError(f"{path}: tensors {', '.join(wrong)} are missing or unknown; expected a program file")
    for name, dtype in {**_TENSORS, **({CALIBRATED: np.dtype("<u8")} if CALIBRATED in tensors else {})}.items():
        if tensors[name].dtype != dtype:
            raise FileError(f"{path}: tensor {name} is {tensors[name].dtype}; expected {dtype}")
    container.expect_checksum(path, content, tensors, "program")
    try:
        program = Program(name=header.name, spec=header.spec, regions=header.regions, batch=header.batch,
                          sequencer=header.sequencer,
                          host=_host(path, header, tensors), report=header.report, links=_links(path, header, tensors),
                          calibrated_on=tensors.get(CALIBRATED),
                          **{name: tensors[name] for name in _TENSORS})  # fmt: skip
        _ = program.issued
        for misfit in misdescribed(program.report, program.links, program.weight_codes.shape):
            raise FileError(f"program {program.name}: {misfit}")
    except AnnaError as error:
        raise FileError(f"{path}: {error}") from None
    return program


def _host(path: Path, header: _Header, tensors: Mapping[str, NDArray[Any]]) -> "HostWork | None":
    mine = {name: array for name, array in tensors.items() if name.startswith("host.")}
    if header.host is None:
        if mine:
            raise FileError(f"has {len(mine)} tensors for the host but no host section")
        return None
    from anna.board.host_file import host_from_file

    return host_from_file(path.name, header.host, mine)


_LINKS = {"neurons": 2, "taps": 3}  # axes of each


def _links(path: Path, header: _Header, tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int32]]:
    found = {name.removeprefix("links."): array for name, array in tensors.items() if name.startswith("links.")}
    for name, array in found.items():
        if array.ndim != _LINKS.get(name) or array.dtype != np.int32:
            raise FileError(f"tensor links.{name} is {array.dtype} of shape {array.shape}; expected the compiler's link map")
    return found


def blank_pages(spec: ChipSpec, pages: int = 1) -> tuple[Codes, Codes]:
    """Weight and scale codes of empty pages: the zero code if there is one, else the lowest code."""
    zero = weight_converter(spec).zero_code or 0
    weights = np.full((pages, spec.rows, spec.columns), zero, dtype=np.uint16)
    return weights, np.zeros((pages, spec.rows, spec.groups), dtype=np.uint16)


def assemble_program(
    name: str,
    spec: ChipSpec,
    ops: Sequence[Op] | Issued,
    weight_codes: Codes,
    scale_codes: Codes,
    regions: Sequence[Region],
    constants: Mapping[int, int],
    batch: int = 1,
    **compiled: Any,
) -> Program:
    """A program from convenient parts; `constants` maps addresses to state codes, `compiled` holds what only a compiled
    program has."""
    if constants and min(constants) < 0:
        raise SpecError(f"program {name}: address {min(constants)} of a constant is negative")
    if constants and max(constants) >> UNLIMITED_ADDRESS_BITS:
        raise SpecError(f"program {name}: address {max(constants)} of a constant is beyond {UNLIMITED_ADDRESS_BITS} bits")
    addresses = np.array(sorted(constants), dtype=np.uint32)
    codes = np.array([constants[int(address)] for address in addresses], dtype=np.uint16)
    words = ops.encoded(spec) if isinstance(ops, Issued) else isa.encode(spec, ops)
    return Program(name, spec, words, weight_codes, scale_codes, tuple(regions), addresses, codes, batch,
                   **compiled)  # fmt: skip
