"""Where accuracy was lost: the cost of the chip's imperfections by cause and by layer, each alone and each left out.

    alone_points      what this cause costs alone: its error minus the ideal chip's
    without_points    what is recovered when only this cause is left out: the full error minus the error without it

All rows use the same images, chips and noise seed, so they differ only by the cause. A layer is where its weights lie: rows
of the array, on one or more weight pages.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.chip.spec import ChipSpec
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.sequencer.rules import verified
from lenet.datasets.labelled import LabelledImages
from sim.base.statistics import mean
from sim.comparison.confined import Confined, Place, places_of_layers
from sim.comparison.ledger_table import Entry, Losses

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
    say: Watch,
) -> Losses:
    """Each cause for one kind of chips, and the costliest one layer by layer."""
    name, record = kind
    timeline, seeds = verified(program), range(chip_seed, chip_seed + chips)

    def error_of(chip: Chip) -> float:
        labels = chip.run(program, digits.images, noise_seed=noise_seed, timeline=timeline, threads=1).labels
        return int((labels != digits.labels).sum()) / len(digits)

    def mean_error(make: Callable[[int], Chip]) -> float:
        with ThreadPoolExecutor(threads) as pool:
            return mean(list(pool.map(lambda seed: error_of(make(seed)), seeds)))

    def drawn(some: Analog) -> Callable[[int], Chip]:
        return lambda seed: Chip() if some.is_ideal else Chip(seed=seed, analog=some)

    ideal, full = error_of(Chip()), mean_error(drawn(record))
    entries = []
    for cause in record.causes:
        say(f"ledger: {cause}")
        alone = mean_error(drawn(record.alone(cause)))
        without = mean_error(drawn(record.without(cause)))
        entries.append(Entry(cause, "all", 100 * (alone - ideal), 100 * (full - without)))
    entries.sort(key=lambda entry: (-entry.alone_points, entry.cause))
    if entries:
        costliest = entries[0].cause
        for layer, place in places_of_layers(program).items():
            say(f"ledger: {costliest} in {layer}")
            alone = mean_error(_confined(program.spec, record.alone(costliest), place))
            entries.append(Entry(costliest, layer, 100 * (alone - ideal), None))
    return Losses(tuple(entries), len(digits), chips, ideal, full, name)


def _confined(spec: ChipSpec, analog: Analog, place: Place) -> Callable[[int], Chip]:
    return lambda seed: Chip(silicon=Confined(Die.draw(spec, analog, seed).electronics, place))
