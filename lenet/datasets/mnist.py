"""MNIST as published in four IDX files, and the 5,000 of its training digits that ship with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError
from lenet.datasets.idx import read_idx
from lenet.datasets.labelled import Pair

STEMS = {"train": "train", "test": "t10k"}  # prefixes of a part's files
BUILT_IN = Path(__file__).parent / "holdout"


def read_mnist(folder: Path, part: str) -> Pair:
    """The images (n, 28, 28) and labels of a part, from plain or gzipped files."""
    return _read(folder, f"{STEMS[part]}-images-idx3-ubyte"), _read(folder, f"{STEMS[part]}-labels-idx1-ubyte")


def read_built_in() -> Pair:
    """The first 500 per class of the training set, classes taking turns."""
    return read_idx(BUILT_IN / "holdout-images-idx3-ubyte.gz"), read_idx(BUILT_IN / "holdout-labels-idx1-ubyte.gz")


def _read(folder: Path, stem: str) -> npt.NDArray[np.uint8]:
    for name in (stem, f"{stem}.gz"):
        if (folder / name).is_file():
            return read_idx(folder / name)
    raise DataError(f"{folder}: holds neither {stem} nor {stem}.gz; run `anna data fetch mnist`")
