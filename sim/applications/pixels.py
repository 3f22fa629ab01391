"""How many pixels of black and white images an application gets wrong, in floats and on chips, and the time of an image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.board.times import Times
from sim.base.columns import Column, View, terminal_lines, values
from sim.base.statistics import Interval, error_of_chips, interval_of_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Images = NDArray[np.bool_]  # (images, rows, columns), black


@dataclass(frozen=True, eq=False)
class PixelArm:
    """What one arm makes of the images: the share of each image's pixels that are wrong, for each of its chips."""

    name: str
    wrong_cn: NDArray[np.float64]
    against: "PixelArm | None" = None  # floats; None for floats themselves, and for images as they came

    @classmethod
    def of(cls, name: str, found_cnyx: NDArray[np.bool_], right: Images, against: "PixelArm | None" = None) -> "PixelArm":
        """Counted from what its chips gave."""
        return cls(name, (found_cnyx != right).mean(axis=(2, 3)), against)

    @property
    def chips(self) -> int:
        """How many."""
        return len(self.wrong_cn)

    @property
    def wrong(self) -> Interval:
        """The share of pixels that are wrong, over images and chips."""
        found = interval_of_mean(self.wrong_cn)
        return Interval(found.share, max(0.0, found.low), found.high)

    @property
    def more(self) -> Interval | None:
        """How many more than in floats, on the same images, as a share."""
        return None if self.against is None else interval_of_mean(self.wrong_cn - self.against.wrong_cn)

    @property
    def worst(self) -> float:
        """That of the worst chip."""
        return float(self.wrong_cn.mean(axis=1).max())

    @property
    def flawless(self) -> Interval:
        """The share of images without a wrong pixel, over images and chips."""
        flawed = error_of_chips(self.wrong_cn > 0)
        return Interval(1 - flawed.share, 1 - flawed.high, 1 - flawed.low)


def _wrong(arm: PixelArm) -> str:
    """Without an interval where nothing is wrong: what that says of other images is told by the share of flawless ones."""
    found = arm.wrong
    return f"{100 * found.share:.3f} % ({100 * found.low:.3f} to {100 * found.high:.3f})" if found.share else "none"


def _more(arm: PixelArm) -> str:
    found = arm.more
    if found is None:
        return ""
    return f"{100 * found.share:+.3f} ({100 * found.low:+.3f} to {100 * found.high:+.3f})" if found.share else "none"


def _flawless(arm: PixelArm) -> str:
    found = arm.flawless
    return f"{100 * found.share:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})"


COLUMNS: tuple[Column[PixelArm], ...] = (
    Column("arm", "", "which chips, or floats", lambda arm: arm.name, terminal=View("", lambda arm: arm.name, left=True)),
    Column("chips", "", "how many chips", lambda arm: arm.chips, terminal=View("chips", lambda arm: str(arm.chips))),
    Column("wrong", "share", "pixels that are wrong", lambda arm: vars(arm.wrong),
           terminal=View("wrong pixels", _wrong)),
    Column("more", "share", "how many more than in floats", lambda arm: None if arm.more is None else vars(arm.more),
           terminal=View("more than floats", _more)),
    Column("worst_chip", "share", "the same of the worst chip", lambda arm: arm.worst,
           terminal=View("worst chip", lambda arm: f"{100 * arm.worst:.3f} %")),
    Column("flawless", "share", "images without a wrong pixel", lambda arm: vars(arm.flawless),
           terminal=View("flawless images", _flawless)),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pixels:
    """Which pixels each arm of an application gets wrong, and the time of an image."""

    application: str
    images: int
    shape: tuple[int, int]
    arms: tuple[PixelArm, ...]
    times: Times
    draw: Callable[[], Any]

    @property
    def pixels_per_s(self) -> float:
        """Of the machine in steady state."""
        return self.shape[0] * self.shape[1] * self.times.images_per_s

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "application": self.application, "images": self.images, "machine": self.times.machine.name,
            "chip_us_per_image": self.times.chip_us, "pixels_per_s": self.pixels_per_s,
            "arms": [values(COLUMNS, arm) for arm in self.arms],
        }  # fmt: skip

    def table(self) -> str:
        """A line for each arm, and the time."""
        return "\n".join([
            f"{self.application.replace('-', ' ')}, {self.images:,} images of {self.shape[0]} x {self.shape[1]} pixels", "",
            *terminal_lines(COLUMNS, self.arms), "",
            f"time of an image on machine {self.times.machine.name}: {self.times.chip_us / 1e3:.2f} ms, "
            f"{self.pixels_per_s / 1e6:.3g} M pixels/s",
        ])  # fmt: skip

    def plot(self) -> "Figure":
        """A matplotlib figure: some images as they came, as they should be, and as floats and chips leave them."""
        figure: Figure = self.draw()
        return figure

    def __repr__(self) -> str:
        arms = ", ".join(f"{arm.name} {100 * arm.wrong.share:.3f} % wrong" for arm in self.arms)
        return f"Pixels({self.application}: {arms})"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"
