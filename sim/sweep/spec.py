"""The specification of a sweep: a TOML file that names a network, digits, chips, and axes over any field.

    name = "bits"
    network = "recognizer"            # a network by name, or a file
    data = "holdout"                  # holdout or a data set (default: that of the network)
    images = "mine.npz"               # images of your own, with labels, and ...
    calibration = "samples.npz"       # ... sample images for choosing ranges
    count = 1000                      # number of images, the first of each class in turn
    chips = 8                         # drawn chips per point
    seed = 0                          # of the first chip and of the noise; chip k has seed + k
    analog = "typical"                # a preset by name, or the file of a record
    design = "grid"                   # grid: all combinations; list: axes side by side; random: `points` draws

    [axes]
    "chip.weight_bits" = [2, 3, 4, 5, 6, 7, 8]
    "chip.state_bits" = { first = 1, last = 6 }
    "scaled.noise" = { first = 0.0, last = 4.0, count = 9 }
    "network" = ["recognizer", "lenet5"]

With a `train` axis, the sweep trains its networks itself.
"""

import hashlib
import itertools
import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, TypeAdapter, ValidationError, model_validator

from anna.analog.faults import Faults
from anna.analog.parameters import CAUSES, GROUPS, STRENGTHS, Analog
from anna.base.container import canonical_json
from anna.base.errors import FileError, SpecError
from anna.base.toml import read_toml
from anna.chip.machines import FormerBoardName, MachineName
from anna.chip.spec import ChipSpec, Record, first_sentence
from anna.compiler.options import RENAMED, CompileOptions
from lenet.datasets.registry import SOURCES
from sim.sweep.training import Training, TrainOptions

Scalar = int | float | str | bool | None
Value = Scalar | tuple[Scalar, ...]

RECORDS: dict[str, type[Record]] = {"chip": ChipSpec, "analog": Analog, "faults": Faults, "compile": CompileOptions,
                                    "train": TrainOptions}  # fmt: skip
SCALED = (*CAUSES, *GROUPS, *STRENGTHS)
PLAIN = ("network", "weights_seed", "analog", "first_chip")  # of the sweep itself: three of its fields, and ...
FIRST_CHIP = "first_chip"  # ... how far the chips of a point are counted from the sweep's first one
LARGEST = 1_000_000  # points of a sweep


class Range(Record):
    """Values from first to last: consecutive integers, or `count` evenly spaced numbers."""

    first: float
    last: float
    count: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"range falls from {self.first:g} to {self.last:g}; expected first <= last")
        if self.count is None and self.last - self.first > LARGEST:
            raise ValueError(f"range from {self.first:g} to {self.last:g} needs a count")
        return self

    @property
    def length(self) -> int:
        """Number of values."""
        return self.count or int(self.last - self.first) + 1

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values; integral ones as integers."""
        if self.count is None:
            if self.first != int(self.first) or self.last != int(self.last):
                raise SpecError(f"range from {self.first:g} to {self.last:g} needs a count")
            return tuple(range(int(self.first), int(self.last) + 1))
        step = (self.last - self.first) / max(1, self.count - 1)
        found = [self.first + step * i for i in range(self.count)]
        return tuple(int(value) for value in found) if all(value == int(value) for value in found) else tuple(found)


class Point(Record):
    """One point: its value on each axis, by the axis's full name."""

    number: int = Field(ge=0)
    values: dict[str, Value]

    @property
    def key(self) -> str:
        """The canonical text of its values."""
        return canonical_json(self.values)

    @property
    def text(self) -> str:
        """Its values in words."""
        return ", ".join(f"{name} = {value_text(value)}" for name, value in self.values.items())

    def fields_of(self, group: str) -> dict[str, Any]:
        """The values of one group, by field name."""
        mine = {name.partition(".")[2]: value for name, value in self.values.items() if name.startswith(group + ".")}
        return {_new_name(group, name): value for name, value in mine.items()}


class Stop(Record):
    """When a point has enough chips; checked only after every `every_chips` chips."""

    width_points: float = Field(gt=0, le=100)  # of the 95 % interval of the error, in percentage points
    every_chips: int = Field(default=4, ge=2, le=10_000)


class Search(Record):
    """A sweep that gives the next block of chips only to points that may or may not be on the front."""

    over: tuple[str, ...] = ("error", "time")  # the front is of error and these costs
    each: tuple[str, ...] = ()  # axes with a front for each of their values
    runs: int | None = Field(default=None, ge=1, le=10**9)  # chips run in all at most, but for the first block of every point


def _known_source(name: str) -> str:
    if name not in SOURCES:
        raise ValueError(f"expected {' or '.join(map(repr, SOURCES))}, got {name!r}")
    return name


