"""What one arm read of the strings, digit by digit, for each chip: shares read, all and by how tight strings are; the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet.datasets.strings import Strings
from sim.base.columns import Column, View
from sim.base.statistics import Interval, difference_of_chips, error_of_chips, interval_of_mean


def tight(strings: Strings) -> dict[str, NDArray[np.bool_]]:
    """Which strings are apart, which touch, which overlap: by their smallest gap."""
    smallest_n = strings.gaps_nk.min(axis=1)
    return {"apart": smallest_n > 0, "touching": smallest_n == 0, "overlapping": smallest_n < 0}


@dataclass(frozen=True, eq=False)
class ZipArm:
    """The labels that one arm read, for each of its chips, with the arms it is held against."""

    name: str
    read_cnk: NDArray[np.int64]
    strings: Strings
    columns_nk: NDArray[np.int64] | None = None  # of its first chip: the places where it saw the digits; None: cut
    scores_ndx: NDArray[np.float64] | None = None  # of its first chip's columns
    floats: "ZipArm | None" = None  # the same network in floats; None: these are floats
    cut: "ZipArm | None" = None  # the best arm that cuts; None: this one cuts

    @property
    def wrong_cnk(self) -> NDArray[np.bool_]:
        """Which digits are misread."""
        wrong: NDArray[np.bool_] = self.read_cnk != self.strings.labels_nk.astype(np.int64)
        return wrong

    @property
    def misread_cn(self) -> NDArray[np.bool_]:
        """Which strings are not read right from end to end."""
        return np.asarray(self.wrong_cnk.any(axis=2))

    @property
    def chips(self) -> int:
        """How many."""
        return len(self.read_cnk)

    def strings_read(self, which_n: NDArray[np.bool_] | None = None) -> Interval:
        """The share of strings read right, over strings and chips."""
        return _turned(error_of_chips(self.misread_cn if which_n is None else self.misread_cn[:, which_n]))

    def digits_read(self, which_n: NDArray[np.bool_] | None = None) -> Interval:
        """The share of digits read right; its interval is over strings and chips, since digits of a string go together."""
        share_cn = self.wrong_cnk.mean(axis=2)
        return _turned(interval_of_mean(share_cn if which_n is None else share_cn[:, which_n]))

    @property
    def chips_read(self) -> tuple[float, float]:
        """The share of strings that the worst chip reads, and the best."""
        shares = 1 - self.misread_cn.mean(axis=1)
        return float(shares.min()), float(shares.max())

    @property
    def lost(self) -> Interval | None:
        """Strings that floats read and these do not, less those the other way round, as a share."""
        return None if self.floats is None else _paired(self.floats, self)

    @property
    def gained(self) -> Interval | None:
        """Strings that these read and cutting does not, less those the other way round, as a share."""
        return None if self.cut is None else _paired(self, self.cut)


def _turned(share: Interval) -> Interval:
    return Interval(1 - share.share, 1 - share.high, 1 - share.low)


def _paired(first: ZipArm, second: ZipArm) -> Interval:
    chips = max(first.chips, second.chips)
    both = [np.broadcast_to(arm.misread_cn, (chips, len(arm.strings))) for arm in (first, second)]
    return difference_of_chips(*both)


def _points(moved: Interval | None) -> str:
    return "" if moved is None else f"{100 * moved.share:+.1f} ({100 * moved.low:+.1f} to {100 * moved.high:+.1f})"


def _told(share: Interval | None) -> dict[str, float] | None:
    return None if share is None else vars(share)


def _share(share: Interval) -> str:
    return f"{100 * share.share:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"


def _worst_to_best(arm: ZipArm) -> str:
    return "" if arm.chips == 1 else " to ".join(f"{100 * share:.1f}" for share in arm.chips_read)


def _kinds(arm: ZipArm) -> dict[str, Any]:
    return {
        name: {
            "strings": int(mine.sum()),
            "strings_read": vars(arm.strings_read(mine)),
            "digits_read": vars(arm.digits_read(mine)),
        }
        for name, mine in tight(arm.strings).items()
        if mine.any()
    }


COLUMNS: tuple[Column[ZipArm], ...] = (
    Column("arm", "", "which chips, floats, or cutting", lambda arm: arm.name,
           terminal=View("", lambda arm: arm.name, left=True)),
    Column("chips", "", "how many chips", lambda arm: arm.chips, terminal=View("chips", lambda arm: str(arm.chips))),
    Column("strings_read", "share", "strings read right from end to end", lambda arm: vars(arm.strings_read()),
           terminal=View("strings read", lambda arm: _share(arm.strings_read()))),
    Column("digits_read", "share", "digits read right", lambda arm: vars(arm.digits_read()),
           terminal=View("digits read", lambda arm: _share(arm.digits_read()))),
    Column("worst_and_best_chip", "share", "strings that the worst chip reads, and the best", lambda arm: list(arm.chips_read),
           terminal=View("worst to best", _worst_to_best)),
    Column("lost", "share", "strings lost against floats, paired", lambda arm: _told(arm.lost),
           terminal=View("points lost", lambda arm: _points(arm.lost))),
    Column("gained", "share", "strings gained against cutting, paired", lambda arm: _told(arm.gained),
           terminal=View("points above cutting", lambda arm: _points(arm.gained))),
    Column("by_tightness", "share", "the same of strings whose digits are apart, touch, overlap", _kinds),
)  # fmt: skip


def by_tightness(strings: Strings, read: Callable[[ZipArm, NDArray[np.bool_]], Interval]) -> tuple[Column[ZipArm], ...]:
    """A column of the share read for each kind of string."""

    def one(name: str, mine: NDArray[np.bool_]) -> Column[ZipArm]:
        view = View[ZipArm](f"{mine.sum():,} {name}", lambda arm: _share(read(arm, mine)))
        return Column(name, "share", "read right", lambda arm: vars(read(arm, mine)), terminal=view)

    return (COLUMNS[0], *(one(name, mine) for name, mine in tight(strings).items() if mine.any()))
