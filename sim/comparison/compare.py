"""The comparison: what the chip costs a network in accuracy, each figure with its interval, pictures and chips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.base.renamed import renamed, warn
from anna.base.threads import worker_count
from anna.compiler.quantised import QuantGraph
from anna.machine.chip import Chip
from anna.network.graph import Network
from anna.program.file import Program
from sim.base import statistics
from sim.base.statistics import Interval, Paired, RejectCurve
from sim.comparison.arms import (
    Arm,
    ChipTrained,
    Kind,
    chip_arm,
    chip_trained_arm,
    float_arm,
    kinds_of,
    quantised_arm,
    trimmed_arm,
)
from sim.comparison.layers import layer_rows
from sim.inputs.digits import LabelledImages, as_labelled, expect_apart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.comparison.ledger import Ledger

REJECT_GOALS = (0.01, 0.005)  # errors among the accepted, as the papers quote them


@dataclass(frozen=True, eq=False)
class Comparison:
    """All arms on the same pictures, and what follows from them."""

    network: Network
    program: Program
    digits: LabelledImages
    chip_seed: int
    noise_seed: int
    arms: tuple[Arm, ...]
    ledger: "Ledger | None" = None
    layers: tuple[dict[str, Any], ...] = ()  # signal to noise of each layer against float, dB

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
        """Mean error of the arm's chips with its 95 % interval, over pictures and chips."""
        return statistics.error_of_chips(arm.wrong_cn(self.digits.labels))

    def std_over_chips(self, arm: Arm) -> float | None:
        """Standard deviation of the error rate from chip to chip; None for a single one."""
        if arm.chips < 2:
            return None
        rates = arm.wrong_cn(self.digits.labels).sum(axis=1) / len(self.digits)
        centre = statistics.mean(rates.tolist())
        return float(np.sqrt(statistics.mean([(rate - centre) ** 2 for rate in rates.tolist()]) * arm.chips / (arm.chips - 1)))

    def disagreement(self, arm: Arm) -> float:
        """Share of pictures that an arm reads otherwise than the float network, right or wrong."""
        other: NDArray[np.bool_] = arm.labels_cn != self.reference.labels_cn[0][None]
        return int(other.sum()) / int(other.size)

    def paired(self, arm: Arm, against: Arm | None = None) -> Paired:
        """The arm's first chip against float or the first chip of another arm, on the pictures in which they differ."""
        labels = self.digits.labels
        return statistics.mcnemar((against or self.reference).wrong_cn(labels)[0], arm.wrong_cn(labels)[0])

    def ordinary(self, arm: Arm) -> Arm | None:
        """For an arm with other weights: the same chips with the network's own."""
        return next((one for one in self.arms if one.name == arm.ordinary), None)

    @property
    def headline(self) -> Arm:
        """The last arm that has the network's own weights."""
        return [arm for arm in self.arms if arm.ordinary is None][-1]

    def rejects(self, arm: Arm) -> RejectCurve:
        """Error against rejects of the arm's first chip."""
        return statistics.reject_curve(arm.scores_nk, self.digits.labels)

    def confusion(self, arm: Arm) -> NDArray[np.int64]:
        """Classes against answers, over all chips of the arm."""
        labels = np.tile(self.digits.labels.astype(np.int64), arm.chips)
        return statistics.confusion(labels, arm.labels_cn.reshape(-1), self.classes)

    @cached_property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.reference.scores_nk.shape[1])

    def rows(self) -> list[dict[str, Any]]:
        """A row for each arm, for pandas or polars."""
        out = []
        for arm in self.arms:
            error, curve = self.error(arm), self.rejects(arm)
            paired, ordinary = None if arm is self.reference else self.paired(arm), self.ordinary(arm)
            out.append({
                "name": arm.name, "chips": arm.chips, "error": error.share, "low": error.low, "high": error.high,
                "error_std_over_chips": self.std_over_chips(arm), "disagreement": self.disagreement(arm),
                "p_value_against_float": None if paired is None else paired.p_value,
                **{f"rejects_for_{goal:g}": curve.needed_for(goal) for goal in REJECT_GOALS},
                "what": arm.what,
                **({} if ordinary is None else self._against(arm, ordinary)),
            })  # fmt: skip
        return out

    def _against(self, arm: Arm, ordinary: Arm) -> dict[str, Any]:
        """What other weights gain (less than 0) or lose on the same chips."""
        labels = self.digits.labels
        moved = statistics.difference_of_chips(ordinary.wrong_cn(labels), arm.wrong_cn(labels))
        return {"ordinary": ordinary.name, "points_against_ordinary": 100 * moved.share,
                "points_low": 100 * moved.low, "points_high": 100 * moved.high,
                "p_value_against_ordinary": self.paired(arm, ordinary).p_value}  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The whole of it as one object."""
        schedule = self.program.report or {}
        return {
            "network": self.network.name,
            "data": self.digits.name,
            "data_sha256": self.digits.sha256,
            "images": len(self.digits),
            "chips": max(arm.chips for arm in self.arms),
            "seed": self.chip_seed,
            "chip_seed": self.chip_seed,
            "noise_seed": self.noise_seed,
            "float_error": self.error(self.reference).share,
            "arms": self.rows(),
            "ledger": [] if self.ledger is None else self.ledger.rows(),
            "layers": list(self.layers),
            "ledger_images": None if self.ledger is None else self.ledger.images,
            "ledger_chips": None if self.ledger is None else self.ledger.chips,
            "cycles_per_image": schedule.get("cycles_per_image"),
            "chip_us_per_image": schedule.get("chip_us_per_image"),
            "board_images_per_s": schedule.get("board_images_per_s"),
            "host_connections": schedule.get("host_connections"),
            "chip_connections": schedule.get("chip_connections"),
            "program_sha256": self.program.digest,
        }

    def table(self) -> str:
        """The table that a person reads."""
        from sim.report.text import comparison_text

        return comparison_text(self)

    def plot(self) -> "Figure":
        """A figure of matplotlib: the error of each arm with its interval, a dot for every chip."""
        from sim.report.plots import errors

        figure: Figure = errors(self)
        return figure

    def _repr_html_(self) -> str:
        from sim.report.text import comparison_text

        return f"<pre>{comparison_text(self)}</pre>"

    def __repr__(self) -> str:
        errors = ", ".join(f"{arm.name} {100 * self.error(arm).share:.2f} %" for arm in self.arms)
        return f"Comparison({self.network.name} on {self.digits.name}, {len(self.digits)} pictures: {errors})"


@renamed(calibrate_chips="trimmed", seed=("chip_seed", "noise_seed"))
def compare(
    network: Network,
    program: Program,
    images: NDArray[Any] | LabelledImages,
    labels: NDArray[Any] | None = None,
    *,
    chips: int = 8,
    analogs: str | Analog | Sequence[Kind] = "typical",
    trimmed: bool = False,
    chip_seed: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
    quantised: QuantGraph | None = None,
    chip_trained: ChipTrained | None = None,
    watch: Callable[[str], None] | None = None,
) -> Comparison:
    """Run a network and its program on the same pictures: in float, on the ideal chip, and on drawn chips.

    `analogs` are kinds of chips: presets by name, `Analog` records, or (name, record) to call them otherwise.
    Chip k of each kind has seed `chip_seed` + k; all of them meet the same noise seed `noise_seed`. Images that a program was
    fitted to are refused. With `trimmed`, each drawn chip is also measured and given a program of its own.
    `quantised`, what the program was made from, adds its plain integer arithmetic; `chip_trained` adds other weights on
    all the chips.
    """
    if not isinstance(network, Network) or not isinstance(program, Program):
        raise DataError(f"compare takes a network and its program, not {type(network).__name__} and {type(program).__name__}")
    digits = as_labelled(images, labels)
    chips = checked_integer("chips", chips, 1)
    chip_seed, noise_seed = checked_integer("chip_seed", chip_seed), checked_integer("noise_seed", noise_seed)
    for one in [program] if chip_trained is None else [program, chip_trained.program]:
        expect_apart(digits.images, one.calibrated_on)
    kinds = kinds_of(analogs)
    say, threads = watch or (lambda _: None), worker_count(threads)
    say("float")
    arms = [float_arm(network, digits)]
    if quantised is not None:
        say("quantised graph")
        arms.append(quantised_arm(program, quantised, digits, threads))
    for name, analog in [("ideal chip", Analog.ideal()), *kinds]:
        say(name)
        seeds = range(chip_seed, chip_seed + chips)
        what = "no imperfections" if analog.is_ideal else f"chips {chip_seed} to {seeds[-1]}, noise seed {noise_seed}"
        arms.append(chip_arm(name, what, program, digits, analog, seeds, noise_seed, threads))
        if trimmed and not analog.is_ideal:
            say(f"{name}, trimmed")
            arms.append(trimmed_arm(arms[-1], program, digits, noise_seed, threads))
    for arm in [one for one in arms if one.analog is not None and one.program == "own" and chip_trained is not None]:
        assert chip_trained is not None
        say(f"{arm.name}, chip-trained")
        arms.append(chip_trained_arm(arm, chip_trained, digits, noise_seed, threads))
    say("layers")
    layers = layer_rows(network, program, digits, _first_chips(arms), noise_seed)
    return Comparison(network, program, digits, chip_seed, noise_seed, tuple(arms), layers=tuple(layers))


def _first_chips(arms: Sequence[Arm]) -> dict[str, Chip]:
    """The first chip of each kind that runs the comparison's own program."""
    kinds = [arm for arm in arms if arm.analog is not None and arm.program == "own"]
    return {arm.name: Chip(seed=arm.seeds[0], analog=arm.analog) if arm.seeds else Chip() for arm in kinds}
