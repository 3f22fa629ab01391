"""The front of a sweep: of its points, those than which none errs less and costs no more; read from the database.

Points that differ only in which chips they have (`first_chip`) are one. All points are counted on the same images, and paired
on the chips that they share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anna.base.errors import DataError
from sim.base.contest import Runs, Standing, front_band, standings
from sim.sweep.costs import Cost, Priced
from sim.sweep.point import machine_at
from sim.sweep.spec import FIRST_CHIP, Point, SweepSpec
from sim.sweep.store import Store

Values = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A point with all its chips and its costs."""

    number: int
    values: Values  # of its axes, without which chips it has
    chips: int
    runs: Runs
    costs: tuple[float, ...]

    def choice(self, each: Sequence[str]) -> tuple[Any, ...]:
        """Its values on axes for each of whose values there is a front."""
        return tuple(self.values[name] for name in each)


@dataclass(frozen=True)
class Placed:
    """A candidate and how it stands."""

    candidate: Candidate
    standing: Standing


@dataclass(frozen=True)
class Panel:
    """One front: the points with the same values on the axes that are not chosen."""

    given: Values
    points: tuple[Placed, ...]  # by rising cost, then error
    band: tuple[tuple[float, float, float, float], ...]  # first cost, lowest error for it, ends of the band
    best: Placed  # the lowest mean error
    smallest: Placed | None  # the least that is as good as the best; None if none is told to be


def candidates(store: Store, costs: Sequence[Cost], only: frozenset[int] | None = None) -> list[Candidate]:
    """The points that have been counted, or some of them; raises if they cannot be compared."""
    spec = store.identity.spec
    expect_same_images(spec.name, store.identity.inputs)
    misreads, at, facts, cycles = store.misreads(), store.points(), store.provenance(), dict[int, float]()
    for row in store.rows():
        cycles[row["point"]] = row["cycles_per_image"]
    if cycles and not misreads.keys() >= cycles.keys():
        raise DataError(f"{store.path}: has points from before its format 4, of which it is known how many images a chip "
                        "misreads, but not which; run the sweep again in a new folder")  # fmt: skip
    found = dict[str, Candidate]()
    for number in sorted(cycles):
        if only is not None and number not in only:
            continue
        point = Point(number=number, values=at[number])
        values = {name: _hashable(value) for name, value in at[number].items() if name != FIRST_CHIP}
        key = Point(number=0, values=values).key
        before = found.get(key)
        misread = {**(before.runs.misread if before else {}), **misreads[number]}
        price = Priced(machine_at(point), cycles[number], facts[number].get("events_per_image"))
        alike = spec.chips > 1 and len(misreads[number]) == 1  # of chips without imperfections only one is run
        found[key] = Candidate(before.number if before else number, values, len(misread), Runs(misread, alike),
                               tuple(cost.value(price) for cost in costs))  # fmt: skip
    return list(found.values())


def panels(
    found: Sequence[Candidate],
    each: Sequence[str],
    smallest: Sequence[Sequence[float]],
    margin: float,
    looks: int = 1,
) -> tuple[Panel, ...]:
    """A front for each combination of values of the axes `each`; `smallest` orders candidates from small to large. As good as
    the best is what may be the best and errs at most `margin`, a share of images, more than it."""
    groups = dict[tuple[Any, ...], list[int]]()
    for place, one in enumerate(found):
        groups.setdefault(one.choice(each), []).append(place)
    made = list[Panel]()
    for given, places in groups.items():
        mine = [found[place] for place in places]
        costs = [one.costs for one in mine]
        stand = standings([one.runs for one in mine], costs, looks)
        placed = [Placed(one, standing) for one, standing in zip(mine, stand, strict=True)]
        size = {one.number: tuple(smallest[place]) for one, place in zip(mine, places, strict=True)}
        best = min(placed, key=lambda one: (one.standing.share, one.candidate.costs, one.candidate.number))
        good = [one for one in placed if one.standing.may_be_best and one.standing.worse_at_most <= margin]
        least = min(good, key=lambda one: (size[one.candidate.number], one.standing.share, one.candidate.number), default=None)
        ordered = sorted(placed, key=lambda one: (one.candidate.costs, one.standing.share, one.candidate.number))
        made.append(Panel(dict(zip(each, given, strict=True)), tuple(ordered), tuple(front_band(stand, costs)), best, least))
    return tuple(made)


def expect_same_images(name: str, inputs: Sequence[tuple[str, str]]) -> None:
    """Points are paired image by image."""
    images = {digest.split()[1] for named, digest in inputs if named.startswith(("network ", "digits of "))}
    if len(images) > 1:
        raise DataError(f"the networks of the sweep {name} read different images, so their points cannot be paired; "
                        "expected one data set")  # fmt: skip


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def varying(spec: SweepSpec, values: Mapping[str, Any]) -> Values:
    """The values of a point on axes that vary."""
    return {name: value for name, value in values.items() if len(set(spec.values_of(name))) > 1}
