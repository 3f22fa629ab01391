"""Images with their labels, identified by a digest; digits are validated when they are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError

Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]  # images (n, rows, columns) and their labels


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with one label each, under a name: published digits or a user's own."""

    name: str
    images: npt.NDArray[Any]
    labels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"LabelledImages({self.name}: {len(self)} images)"

    @property
    def digest(self) -> str:
        """SHA-256 of shape, images and labels in order, as training records store it."""
        state = hashlib.sha256(repr(self.images.shape).encode())
        state.update(np.ascontiguousarray(self.images).tobytes())
        state.update(np.ascontiguousarray(self.labels).tobytes())
        return state.hexdigest()

    @property
    def sha256(self) -> str:
        """SHA-256 of images and labels, as sweeps and reports store it."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()

    def picked(self, name: str, index: npt.NDArray[Any]) -> LabelledImages:
        """A selection under its own name; read-only."""
        return LabelledImages(name, _frozen(self.images[index]), _frozen(self.labels[index]))

    def first(self, count: int | None) -> LabelledImages:
        """The first `count`, taking the first of each class in turn, so that every class has its share."""
        if count is None or count == len(self):
            return self
        if not 1 <= count <= len(self):
            raise DataError(f"{count} digits requested, but {self.name} has {len(self)}")
        return self.picked(f"{self.name} (of {len(self):,})", first_of_each_class(self.labels, count))


def first_of_each_class(labels: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Indices of `count` images: the first of each class, then the second of each, and so on."""
    rank = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        mine = labels == label
        rank[mine] = np.arange(int(mine.sum()))
    return np.sort(np.lexsort((labels, rank))[:count])


def grey_digits(name: str, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> LabelledImages:
    """Images (n, rows, columns) of uint8, 0 paper and 255 ink, and labels 0 to 9: validated and made read-only."""
    if images.dtype != np.uint8 or images.ndim != 3:
        raise DataError(
            f"{name}: images are {images.dtype} of shape {images.shape}; expected uint8 of shape (n, rows, columns)"
        )
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise DataError(f"{name}: labels are {labels.dtype} of shape {labels.shape}; expected uint8 of shape ({len(images)},)")
    if len(labels) and labels.max() > 9:
        raise DataError(f"{name}: a label is {int(labels.max())}; expected 0 to 9")
    return LabelledImages(name, _frozen(images), _frozen(labels))


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array


def image_hashes(images: npt.NDArray[np.uint8]) -> list[bytes]:
    """SHA-256 of every image, to find the same image in another set."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest() for image in images]


def content_digest(pair: Pair) -> str:
    """SHA-256 over the sorted hashes of labelled images: the same for the same images in any order."""
    labelled = zip(*pair, strict=True)
    ones = sorted(hashlib.sha256(bytes([label]) + image.tobytes()).digest() for image, label in labelled)
    return hashlib.sha256(b"".join(ones)).hexdigest()
