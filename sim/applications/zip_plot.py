"""The figure of the ZIP reader: drawn from what was read, it runs nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.datasets.strings import Strings
from sim.applications.zip_arm import ZipArm, tight
from sim.base.statistics import Interval
from sim.report.colours import COLOURS, INK
from sim.report.figure import themed

STEP, HALF = 4, 16  # pixels from place to place, and from a place's border to its middle
STRONG = 8.0  # log-odds at the ends of the colours
MARKS, ABOVE = -0.7, (-3.0, -12.5)  # where the path's digits and the string stand above the scores, in rows of these
SEEN = 0.01  # share of strings from which an arm has bars


def figure(strings: Strings, arms: Sequence[ZipArm]) -> Any:
    """A string over the scores of its columns, with the path, in floats and on a chip; and the shares that each arm reads."""
    slid = [arm for arm in arms if arm.scores_ndx is not None]
    floats, *on_chips = [arm for arm in slid if arm is slid[0] or arm.floats is not None]
    chip = on_chips[:2][-1]  # the first that is drawn, or else the ideal one
    one = chosen(strings, floats, chip)
    drawn_arms = [arm for arm in arms if arm.strings_read().share >= SEEN]
    with themed(8.4, 6.2, columns=2, rows=2) as (drawn, ((left, right), (whole, single))):
        for axes, arm in ((left, floats), (right, chip)):
            _scores(axes, arm, strings, one)
        kinds = {name: mine for name, mine in tight(strings).items() if mine.any()}
        _shares(whole, drawn_arms, kinds, "strings read, %", [arm.strings_read for arm in drawn_arms])
        _shares(single, drawn_arms, kinds, "digits read, %", [arm.digits_read for arm in drawn_arms])
        handles, names = whole.get_legend_handles_labels()
        drawn.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8)
    return drawn


def chosen(strings: Strings, floats: ZipArm, chip: ZipArm) -> int:
    """The string to draw: the tightest of those that floats and the chip read and cutting does not, else the first."""
    good = ~floats.misread_cn[0] & ~chip.misread_cn[0]
    if floats.cut is not None:
        good &= floats.cut.misread_cn[0]
    tightness = np.where(good, strings.gaps_nk.sum(axis=1), 10**6)
    return int(tightness.argmin())


def _scores(axes: Any, arm: ZipArm, strings: Strings, one: int) -> None:
    assert arm.scores_ndx is not None and arm.columns_nk is not None
    image, found, middles = strings.images_nyx[one], arm.scores_ndx[one], HALF + STEP * arm.columns_nk[one]
    columns = image.shape[1]
    extent = (HALF - STEP / 2, HALF + STEP * found.shape[1] - STEP / 2, 9.5, -0.5)
    axes.imshow(found, cmap="RdBu_r", vmin=-STRONG, vmax=STRONG, aspect="auto", interpolation="nearest", extent=extent)
    axes.imshow(255 - image, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="nearest", extent=(0, columns, *ABOVE))
    axes.plot(middles, arm.read_cnk[0, one], "o-", color=INK, markersize=5, linewidth=1, fillstyle="none")
    for middle, label in zip(middles.tolist(), arm.read_cnk[0, one].tolist(), strict=True):
        axes.plot([middle, middle], [MARKS, MARKS - 0.6], color=COLOURS[3], linewidth=1.2)
        axes.text(middle, MARKS - 0.8, str(label), color=COLOURS[3], ha="center", va="bottom", fontsize=8)
    axes.set_xlim(0, columns)
    axes.set_ylim(9.5, ABOVE[1])
    axes.set_yticks(range(10))
    axes.set_xlabel("middle of the window, pixels")
    axes.set_ylabel("digit", y=0.25)
    what = arm.name if arm.chips == 1 else f"first of the {arm.name}"
    axes.set_title(f"{''.join(map(str, strings.labels_nk[one].tolist()))}, {what}")


def _shares(
    axes: Any, arms: Sequence[ZipArm], kinds: dict[str, NDArray[np.bool_]], what: str,
    shares: Sequence[Callable[[NDArray[np.bool_]], Interval]],
) -> None:  # fmt: skip
    high = 0.8 / len(arms)
    for place, (arm, read) in enumerate(zip(arms, shares, strict=True)):
        found = [read(mine) for mine in kinds.values()]
        y = np.arange(len(kinds)) + (place - (len(arms) - 1) / 2) * high
        share = np.array([100 * each.share for each in found])
        ends = np.abs(np.array([[100 * each.low, 100 * each.high] for each in found]).T - share)
        axes.barh(y, share, 0.85 * high, xerr=ends, color=COLOURS[place % len(COLOURS)], label=arm.name,
                  error_kw={"linewidth": 0.8, "ecolor": INK})  # fmt: skip
    axes.set_yticks(range(len(kinds)), [f"{name}\n({mine.sum():,})" for name, mine in kinds.items()])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_title(what)
