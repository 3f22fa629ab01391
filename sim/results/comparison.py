"""The comparison: what accuracy the chip costs a network, every figure with its interval, images and chips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.noise import NOISE_VERSION
from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.base.renamed import renamed, warn
from anna.base.threads import worker_count
from anna.compiler.quantised import QuantGraph
from anna.network.graph import Network
from anna.network.images import image_keys
from anna.program.file import Program
from anna.program.report import current
from lenet.datasets.labelled import LabelledImages
from sim.base.columns import values
from sim.base.drawn_chips import Rejects, checked_chips
from sim.base.statistics import Interval, Paired
from sim.comparison import counting
from sim.comparison.arm_table import GAINS, arm_columns
from sim.comparison.arms import Arm, ChipTrained, Kind, all_arms, first_chips, kinds_of
from sim.comparison.close_up import close_up
from sim.comparison.layers import layer_rows
from sim.comparison.rows import ComparisonRows
from sim.inputs.calibration import calibration_images
from sim.inputs.digits import as_labelled, expect_disjoint
from sim.report.drawing import Drawing
from sim.report.figure import figure_of
from sim.report.html import comparison_page
from sim.report.plots import errors
from sim.report.svg import svg_document
from sim.report.text import comparison_text
from sim.results.ledger import Ledger

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the JSON of a comparison repeats of the program's report.
TIMES = (
    "machine", "chip_us_per_image", "host_us_per_image", "board_us_per_image", "published_us_per_image", "board_images_per_s",
    "connections_per_s",
)  # fmt: skip


CHIPS, FEW_CHIPS = 40, 8  # of each kind: the first are enough to bound what nine chips of ten do not exceed
CHEAP = 2e11  # products up to which so many are drawn: LeNet-5 on 10,000 images, a few seconds


@dataclass(frozen=True, eq=False)
class Comparison:
    """All arms on the same images, and their statistics."""

    network: Network
    program: Program
    digits: LabelledImages
    chip_seed: int
    noise_seed: int
    arms: tuple[Arm, ...]
    ledger: Ledger | None = None
    layers: tuple[dict[str, Any], ...] = ()  # signal-to-noise ratio of each layer against float, dB
    limit: float | None = None  # error of a good chip, a share

    @property
    def seed(self) -> int:
        """The old name of `chip_seed`."""
        warn("Comparison.seed", "Comparison.chip_seed")
        return self.chip_seed

    @property
    def reference(self) -> Arm:
        """The float arm."""
        return self.arms[0]

    @property
    def drawn(self) -> Arm | None:
        """The first arm of drawn chips."""
        return next((arm for arm in self.arms if arm.seeds), None)

    def error(self, arm: Arm) -> Interval:
        """Mean error of the arm's chips with its 95 % interval, over images and chips."""
        return counting.error_of(arm, self.digits.labels)

    def std_over_chips(self, arm: Arm) -> float | None:
        """Standard deviation of the error rate from chip to chip; None for a single chip."""
        return counting.std_over_chips(arm, self.digits.labels)

    def disagreement(self, arm: Arm) -> float:
        """Share of images that an arm reads differently from the float network, right or wrong."""
        return counting.disagreement(arm, self.reference)

    def paired(self, arm: Arm, against: Arm | None = None) -> Paired:
        """McNemar's test of the arm's first chip against float, or against another arm's first chip."""
        return counting.paired(arm, against or self.reference, self.digits.labels)

    def ordinary(self, arm: Arm) -> Arm | None:
        """For an arm with other weights: the arm of the same chips with the network's own."""
        return next((one for one in self.arms if one.name == arm.ordinary), None)

    @property
    def headline(self) -> Arm:
        """The last arm with the network's own weights."""
        return [arm for arm in self.arms if arm.ordinary is None][-1]

    def p_value(self, arm: Arm, against: Arm | None = None) -> float:
        """Paired test against float, or against another arm on the same chips, over images and chips."""
        return counting.p_value(arm, against or self.reference, self.digits.labels)

    def rejects(self, arm: Arm) -> Rejects:
        """Error against rejects of each of the arm's chips."""
        return counting.rejects(arm, self.digits.labels)

    def confusion(self, arm: Arm) -> NDArray[np.int64]:
        """Classes against answers, over all the arm's chips."""
        return counting.confusion(arm, self.digits.labels, self.classes)

    @cached_property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.reference.scores_nk.shape[1])

    @cached_property
    def _counted(self) -> ComparisonRows:
        """The counts that tables, figures and pages show."""
        labels = self.digits.labels
        return ComparisonRows(
            network=self.network.name,
            data=self.digits.name,
            data_sha256=self.digits.sha256,
            images=len(self.digits),
            class_counts=tuple(int((labels == label).sum()) for label in range(self.classes)),
            chip_seed=self.chip_seed,
            noise_seed=self.noise_seed,
            limit=self.limit,
            arms=tuple(counting.arm_row(arm, self.reference, self.ordinary(arm), labels, self.limit) for arm in self.arms),
            layers=self.layers,
            losses=self.ledger,
            report=current(self.program.report) if self.program.report else {},
            program_sha256=self.program.digest,
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row per arm, for pandas or polars."""
        columns = arm_columns(self.limit)
        return [{**values(columns, arm), **({} if arm.gain is None else values(GAINS, arm.gain))} for arm in self._counted.arms]

    def to_json(self) -> dict[str, Any]:
        """All results as one JSON object."""
        found = self._counted
        return {
            "network": found.network,
            "data": found.data,
            "data_sha256": found.data_sha256,
            "images": found.images,
            "chips": max(arm.chips for arm in found.arms),
            "seed": found.chip_seed,
            "chip_seed": found.chip_seed,
            "noise_seed": found.noise_seed,
            "noise_version": NOISE_VERSION,
            "limit": found.limit,
            "float_error": found.reference.error.share,
            "arms": self.rows(),
            "ledger": [] if self.ledger is None else self.ledger.rows(),
            "layers": list(found.layers),
            "ledger_images": None if self.ledger is None else self.ledger.images,
            "ledger_chips": None if self.ledger is None else self.ledger.chips,
            "cycles_per_image": found.report.get("cycles_per_image"),
            **{name: found.report.get(name) for name in TIMES},
            "host_connections": found.report.get("host_connections"),
            "chip_connections": found.report.get("chip_connections"),
            "program_sha256": found.program_sha256,
        }

    def table(self) -> str:
        """The table as text."""
        return comparison_text(self._counted)

    def plot(self) -> "Figure":
        """A matplotlib figure: each arm's error with its interval, and a dot per chip."""
        return figure_of(self._drawing)

    def svg(self) -> str:
        """The same figure as an SVG file."""
        return svg_document(self._drawing)

    @property
    def _drawing(self) -> Drawing:
        return errors(self._counted.arms)

    def page(self, command: str) -> str:
        """The HTML page; `command` is what made it."""
        arms = (self.reference, self.drawn or self.headline)
        return comparison_page(
            self._counted, close_up(self.network, self.program, self.digits, arms, self.classes, self.noise_seed), command
        )

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"

    def __repr__(self) -> str:
        errors = ", ".join(f"{arm.name} {100 * self.error(arm).share:.2f} %" for arm in self.arms)
        return f"Comparison({self.network.name} on {self.digits.name}, {len(self.digits)} images: {errors})"


def default_chips(program: Program, images: int) -> int:
    """How many chips of each kind are drawn unless told otherwise: fewer where they take long."""
    products = (program.report or {}).get("chip_multiply_adds", 0) * images * CHIPS
    return CHIPS if products <= CHEAP else FEW_CHIPS


@renamed(calibrate_chips="trimmed", seed=("chip_seed", "noise_seed"))
def compare(
    network: Network,
    program: Program,
    images: NDArray[Any] | LabelledImages,
    labels: NDArray[Any] | None = None,
    *,
    chips: int | None = None,
    analogs: str | Analog | Sequence[Kind] = "typical",
    trimmed: bool = False,
    calibration: NDArray[Any] | None = None,
    chip_seed: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
    quantised: QuantGraph | None = None,
    chip_trained: ChipTrained | None = None,
    limit: float | None = None,
    watch: Callable[[str], None] | None = None,
) -> Comparison:
    """Runs a network and its program on the same images: in float, on the ideal chip, and on drawn chips.

    `analogs` are kinds of chips: presets by name, `Analog` records, or (name, record) to choose the name. Of each, `chips`
    are drawn: 40 unless told otherwise, 8 of large networks.
    Chip k of each kind has seed `chip_seed` + k; all share the noise seed `noise_seed`. Images that a program was calibrated
    on are refused. With `trimmed`, each drawn chip is also measured and given its own program, with what of the trim helps on
    `calibration` images (default: those of the network's data set). `quantised`, the graph the program was made from, adds its
    plain integer arithmetic; `chip_trained` adds other weights on all the chips. `limit` is the error, a share, up to which a
    chip is a good one.
    """
    if not isinstance(network, Network) or not isinstance(program, Program):
        raise DataError(f"compare needs a network and its program, got {type(network).__name__} and {type(program).__name__}")
    digits = as_labelled(images, labels)
    if limit is not None and not 0 <= limit <= 1:
        raise DataError(f"limit is {limit}; expected a share of images between 0 and 1")
    chips = default_chips(program, len(digits)) if chips is None else checked_chips(chips, len(digits))
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    for one in [program] if chip_trained is None else [program, chip_trained.program]:
        expect_disjoint(digits.images, one.calibrated_on)
    kinds = kinds_of(analogs)
    say, threads = watch or (lambda _: None), worker_count(threads)
    samples = None
    if trimmed:
        samples = calibration_images(network, None, "pass calibration=...") if calibration is None else np.asarray(calibration)
        expect_disjoint(digits.images, image_keys(samples))
    arms = all_arms(network, program, digits, kinds, chips=chips, trimmed=samples, chip_seed=chip_seed, noise_seed=noise_seed,
                    threads=threads, quantised=quantised, chip_trained=chip_trained, say=say)  # fmt: skip
    say("layers")
    layers = layer_rows(network, program, digits, first_chips(arms), noise_seed)
    return Comparison(network, program, digits, chip_seed, noise_seed, arms, layers=tuple(layers), limit=limit)
