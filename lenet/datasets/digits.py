"""Digits with their labels, for training, calibration and results: built in, or read from the data folder.

Training uses a set's training part without its built-in digits (for MNIST, 55,000 of 60,000). Calibration uses 50 digits
per class, built-in ones if the set has any. Results by default use the other built-in digits (450 per class), or else the
test part.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError
from lenet.datasets import registry
from lenet.datasets.labelled import LabelledImages, grey_digits, image_hashes
from lenet.datasets.registry import CALIBRATION_PER_CLASS, BuiltIn, DataSet, data_set

MNIST = registry.MNIST.name


def _built_in_of(one: DataSet) -> BuiltIn:
    if one.built_in is None:
        raise DataError(f"data set {one.name}: none of its images are built in")
    return one.built_in


def built_in(data: str = MNIST) -> LabelledImages:
    """All built-in digits: for MNIST the first 500 per class of the training set, classes taking turns."""
    return grey_digits("built-in digits", *_built_in_of(data_set(data)).read())


def _first_of_each_class(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Indices of the first 50 of each class, classes taking turns."""
    return np.stack([np.flatnonzero(labels == label)[:CALIBRATION_PER_CLASS] for label in range(10)], axis=1).ravel()


def calibration(data: str = MNIST, folder: Path | str | None = None) -> LabelledImages:
    """For calibration only: the first 50 per class of the built-in digits, or else of the training part."""
    one = data_set(data)
    found = built_in(data) if one.built_in is not None else digits(data, "train", folder)
    name = "calibration" if one.built_in is not None else f"{data} calibration"
    return found.picked(name, _first_of_each_class(found.labels))


def holdout(data: str = MNIST) -> LabelledImages:
    """For results: the built-in digits that are not used for calibration."""
    found = built_in(data)
    rest = np.setdiff1d(np.arange(len(found)), _first_of_each_class(found.labels))
    return found.picked(_built_in_of(data_set(data)).results, rest)


def for_results(name: str, folder: Path | str | None = None) -> LabelledImages:
    """The digits of a source of images: `holdout`, or the test part of a data set."""
    found = registry.source(name)
    return holdout(found.data.name) if found.built_in else digits(found.data.name, "test", folder)


def data_folder(folder: Path | str | None = None) -> Path:
    """The folder with a subfolder per data set: the one given, or else the one in ANNA_DATA."""
    names = ", ".join(registry.DATA_SETS)
    chosen = folder if folder is not None else os.environ.get("ANNA_DATA")
    if not chosen:
        raise DataError(f"no data folder is known; set ANNA_DATA to the folder with the data sets ({names}), or name it")
    path = Path(chosen)
    if not path.is_dir():
        raise DataError(f"{path}: is not a folder; expected the data folder, with the data sets ({names})")
    return path


def digits(data: str, part: str, folder: Path | str | None = None) -> LabelledImages:
    """A part as published: `digits("mnist", "test")` gives the 10,000 test digits."""
    one = data_set(data)
    if part not in one.parts:
        raise DataError(f"data set {data} has no part {part!r}; expected one of {', '.join(one.parts)}")
    home = data_folder(folder) / data
    found = grey_digits(f"{data} {part}", *one.read(home, part))
    if len(found) != one.parts[part]:
        raise DataError(f"{home}: holds {len(found)} {part} digits; expected {one.parts[part]:,}")
    return found


def training_digits(data: str, folder: Path | str | None = None) -> LabelledImages:
    """The digits that shipped weights may be trained on, which exclude all built-in ones."""
    one = data_set(data)
    found = digits(data, "train", folder)
    if one.built_in is None:
        return found
    kept_back = set(image_hashes(built_in(data).images))
    index = np.flatnonzero([digest not in kept_back for digest in image_hashes(found.images)])
    if len(found) - len(index) != one.built_in.count:
        raise DataError(f"{data} train: {len(found) - len(index)} digits are built-in ones; expected {one.built_in.count:,}")
    return found.picked(f"{data} train without the built-in digits", index)
