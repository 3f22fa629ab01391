"""A die: one piece of silicon with its fixed pattern, drawn from a seed, inspected, saved, loaded and shared.

Dies with equal content behave the same to the bit. The file holds the pattern itself, not only its seed: it stays the same
silicon even if a later version draws differently, and a measured chip can be a die too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from anna.analog import adc, scale, synapse, weight_dac
from anna.analog.draws import Draws
from anna.analog.faults import Faults, lay_out
from anna.analog.parameters import Analog
from anna.base import container
from anna.base.errors import AnnaError, FileError, SpecError
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec, Record, first_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from anna.analog.electronics import Electronics

KEY = "anna_die"
FORMAT = 1
UPGRADES: container.Upgrades = {}  # none is older
SUFFIX = ".die"


@dataclass(frozen=True)
class _Pattern:
    """One array of the fixed pattern: how it is drawn, and what it may be."""

    draw: Callable[[ChipSpec, Analog, Draws], Floats]
    note: str
    low: float
    high: float


PATTERN: dict[str, _Pattern] = {
    "dac_levels_lsb": _Pattern(weight_dac.drawn_levels, "(DACs, codes) what each DAC writes, weight LSB", -1e5, 1e5),
    "synapse_gain": _Pattern(synapse.drawn_gains, "(rows, columns) gain of each synapse", -10, 10),
    "synapse_zero_lsb": _Pattern(synapse.drawn_zeros, "(rows, columns) added to each weight, weight LSB", -1e3, 1e3),
    "synapse_leak": _Pattern(synapse.drawn_leaks, "(rows, columns) leak against the average", 0, 1e3),
    "state_error_lsb": _Pattern(
        synapse.drawn_state_errors, "(1 or rows, 1 or columns, levels) error of each level, state LSB", -1e3, 1e3
    ),
    "scale_factor": _Pattern(scale.drawn_factors, "(ADCs, scale codes) factor on the range of the ADC", 0, 10),
    "adc_gain": _Pattern(adc.drawn_gains, "(ADCs) factor on the range", 0, 10),
    "adc_offset_lsb": _Pattern(adc.drawn_offsets, "(ADCs) ADC LSB", -1e3, 1e3),
    "adc_threshold_offset_lsb": _Pattern(adc.drawn_threshold_offsets, "(ADCs, thresholds) ADC LSB", -1e3, 1e3),
}


@dataclass(frozen=True, eq=False)
class Die:
    """One chip's fixed pattern, with the parameters that say what else happens on it."""

    spec: ChipSpec
    analog: Analog
    seed: int | None = None  # None: not drawn, for instance measured
    chip_on_board: int = 0
    faults: Faults = field(default_factory=Faults)
    pattern: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ideal = _ideal(self.spec)
        unknown = sorted(set(self.pattern) - set(PATTERN))
        if unknown:
            raise SpecError(f"a die has no pattern {unknown[0]}; it has {', '.join(PATTERN)}")
        complete = {name: _checked(self.spec, name, self.pattern.get(name, ideal[name]), ideal[name]) for name in PATTERN}
        object.__setattr__(self, "pattern", complete)
        lay_out(self.spec, self.faults)

    @staticmethod
    def draw(spec: ChipSpec, analog: Analog, seed: int, chip_on_board: int = 0, faults: Faults | None = None) -> "Die":
        """The die of a seed: the same on every machine, whatever else is drawn before."""
        draws = Draws(seed, chip_on_board)
        pattern = {name: part.draw(spec, analog, draws) for name, part in PATTERN.items()}
        return Die(spec, analog, seed, chip_on_board, faults or Faults(), pattern)

    def __repr__(self) -> str:
        drawn = "no seed" if self.seed is None else f"seed {self.seed}"
        return f"Die({drawn}, {self.analog.kind}: {self.spec.rows}x{self.spec.columns} synapses)"

    @cached_property
    def electronics(self) -> "Electronics":
        """What this die answers to the interpreter and the engine."""
        from anna.analog.electronics import Electronics

        return Electronics(self)

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
        from anna.analog.drawing import die_figure

        return die_figure(self, weight_code, age_cycles)

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


@lru_cache(maxsize=8)
def _ideal(spec: ChipSpec) -> Mapping[str, Floats]:
    """The pattern of a chip without imperfections."""
    return {name: part.draw(spec, Analog(), Draws(0)) for name, part in PATTERN.items()}


class _Header(Record):
    """The metadata of a file."""

    spec: ChipSpec
    analog: Analog
    faults: Faults
    seed: str | None = Field(pattern=r"^[0-9]{1,20}$")
    chip_on_board: str = Field(pattern=r"^[0-9]{1,20}$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def _load(path: Path) -> Die:
    content, tensors = container.unpack(path, KEY, "die")
    try:
        header = _Header.model_validate(container.upgraded(path, "die", content, FORMAT, UPGRADES))
    except ValidationError as error:
        raise FileError(f"{path}: {first_sentence(error)}") from None
    except SpecError as error:
        raise FileError(f"{path}: {error}") from None
    if set(tensors) != set(PATTERN):
        wrong = sorted(set(tensors) ^ set(PATTERN))
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


def _checked(spec: ChipSpec, name: str, array: NDArray[Any], like: Floats) -> Floats:
    """A frozen array of the right shape and range; raises SpecError otherwise."""
    values = np.array(array, dtype=np.float64)
    part, shape = PATTERN[name], values.shape
    full = (spec.rows, spec.columns, 1 << spec.state_bits)
    allowed = [like.shape] if name != "state_error_lsb" else [like.shape, (1, *full[1:]), full]
    if shape not in allowed:
        expected = " or ".join(map(str, allowed))
        raise SpecError(f"pattern {name} has shape {shape}; expected {expected}: {part.note}")
    if not (np.isfinite(values).all() and (values >= part.low).all() and (values <= part.high).all()):
        raise SpecError(f"pattern {name} holds a value outside {part.low:g} to {part.high:g}")
    values.setflags(write=False)
    return values
