"""What a compiled program says of itself, its report and its link map, checked where others read it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from anna.chip.spec import first_sentence

MOST_LAYERS = 10_000
NEURON = ("layer", "map", "dy", "dx", "page", "first row", "rows")  # columns of `links.neurons`


class _Part(BaseModel):
    """A part of a report, of which other fields are for people alone."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class _Layer(_Part):
    name: str
    where: str = ""


class _Placed(_Part):
    layer: str
    page: NonNegativeInt
    first_row: NonNegativeInt
    rows: NonNegativeInt


class _Round(_Part):
    segment: NonNegativeInt
    layers: list[str]
    states_read: NonNegativeInt
    states_written: NonNegativeInt
    us: NonNegativeFloat | None


class _Report(_Part):
    machine: str
    chip_multiply_adds: NonNegativeInt
    host_multiply_adds: NonNegativeInt
    host_us_per_image: NonNegativeFloat | None
    board_us_per_image: NonNegativeFloat | None
    published_us_per_image: NonNegativeFloat | None
    board_images_per_s: NonNegativeFloat
    board_binds: str
    connections_per_s: NonNegativeFloat
    cycles_per_image: NonNegativeFloat = 0.0
    chip_us_per_image: NonNegativeFloat = 0.0
    layers: list[_Layer] = Field(default=[], max_length=MOST_LAYERS)
    placement: list[_Placed] = []
    rounds: list[_Round] = []


class _FirstReport(_Part):
    """Of version 0.1, when every chip was wide."""

    chip_multiply_adds: NonNegativeInt
    host_multiply_adds: NonNegativeInt
    chip_us_per_image: NonNegativeFloat
    host_us_per_image: NonNegativeFloat | None
    board_images_per_s: NonNegativeFloat
    board_binds: str
    layers: list[_Layer] = Field(default=[], max_length=MOST_LAYERS)
    placement: list[_Placed] = []


def misdescribed(
    report: Mapping[str, Any] | None, links: Mapping[str, NDArray[np.int32]], weights: tuple[int, ...]
) -> Iterator[str]:
    """What is wrong with the report or the link map of a program whose weights have this shape, in sentences."""
    pages, rows, _ = weights
    if report:
        yield from _wrong_report(report, pages, rows)
    neurons, taps = links.get("neurons"), links.get("taps")
    if taps is not None and taps.shape != weights:
        yield f"tensor links.taps has shape {taps.shape}; expected an input for each of {weights} weights"
    if neurons is None or not len(neurons):
        return
    if neurons.shape[1] != len(NEURON):
        yield f"tensor links.neurons has {neurons.shape[1]} columns; expected {', '.join(NEURON)}"
        return
    layer, *_, page, first, count = neurons.astype(np.int64).T
    if neurons.min() < 0 or layer.max() >= MOST_LAYERS or page.max() >= pages or (first + count).max() > rows:
        yield f"tensor links.neurons names a layer, page or row that there is not; the program has {pages} pages of {rows} rows"


def _wrong_report(report: Mapping[str, Any], pages: int, rows: int) -> Iterator[str]:
    kind: type[_Report | _FirstReport] = _Report if "machine" in report else _FirstReport
    try:
        found = kind.model_validate(report)
    except ValidationError as error:
        yield f"report.{first_sentence(error)}"
        return
    for one in found.placement:
        if one.page >= pages or one.first_row + one.rows > rows:
            yield f"report.placement: {one.layer:.40} lies on page {one.page}, beyond {pages} pages of {rows} rows"
