"""A die: one piece of silicon with its fixed pattern, drawn from a seed, inspected, saved, loaded and shared.

Dies with equal content behave the same to the bit. The file holds the pattern itself, not only its seed: it stays the same
silicon even if a later version draws differently, and a measured chip can be a die too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from anna.analog import drawing
from anna.analog.draws import Draws
from anna.analog.electronics import Electronics
from anna.analog.faults import Faults, lay_out
from anna.analog.parameters import Analog
from anna.analog.pattern import PATTERN, complete_pattern, drawn_pattern
from anna.base import container
from anna.base.border import DIE, border
from anna.base.errors import AnnaError, FileError, SpecError
from anna.base.frozen import Settled
from anna.chip.codes import Floats, weight_converter
from anna.chip.spec import ChipSpec, Record, first_sentence, made_wide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEY = "anna_die"
FORMAT = 3
UPGRADES: container.Upgrades = {
    1: lambda content: {**content, "spec": made_wide(content["spec"])},
    2: lambda content: content,  # strengths and arrays that it lacks are off
}
SUFFIX = ".die"


@dataclass(frozen=True, eq=False)
class Die(Settled):
    """One chip's fixed pattern, with the parameters that say what else happens on it."""

    spec: ChipSpec
    analog: Analog
    seed: int | None = None  # None: not drawn, for instance measured
    chip_on_board: int = 0
    faults: Faults = field(default_factory=Faults)
    pattern: Mapping[str, Floats] = field(default_factory=dict)

    def _settled(self) -> Mapping[str, Any]:
        complete = complete_pattern(self.spec, self.pattern)
        lay_out(self.spec, self.faults)
        return {"pattern": complete}

    @staticmethod
    def draw(spec: ChipSpec, analog: Analog, seed: int, chip_on_board: int = 0, faults: Faults | None = None) -> "Die":
        """The die of a seed: the same on every machine, whatever else is drawn before."""
        draws = Draws(seed, chip_on_board)
        return Die(spec, analog, seed, chip_on_board, faults or Faults(), drawn_pattern(spec, analog, draws))

    def __repr__(self) -> str:
        drawn = "no seed" if self.seed is None else f"seed {self.seed}"
        return f"Die({drawn}, {self.analog.kind}: {self.spec.rows}x{self.spec.columns} synapses)"

    @cached_property
    def electronics(self) -> Electronics:
        """What this die answers to the interpreter and the engine."""
        return Electronics(self.spec, self.analog, self.faults, self.pattern, self.seed, self.chip_on_board)

    def changed(self, **pattern: NDArray[Any]) -> "Die":
        """The same die with some arrays of its pattern replaced, by measured values or for an experiment."""
        return Die(self.spec, self.analog, None, self.chip_on_board, self.faults, {**self.pattern, **pattern})

    def weights_lsb(self, weight_code: int = -1, age_cycles: int = 0) -> Floats:
        """The weight that every synapse shows for one code (default: the largest), in weight LSB, (rows, columns)."""
        rows, columns = np.indices((self.spec.rows, self.spec.columns))
        code = np.full(rows.shape, weight_code % (1 << self.spec.weight_bits), dtype=np.int64)
        ages = np.full(rows.shape, age_cycles, dtype=np.int64)
        fixed_point = self.electronics.weights(code, rows, columns, ages)
        return fixed_point / float(1 << self.spec.weight_fraction_bits)

    def plot(self, weight_code: int = -1, age_cycles: int = 0) -> "Figure":
        """A figure of all synapses: the error of the weight that each one shows for one code."""
        code = weight_code % (1 << self.spec.weight_bits)
        ideal = float(weight_converter(self.spec).values(code))
        name = "a die that was not drawn" if self.seed is None else f"die {self.seed}"
        title = f"{name}, {self.spec.synapses} synapses, weight {ideal:g} LSB, {age_cycles} cycles after its refresh"
        return drawing.weight_errors(self.weights_lsb(code, age_cycles) - ideal, title)

    # --- the file
    def to_bytes(self) -> bytes:
        """The bytes of the `.die` file, determined by the die alone."""
        content = {
            "format": FORMAT,
            "spec": self.spec.model_dump(mode="json"),
            "analog": self.analog.model_dump(mode="json"),
            "faults": self.faults.model_dump(mode="json"),
            # As text: a seed of 64 bits does not fit the numbers of every JSON reader.
            "seed": None if self.seed is None else str(self.seed),
            "chip_on_board": str(self.chip_on_board),
        }
        return container.pack(KEY, content, dict(self.pattern))

    def save(self, path: Path | str) -> None:
        """Write the file, all or nothing."""
        container.write_beside(Path(path), self.to_bytes())

    @staticmethod
    def load(path: Path | str) -> "Die":
        """Read a `.die` file; raises FileError if it is damaged, foreign or too new."""
        return _load(Path(path))


class _Header(Record):
    """The metadata of a file."""

    spec: ChipSpec
    analog: Analog
    faults: Faults
    seed: str | None = Field(pattern=r"^[0-9]{1,20}$")
    chip_on_board: str = Field(pattern=r"^[0-9]{1,20}$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def _load(path: Path) -> Die:
    with border(path, DIE):
        return _read(path)


def _read(path: Path) -> Die:
    content, tensors = container.unpack(path, KEY, "die", DIE)
    try:
        header = _Header.model_validate(container.upgraded(path, "die", content, FORMAT, UPGRADES))
    except ValidationError as error:
        raise FileError(f"{path}: {first_sentence(error)}") from None
    except SpecError as error:
        raise FileError(f"{path}: {error}") from None
    expected = {name for name, part in PATTERN.items() if part.since <= content["format"]}
    if set(tensors) != expected:
        wrong = sorted(set(tensors) ^ expected)
        raise FileError(f"{path}: tensors {', '.join(wrong)} are missing or unknown; expected a die file")
    for name, array in tensors.items():
        if array.dtype != np.float64:
            raise FileError(f"{path}: tensor {name} is {array.dtype}; expected float64")
    container.expect_checksum(path, content, tensors, "die")
    seed = None if header.seed is None else int(header.seed)
    try:
        return Die(header.spec, header.analog, seed, int(header.chip_on_board), header.faults, tensors)
    except AnnaError as error:
        raise FileError(f"{path}: {error}") from None
