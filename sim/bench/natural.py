"""Drawn images of natural statistics, for networks without samples: noise whose power falls with the square of frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def natural(shape: tuple[int, int, int], count: int, top: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    """Images (count, maps, rows, columns) from black, 0, to white, `top`; their maps are nearly alike, as colours are."""
    maps, rows, columns = shape
    rng = np.random.default_rng(seed)
    square = np.fft.fftfreq(rows)[:, None] ** 2 + np.fft.fftfreq(columns) ** 2
    square[0, 0] = 1.0 / (rows * columns)

    def drawn(stacks: int) -> NDArray[np.float64]:
        noise = np.fft.fft2(rng.normal(size=(count, stacks, rows, columns)))
        return np.asarray(np.fft.ifft2(noise / np.sqrt(square)).real)

    found = drawn(1) + 0.3 * drawn(maps)
    found = 0.5 + 0.2 * found / found.std(axis=(1, 2, 3), keepdims=True)
    return np.asarray(top * np.clip(found, 0.0, 1.0), np.float32)
