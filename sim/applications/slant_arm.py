"""What one arm found of the slants: within what is allowed or not, for each block and chip; and the columns of the table."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.base.columns import Column, View
from sim.base.statistics import Interval, difference_of_chips, error_of_chips

Floats = NDArray[np.float64]

ALLOWED = 2.0  # degrees that a found slant may be off


@dataclass(frozen=True, eq=False)
class SlantArm:
    """The slants that one arm found, for each of its chips."""

    name: str
    found_cn: Floats
    energies_nk: Floats  # of its first chip
    slants_n: Floats  # the true ones
    against: "SlantArm | None" = None  # floats; None for floats themselves

    @property
    def off_cn(self) -> NDArray[np.bool_]:
        """Which blocks are off by more than is allowed."""
        off: NDArray[np.bool_] = np.abs(self.found_cn - self.slants_n) > ALLOWED
        return off

    @property
    def chips(self) -> int:
        """How many."""
        return len(self.found_cn)

    @property
    def within(self) -> Interval:
        """The share of blocks whose slant is found, over blocks and chips."""
        off = error_of_chips(self.off_cn)
        return Interval(1 - off.share, 1 - off.high, 1 - off.low)

    @property
    def lost(self) -> Interval | None:
        """Blocks that floats find and these do not, as a share; None for floats themselves."""
        if self.against is None:
            return None
        return difference_of_chips(np.broadcast_to(self.against.off_cn, self.off_cn.shape), self.off_cn)

    @property
    def chips_within(self) -> tuple[float, float]:
        """The share of the worst chip and of the best."""
        shares = 1 - self.off_cn.mean(axis=1)
        return float(shares.min()), float(shares.max())

    @property
    def rms(self) -> float:
        """Root of the mean squared error, degrees."""
        return float(np.sqrt(((self.found_cn - self.slants_n) ** 2).mean()))


def _within(share: Interval) -> str:
    return f"{100 * share.share:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f})"


def _lost(arm: SlantArm) -> str:
    lost = arm.lost
    return "" if lost is None else f"{100 * lost.share:+.1f} ({100 * lost.low:+.1f} to {100 * lost.high:+.1f})"


COLUMNS: tuple[Column[SlantArm], ...] = (
    Column("arm", "", "which chips, or floats", lambda arm: arm.name, terminal=View("", lambda arm: arm.name, left=True)),
    Column("chips", "", "how many chips", lambda arm: arm.chips, terminal=View("chips", lambda arm: str(arm.chips))),
    Column("within", "share", "blocks whose slant is found to 2 degrees", lambda arm: vars(arm.within),
           terminal=View(f"within {ALLOWED:g} degrees", lambda arm: _within(arm.within))),
    Column("worst_and_best_chip", "share", "the same of the worst chip and of the best", lambda arm: list(arm.chips_within),
           terminal=View("worst to best", lambda arm: " to ".join(f"{100 * share:.1f}" for share in arm.chips_within))),
    Column("lost", "share", "blocks lost against floats", lambda arm: None if arm.lost is None else vars(arm.lost),
           terminal=View("points lost", _lost)),
    Column("rms_degrees", "degrees", "root of the mean squared error", lambda arm: arm.rms,
           terminal=View("rms, degrees", lambda arm: f"{arm.rms:.2f}")),
)  # fmt: skip
