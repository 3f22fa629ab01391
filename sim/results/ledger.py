"""The ledger: where accuracy was lost, by cause and by layer, as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from anna.base.integers import checked_integer
from anna.base.renamed import renamed
from anna.base.threads import worker_count
from anna.program.file import Program
from lenet.datasets.labelled import LabelledImages
from sim.base.columns import values
from sim.comparison.arms import Kind, kind_of
from sim.comparison.ledger import losses
from sim.comparison.ledger_table import LEDGER, Losses
from sim.inputs.digits import as_labelled, expect_disjoint
from sim.report.figure import figure_of
from sim.report.plots import ledger as ledger_plot
from sim.report.text import ledger_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Ledger(Losses):
    """The lines, costliest first, and what they were counted on."""

    def __repr__(self) -> str:
        return f"Ledger({len(self.entries)} lines on {self.images} images and {self.chips} {self.kind})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"

    def rows(self) -> list[dict[str, Any]]:
        """One row per line."""
        return [values(LEDGER, entry) for entry in self.entries]

    def table(self) -> str:
        """The ledger as text."""
        return ledger_text(self)

    def plot(self) -> "Figure":
        """A matplotlib figure: each cause's share with its interval, what it costs alone, and what is recovered without it."""
        return figure_of(ledger_plot(self))


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
    orders: int = 1,
    pairs: bool = False,
    threads: int | None = None,
    watch: Callable[[str], None] | None = None,
) -> Ledger:
    """The cost of each cause for one kind of chips, and of all of them layer by layer.

    Chip k has seed `chip_seed` + k, and all share the noise seed `noise_seed`, as in `compare`. On each chip, `orders` pairs of
    an order and its reverse, in which causes are switched on, are tried: more make the intervals of shares narrower. `pairs`
    also tries causes two by two.
    """
    chips, orders = checked_integer("chips", chips, 1), checked_integer("orders", orders, 1)
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    digits, kind, threads = as_labelled(images, labels), kind_of(analog), worker_count(threads)
    expect_disjoint(digits.images, program.calibrated_on)
    found = losses(program, digits, kind, chips=chips, chip_seed=chip_seed, noise_seed=noise_seed, threads=threads,
                   orders=orders, pairs=pairs, say=watch or (lambda _: None))  # fmt: skip
    return Ledger(**vars(found))
