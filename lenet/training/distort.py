"""Distorted copies of digits for training: planar affine maps and elastic fields, all drawn from the seed.

Paper 8 names the affine ones (shifts, scaling, squeezing, horizontal shearing; P) but not their sizes, which are A here.
The elastic field (a smoothed random displacement of every pixel) is later than the papers and off when a paper is
reproduced.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from anna.network.prepare import WHITE
from lenet.training.recipes import Distortion


def _gaussian(deviation: float) -> torch.Tensor:
    reach = int(3 * deviation + 0.5)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1, dtype=torch.float32) ** 2) / (2 * deviation**2))
    return kernel / torch.sqrt((kernel * kernel).sum())  # preserves the standard deviation of white noise


def distort(images: npt.NDArray[np.uint8], how: Distortion, seed: tuple[int, ...], chunk: int = 1000) -> npt.NDArray[np.uint8]:
    """A distorted copy of every image (n, rows, columns); the draws depend only on `seed`."""
    n, rows, columns = images.shape
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    out = np.empty_like(images)
    y, x = torch.meshgrid(torch.arange(rows) - (rows - 1) / 2, torch.arange(columns) - (columns - 1) / 2, indexing="ij")
    for start in range(0, n, chunk):
        originals = torch.from_numpy(images[start : start + chunk].copy()).float()[:, None]
        count = len(originals)
        draws = torch.from_numpy(rng.uniform(-1, 1, (6, count, 1, 1)).astype(np.float32))
        turn = draws[0] * float(np.pi / 180 * how.rotation_degrees)
        new_y = y * (1 + how.scale * draws[1])
        new_x = x * (1 + how.scale * draws[2]) + how.shear * draws[3] * new_y
        from_y = torch.cos(turn) * new_y - torch.sin(turn) * new_x + how.shift_pixels * draws[4]
        from_x = torch.sin(turn) * new_y + torch.cos(turn) * new_x + how.shift_pixels * draws[5]
        if how.elastic_pixels:
            kernel = _gaussian(how.elastic_smoothing_pixels)
            reach = len(kernel) // 2
            white = rng.standard_normal((count * 2, 1, rows + 2 * reach, columns + 2 * reach), np.float32) * how.elastic_pixels
            field = functional.conv2d(
                functional.conv2d(torch.from_numpy(white), kernel[None, None, :, None]), kernel[None, None, None]
            )
            field = field.reshape(2, count, rows, columns)
            from_y, from_x = from_y + field[0], from_x + field[1]
        grid = torch.stack([from_x * (2 / columns), from_y * (2 / rows)], -1)
        moved = functional.grid_sample(originals, grid, "bilinear", "zeros", align_corners=False)[:, 0]
        out[start : start + chunk] = moved.round().clamp(0, WHITE).to(torch.uint8).numpy()
    return out
