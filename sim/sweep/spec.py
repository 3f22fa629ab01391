"""What a sweep is: a TOML file that names a network, digits, chips, and axes over any field; from it come the points.

    name = "bits"
    network = "recognizer"            # a network by name, or a file
    images = 1000                     # of the built-in hold-out, the first of each class in turn
    chips = 8                         # drawn chips of each point
    seed = 0                          # of the first chip and of the noise; chip k has seed + k
    analog = "typical"                # ideal, typical, worst, or the file of a record
    design = "grid"                   # grid: all combinations; list: axes side by side; random: `points` draws

    [axes]
    "chip.weight_bits" = [2, 3, 4, 5, 6, 7, 8]
    "chip.state_bits" = { first = 1, last = 6 }
    "analog.thermal_noise_lsb" = { first = 0.0, last = 1.0, count = 5 }
    "network" = ["recognizer", "lenet5"]
"""

import itertools
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from anna.compiler.options import CompileOptions
from anna.container import canonical_json
from anna.errors import SpecError
from anna.spec import ChipSpec, Record, first_sentence

Scalar = int | float | str | bool | None

GROUPS = ("chip", "analog", "compile")
LARGEST = 1_000_000  # points of a sweep


class Range(Record):
    """Values from first to last: whole numbers one apart, or `count` numbers evenly spaced."""

    first: float
    last: float
    count: int | None = Field(default=None, ge=1, le=100_000)

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values, whole numbers as such."""
        if self.count is None:
            if self.first != int(self.first) or self.last != int(self.last):
                raise SpecError(f"a range from {self.first:g} to {self.last:g} needs a count")
            return tuple(range(int(self.first), int(self.last) + 1))
        step = (self.last - self.first) / max(1, self.count - 1)
        return tuple(self.first + step * i for i in range(self.count))


class Point(Record):
    """One point: what differs from the sweep's base, by the full name of each axis."""

    number: int = Field(ge=0)
    values: dict[str, Scalar]

    @property
    def key(self) -> str:
        """The canonical text of its values."""
        return canonical_json(self.values)

    def fields_of(self, group: str) -> dict[str, Any]:
        """The values of one group by their field name."""
        return {name.partition(".")[2]: value for name, value in self.values.items() if name.startswith(group + ".")}


class SweepSpec(Record):
    """The whole sweep, checked before anything runs."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}$")
    network: str = "recognizer"
    data: Literal["mnist"] = "mnist"
    images: int = Field(default=1000, ge=10, le=4500)
    chips: int = Field(default=8, ge=1, le=10_000)
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    analog: str = "typical"
    design: Literal["grid", "list", "random"] = "grid"
    points: int | None = Field(default=None, ge=1, le=LARGEST)
    axes: dict[str, tuple[Scalar, ...] | Range] = Field(min_length=1)

    @model_validator(mode="after")
    def _axes_are_known(self) -> Self:
        for name in self.axes:
            group, dot, field = name.partition(".")
            if name == "network":
                continue
            if not dot or group not in GROUPS:
                raise ValueError(f"axis {name!r} is not known; expected network, or a field of {', '.join(GROUPS)}")
            if field not in _fields(group):
                raise ValueError(f"axis {name!r}: {group} has no field {field}; it has {', '.join(sorted(_fields(group)))}")
        lengths = {name: len(self.values_of(name)) for name in self.axes}
        if min(lengths.values()) < 1:
            raise ValueError(f"axis {min(lengths, key=lambda name: lengths[name])!r} has no values")
        if self.design == "list" and len(set(lengths.values())) > 1:
            raise ValueError(f"a list needs axes of one length, got {lengths}")
        if (self.design == "random") != (self.points is not None):
            raise ValueError("points is given for the random design, and only for that")
        if self.total > LARGEST:
            raise ValueError(f"has {self.total} points; a sweep has at most {LARGEST}")
        return self

    def values_of(self, axis: str) -> tuple[Scalar, ...]:
        """The values of an axis."""
        given = self.axes[axis]
        return given.values if isinstance(given, Range) else given

    @property
    def total(self) -> int:
        """How many points there are."""
        lengths = [len(self.values_of(name)) for name in self.axes]
        if self.design == "grid":
            return int(np.prod(lengths, dtype=object))
        return lengths[0] if self.design == "list" else int(self.points or 0)

    @property
    def key(self) -> str:
        """The canonical text of the sweep: two files that mean the same have the same."""
        return canonical_json(self.model_dump(mode="json"))

    def all_points(self) -> list[Point]:
        """The points in their order; a random design draws each axis by the sweep's seed."""
        names = list(self.axes)
        values = [self.values_of(name) for name in names]
        if self.design == "grid":
            rows: Any = itertools.product(*values)
        elif self.design == "list":
            rows = zip(*values, strict=True)
        else:
            rng = np.random.Generator(np.random.PCG64(self.seed))
            picks = [rng.integers(0, len(column), self.total) for column in values]
            rows = zip(*([column[i] for i in pick] for column, pick in zip(values, picks, strict=True)), strict=True)
        return [Point(number=i, values=dict(zip(names, row, strict=True))) for i, row in enumerate(rows)]


def _fields(group: str) -> set[str]:
    from anna.analog.parameters import Analog

    records: dict[str, type[Record]] = {"chip": ChipSpec, "analog": Analog, "compile": CompileOptions}
    return set(records[group].model_fields)


def load_spec(path: Path) -> SweepSpec:
    """The sweep of a TOML file; what is wrong with it is told in one sentence."""
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise SpecError(f"{path}: cannot be read ({error.strerror or error}); expected a sweep") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: is no TOML ({error})") from None
    try:
        return SweepSpec.model_validate(content)
    except ValidationError as error:
        raise SpecError(f"{path}: {first_sentence(error)}") from None
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None
