"""Summarises a sweep's rows by point: mean error with its interval, spread over chips, disagreement with float."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.base.columns import Column, View
from sim.base.contest import Runs, may_be_best
from sim.base.drawn_chips import deviation
from sim.base.formats import interval, per_cent
from sim.base.statistics import Bools, error_of_counts, mean
from sim.sweep.spec import SweepSpec
from sim.sweep.store import Store

WEIGHTS, STATES = "chip.weight_bits", "chip.state_bits"  # the axes of a map


@dataclass(frozen=True)
class Summary:
    """One point over all its chips; shares, not percentages."""

    point: int
    values: dict[str, Any]
    errors: tuple[float, ...]  # of each chip
    error: float
    low: float
    high: float
    disagreement: float
    float_error: float
    cycles_per_image: float

    @property
    def chips(self) -> int:
        """Number of chips."""
        return len(self.errors)

    @property
    def std_over_chips(self) -> float | None:
        """Standard deviation from chip to chip; None for a single chip."""
        return deviation(self.errors)


def _point(key: str, unit: str, meaning: str, value: Callable[[Summary], Any], heading: str,
           cell: Callable[[Summary], str]) -> Column[Summary]:  # fmt: skip
    return Column(key, unit, meaning, value, page=View(heading, cell))


# Columns of the table of points; the axes that vary follow the first one.
POINTS: tuple[Column[Summary], ...] = (
    _point("point", "", "number of the point, from 0", lambda one: one.point, "point", lambda one: f"{one.point}"),
    _point("chips", "", "chips drawn", lambda one: one.chips, "chips", lambda one: f"{one.chips}"),
    _point("error", "share", "digits misread, mean over chips", lambda one: one.error, "error",
           lambda one: per_cent(one.error)),
    _point("low", "share", "lower end of the 95 % interval of the error, over digits and chips", lambda one: one.low,
           "95 % interval", lambda one: interval(one.low, one.high)),
    _point("std_over_chips", "share", "standard deviation of the error from chip to chip", lambda one: one.std_over_chips,
           "sd over chips", lambda one: "" if one.std_over_chips is None else f"{100 * one.std_over_chips:.2f}"),
    _point("disagreement", "share", "digits read differently from the float network, mean over chips",
           lambda one: one.disagreement, "differs", lambda one: per_cent(one.disagreement)),
    _point("float_error", "share", "digits that the float network misreads", lambda one: one.float_error, "float",
           lambda one: per_cent(one.float_error)),
    _point("cycles_per_image", "cycles", "chip time per digit", lambda one: one.cycles_per_image, "cycles",
           lambda one: f"{one.cycles_per_image:,.0f}"),
)  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """A point that the compiler or the chip refused."""

    point: int
    values: dict[str, Any]
    sentence: str


@dataclass(frozen=True)
class SweepResult:
    """Everything a report needs, a snapshot of the database."""

    spec: SweepSpec
    points: tuple[Summary, ...]
    refusals: tuple[Refusal, ...]
    total: int
    rows: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
    facts: tuple[dict[str, Any], ...]  # provenance of each point
    inputs: tuple[tuple[str, str], ...]
    csv: str
    best: frozenset[int] = frozenset()  # points that may be the best of those that differ from them in bits alone

    @property
    def varying(self) -> dict[str, list[Any]]:
        """Axes with more than one value, and their values in order."""
        found = {}
        for name in self.spec.axes:
            values = distinct(self.spec.values_of(name))
            if len(values) > 1:
                found[name] = values
        return found

    @property
    def has_map(self) -> bool:
        """Whether it can be drawn as a map of weight bits x state bits."""
        return WEIGHTS in self.varying and STATES in self.varying and self.spec.design == "grid"

    @property
    def held(self) -> dict[str, Any]:
        """Axes with one value."""
        return {name: self.spec.values_of(name)[0] for name in self.spec.axes if name not in self.varying}


def distinct(values: Iterable[Any]) -> list[Any]:
    """The distinct values: numbers sorted, others in order of appearance."""
    found = list(dict.fromkeys(tuple(value) if isinstance(value, list) else value for value in values))
    return sorted(found) if all(is_number(value) for value in found) else found


def is_number(value: Any) -> bool:
    """Whether a value can be plotted on a numeric axis."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read(store: Store) -> SweepResult:
    """A snapshot of the sweep."""
    rows, spreads, values = store.rows(), store.spreads(), store.points()
    by_point: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_point.setdefault(row["point"], []).append(row)
    points = []
    for point, mine in by_point.items():
        wrong, images = [row["wrong"] for row in mine], mine[0]["images"]
        interval = error_of_counts(wrong, spreads[point], images)
        points.append(Summary(
            point, _hashable(values[point]), tuple(one / images for one in wrong), interval.share, interval.low, interval.high,
            mean([row["disagreement"] / images for row in mine]), mine[0]["float_wrong"] / images, mine[0]["cycles_per_image"],
        ))  # fmt: skip
    refusals = tuple(Refusal(point, _hashable(values[point]), sentence) for point, sentence in store.refusals())
    facts = tuple(store.provenance().values())
    found = SweepResult(store.identity.spec, tuple(points), refusals, len(values), tuple(rows), tuple(store.runs()), facts,
                        store.identity.inputs, store.csv())  # fmt: skip
    return replace(found, best=_best_of_maps(found, store.misreads())) if found.has_map else found


def _best_of_maps(found: SweepResult, misreads: Mapping[int, Mapping[int, Bools]]) -> frozenset[int]:
    """Of each map the points that may be its best; none of a sweep of which it is not known which images a chip misreads."""
    maps = dict[tuple[Any, ...], list[int]]()
    for one in found.points:
        if one.point not in misreads:
            return frozenset()
        maps.setdefault(tuple(one.values[name] for name in found.varying if name not in (WEIGHTS, STATES)), []).append(
            one.point
        )
    runs = {point: Runs(mine, found.spec.chips > 1 and len(mine) == 1) for point, mine in misreads.items()}
    return frozenset(
        point
        for points in maps.values()
        for point, best in zip(points, may_be_best([runs[point] for point in points]), strict=True)
        if best
    )


def _hashable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
