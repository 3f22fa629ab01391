"""The built-in digits at half their size, for small networks from elsewhere: 14 x 14 floats in -1 .. 1, and labels."""

import numpy as np

import lenet


def small_digits(count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(n, 14, 14) from the digits for calibration: what the networks of tests/data/exported were trained on."""
    return _small(*lenet.calibration(), count)


def other_digits(count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The same from the hold-out: what they have never seen."""
    return _small(*lenet.holdout(), count)


def _small(images: np.ndarray, labels: np.ndarray, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    grey = images[:count].astype(np.float32)
    grey = (grey[:, ::2, ::2] + grey[:, 1::2, ::2] + grey[:, ::2, 1::2] + grey[:, 1::2, 1::2]) / 4
    return (grey / np.float32(127.5) - 1).astype(np.float32), labels[:count].astype(np.int64)
