"""The figure of the ZIP reader: drawn from what was read, it runs nothing."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lenet.datasets.strings import Strings
from sim.applications.zip_arm import ZipArm, tight
from sim.report.figure import COLOURS, INK, themed

STEP, HALF = 4, 16  # pixels from place to place, and from a place's border to its middle


def figure(strings: Strings, arms: Sequence[ZipArm]) -> Any:
    """A string, the scores of its columns and the path, in floats and on a chip; and what share of strings each arm reads."""
    slid = [arm for arm in arms if arm.scores_ndx is not None]
    floats, chip = slid[0], next((arm for arm in reversed(slid) if arm.floats is not None), slid[0])
    one = chosen(strings, floats, chip)
    with themed(8.4, 6.4, columns=2, rows=2) as (drawn, ((page, scores), (shares, chip_scores))):
        columns, rows = strings.images_nyx.shape[2], strings.images_nyx.shape[1]
        page.imshow(255 - strings.images_nyx[one], cmap="gray", vmin=0, vmax=255, interpolation="nearest",
                    extent=(0, columns, rows, 0))  # fmt: skip
        page.set_xticks([])
        page.set_yticks([])
        code = "".join(map(str, strings.labels_nk[one].tolist()))
        page.set_title(f"{code}: gaps of {', '.join(map(str, strings.gaps_nk[one].tolist()))} pixels")
        for axes, arm in ((scores, floats), (chip_scores, chip)):
            _scores(axes, arm, one, columns)
        assert floats.columns_nk is not None
        for column, label in zip(floats.columns_nk[one].tolist(), floats.read_cnk[0, one].tolist(), strict=True):
            middle = HALF + STEP * column
            page.axvline(middle, ymin=0.0, ymax=0.12, color=COLOURS[3], linewidth=1.2)
            page.text(middle, rows - 7, str(label), color=COLOURS[3], ha="center", va="bottom", fontsize=8)
        _shares(shares, strings, arms)
    return drawn


def chosen(strings: Strings, floats: ZipArm, chip: ZipArm) -> int:
    """The string to draw: the tightest of those that floats and the chip read and cutting does not, else the first."""
    good = ~floats.misread_cn[0] & ~chip.misread_cn[0]
    if floats.cut is not None:
        good &= floats.cut.misread_cn[0]
    tightness = np.where(good, strings.gaps_nk.sum(axis=1), 10**6)
    return int(tightness.argmin())


def _scores(axes: Any, arm: ZipArm, one: int, columns: int) -> None:
    assert arm.scores_ndx is not None and arm.columns_nk is not None
    found = arm.scores_ndx[one]
    last = found.shape[1]
    extent = (HALF - STEP / 2, HALF + STEP * last - STEP / 2, 9.5, -0.5)
    axes.imshow(found, cmap="RdBu_r", vmin=-8, vmax=8, aspect="auto", interpolation="nearest", extent=extent)
    axes.plot(
        HALF + STEP * arm.columns_nk[one], arm.read_cnk[0, one], "o-", color=INK, markersize=5, linewidth=1, fillstyle="none"
    )
    axes.set_xlim(0, columns)
    axes.set_yticks(range(10))
    axes.set_xlabel("middle of the window, pixels")
    axes.set_ylabel("digit")
    axes.set_title(f"{_named(arm)}: log-odds against none (blue -8, red +8), and the path", fontsize=8)


def _shares(axes: Any, strings: Strings, arms: Sequence[ZipArm]) -> None:
    kinds = {name: mine for name, mine in tight(strings).items() if mine.any()}
    high = 0.8 / len(arms)
    for place, arm in enumerate(arms):
        found = [arm.strings_read(mine) for mine in kinds.values()]
        y = np.arange(len(kinds)) + (place - (len(arms) - 1) / 2) * high
        share = np.array([100 * each.share for each in found])
        ends = np.abs(np.array([[100 * each.low, 100 * each.high] for each in found]).T - share)
        axes.barh(y, share, 0.85 * high, xerr=ends, color=COLOURS[place % len(COLOURS)], label=arm.name,
                  error_kw={"linewidth": 0.8, "ecolor": INK})  # fmt: skip
    axes.set_yticks(range(len(kinds)), [f"{name}\n({mine.sum():,})" for name, mine in kinds.items()])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("strings read, %")
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def _named(arm: ZipArm) -> str:
    return arm.name if arm.chips == 1 else f"{arm.name}, the first"