class SweepSpec(Record):
    """A complete sweep, validated before anything runs."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}$")
    network: str = "recognizer"
    data: Annotated[str, AfterValidator(_known_source)] | None = None
    weights_seed: int = Field(default=1, ge=0)
    images: str | None = None
    calibration: str | None = None
    count: int = Field(default=1000, ge=10, le=10_000)
    chips: int = Field(default=8, ge=1, le=10_000)
    seed: int = Field(default=0, ge=0, lt=1 << 62)
    analog: str = "typical"
    design: Literal["grid", "list", "random"] = "grid"
    points: int | None = Field(default=None, ge=1, le=LARGEST)
    stop: Stop | None = None
    search: Search | None = None
    axes: dict[str, tuple[Value, ...] | Range] = Field(min_length=1)
    _home: Path = PrivateAttr(default=Path())  # where the files it names are found; not part of the sweep's identity

    @model_validator(mode="before")
    @classmethod
    def _images_were_a_count(cls, given: Any) -> Any:
        """In files of format 3 and before, `images` was the number of images."""
        if isinstance(given, dict) and isinstance(given.get("images"), int) and "count" not in given:
            return {**{name: value for name, value in given.items() if name != "images"}, "count": given["images"]}
        return given

    @model_validator(mode="after")
    def _axes_are_known(self) -> Self:
        for name in self.axes:
            _expect_axis(name)
            group, _, field = name.partition(".")
            if (new := _new_name(group, field)) != field and f"{group}.{new}" in self.axes:
                raise ValueError(f"axes {name!r} and '{group}.{new}' are the same; expected only one of them")
        if self.total > LARGEST:
            raise ValueError(f"the sweep has {self.total:,} points; expected at most {LARGEST:,}")
        for name, values in self._columns.items():
            if self.design != "list" and len(set(values)) < len(values):
                raise ValueError(f"axis {name!r} has a duplicate value")
        lengths = {name: len(values) for name, values in self._columns.items()}
        if min(lengths.values()) < 1:
            raise ValueError(f"axis {min(lengths, key=lambda name: lengths[name])!r} has no values")
        if self.design == "list" and len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(f"a list needs axes of equal length, got {counts}")
        if (self.design == "random") != (self.points is not None):
            raise ValueError("points must be given for the random design, and for no other")
        return self

    @model_validator(mode="after")
    def _can_be_searched(self) -> Self:
        if self.search is None:
            return self
        over, each = self.search.over, self.search.each
        if len(over) < 2 or over[0] != "error":
            raise ValueError(f"search.over is {', '.join(over)}; expected error and at least one cost, such as error, time")
        if self.stop is not None or self.design != "grid":
            raise ValueError("a search takes a grid without stop; expected neither of design and stop")
        if FIRST_CHIP not in self.axes or any(b - a < self.chips for a, b in pairwise(self._blocks)):
            raise ValueError(f"a search needs an axis {FIRST_CHIP} of blocks of chips, {self.chips} apart or more, such as "
                             f"[0, {self.chips}, {2 * self.chips}]")  # fmt: skip
        for name in each:
            if name not in self.axes or name == FIRST_CHIP:
                raise ValueError(f"search.each names {name}, which is no axis that a front may be split by")
        return self

    @property
    def _blocks(self) -> list[int]:
        return [block for block in self.values_of(FIRST_CHIP) if isinstance(block, int)]

    @property
    def looks(self) -> int:
        """How often at most a search looks at what it has."""
        return 1 if self.search is None else len(self._blocks)

    @property
    def trains(self) -> bool:
        """Whether the sweep trains its networks itself."""
        return any(name.startswith("train.") for name in self.axes)

    def training_at(self, point: Point) -> Training | None:
        """The training of a point's weights; None if they are shipped or come from a file."""
        if not self.trains:
            return None
        network, seed = point.values.get("network", self.network), point.values.get("weights_seed", self.weights_seed)
        assert isinstance(seed, int)
        return Training.of(str(network), self.data, seed, point.fields_of("train"))

    def located(self, name: str) -> str:
        """The name of a network or record; a file gets its full path."""
        return str(self._home / name) if Path(name).suffix or "/" in name else name

    def values_of(self, axis: str) -> tuple[Value, ...]:
        """The values of an axis, with the type of its field."""
        return self._columns[axis]

    @cached_property
    def _columns(self) -> dict[str, tuple[Value, ...]]:
        columns = {}
        for axis, given in self.axes.items():
            try:
                values: Sequence[Value] = given.values if isinstance(given, Range) else given
            except SpecError as error:
                raise ValueError(f"axis {axis!r}: {error}") from None
            columns[axis] = tuple(_typed(axis, value) for value in values)
        return columns

    @property
    def total(self) -> int:
        """Number of points."""
        if self.design == "random":
            return int(self.points or 0)
        lengths = [given.length if isinstance(given, Range) else len(given) for given in self.axes.values()]
        return math.prod(lengths) if self.design == "grid" else lengths[0]

    @property
    def content(self) -> dict[str, Any]:
        """Everything in this file that determines the rows, with the axes in order."""
        fields = self.model_dump(mode="json", exclude={"axes"})
        return {**fields, "axes": [[name, list(self.values_of(name))] for name in self.axes]}

    def all_points(self) -> list[Point]:
        """The points in order; a random design draws each axis from the sweep's seed."""
        names = list(self.axes)
        columns = [self.values_of(name) for name in names]
        if self.design == "grid":
            rows: Any = itertools.product(*columns)
        elif self.design == "list":
            rows = zip(*columns, strict=True)
        else:
            rows = ([_drawn(self.seed, name, i, column) for name, column in zip(names, columns, strict=True)]
                    for i in range(self.total))  # fmt: skip
        return [Point(number=i, values=dict(zip(names, row, strict=True))) for i, row in enumerate(rows)]


