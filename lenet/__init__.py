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
    """Images (4500, 28, 28) and labels of the built-in digits for results, 450 per class; no shipped weights have seen them."""
    from lenet.datasets.digits import holdout

    found = holdout()
    return found.images, found.labels


def calibration(data: str = "mnist", folder: str | None = None) -> Pair:
    """Images and labels for calibration, 50 per class: built-in digits for "mnist"; for other data sets the first training
    digits in the data folder."""
    from lenet.datasets.digits import calibration

    found = calibration(data, folder)
    return found.images, found.labels


def digits(data: str, part: str, folder: str | None = None) -> Pair:
    """Images and labels of a published data set, from the data folder (`ANNA_DATA`): digits("mnist", "test")."""
    from lenet.datasets.digits import digits

    found = digits(data, part, folder)
    return found.images, found.labels


def __getattr__(name: str) -> Any:
    """Imports the catalogue on first use, so that `import lenet` stays fast."""
    if name in ("define", "load", "names", "record"):
        from lenet.base.other_anna import check_anna

        check_anna()
        from lenet.networks import catalogue

        return getattr(catalogue, name)
    raise AttributeError(f"module 'lenet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
