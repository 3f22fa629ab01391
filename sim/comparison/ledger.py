"""Where accuracy was lost: the cost of the chip's imperfections by cause and by layer.

    share      what a cause costs on the average over orders in which causes are switched on (`sim.comparison.shares`)
    alone      what a cause costs alone: its error minus the ideal chip's
    without    what is recovered when only this cause is left out: the full error minus the error without it

A layer's lines have all causes at once: alone, they act only where its weights lie (rows of the array, on one or more weight
pages); left out, they act everywhere else. All rows use the same images, chips and noise seed.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

from anna.analog.die import Die
from anna.analog.electronics import Electronics
from anna.analog.parameters import Analog
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.sequencer.rules import verified
from lenet.datasets.labelled import LabelledImages
from sim.base.pace import Pace
from sim.base.statistics import Bools, mean
from sim.comparison.confined import Confined, Place, places_of_layers
from sim.comparison.ledger_table import ALL_CAUSES, Entry, Losses, Pair
from sim.comparison.shares import Coalition, Outcomes, coalitions_of, orders_of, pair_of, shares_of

Watch = Callable[[str], None]


def losses(
    program: Program,
    digits: LabelledImages,
    kind: tuple[str, Analog],
    *,
    chips: int,
    chip_seed: int,
    noise_seed: int,
    threads: int,
    orders: int,
    pairs: bool,
    say: Watch,
) -> Losses:
    """Each cause for one kind of chips, and all of them layer by layer. `orders`: pairs of orders for each chip; `pairs`:
    whether causes are also tried two by two."""
    name, record = kind
    timeline, seeds = verified(program), range(chip_seed, chip_seed + chips)
    causes = tuple(record.causes)
    if not causes:
        record = Analog.ideal()

    def wrong_of(chip: Chip) -> Bools:
        found = chip.run(program, digits.images, noise_seed=noise_seed, timeline=timeline, threads=1).labels
        wrong: Bools = found != digits.labels
        return wrong

    ideal = wrong_of(Chip())
    orders_c = [orders_of(causes, seed, orders) for seed in seeds]
    margins: set[Coalition] = {frozenset((cause,)) for cause in causes} | {frozenset(causes) - {cause} for cause in causes}
    twos: set[Coalition] = {frozenset(two) for two in combinations(causes, 2)} if pairs else set()
    wanted_c = [
        sorted((coalitions_of(mine) | margins | twos | {frozenset(causes)}) - {frozenset()}, key=sorted) for mine in orders_c
    ]
    places = places_of_layers(program) if causes else {}
    pace = Pace("ledger", sum(map(len, wanted_c)) + 2 * len(places) * chips, say)

    def many(chips: Iterable[Callable[[], Chip]]) -> list[Bools]:
        with ThreadPoolExecutor(threads) as pool:
            return list(pace.over(pool.map(lambda make: wrong_of(make()), chips)))

    wrong_c = list[Outcomes]()
    for seed, wanted in zip(seeds, wanted_c, strict=True):
        wrong_c.append(
            {frozenset(): ideal, **dict(zip(wanted, many(_with(record, seed, some) for some in wanted), strict=True))}
        )

    def points(some: Coalition) -> float:
        return 100 * mean([float(wrong[some].mean()) for wrong in wrong_c])

    nothing, everything = points(frozenset()), points(frozenset(causes))
    entries = [
        Entry(share.cause, "all", points(frozenset((share.cause,))) - nothing,
              everything - points(frozenset(causes) - {share.cause}), share)
        for share in shares_of(causes, orders_c, wrong_c)
    ]  # fmt: skip
    dies = [Die.draw(program.spec, record, seed).electronics for seed in seeds]
    for layer, place in places.items():
        inside, outside = (
            [float(wrong.mean()) for wrong in many(_confined(die, where) for die in dies)] for where in (place, ~place)
        )
        entries.append(Entry(ALL_CAUSES, layer, 100 * mean(inside) - nothing, everything - 100 * mean(outside)))
    tried = [Pair(*two, pair_of(*two, wrong_c)) for two in combinations(causes, 2)] if pairs else []
    matter = sorted((pair for pair in tried if pair.matters), key=lambda pair: -abs(pair.moved.share))
    return Losses(tuple(entries), len(digits), chips, nothing / 100, everything / 100, name, tuple(matter))


def _with(record: Analog, seed: int, causes: Coalition) -> Callable[[], Chip]:
    """One chip with some of its causes."""
    return lambda: Chip(seed=seed, analog=record.alone(*sorted(causes)))


def _confined(die: Electronics, place: Place) -> Callable[[], Chip]:
    """One chip whose imperfections act in one place."""
    return lambda: Chip(silicon=Confined(die, place))
