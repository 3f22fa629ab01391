"""The outcome of a point: one row per chip, whose columns are defined only here."""

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
    """One chip's result on the digits, with the true labels and the float network's."""

    number: int  # within its point
    seed: int
    result: Result
    labels: Labels
    reference: Labels

    @cached_property
    def found(self) -> Labels:
        """The chip's labels."""
        return self.result.labels.astype(np.int64)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Which digits it misreads."""
        wrong: NDArray[np.bool_] = self.found != self.labels
        return wrong


# The columns of the database: a new one raises its format number (`store.FORMAT`).
STORED: tuple[Column[ChipRun], ...] = (
    Column("chip", "", "number of the chip within its point, from 0", lambda run: run.number),
    Column("chip_seed", "", "seed of the chip", lambda run: run.seed),
    Column("images", "images", "digits it reads", lambda run: len(run.labels)),
    Column("wrong", "images", "digits that the chip misreads", lambda run: int(run.wrong.sum())),
    Column(
        "disagreement",
        "images",
        "digits read differently from the float network",
        lambda run: int((run.found != run.reference).sum()),
    ),
    Column(
        "float_wrong",
        "images",
        "digits that the float network misreads",
        lambda run: int((run.reference != run.labels).sum()),
    ),
    Column("cycles_per_image", "cycles", "chip time per digit", lambda run: run.result.cycles_per_image),
)

# Computed from the stored columns, so not in the database.
DERIVED: tuple[Column[Mapping[str, Any]], ...] = (
    Column("error", "share", "`wrong` over `images`", lambda row: row["wrong"] / row["images"]),
)

KEYS = tuple(column.key for column in STORED)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a point: its rows, or why it was refused; `facts` say where and how it was computed."""

    point: int
    rows: tuple[dict[str, Any], ...]
    misread: tuple[bytes, ...]  # by each chip, a bit for each image: what points have in common pairs them
    squares: int  # sum over images of the squared number of chips that misread it: with the rows, it gives the interval
    refusal: str | None
    facts: dict[str, Any]
