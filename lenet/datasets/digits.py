"""Digits with their labels, checked and hashed: the built-in hold-out, MNIST and the 1989 USPS digits from a folder.

Who may see what: training sees MNIST's training set without the 5,000 built-in digits (55,000 remain),
or the 7,291 USPS training digits. Calibration sees 50 built-in digits a class, results by default the other 450.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError
from lenet.datasets.idx import decode_idx, read_idx, unpacked
from lenet.datasets.usps import read_usps

Part = Literal["train", "test"]
BUILT_IN = Path(__file__).parent / "holdout"
CALIBRATION_PER_CLASS = 50  # of the 500 built-in digits a class
MNIST_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
SIZES = {("mnist", "train"): 60_000, ("mnist", "test"): 10_000, ("usps", "train"): 7_291, ("usps", "test"): 2_007}


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures (n, rows, columns) of uint8, 0 paper and 255 ink, and their labels 0 to 9."""

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        check_digits(self.name, self.images, self.labels)
        self.images.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """SHA-256 of shape, pictures and labels in their order."""
        state = hashlib.sha256(repr(self.images.shape).encode())
        state.update(np.ascontiguousarray(self.images).tobytes())
        state.update(np.ascontiguousarray(self.labels).tobytes())
        return state.hexdigest()

    def picked(self, name: str, index: npt.NDArray[Any]) -> Digits:
        """Some of the digits, under a name of their own."""
        return Digits(name, self.images[index], self.labels[index])


def check_digits(name: str, images: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
    """Refuse what is not a stack of uint8 pictures with one label 0 to 9 each."""
    if images.dtype != np.uint8 or images.ndim != 3:
        raise DataError(
            f"{name}: pictures are {images.dtype} of shape {images.shape}; expected uint8 of shape (n, rows, columns)"
        )
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise DataError(f"{name}: labels are {labels.dtype} of shape {labels.shape}; expected uint8 of shape ({len(images)},)")
    if len(labels) and labels.max() > 9:
        raise DataError(f"{name}: a label is {int(labels.max())}; expected 0 to 9")


def picture_hashes(images: npt.NDArray[np.uint8]) -> list[bytes]:
    """SHA-256 of every picture, by which the same digit is found again in another set."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest() for image in images]


def built_in() -> Digits:
    """All 5,000 built-in digits: the first 500 of each class of MNIST's training set, the classes taking turns."""
    images = read_idx(BUILT_IN / "holdout-images-idx3-ubyte.gz")
    labels = read_idx(BUILT_IN / "holdout-labels-idx1-ubyte.gz")
    return Digits("built-in digits", images, labels)


def calibration() -> Digits:
    """The first 50 built-in digits of each class: for calibration only."""
    return built_in().picked("calibration", np.arange(CALIBRATION_PER_CLASS * 10))


def holdout() -> Digits:
    """The other 450 of each class: for results."""
    return built_in().picked("holdout", np.arange(CALIBRATION_PER_CLASS * 10, 5000))


def usps_calibration(data: str = "usps", folder: Path | str | None = None) -> Digits:
    """The first 50 training digits of each class of the USPS set, the classes taking turns."""
    if data != "usps":
        raise DataError(f"data set {data!r} is not known; expected mnist or usps")
    whole = digits("usps", "train", folder)
    first = [np.flatnonzero(whole.labels == label)[:CALIBRATION_PER_CLASS] for label in range(10)]
    return whole.picked("usps calibration", np.stack(first, axis=1).ravel())


def data_folder(folder: Path | str | None = None) -> Path:
    """The folder that holds `mnist` and `usps`: the one given, else the one that ANNA_DATA names."""
    chosen = folder if folder is not None else os.environ.get("ANNA_DATA")
    if not chosen:
        raise DataError("no data folder is known; set ANNA_DATA to the one that holds mnist and usps, or give it as folder")
    path = Path(chosen)
    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; expected the data folder that holds mnist and usps")
    return path


def _idx_file(folder: Path, stem: str) -> npt.NDArray[np.uint8]:
    for name in (stem, f"{stem}.gz"):
        if (folder / name).is_file():
            return decode_idx(unpacked(folder / name), str(folder / name))
    raise DataError(f"{folder}: holds no {stem} and no {stem}.gz; fetch the data set first")


def digits(data: str, part: Part, folder: Path | str | None = None) -> Digits:
    """A whole set as published: `digits("mnist", "test")` are its 10,000."""
    if (data, part) not in SIZES:
        raise DataError(f"data set {data!r} part {part!r} is not known; expected mnist or usps, train or test")
    home = data_folder(folder) / data
    if data == "mnist":
        images, labels = (_idx_file(home, stem) for stem in MNIST_FILES[part])
    else:
        images, labels = read_usps(home, part)
    found = Digits(f"{data} {part}", images, labels)
    if len(found) != SIZES[data, part]:
        raise DataError(f"{home}: holds {len(found)} {part} digits; expected {SIZES[data, part]:,}")
    return found


def training_digits(data: str, folder: Path | str | None = None) -> Digits:
    """The digits that shipped weights may be trained on: never a built-in one."""
    whole = digits(data, "train", folder)
    if data != "mnist":
        return whole
    kept_back = set(picture_hashes(built_in().images))
    index = np.flatnonzero([digest not in kept_back for digest in picture_hashes(whole.images)])
    if len(index) != 55_000:
        raise DataError(f"mnist train: {len(whole) - len(index)} digits are built-in ones; expected 5,000")
    return whole.picked("mnist train without the built-in digits", index)
