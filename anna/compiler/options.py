"""What a user may choose when compiling: one frozen record, validated, with a note at each field."""

from typing import Literal

from pydantic import Field

from anna.chip.spec import BOARD_1991, BoardSpec, ChipSpec, Record

Calibrate = Literal["least-squares", "percentile", "max"]
Split = Literal["chip", "host", "off"]

HOST_WORDS = ("auto", "last", "none")


class CompileOptions(Record):
    """Options of `anna.compile`; every guess of the compiler that a user may want otherwise."""

    called = "compile options"

    board: BoardSpec = Field(default=BOARD_1991, description="the board: its chips and its host")
    batch: int = Field(default=1, ge=1, le=1 << 20, description="pictures that share a loaded weight page")
    host: str = Field(
        default="auto",
        description="what runs on the host: 'last' (the last layer with weights and all after it), 'auto' (the same, and "
        "everything from the first layer that the chip cannot run), 'none', or a layer's name (it and all after it)",
    )
    split: Split = Field(
        default="chip",
        description="sums with more inputs than a neuron has: parts joined on the chip, everything from there on the host, "
        "or refused where the chip would have to run them",
    )
    calibrate: Calibrate = Field(
        default="least-squares", description="how the range of each map is chosen from the calibration pictures"
    )
    fit: bool = Field(
        default=True, description="fit gain and offset of each map to the float map, absorbed into the next layer"
    )
    round: Literal["calibrated", "nearest"] = Field(
        default="calibrated", description="round weights so that sums on the calibration pictures come out right, or nearest"
    )
    calibration_pictures: int = Field(default=500, ge=1, le=100_000, description="pictures used at most")
    check_pictures: int = Field(default=1, ge=0, le=1000, description="calibration pictures that the self-check interprets")

    @property
    def chip(self) -> ChipSpec:
        """The chip of the board."""
        return self.board.chip


NAIVE = CompileOptions(calibrate="max", fit=False, round="nearest")
