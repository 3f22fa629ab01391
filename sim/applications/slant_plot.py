"""The figure of the slant of text blocks: drawn from what was found, it runs nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.applications.lettering import Blocks
from sim.applications.slant_arm import ALLOWED, SlantArm
from sim.applications.slant_fit import DIRECTIONS
from sim.report.figure import COLOURS, FAINT, INK, themed


def figure(blocks: Blocks, every: Sequence[SlantArm]) -> Any:
    """A block, the energies of its directions, and the slants found against the true ones: floats beside chips."""
    arms = (every[0], every[-1])
    slants = blocks.slants
    block = int(np.argmax(np.abs(slants) > 15))
    with themed(8.4, 5.2, columns=2, rows=2) as (drawn, ((page, power), (left, right))):
        page.imshow(255 - blocks.images[block], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        page.set_axis_off()
        page.set_title(f"a block, slanted by {slants[block]:+.1f} degrees")
        for place, arm in enumerate(arms):
            power.plot(DIRECTIONS, 100 * arm.energies_nk[block], "o-", color=COLOURS[place], markersize=3, linewidth=1.2,
                       label=f"{arm.name}: {arm.found_cn[0, block]:+.1f}")  # fmt: skip
        power.axvline(slants[block], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        power.set_xlabel("direction of the kernel, degrees from upright")
        power.set_title("energy by direction, %")
        power.legend(loc="upper left")
        for axes, arm, colour in zip((left, right), arms, COLOURS, strict=False):
            ends = np.array([slants.min() - 2, slants.max() + 2])
            axes.fill_between(ends, ends - ALLOWED, ends + ALLOWED, color=FAINT, alpha=0.6, linewidth=0)
            axes.plot(slants, arm.found_cn[0], ".", color=colour, markersize=4)
            axes.set_title(f"{arm.name}: {100 * arm.within.share:.0f} % within {ALLOWED:g} degrees")
            axes.set_xlabel("true slant, degrees")
            axes.set_ylabel("found")
            axes.set_aspect("equal")
    return drawn
