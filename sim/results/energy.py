"""An energy listing: the events of a program by layer for one image, and what they cost if joules are given for them.

The counts follow from the program alone; what an event costs is the user's figure, with its mark and source beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.program.file import Program
from anna.sequencer.rules import verified
from anna.sequencer.tally import EVENTS, Tally, tally
from sim.inputs.joules import Cost, Joules, load_joules

TOTAL = "all"
HEADINGS = {name: name.replace("_", " ") for name in EVENTS}


@dataclass(frozen=True, eq=False)
class Energy:
    """A program's events for one image, with its share of the loads of pages, and their cost."""

    tally: Tally
    seconds_per_image: float  # of the chip
    costs: Joules = field(default_factory=dict[str, Cost])

    @property
    def events_le(self) -> NDArray[np.float64]:
        """Events of an image, (layers, events)."""
        return self.tally.counts_le / self.tally.batch

    @property
    def joules_le(self) -> NDArray[np.float64]:
        """Joules of an image, (layers, events); 0 where no cost is given."""
        return self.events_le * [self.costs[name].joules if name in self.costs else 0.0 for name in EVENTS]

    @property
    def joules(self) -> float | None:
        """Joules of an image, of the events whose cost is given; None if none is."""
        return float(self.joules_le.sum()) if self.costs else None

    @property
    def without_cost(self) -> tuple[str, ...]:
        """Events that happen and for which no cost is given."""
        return tuple(name for name, count in self.tally.total.items() if count and name not in self.costs)

    def rows(self) -> list[dict[str, Any]]:
        """One row per layer: its events for an image, and its joules if costs are given."""
        found = []
        for layer, events, joules in zip(self.tally.layers, self.events_le, self.joules_le, strict=True):
            row = {"layer": layer, **dict(zip(EVENTS, events.tolist(), strict=True))}
            found.append({**row, "joules": float(joules.sum())} if self.costs else row)
        return found

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        by_event = dict(zip(EVENTS, self.joules_le.sum(axis=0).tolist(), strict=True))
        costs = {
            name: {**cost.model_dump(mode="json"), "joules_per_image": by_event[name]} for name, cost in self.costs.items()
        }
        return {
            "program": self.tally.program, "batch": self.tally.batch, "seconds_per_image": self.seconds_per_image,
            "layers": self.rows(), "total": dict(zip(EVENTS, self.events_le.sum(axis=0).tolist(), strict=True)),
            "joules_per_image": self.joules, "costs": costs, "without_cost": list(self.without_cost),
        }  # fmt: skip

    def table(self) -> str:
        """The listing as text."""
        head = ["layer", *HEADINGS.values(), *(["uJ"] if self.costs else [])]
        body = [self._cells(*line) for line in zip(self.tally.layers, self.events_le, self.joules_le, strict=True)]
        body.append(self._cells(TOTAL, self.events_le.sum(axis=0), self.joules_le.sum(axis=0)))
        lines = [f"{self.tally.program}: events of one image, in batches of {self.tally.batch:,}", "", *_aligned([head, *body])]
        return "\n".join([*lines, *self._costs_text()])

    def _cells(self, layer: str, events: NDArray[np.float64], joules: NDArray[np.float64]) -> list[str]:
        counts = [f"{count:,.0f}" if count == round(count) else f"{count:,.1f}" for count in events.tolist()]
        return [layer, *counts, *([f"{1e6 * joules.sum():,.3f}"] if self.costs else [])]

    def _costs_text(self) -> list[str]:
        if self.joules is None:
            return ["", "no joules are given: --joules FILE.toml says what each event costs"]
        by_event = dict(zip(EVENTS, self.joules_le.sum(axis=0).tolist(), strict=True))
        rows = [["event", "pJ each", "mark", "uJ an image", "share", "source"]]
        for name, cost in self.costs.items():
            share = f"{100 * by_event[name] / self.joules:.1f} %" if self.joules else ""
            rows.append(
                [HEADINGS[name], f"{1e12 * cost.joules:g}", cost.mark, f"{1e6 * by_event[name]:,.3f}", share, cost.source]
            )
        watts = self.joules / self.seconds_per_image
        left = ", ".join(HEADINGS[name] for name in self.without_cost)
        time = f"the chip's {1e6 * self.seconds_per_image:,.1f} us"
        total = f"{1e6 * self.joules:,.3f} uJ an image: {1e3 * watts:,.4g} mW over {time}"
        return ["", *_aligned(rows, left=(0, 5)), "", total, *([f"counted, but no joules are given: {left}"] if left else [])]

    def __repr__(self) -> str:
        cost = "no joules given" if self.joules is None else f"{1e6 * self.joules:,.3f} uJ an image"
        return f"Energy({self.tally.program}: {cost})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def energy(program: Program, joules: str | Path | Mapping[str, Cost] | None = None) -> Energy:
    """The events of a program by layer, and their cost by a file of joules, or by costs given in Python."""
    costs = load_joules(joules) if isinstance(joules, str | Path) else joules or {}
    return Energy(tally(program), verified(program).seconds_per_image, costs)


def _aligned(rows: list[list[str]], left: tuple[int, ...] = (0,)) -> list[str]:
    """Rows as columns, of which some are left-aligned."""
    sides = [("<" if k in left else ">") + str(max(len(row[k]) for row in rows)) for k in range(len(rows[0]))]
    return ["  ".join(f"{cell:{side}s}" for cell, side in zip(row, sides, strict=True)).rstrip() for row in rows]
