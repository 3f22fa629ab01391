"""Which layer needs its last bits and which one suffers from noise, as a table and a figure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.base.threads import worker_count
from anna.program.file import Program
from lenet.datasets.labelled import LabelledImages
from sim.base import formats
from sim.base.drawn_chips import MOST_CHIPS
from sim.base.statistics import Interval
from sim.comparison.arms import Kind, kind_of
from sim.comparison.sensitivity import Costs, costs_of_changes
from sim.inputs.digits import as_labelled, expect_disjoint
from sim.report.drawing import Drawing
from sim.report.figure import figure_of
from sim.report.plots import layers_apart
from sim.report.svg import svg_document

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = (
    "what-if, without compiling anew: points of error that the layer gains with so many bits, or owes to its noise, paired\n"
    "over images and chips. = : may cost as much as the layer above it."
)


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What each layer gains in error with fewer bits, and owes to its noise."""

    network: str
    kind: str  # of the chips
    images: int
    chips: int
    bits: dict[str, int]  # of the chip as it is: of weights and of states
    error: Interval  # of the chips as they are
    lines: tuple[Costs, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per layer and change, the costliest of its kind first."""
        return [
            {"layer": line.change.layer, "what": line.change.what, "bits": line.change.bits, "tied": line.tied,
             "costs_points": 100 * line.moved.share, "low": 100 * line.moved.low, "high": 100 * line.moved.high,
             "matters": line.matters}
            for line in self.lines
        ]  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "network": self.network, "kind": self.kind, "images": self.images, "chips": self.chips, "bits": self.bits,
            "error": vars(self.error), "lines": self.rows(),
        }  # fmt: skip

    def heading(self, line: Costs) -> str:
        """What a line's block is about."""
        what = line.change.what
        return "noise of the layer" if what == "noise" else f"{what}: {line.change.bits} instead of {self.bits[what]}"

    def blocks(self) -> dict[str, list[Costs]]:
        """The lines by what is changed."""
        found: dict[str, list[Costs]] = {}
        for line in self.lines:
            found.setdefault(self.heading(line), []).append(line)
        return found

    def table(self) -> str:
        """The lines as text, block by block."""
        lines = [f"{self.network} on {self.images:,} images, {self.chips} {self.kind}: {formats.per_cent(self.error.share)} "
                 f"({formats.interval(self.error.low, self.error.high)})"]  # fmt: skip
        wide = max(len(line.change.layer) for line in self.lines)
        for heading, mine in self.blocks().items():
            lines += ["", heading]
            for line in mine:
                low, high = 100 * line.moved.low, 100 * line.moved.high
                mark = "=" if line.tied else " "
                lines.append(
                    f"  {mark} {line.change.layer:{wide}s} {100 * line.moved.share:+7.2f}  ({low:+.2f} to {high:+.2f})"
                )
        return "\n".join([*lines, "", NOTE])

    def plot(self) -> "Figure":
        """A matplotlib figure: a panel for each change, a line for each layer with its interval."""
        return figure_of(self._drawing)

    def svg(self) -> str:
        """The same figure as an SVG file."""
        return svg_document(self._drawing)

    @property
    def _drawing(self) -> Drawing:
        panels = {heading: [(line.change.layer, line.moved) for line in mine] for heading, mine in self.blocks().items()}
        return layers_apart(panels)

    def __repr__(self) -> str:
        return f"Sensitivity({self.network}: {len(self.lines)} lines on {self.images} images and {self.chips} {self.kind})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def sensitivity(
    program: Program,
    images: NDArray[Any] | LabelledImages,
    labels: NDArray[Any] | None = None,
    *,
    chips: int = 8,
    analog: Kind = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    fewer: int = 2,
    threads: int | None = None,
    watch: Callable[[str], None] | None = None,
) -> Sensitivity:
    """Which layer needs its last bits and which one suffers from noise: a what-if on the compiled program, layer by layer.

    chips  drawn chips of seeds `chip_seed` and on; an ideal chip runs once
    fewer  how many bits fewer are tried at most, of weights and of the states that a layer reads
    """
    chips, fewer = checked_integer("chips", chips, 1, MOST_CHIPS), checked_integer("fewer", fewer, 1)
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    digits, (name, record), threads = as_labelled(images, labels), kind_of(analog), worker_count(threads)
    expect_disjoint(digits.images, program.calibrated_on)
    error, lines = costs_of_changes(program, digits, record, chips=chips, chip_seed=chip_seed, noise_seed=noise_seed,
                                    fewer=fewer, threads=threads, say=watch or (lambda _: None))  # fmt: skip
    if not lines:
        raise DataError(f"{program.name}: its chip has no bit to spare; expected more than 2 bits of weights or 1 of states")
    bits = {"weight bits": program.spec.weight_bits, "state bits": program.spec.state_bits}
    return Sensitivity(program.name, name, len(digits), 1 if record.is_ideal else chips, bits, error, lines)