def value_text(value: Any) -> str:
    """A value as readers see it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(map(value_text, value)) if isinstance(value, tuple | list) else str(value)


def _drawn(seed: int, axis: str, number: int, values: Sequence[Value]) -> Value:
    """One of the values, chosen by a hash of seed, axis and point: the same on every machine, independent of other draws."""
    digest = hashlib.sha256(f"{seed} {axis} {number}".encode()).digest()
    return values[int.from_bytes(digest[:8], "big") * len(values) >> 64]


def _expect_axis(name: str) -> None:
    group, dot, field = name.partition(".")
    if name in PLAIN:
        return
    if not dot or group not in (*RECORDS, "scaled"):
        kinds = ", ".join([*RECORDS, "scaled"])
        raise ValueError(f"axis {name!r} is not known; expected {', '.join(PLAIN)}, or a field of {kinds}")
    fields = SCALED if group == "scaled" else tuple(RECORDS[group].model_fields)
    if field not in fields and _new_name(group, field) not in fields:
        raise ValueError(f"axis {name!r}: {group} has no {field}; it has {', '.join(fields)}")


def _new_name(group: str, field: str) -> str:
    """The field that a name refers to, names of version 0.1 included; rows keep the name in the file."""
    return RENAMED.get(field, field) if group == "compile" else field


@lru_cache(maxsize=256)
def _adapter(axis: str) -> TypeAdapter[Any]:
    """Validates values of one axis alone; whether they fit together is checked at each point."""
    group, _, name = axis.partition(".")
    name = _new_name(group, name)
    if axis == FIRST_CHIP:
        return TypeAdapter(Annotated[int, Field(ge=0, lt=1 << 62)])
    if group == "scaled":
        return TypeAdapter(Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)])
    if (group, name) == ("compile", "machine"):  # in files of version 0.1 a board
        return TypeAdapter(FormerBoardName if axis == "compile.board" else MachineName)
    field = (RECORDS[group] if name else SweepSpec).model_fields[name or group]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)


def _typed(axis: str, value: Value) -> Value:
    adapter = _adapter(axis)
    try:
        return adapter.validate_json(canonical_json(value), strict=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        if value == "none":  # TOML has no null
            try:
                return adapter.validate_python(None, strict=True)  # type: ignore[no-any-return]
            except ValidationError:
                pass
        raise ValueError(f"axis {axis!r}: {first_sentence(error)}") from None
    except ValueError as error:
        raise ValueError(f"axis {axis!r}: {error}") from None


def load_spec(path: Path) -> SweepSpec:
    """The sweep in a TOML file; errors are one sentence. Files it names are relative to its folder."""
    try:
        content = read_toml(path, "a sweep")
    except FileError as error:
        raise SpecError(str(error)) from None
    try:
        return make_spec(content, path.parent)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def make_spec(content: Any, home: Path | None = None) -> SweepSpec:
    """The sweep in a mapping with the TOML file's fields; files it names are relative to `home`."""
    try:
        spec = SweepSpec.model_validate(content)
    except ValidationError as error:
        raise SpecError(_sentence(error)) from None
    spec._home = (home or Path()).resolve()
    return spec


def _sentence(error: ValidationError) -> str:
    """As for other records; for an axis only its name, not the types that were tried."""
    problem = error.errors()[0]
    where = problem["loc"]
    if len(where) > 1 and where[0] == "axes" and problem["type"] != "value_error":
        if isinstance(problem["input"], dict) or "Range" in map(str, where):
            wanted = "a list of values, or first <= last with an optional count"
            return f"axis {where[1]!r}: expected {wanted}; got {problem['input']!r}"
        return f"axis {where[1]!r}: expected a list of values or a range, got {problem['input']!r}"
    return first_sentence(error, SweepSpec)
