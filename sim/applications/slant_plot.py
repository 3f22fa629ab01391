"""The figure of the slant of text blocks: drawn from what was found, it runs nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.applications.lettering import Blocks
from sim.applications.slant_arm import ALLOWED, SlantArm
from sim.applications.slant_fit import DIRECTIONS, kernels
from sim.report.colours import COLOURS, FAINT, INK
from sim.report.figure import themed

STEEP = 15.0  # degrees: the block in the figure is the first that leans more
ACROSS = 4  # kernels in a row
REACH = 6.0  # degrees of error that are shown


def figure(blocks: Blocks, every: Sequence[SlantArm]) -> Any:
    """A block, the kernels, the energies of its directions; and how far slants are off, of floats and of chips."""
    arms = list({arm.name: arm for arm in (every[0], *every[-3:])}.values())
    block = int(np.argmax(blocks.slants > STEEP))
    with themed(10.4, 5.2, columns=4, rows=2) as (drawn, (above, below)):
        page, (lines, power) = _joined(drawn, above[:2]), above[2:]
        _grey(page, blocks.images[block], 255)
        page.set_title(f"a block, slanted by {blocks.slants[block]:+.1f} degrees")
        _kernels(lines)
        for place, arm in enumerate((arms[0], arms[-1])):
            power.plot(DIRECTIONS, 100 * arm.energies_nk[block], "o-", color=COLOURS[place], markersize=3, linewidth=1.2,
                       label=f"{'chip' if place else 'float'}: {arm.found_cn[0, block]:+.1f}")  # fmt: skip
        power.axvline(blocks.slants[block], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="true")
        power.set_xlabel("direction of the kernel, degrees")
        power.set_title("energy by direction, %")
        power.legend(loc="upper left")
        for axes, arm, colour in zip(below, arms, COLOURS, strict=False):
            _errors(axes, arm, colour)
        below[0].set_ylabel("found less true, degrees")
        for axes in below[len(arms) :]:
            axes.set_visible(False)
    return drawn


def _joined(figure: Any, axes: Sequence[Any]) -> Any:
    """Axes in place of some that stand side by side."""
    first, last = (one.get_subplotspec() for one in (axes[0], axes[-1]))
    for one in axes:
        one.remove()
    return figure.add_subplot(first.get_gridspec()[first.rowspan.start, first.colspan.start : last.colspan.stop])


def _errors(axes: Any, arm: SlantArm, colour: str) -> None:
    """A dot for each block and chip; what lies beyond the ends is drawn at them."""
    off = np.clip(arm.found_cn - arm.slants_n, -REACH, REACH)
    axes.axhspan(-ALLOWED, ALLOWED, color=FAINT, alpha=0.6, linewidth=0)
    axes.plot(np.tile(arm.slants_n, arm.chips), off.ravel(), ".", color=colour, rasterized=arm.chips > 1,
              markersize=4 if arm.chips == 1 else 2, alpha=1 if arm.chips == 1 else 0.5)  # fmt: skip
    axes.set_ylim(-REACH * 1.05, REACH * 1.05)
    axes.set_yticks(np.arange(-REACH, REACH + 1, ALLOWED))
    name = arm.name.replace(", ", ",\n")
    axes.set_title(f"{name}\n{100 * arm.within.share:.1f} % within {ALLOWED:g} degrees", fontsize=8)
    axes.set_xlabel("true slant, degrees")


def _kernels(axes: Any) -> None:
    """All kernels side by side, dark where ink counts."""
    found = kernels()
    side, gap = found.shape[-1], 2
    rows = len(found) // ACROSS
    sheet = np.zeros((rows * (side + gap) - gap, ACROSS * (side + gap) - gap))
    for k, kernel in enumerate(found):
        top, left = (side + gap) * (k // ACROSS), (side + gap) * (k % ACROSS)
        sheet[top : top + side, left : left + side] = kernel
    most = float(np.abs(sheet).max())
    _grey(axes, sheet + most, 2 * most)
    axes.set_title(f"{len(found)} kernels of {side} x {side}")


def _grey(axes: Any, ink: Any, most: float) -> None:
    axes.imshow(most - ink, cmap="gray", vmin=0, vmax=most, interpolation="nearest")
    axes.set_axis_off()
