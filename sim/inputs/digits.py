"""The digits on which results are shown, and those for calibration: matching the network, never overlapping."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.graph import Network
from anna.network.images import image_keys

Images = NDArray[Any]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Digits with a name."""

    name: str
    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"LabelledImages({self.name}: {len(self)} images)"

    @property
    def sha256(self) -> str:
        """What they are, to the bit."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()

    def first(self, count: int | None) -> "LabelledImages":
        """So many of them: the first of each class in turn, so that a part has all classes alike."""
        if count is None or count == len(self):
            return self
        if not 1 <= count <= len(self):
            raise DataError(f"{count} digits are asked for; {self.name} has {len(self)}")
        chosen = first_of_each_class(self.labels, count)
        return LabelledImages(f"{self.name} (of {len(self):,})", self.images[chosen], self.labels[chosen])


def as_labelled(images: Images | LabelledImages, labels: NDArray[Any] | None) -> LabelledImages:
    """Images and labels as a caller has them: two arrays, or both in one."""
    if isinstance(images, LabelledImages):
        return images
    if labels is None:
        raise DataError("labels are missing; expected one an image")
    images, labels = np.asarray(images), np.asarray(labels)
    if not images.size or not np.issubdtype(images.dtype, np.number):
        raise DataError("there are no images; expected at least one")
    if labels.shape != (len(images),):
        raise DataError(f"labels have shape {labels.shape}; expected ({len(images)},), one an image")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels are {labels.dtype}; expected whole numbers")
    return LabelledImages("given images", images, labels)


def first_of_each_class(labels: Labels, count: int) -> NDArray[np.int64]:
    """Where so many are: the first of each class, then the second of each, and so on."""
    rank = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        mine = labels == label
        rank[mine] = np.arange(int(mine.sum()))
    return np.sort(np.lexsort((labels, rank))[:count])


DATA = ("holdout", "mnist", "usps")


def labelled_images(data: str) -> LabelledImages:
    """`holdout`: the 4,500 built-in digits; `mnist`, `usps`: the published test sets, from the data folder."""
    import lenet

    if data == "holdout":
        return LabelledImages("built-in hold-out", *lenet.holdout())
    if data in ("mnist", "usps"):
        return LabelledImages(f"{data} test", *lenet.digits(data, "test"))
    raise DataError(f"data {data!r} is not known; expected {', '.join(DATA)}")


def for_network(network: Network, data: str | None) -> tuple[LabelledImages, tuple[Images, Labels]]:
    """Digits to show and to calibrate with, of the set that the network was trained on; others are refused."""
    import lenet

    if network.prepare is None:
        raise DataError(
            f"network {network.name} takes floats, prepared as in its training; the digits that are here are grey levels: show "
            "it images of your own"
        )
    trained = network.data or "mnist"
    chosen = data or ("holdout" if trained == "mnist" else trained)
    kind = "mnist" if chosen == "holdout" else chosen
    if network.data and kind != network.data:
        raise DataError(f"network {network.name} was trained on {network.data}; {chosen} would compare nothing")
    return labelled_images(chosen), lenet.calibration(trained)


def expect_apart(results: Images, calibration: NDArray[np.uint64] | None) -> None:
    """Refuse images that serve both calibration, which is told by their keys, and results."""
    both = 0 if calibration is None else int(np.isin(image_keys(results), calibration).sum())
    if both:
        raise DataError(f"{both} images serve both for calibration and for results; expected none")
