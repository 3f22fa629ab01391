"""The digits on which results are shown, and those for calibration: matching the network, never overlapping."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.graph import Network
from anna.network.images import image_keys

Pictures = NDArray[Any]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Shown:
    """Digits with a name."""

    name: str
    images: Pictures
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Shown({self.name}: {len(self)} pictures)"

    @property
    def sha256(self) -> str:
        """What they are, to the bit."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()

    def first(self, count: int | None) -> "Shown":
        """So many of them: the first of each class in turn, so that a part has all classes alike."""
        if count is None or count == len(self):
            return self
        if not 1 <= count <= len(self):
            raise DataError(f"{count} digits are asked for; {self.name} has {len(self)}")
        chosen = first_of_each_class(self.labels, count)
        return Shown(f"{self.name} (of {len(self):,})", self.images[chosen], self.labels[chosen])


def as_shown(images: Pictures | Shown, labels: NDArray[Any] | None) -> Shown:
    """Pictures and labels as a caller has them: two arrays, or both in one."""
    if isinstance(images, Shown):
        return images
    if labels is None:
        raise DataError("labels are missing; expected one a picture")
    images, labels = np.asarray(images), np.asarray(labels)
    if not images.size or not np.issubdtype(images.dtype, np.number):
        raise DataError("there are no pictures; expected at least one")
    if labels.shape != (len(images),):
        raise DataError(f"labels have shape {labels.shape}; expected ({len(images)},), one a picture")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels are {labels.dtype}; expected whole numbers")
    return Shown("given pictures", images, labels)


def first_of_each_class(labels: Labels, count: int) -> NDArray[np.int64]:
    """Where so many are: the first of each class, then the second of each, and so on."""
    rank = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        mine = labels == label
        rank[mine] = np.arange(int(mine.sum()))
    return np.sort(np.lexsort((labels, rank))[:count])


DATA = ("holdout", "mnist", "usps")


def shown(data: str) -> Shown:
    """`holdout`: the 4,500 built-in digits; `mnist`, `usps`: the published test sets, from the data folder."""
    import lenet

    if data == "holdout":
        return Shown("built-in hold-out", *lenet.holdout())
    if data in ("mnist", "usps"):
        return Shown(f"{data} test", *lenet.digits(data, "test"))
    raise DataError(f"data {data!r} is not known; expected {', '.join(DATA)}")


def for_network(network: Network, data: str | None) -> tuple[Shown, tuple[Pictures, Labels]]:
    """Digits to show and to calibrate with, of the set that the network was trained on; others are refused."""
    import lenet

    if network.prepare is None:
        raise DataError(
            f"network {network.name} takes floats, prepared as in its training; the digits that are here are grey levels: show "
            "it pictures of your own"
        )
    trained = network.data or "mnist"
    chosen = data or ("holdout" if trained == "mnist" else trained)
    kind = "mnist" if chosen == "holdout" else chosen
    if network.data and kind != network.data:
        raise DataError(f"network {network.name} was trained on {network.data}; {chosen} would compare nothing")
    return shown(chosen), lenet.calibration(trained)


def expect_apart(results: Pictures, calibration: NDArray[np.uint64] | None) -> None:
    """Refuse pictures that serve both calibration, which is told by their keys, and results."""
    both = 0 if calibration is None else int(np.isin(image_keys(results), calibration).sum())
    if both:
        raise DataError(f"{both} pictures serve both for calibration and for results; expected none")
