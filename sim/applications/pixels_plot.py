"""Figures of black and white images side by side, wrong pixels in colour: drawn from what was found, they run nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.colours import COLOURS, FAINT
from sim.report.figure import themed

Shown = tuple[str, NDArray[np.bool_]]


def grid(columns: Sequence[Shown], right: NDArray[np.bool_] | None, marked: Sequence[int]) -> Any:
    """A column of images for each heading; in the `marked` columns, what differs from what is `right` is orange."""
    count, rows, wide = columns[0][1].shape
    across = 8.4 / len(columns)
    with themed(8.4, count * (across * rows / wide + 0.04) + 0.35, len(columns), count, squeeze=False) as (figure, axes):
        for place, (heading, images) in enumerate(columns):
            for line in range(count):
                one = axes[line][place]
                one.imshow(_coloured(images[line], right[line] if right is not None and place in marked else None),
                           interpolation="nearest")  # fmt: skip
                one.set_xticks([])
                one.set_yticks([])
                for side in one.spines.values():
                    side.set(visible=True, color=FAINT, linewidth=0.6)
            axes[0][place].set_title(heading, fontsize=8)
    return figure


def _coloured(black: NDArray[np.bool_], right: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    found = np.where(black[..., None], 0.1, 1.0) * np.ones(3)
    if right is not None:
        colour = COLOURS[3].lstrip("#")
        found[black != right] = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    return found
