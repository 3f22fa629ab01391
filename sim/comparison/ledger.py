"""Where it was lost: the cost of the chip's imperfections by cause and by layer, each alone and each left out.

    alone_points      what this cause costs where it is the only one: its error less that of the ideal chip
    without_points    what is got back where only this cause is left out: the full error less the one without it

All rows use the same pictures, the same chips and the same noise seed, so that their differences are those of the cause.
Layers are told apart by where their weights lie: rows of the array, on one or more weight pages.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.base.integers import checked_integer
from anna.base.renamed import renamed
from anna.base.threads import worker_count
from anna.chip.spec import ChipSpec
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.sequencer.rules import verified
from sim.base.statistics import mean
from sim.comparison.arms import Kind, kind_of
from sim.comparison.confined import Confined, Place, places_of_layers
from sim.inputs.digits import LabelledImages, as_labelled, expect_apart

Watch = Callable[[str], None]

NOTE = "alone: this cause and no other, less the ideal chip; without: all causes less all but this one"

# What a cause is, for a reader.
MEANINGS = {
    "weight_dac": "levels of the converters that write the weights",
    "synapse_gain": "synapses that multiply by a little more or less",
    "synapse_zero": "synapses that add something of their own",
    "state_steps": "levels that states drive synapses with",
    "droop": "charge that leaks from weights between refreshes",
    "charge_noise": "each refresh writes a little more or less charge",
    "saturation": "sums that are cut off",
    "thermal_noise": "noise of each sum, new each time",
    "scale": "ranges of the scale circuits",
    "adc_offset": "thresholds of the output converters, for ever shifted",
    "adc_gain": "ranges of the output converters",
    "adc_noise": "noise of the output converters, new each time",
    "weight_rounding": "weights rounded to their codes",
    "state_rounding": "states rounded to their codes",
    "input_rounding": "the picture rounded to states",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `layer` is "all" for a cause as a whole."""

    cause: str
    layer: str
    alone_points: float
    without_points: float | None  # None: only the cause as a whole is left out

    @property
    def meaning(self) -> str:
        """What the cause is; nothing for its layers, which stand below it."""
        return MEANINGS[self.cause] if self.layer in ("all", "input") else ""


@dataclass(frozen=True)
class Ledger:
    """The lines, dearest first, and what they were counted on."""

    entries: tuple[Entry, ...]
    images: int
    chips: int
    ideal_error: float
    full_error: float
    kind: str  # of chips

    def __repr__(self) -> str:
        return f"Ledger({len(self.entries)} lines on {self.images} pictures and {self.chips} {self.kind})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each line."""
        return [{"cause": e.cause, "layer": e.layer, "alone_points": e.alone_points, "without_points": e.without_points}
                for e in self.entries]  # fmt: skip

    def table(self) -> str:
        """The ledger for a terminal."""
        lines = [
            f"where it was lost, in points of error, on {self.images:,} of the pictures and {self.chips} {self.kind} "
            f"(ideal {100 * self.ideal_error:.2f} %, all causes {100 * self.full_error:.2f} %)",
            f"{'cause':16s} {'layer':10s} {'alone':>8s} {'without':>8s}",
        ]
        for e in self.entries:
            without = "" if e.without_points is None else f"{e.without_points:+.2f}"
            lines.append(f"{e.cause:16s} {e.layer:10s} {e.alone_points:+8.2f} {without:>8s}  {e.meaning}".rstrip())
        return "\n".join([*lines, NOTE])


@renamed(seed=("chip_seed", "noise_seed"))
def ledger(
    program: Program,
    images: NDArray[Any] | LabelledImages,
    labels: NDArray[Any] | None = None,
    *,
    chips: int = 4,
    analog: Kind = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
    watch: Watch | None = None,
) -> Ledger:
    """Each cause of a kind of chips, and the layers of the one that costs most.

    Chip k has seed `chip_seed` + k, and all of them meet the same noise seed `noise_seed`, as in `compare`.
    """
    chips = checked_integer("chips", chips, 1)
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    digits, (kind, record), threads = as_labelled(images, labels), kind_of(analog), worker_count(threads)
    expect_apart(digits.images, program.calibrated_on)
    say, timeline, seeds = watch or (lambda _: None), verified(program), range(chip_seed, chip_seed + chips)

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
        dearest = entries[0].cause
        for layer, place in places_of_layers(program).items():
            say(f"ledger: {dearest} in {layer}")
            alone = mean_error(_confined(program.spec, record.alone(dearest), place))
            entries.append(Entry(dearest, layer, 100 * (alone - ideal), None))
    return Ledger(tuple(entries), len(digits), chips, ideal, full, kind)


def _confined(spec: ChipSpec, analog: Analog, place: Place) -> Callable[[int], Chip]:
    return lambda seed: Chip(silicon=Confined(Die.draw(spec, analog, seed).electronics, place))
