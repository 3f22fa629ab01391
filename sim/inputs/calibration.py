"""Calibration images by source: a data set or a file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.graph import Network
from anna.network.images import float_images
from sim.inputs.files import read_images


def calibration_images(network: Network, source: str | None, instead: str, file: str = "--calibration FILE") -> NDArray[Any]:
    """The calibration images of a data set or a file; by default those of the data set the network was trained on.
    `instead` tells the user what to do if these are missing, `file` how a file of them is given."""
    import lenet
    from lenet.datasets.registry import DATA_SETS

    if source is not None and source not in DATA_SETS:
        images = read_images(Path(source))
        if network.prepare is not None:
            return images
        return np.ascontiguousarray(float_images(network.input_shape, images, f"{source}: images"), np.float32)
    data = source or network.data
    if data not in DATA_SETS:
        raise DataError(f"network {network.name} needs sample images: {file} (.npy, .npz or IDX)")
    if DATA_SETS[data].built_in is None and not os.environ.get("ANNA_DATA"):
        raise DataError(
            f"{network.name} is calibrated on {data} digits, which are not built in: set ANNA_DATA to the folder that "
            f"holds {data}, or {instead}"
        )
    return np.asarray(lenet.calibration(data)[0])
