"""The slant of text blocks, by the convolver of the board of 1991: in floats, on the ideal chip and on drawn chips.

The fit (slant_fit.py) is made on other blocks than those that are measured: in floats, on the ideal chip, on a few other drawn
chips, and on each drawn chip. Those of the ideal chip and of other chips serve for every chip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anna.analog.parameters import Analog
from anna.base.integers import checked_integer
from anna.board.operations import instructions
from anna.board.times import Times
from anna.chip.machines import Machine
from anna.compiler import compilation
from anna.machine.chip import Chip
from anna.network.forward import forward
from lenet.networks.applications import KERNEL_SIZE, KERNELS
from sim.applications import slant_plot
from sim.applications.application import CHIPS, MACHINE, Conditions, Watch, silent
from sim.applications.lettering import Blocks, blocks
from sim.applications.slant_arm import ALLOWED, COLUMNS, SlantArm
from sim.applications.slant_fit import TEXT, Fit, Floats, convolver, energies
from sim.base.columns import terminal_lines, values
from sim.comparison.arms import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FITTED, MEASURED = 0, 3  # series of blocks; those of series 1 and 2 were for choosing what is assumed
BLOCKS_FITTED = 200
OTHERS = 4  # chips of each kind, none of those that are judged, for a fit that serves all of them


@dataclass(frozen=True, eq=False)
class Slant:
    """What slant each arm found in blocks of text, and the time of a block."""

    blocks: Blocks
    arms: tuple[SlantArm, ...]
    times: Times
    report: Mapping[str, Any]  # the compiler's

    @property
    def connections_per_s(self) -> float:
        """Multiply-adds of the convolver while the chip is at it, page loads included."""
        return float(self.report["chip_multiply_adds"] / self.times.chip_us * 1e6)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "application": "slant", "blocks": len(self.blocks.slants), "allowed_degrees": ALLOWED,
            "machine": self.times.machine.name,
            "chip_us_per_image": self.times.chip_us, "host_us_per_image": self.times.host_us,
            "board_us_per_image": self.times.latency_us, "connections_per_s": self.connections_per_s,
            "arms": [values(COLUMNS, arm) for arm in self.arms],
            "slants": self.blocks.slants.tolist(), "found": {arm.name: arm.found_cn.tolist() for arm in self.arms},
        }  # fmt: skip

    def table(self) -> str:
        """A line for each arm, and the time."""
        images, times = self.blocks.images, self.times
        host = "" if times.host_us is None else f", of the host {times.host_us / 1e3:.1f} ms"
        return "\n".join([
            f"slant of {len(images)} blocks of text, {images.shape[1]} x {images.shape[2]} pixels", "",
            *terminal_lines(COLUMNS, self.arms), "",
            f"time of a block on machine {times.machine.name}: of the chip {times.chip_us / 1e3:.1f} ms, "
            f"{self.connections_per_s / 1e6:.0f} M connections/s{host}",
        ])  # fmt: skip

    def plot(self) -> "Figure":
        """A matplotlib figure: a block, its energies by direction, and the slants found against the true ones."""
        figure: Figure = slant_plot.figure(self.blocks, self.arms)
        return figure

    def __repr__(self) -> str:
        return f"Slant({', '.join(f'{arm.name} {100 * arm.within.share:.0f} %' for arm in self.arms)})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def slant(
    count: int = 200,
    *,
    chips: int = CHIPS,
    analog: str | Analog | Sequence[Kind] = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    machine: str | Machine = MACHINE,
    threads: int | None = None,
    watch: Watch = silent,
) -> Slant:
    """The slant of so many blocks of text, in floats, on the ideal chip, and on drawn chips with its fit, with one made on
    other chips, and with their own."""
    asked = Conditions(chips, analog, chip_seed, noise_seed, machine, threads)
    count = checked_integer("count", count, 2)
    watch("draw blocks of text")
    fitted, measured = blocks(TEXT, BLOCKS_FITTED, FITTED), blocks(TEXT, count, MEASURED)
    watch("compile the convolver")
    network = convolver(TEXT)
    # Nobody reads the outputs as values, so they need no fit; the greatest must not be clipped.
    made = compilation(network, fitted.images, machine=asked.on, host="none", range_method="max", round="nearest", fit=False,
                       calibration_count=40, check_count=0).program  # fmt: skip
    assert made.report is not None
    before, after = (energies(forward(network, given.images, keep="all").outputs["lines"]) for given in (fitted, measured))
    floats = SlantArm("float", Fit.of(before, fitted.slants).slants(after)[None], after, measured.slants)
    arms, both = [floats], np.concatenate([fitted.images, measured.images])
    (_, (ideal,)), *drawn = asked.arms(spare=OTHERS)

    def run(name: str, some: Sequence[Chip]) -> Floats:
        watch(f"run {name}")
        return np.stack([energies(states) for states in asked.states(made, some, both)])

    def add(name: str, fits: Sequence[Fit], after_cnk: Floats) -> None:
        found = np.stack([fit.slants(one) for fit, one in zip(fits, after_cnk, strict=True)])
        arms.append(SlantArm(name, found, after_cnk[0], measured.slants, floats))

    energies_cnk = run("ideal chip", [ideal])
    ideal_fit = Fit.of(energies_cnk[0, :BLOCKS_FITTED], fitted.slants)
    add("ideal chip", [ideal_fit], energies_cnk[:, BLOCKS_FITTED:])
    for name, some in drawn:
        energies_cnk = run(name, some)
        before_cnk, after_cnk = energies_cnk[:, :BLOCKS_FITTED], energies_cnk[:chips, BLOCKS_FITTED:]
        others = Fit.of(np.concatenate(before_cnk[chips:]), np.tile(fitted.slants, OTHERS))
        add(f"{name}, ideal chip's fit", [ideal_fit] * chips, after_cnk)
        add(f"{name}, other chips' fit", [others] * chips, after_cnk)
        add(f"{name}, own fit", [Fit.of(one, fitted.slants) for one in before_cnk[:chips]], after_cnk)
    return Slant(measured, tuple(arms), _times(asked, made.report), made.report)


def _times(asked: Conditions, report: Mapping[str, Any]) -> Times:
    """The chip's, and the host's: it reads each output as a power, adds it up, and applies the fit."""
    outputs = int(report["chip_multiply_adds"]) // KERNEL_SIZE**2
    host = {"read": outputs, "multiply_add": outputs + 3 * KERNELS, "sqrt": KERNELS, "reciprocal": 1}
    return asked.times(float(report["cycles_per_image"]), instructions(host))
