"""What a user may choose when compiling: one frozen, validated record that describes each field."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from anna.analog.parameters import Analog
from anna.base.renamed import in_new_names
from anna.chip import facts
from anna.chip.machines import DEFAULT, Machine, machine_named
from anna.chip.spec import ChipSpec, Record, Sequencer, known

RangeMethod = Literal["least-squares", "percentile", "max"]
Rounding = Literal["calibrated", "nearest"]
Split = Literal["chip", "host", "off"]
Positions = Literal[1, "auto"]
Maxima = Literal["auto", "chip", "host"]
Precision = Literal["given", "auto"]

MOST_DIGITS, MOST_COPIES, MOST_SYNAPSES = 3, 16, 8
HOST_WORDS = ("auto", "last", "none")

# Names of version 0.1: as keywords they warn, in files of sweeps they stay what they are.
RENAMED = {
    "board": "machine",
    "calibrate": "range_method",
    "calibration_pictures": "calibration_count",
    "check_pictures": "check_count",
}


class CompileOptions(Record):
    """The options of `anna.compile`: every choice of the compiler that a user may override."""

    called = "compile options"

    machine: Machine = Field(
        default=DEFAULT,
        validate_default=True,
        description="the machine, or its name: chip, sequencer, chips on the board, host",
    )
    batch: int | None = Field(
        default=None,
        ge=1,
        le=1 << 20,
        description="images that share a loaded weight page; None: one, or as many as the charges of a single page last",
    )
    host: str = Field(
        default="auto",
        description="what runs on the host: 'last' (the last layer with weights and all after it), 'auto' (the same, and "
        "maxima where they err less there), 'none', or a layer's name (it and all after it); unless 'none', what the chip "
        "cannot, too",
    )
    split: Split = Field(
        default="chip",
        description="sums with more inputs than a neuron has: parts joined on the chip, everything from there on the host, "
        "or refused where the chip would have to run them",
    )
    maxima: Maxima = Field(
        default="auto",
        description="where maxima are taken: on the 'chip', on the 'host', or 'auto': with host 'auto' where they err less on "
        "drawn chips, else on the chip",
    )
    range_method: RangeMethod = Field(
        default="least-squares", description="how the range of each map is chosen from the calibration images"
    )
    fit: bool = Field(
        default=True, description="fit gain and offset of each map to the float map, absorbed into the next layer"
    )
    round: Rounding = Field(
        default="calibrated", description="round weights so that sums on the calibration images come out right, or to nearest"
    )
    digits: int | dict[str, int] = Field(
        default=1,
        description="states that carry each value: for all maps, or by layer (also 'input', 'others', and 'LAYER.steps' for "
        "partial sums and the steps of a maximum)",
    )
    overlap: bool = Field(
        default=True,
        description="whether a finer digit spans two LSB of the coarser one, so that errors there are made good, or one",
    )
    copies: int | dict[str, int] = Field(
        default=1, description="how often each map is computed, on other synapses and converters; readers take the mean"
    )
    synapses: int | dict[str, int] = Field(
        default=1,
        description="synapses that share each weight of a layer, so that it has more than the weights' bits and reaches finer "
        "ranges",
    )
    input_clip: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="percent of the calibration images' values that lie beyond each end of the range of an input's states",
    )
    balance: bool = Field(
        default=False,
        description="carry every other pair of maps of a rectifier upside down, so that errors common to all synapses cancel "
        "where a map is silent",
    )
    against: str = Field(
        default="ideal", description="the chips, by their preset, that ranges, fits and roundings are chosen for"
    )
    positions: Positions = Field(
        default="auto", description="positions of a window in one CALC: 1 as in 1991, or as many as pay (auto)"
    )
    max_charge_lost: float = known(
        facts.MAX_CHARGE_LOST, "share of its charge that a weight may have lost when it is read", gt=0, lt=1
    )
    calibration_count: int = Field(default=500, ge=1, le=100_000, description="calibration images used at most")
    check_count: int = Field(default=1, ge=0, le=1000, description="calibration images of the self-check")

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: Any) -> Any:
        return in_new_names(given, RENAMED) if isinstance(given, dict) and given.keys() & RENAMED else given

    @field_validator("machine", mode="before")
    @classmethod
    def _machine_by_name(cls, given: Any) -> Any:
        return machine_named(given) if isinstance(given, str) else given

    @field_validator("against")
    @classmethod
    def _preset(cls, given: str) -> str:
        Analog.preset(given)
        return given

    @field_validator("digits", "copies", "synapses")
    @classmethod
    def _few(cls, given: int | dict[str, int], about: ValidationInfo) -> int | dict[str, int]:
        most = {"digits": MOST_DIGITS, "copies": MOST_COPIES, "synapses": MOST_SYNAPSES}[about.field_name or ""]
        for count in [given] if isinstance(given, int) else given.values():
            if not 1 <= count <= most:
                raise ValueError(f"{count}; expected 1 to {most}")
        return given

    @property
    def sequencer(self) -> Sequencer:
        """What issues the chip's instructions."""
        return self.machine.sequencer

    @property
    def most_positions(self) -> int | None:
        """Positions of a window at once at most; None: as many as are worth it."""
        return None if self.positions == "auto" else int(self.positions)

    @property
    def chip(self) -> ChipSpec:
        """The chip of the machine."""
        return self.machine.chip


NAIVE = CompileOptions(range_method="max", fit=False, round="nearest")
