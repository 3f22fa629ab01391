"""A search: a sweep that gives more chips only to points of which it is not yet told whether they lie on the front.

Its axis `first_chip` has the blocks of chips that a point may get. Every point gets the first block. Then, in as many rounds as
there are further blocks, the half of the open points that is nearest to the front, in standard errors, gets its next one, until
none is open or the budget is spent. What a round asks for follows from the rows of the rounds before it, so that a search that
was killed goes on with the same points.
"""

from collections.abc import Mapping

from sim.base.contest import Label
from sim.sweep.costs import costs_named
from sim.sweep.front import Placed, Values, candidates, panels
from sim.sweep.spec import FIRST_CHIP, Point, SweepSpec
from sim.sweep.store import Store


def asked(spec: SweepSpec, store: Store) -> list[Point]:
    """The points of all rounds up to the first of which some have not been computed; if none is missing, the search is over."""
    assert spec.search is not None
    blocks = [block for block in spec.values_of(FIRST_CHIP) if isinstance(block, int)]
    costs, done = costs_named(spec.search.over[1:]), store.done
    every = {(_candidate(point), point.values[FIRST_CHIP]): point for point in spec.all_points()}
    taken = [point for (_, block), point in every.items() if block == blocks[0]]
    given = {_candidate(point): 1 for point in taken}  # blocks of each candidate
    for _ in blocks[1:]:
        if not all(point.number in done for point in taken):
            break
        found = candidates(store, costs, frozenset(point.number for point in taken))
        fronts = panels(found, spec.search.each, [()] * len(found), margin=1.0, looks=spec.looks) if found else ()
        opened = [placed for panel in fronts for placed in panel.points if _may_tell_more(placed, given, len(blocks))]
        opened.sort(key=lambda placed: (placed.standing.behind, placed.candidate.number))
        nearest = sorted(placed.candidate.number for placed in opened[: -(-len(opened) // 2)])
        by_number = {one.number: _key(one.values) for one in found}
        if spec.search.runs is not None:
            nearest = nearest[: max(0, (spec.search.runs - len(taken) * spec.chips) // spec.chips)]
        for key in (by_number[number] for number in nearest):
            taken.append(every[key, blocks[given[key]]])
            given[key] += 1
        if not nearest:
            break
    return taken


def _may_tell_more(placed: Placed, given: Mapping[str, int], blocks: int) -> bool:
    """An open point of which there are more chips."""
    one = placed.candidate
    return placed.standing.label is Label.OPEN and not one.runs.alike and given[_key(one.values)] < blocks


def _candidate(point: Point) -> str:
    """What the point is, whichever chips it has."""
    return _key({name: value for name, value in point.values.items() if name != FIRST_CHIP})


def _key(values: Values) -> str:
    return Point(number=0, values=values).key
