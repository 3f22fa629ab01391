"""What the classifiers share: the type of a fitted one, what is kept of a long run, and how scikit-learn is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import BuildError

Images = npt.NDArray[np.uint8]  # (n, rows, columns), 0 paper and 255 ink
Labels = npt.NDArray[np.int64]
Read = Callable[[Images], Labels]  # a fitted classifier
Keep = Callable[[str, Callable[[], npt.NDArray[Any]]], npt.NDArray[Any]]  # what was kept under a key, or else what is made now


def keep_nothing(key: str, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Makes everything anew."""
    return make()


def rows_of(images: Images) -> npt.NDArray[np.float64]:
    """A row of floats an image: grey levels, which are whole numbers."""
    return images.reshape(len(images), -1).astype(np.float64)


def scikit(module: str) -> Any:
    """A module of scikit-learn, which is an extra."""
    try:
        return import_module(f"sklearn.{module}")
    except ImportError:
        raise BuildError(
            "this classifier needs scikit-learn, which is not installed: pip install 'anna-chip[classical]'"
        ) from None
