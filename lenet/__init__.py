"""The LeNets: their definitions, trained weights, training and data sets. `lenet.load("lenet5")` needs no PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lenet.networks.catalogue import define as define
    from lenet.networks.catalogue import load as load
    from lenet.networks.catalogue import names as names
    from lenet.networks.catalogue import record as record

    Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]

__all__ = ["calibration", "define", "digits", "holdout", "load", "names", "record"]


def holdout() -> Pair:
    """Images (4500, 28, 28) and labels of the built-in digits for results: 450 of each class; no shipped weights saw them."""
    from lenet.datasets.digits import holdout

    found = holdout()
    return found.images, found.labels


def calibration(data: str = "mnist", folder: str | None = None) -> Pair:
    """Images and labels for calibration, 50 of each class: built-in digits for "mnist"; of other data sets the first
    training digits in the data folder."""
    from lenet.datasets.digits import calibration

    found = calibration(data, folder)
    return found.images, found.labels


def digits(data: str, part: str, folder: str | None = None) -> Pair:
    """Images and labels of a data set as published, from the data folder (`ANNA_DATA`): digits("mnist", "test")."""
    from lenet.datasets.digits import digits

    found = digits(data, part, folder)
    return found.images, found.labels


def __getattr__(name: str) -> Any:
    """The catalogue is imported when first asked for, so that `import lenet` stays light."""
    if name in ("define", "load", "names", "record"):
        from lenet.networks import catalogue

        return getattr(catalogue, name)
    raise AttributeError(f"module 'lenet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
