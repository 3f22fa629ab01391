"""What a point comes to: a row for each of its chips, whose columns are each defined here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.machine.chip import Result
from sim.base.columns import Column

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChipRun:
    """What one chip of a point makes of the digits, beside the truth and what the float network reads."""

    number: int  # among the chips of its point
    seed: int
    result: Result
    labels: Labels
    reference: Labels

    @cached_property
    def found(self) -> Labels:
        """What the chip reads."""
        return self.result.labels.astype(np.int64)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Where it errs."""
        wrong: NDArray[np.bool_] = self.found != self.labels
        return wrong


# The columns of the database: with one more, its format number (`store.FORMAT`) rises.
STORED: tuple[Column[ChipRun], ...] = (
    Column("chip", "", "number of the chip at its point, from 0", lambda run: run.number),
    Column("chip_seed", "", "seed of the chip", lambda run: run.seed),
    Column("images", "images", "digits shown to it", lambda run: len(run.labels)),
    Column("wrong", "images", "digits that the chip misreads", lambda run: int(run.wrong.sum())),
    Column(
        "disagreement",
        "images",
        "digits that it reads otherwise than the float network",
        lambda run: int((run.found != run.reference).sum()),
    ),
    Column(
        "float_wrong",
        "images",
        "digits that the float network misreads",
        lambda run: int((run.reference != run.labels).sum()),
    ),
    Column("cycles_per_image", "cycles", "time on the chip", lambda run: run.result.cycles_per_image),
)

# These follow from stored ones, so no database holds them.
DERIVED: tuple[Column[Mapping[str, Any]], ...] = (
    Column("error", "share", "`wrong` over `images`", lambda row: row["wrong"] / row["images"]),
)

KEYS = tuple(column.key for column in STORED)


@dataclass(frozen=True)
class Outcome:
    """What a point came to: rows, or the sentence of its refusal; `facts` say where and how it was computed."""

    point: int
    rows: tuple[dict[str, Any], ...]
    squares: int  # over all images, the square of how many chips erred on it: what the interval needs besides the rows
    refusal: str | None
    facts: dict[str, Any]
