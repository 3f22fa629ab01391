"""Reading ZIP codes without cutting them: the recogniser at 31 x 6 places of a string, and the best path over columns.

Published (paper 3): the recogniser at 31 x 6 places, about 2 million connections, used to segment ZIP codes; it must be trained
to reject partial characters. Assumed (A): everything else, and the strings, since no ZIP codes are here (docs/zip-reader.md).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.board.operations import instructions
from anna.board.times import Times
from anna.chip.machines import Machine, machine_named
from anna.compiler import compile
from anna.machine.chip import Chip, run_chips
from anna.network.forward import forward
from anna.network.graph import Graph
from anna.program.file import Program
from lenet.datasets.digits import calibration, holdout
from lenet.datasets.labelled import LabelledImages, Pair, grey_digits
from lenet.datasets.registry import MNIST
from lenet.datasets.strings import Strings, Writing, strings
from lenet.networks.applications import segmenter
from lenet.networks.catalogue import load
from sim.applications import zip_plot
from sim.applications.application import CHIPS, MACHINE, Conditions, Watch, silent
from sim.applications.best_path import Spacing, best_path, log_sum, of_columns
from sim.applications.cutting import Cutting, framed, pieces_of
from sim.applications.zip_arm import COLUMNS, ZipArm, by_tightness
from sim.base.columns import terminal_lines, values
from sim.comparison.arms import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WEIGHTS = "recognizer-mnist-seed1-reject"
FOR_CHIP = "recognizer-mnist-seed1-reject-chip"  # the same, trained further for typical chips
ORDINARY = "recognizer-mnist-seed1"  # never trained to reject
WRITING, SPACING, CUTTING = Writing(), Spacing(), Cutting()
CALIBRATED, MEASURED = 1, 2  # seeds of strings: for ranges, from digits for calibration; for results
STRINGS_FOR_RANGES = 100
TIMED = ("board-1991", "sequencer")  # machines whose time is told beside that of the machine asked for


@dataclass(frozen=True, eq=False)
class ZipReading:
    """What each arm read of the same strings, and the time of one."""

    strings: Strings
    arms: tuple[ZipArm, ...]
    times: tuple[Times, ...]  # on the machine asked for, then on the others

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        found = self.strings
        return {
            "application": "zip", "strings": len(found), "digits": found.labels_nk.shape[1],
            "touching_share": float(found.touching_nk.mean()), "gaps": found.gaps_nk.tolist(),
            "times": [
                {"machine": one.machine.name, "chip_us": one.chip_us, "host_us": one.host_us, "board_us": one.latency_us}
                for one in self.times
            ],
            "arms": [values(COLUMNS, arm) for arm in self.arms],
            "labels": found.labels_nk.tolist(), "read": {arm.name: arm.read_cnk.tolist() for arm in self.arms},
        }  # fmt: skip

    def table(self) -> str:
        """A line for each arm, the same by how tight strings are, and the time."""
        found, gaps = self.strings, self.strings.gaps_nk
        return "\n".join([
            f"{found.name}: {found.labels_nk.shape[1]} digits each, gaps {gaps.min()} to {gaps.max()} pixels, "
            f"{100 * found.touching_nk.mean():.0f} % of neighbours touch", "",
            *terminal_lines(COLUMNS, self.arms), "", "strings read, by the smallest gap:", "",
            *terminal_lines(by_tightness(found, ZipArm.strings_read), self.arms), "", "digits read, by the same:", "",
            *terminal_lines(by_tightness(found, ZipArm.digits_read), self.arms), "",
            *(f"time of a ZIP code on machine {one.machine.name}: {_milliseconds(one)}" for one in self.times),
        ])  # fmt: skip

    def plot(self) -> "Figure":
        """A matplotlib figure: one string with its scores over position and the path, and the shares read."""
        figure: Figure = zip_plot.figure(self.strings, self.arms)
        return figure

    def __repr__(self) -> str:
        return f"ZipReading({', '.join(f'{arm.name} {100 * arm.strings_read().share:.0f} %' for arm in self.arms)})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def read_zip(
    count: int = 1000,
    *,
    digits: Pair | None = None,
    chips: int = CHIPS,
    analog: str | Analog | Sequence[Kind] = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    machine: str | Machine = MACHINE,
    threads: int | None = None,
    watch: Watch = silent,
) -> ZipReading:
    """Reads so many strings of five digits in floats, on the ideal chip and on drawn chips, and by cutting them.

    `digits` are images and labels to make the strings of, 28 x 28 as MNIST's: `lenet.digits("mnist", "test")`; by default the
    built-in ones for results.
    """
    asked = Conditions(chips, analog, chip_seed, noise_seed, machine, threads)
    single = holdout() if digits is None else _of_mnist(grey_digits("the digits given", *map(np.array, digits)))
    shown = strings(single, MNIST, checked_integer("count", count, 2), WRITING, (MEASURED,))
    trained, for_chip, ordinary = (_graph(name) for name in (WEIGHTS, FOR_CHIP, ORDINARY))
    network = segmenter(trained)
    watch("compile")
    programs = {one: _compiled(network, one) for one in _machines(asked.on)}
    chip_trained = _compiled(segmenter(for_chip), asked.on, round="nearest")  # as in training
    watch("cut")
    cut = (ZipArm("cut, ordinary weights", _cut(shown, ordinary)[None], shown),
           ZipArm("cut, weights that reject", _cut(shown, trained)[None], shown))  # fmt: skip
    best = max(cut, key=lambda arm: arm.strings_read().share)
    watch("read in floats")
    floats = _arm("float", [forward(network, shown.images_nyx).scores], shown, None, best)
    odds = _odds(forward(segmenter(ordinary), shown.images_nyx).scores)
    arms = [floats]
    for name, some in asked.arms():
        watch(f"run {name}")
        arms.append(_arm(name, _scores(asked, programs[asked.on], some, shown), shown, floats, best))
        if name != "ideal chip":
            arms.append(_arm(f"{name}, chip-trained", _scores(asked, chip_trained, some, shown), shown, floats, best))
    arms.append(_arm("float, never trained to reject", [odds], shown, None, best))
    return ZipReading(shown, (*arms, *cut), tuple(_times(one, program, network) for one, program in programs.items()))


def _times(machine: Machine, program: Program, network: Graph) -> Times:
    report = program.report or {}
    host = int(report["host_multiply_adds"]) + _path_instructions(network)
    return Times(machine, float(report["cycles_per_image"]), host)


def _of_mnist(digits: LabelledImages) -> LabelledImages:
    if digits.images.shape[1:] != MNIST.shape:
        raise DataError(
            f"{digits.name}: images of {digits.images.shape[1:]} pixels; expected {MNIST.shape}, as the weights know them"
        )
    return digits


def _machines(first: Machine) -> list[Machine]:
    return [first, *(machine_named(name) for name in TIMED if name != first.name)]


def _graph(name: str) -> Graph:
    found = load(name)
    assert isinstance(found, Graph)
    return found


def _compiled(network: Graph, machine: Machine, **options: Any) -> Program:
    for_ranges = strings(calibration(), MNIST, STRINGS_FOR_RANGES, WRITING, (CALIBRATED,))
    return compile(network, for_ranges.images_nyx, machine=machine, **options)


def _scores(asked: Conditions, program: Program, some: Sequence[Chip], shown: Strings) -> Iterator[NDArray[Any]]:
    for result in run_chips(some, program, shown.images_nyx, noise_seed=asked.noise_seed, threads=asked.threads):
        yield result.scores


def _arm(
    name: str, scores: Sequence[NDArray[Any]] | Iterator[NDArray[Any]], shown: Strings, floats: ZipArm | None, cut: ZipArm
) -> ZipArm:
    """What the best paths through the scores of each chip read."""
    columns = [of_columns(one) for one in scores]
    paths = [best_path(one, shown.labels_nk.shape[1], SPACING) for one in columns]
    read = np.stack([path.labels_nk for path in paths])
    return ZipArm(name, read, shown, paths[0].columns_nk, columns[0], floats, cut)


def _odds(scores_ndyx: NDArray[Any]) -> NDArray[np.float64]:
    """Log-odds of each class against all others, for scores that know no "none"."""
    scores = scores_ndyx.astype(np.float64)
    return np.stack([scores[:, k] - log_sum(np.delete(scores, k, axis=1), 1) for k in range(scores.shape[1])], axis=1)


def _cut(shown: Strings, graph: Graph) -> NDArray[np.int64]:
    """What the recogniser reads of characters that were cut."""
    count = shown.labels_nk.shape[1]
    frames = [framed(image, ink, CUTTING) for image in shown.images_nyx for ink in pieces_of(image, count, CUTTING)]
    return np.asarray(forward(graph, np.array(frames)).labels, np.int64).reshape(-1, count)


def _path_instructions(network: Graph) -> int:
    """What the path takes on the host: odds of places added by column, classes compared, then steps compared."""
    classes, rows, columns = network.output_shape
    places, steps = classes * rows * columns, SPACING.farthest - SPACING.nearest + 1
    compared = classes * columns + (WRITING.digits - 1) * steps * columns
    return instructions({"exp": places, "multiply_add": places, "log": classes * columns, "compare": places + compared})


def _milliseconds(one: Times) -> str:
    host = "" if one.host_us is None else f", host {one.host_us / 1e3:.1f} ms"
    both = "" if one.latency_us is None else f", both {one.latency_us / 1e3:.1f} ms"
    return f"chip {one.chip_us / 1e3:.1f} ms{host}{both}"
