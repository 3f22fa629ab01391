"""How many chips of a wafer are good: thousands of drawn chips, faults by rate included, in a folder that can be continued.

Chips are counted in blocks, each a point of a sweep, so that it continues after an interruption, runs on several cores and
keeps a row for each chip. Seeds are of chips and, for faults, of what is broken on them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anna.base.errors import DataError, SpecError
from anna.base.integers import checked_integer
from sim.base import formats
from sim.base.drawn_chips import MOST_CHIPS, Quantile, good_share, quantile, worse_than_worst
from sim.base.statistics import Interval, mean
from sim.report.drawing import Drawing
from sim.report.figure import figure_of
from sim.report.plots import share_of_chips
from sim.report.svg import svg_document
from sim.sweep.run import Progress, run_sweep
from sim.sweep.spec import FIRST_CHIP, SweepSpec, make_spec
from sim.sweep.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = 50  # chips of a point at most: some seconds of work
RATES = ("dead_synapse_rate", "stuck_synapse_rate", "dead_neuron_rate", "stuck_bit_rate", "ram_flip_rate")
WORST = 3  # chips whose seeds are told


@dataclass(frozen=True, eq=False)
class Yield:
    """The errors of drawn chips on the same images, and what they say of all such chips."""

    network: str
    images: int
    kind: str  # of the chips
    seeds: tuple[int, ...]
    errors: tuple[float, ...]  # of each chip, a share
    float_error: float
    limit: float | None  # error of a good chip

    @property
    def median(self) -> Quantile:
        """The error that half of the chips do not exceed."""
        return quantile(self.errors, 0.5)

    @property
    def p90(self) -> Quantile:
        """The error that nine chips of ten do not exceed."""
        return quantile(self.errors, 0.9)

    def good(self, limit: float) -> Interval:
        """The share of chips that err no more than the limit, with its 95 % interval."""
        return good_share(self.errors, limit)

    @property
    def worst(self) -> tuple[tuple[int, float], ...]:
        """Seeds and errors of the worst chips, the worst first."""
        ordered = sorted(zip(self.seeds, self.errors, strict=True), key=lambda chip: (-chip[1], chip[0]))
        return tuple(ordered[:WORST])

    def to_json(self) -> dict[str, Any]:
        """All of it, but for the single chips, which the folder's results.csv has."""
        ends = {name: vars(found) for name, found in (("median", self.median), ("p90", self.p90))}
        good = None if self.limit is None else {"limit": self.limit, **vars(self.good(self.limit))}
        return {
            "network": self.network, "images": self.images, "kind": self.kind, "chips": len(self.errors),
            "first_chip_seed": self.seeds[0], "float_error": self.float_error, "mean": mean(self.errors), **ends, "good": good,
            "worst": [{"chip_seed": seed, "error": error} for seed, error in self.worst],
            "worse_than_worst": worse_than_worst(len(self.errors)),
        }  # fmt: skip

    def table(self) -> str:
        """What the chips say, a line each."""
        worst = ", ".join(f"{formats.per_cent(error)} (chip seed {seed})" for seed, error in self.worst)
        lines = [
            f"{self.network} on {self.images:,} images, {len(self.errors):,} {self.kind}, in float "
            f"{formats.per_cent(self.float_error)}",
            f"mean error   {formats.per_cent(mean(self.errors))}",
            f"half         at most {formats.quantile(self.median)}",
            f"nine of ten  at most {formats.quantile(self.p90)}",
            f"worst        {worst}",
            f"at most {100 * worse_than_worst(len(self.errors)):.2f} % of all such chips are worse than the worst",
        ]
        if self.limit is not None:
            good = self.good(self.limit)
            lines.insert(
                1, f"good         {100 * good.share:.1f} % ({100 * good.low:.1f} to {100 * good.high:.1f}) of the chips "
                f"misread at most {100 * self.limit:g} %",
            )  # fmt: skip
        return "\n".join(lines)

    def plot(self) -> "Figure":
        """A matplotlib figure: the share of chips at or below an error."""
        return figure_of(self._drawing)

    def svg(self) -> str:
        """The same figure as an SVG file."""
        return svg_document(self._drawing)

    @property
    def _drawing(self) -> Drawing:
        return share_of_chips(self.errors, self.float_error, self.limit)

    def __repr__(self) -> str:
        return f"Yield({self.network}: {len(self.errors)} {self.kind}, median {formats.per_cent(self.median.value)})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def chip_yield(
    network: str,
    folder: str | Path,
    *,
    chips: int = 1000,
    data: str | None = None,
    weights_seed: int = 1,
    images: int = 4500,
    analog: str = "typical",
    faults: Mapping[str, float] | None = None,
    compile_options: Mapping[str, Any] | None = None,
    chip_fields: Mapping[str, Any] | None = None,
    chip_seed: int = 0,
    limit: float | None = None,
    workers: int | None = None,
    command: str = "",
    watch: Callable[[Progress], None] | None = None,
) -> Yield:
    """Draws chips of one kind and counts what each misreads; the same call continues what an interruption left.

    network          a LeNet by name, or a file, as a sweep takes them
    folder           where its database and results.csv are kept; one for each call
    chips            how many are drawn; their seeds begin with `chip_seed`
    images           the first of the data set, or of the built-in digits: at most so many
    analog           a preset by name, or the file of a record
    faults           rates of faults, such as {"dead_synapse_rate": 0.001}, drawn for each chip from its seed
    compile_options  of `anna.compile`, such as {"round": "nearest"}
    chip_fields      of the chip, such as {"weight_bits": 5}
    limit            error of a good chip, a share
    """
    chips, chip_seed = checked_integer("chips", chips, 2, MOST_CHIPS), checked_integer("chip_seed", chip_seed)
    if limit is not None and not 0 <= limit <= 1:
        raise DataError(f"limit is {limit}; expected a share of images between 0 and 1")
    for name in faults or {}:
        if name not in RATES:
            raise SpecError(f"faults: {name} is not a rate; expected {', '.join(RATES)}")
    block = next(size for size in range(min(BLOCK, chips), 0, -1) if chips % size == 0)
    axes: dict[str, list[Any]] = {FIRST_CHIP: list(range(0, chips, block))}
    for group, fields in (("faults", faults), ("compile", compile_options), ("chip", chip_fields)):
        axes |= {f"{group}.{name}": ["none" if value is None else value] for name, value in (fields or {}).items()}
    spec = make_spec({"name": "yield", "network": network, "data": data, "weights_seed": weights_seed, "count": images,
                      "chips": block, "seed": chip_seed, "analog": analog, "axes": axes}, Path.cwd())  # fmt: skip
    run_sweep(spec, Path(folder), workers=workers, command=command, watch=watch)
    return read_yield(folder, limit)


def read_yield(folder: str | Path, limit: float | None = None) -> Yield:
    """The chips that a folder holds so far."""
    with Store(Path(folder)) as store:
        spec, rows, refusals = store.identity.spec, store.rows(), store.refusals()
    if FIRST_CHIP not in spec.axes or any(len(spec.values_of(axis)) > 1 for axis in spec.axes if axis != FIRST_CHIP):
        raise DataError(f"{folder}: is not a yield; its sweep varies {', '.join(spec.axes)} (anna report shows it)")
    if refusals:
        raise SpecError(refusals[0][1])
    if not rows:
        raise DataError(f"{folder}: holds no chips yet; run the same command again")
    images = rows[0]["images"]
    return Yield(spec.network, images, _kind(spec), tuple(row["chip_seed"] for row in rows),
                 tuple(row["wrong"] / images for row in rows), rows[0]["float_wrong"] / images, limit)  # fmt: skip


def _kind(spec: SweepSpec) -> str:
    """The chips in words."""
    broken = [f"{name.partition('.')[2]} {spec.values_of(name)[0]:g}" for name in spec.axes if name.startswith("faults.")]
    return f"{spec.analog} chips{' with ' + ', '.join(broken) if broken else ''}"
