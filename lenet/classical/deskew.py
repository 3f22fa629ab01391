"""Deskewing: an image is sheared, row by row, until its ink leans neither way (paper 8: by second moments of the ink)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.classical.reading import Images

AT_ONCE = 1_000  # images: their floats fit in the cache of no machine, but in little memory


def deskewed(images: Images) -> Images:
    """Images sheared about their centre of mass, each row moved by a share of a pixel, in whole grey levels again."""
    parts = [_sheared(images[start : start + AT_ONCE]) for start in range(0, len(images), AT_ONCE)]
    return np.concatenate(parts) if parts else images


def slants(images: Images) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of each image, by how many columns its ink leans to the left a row down, and the row of its centre; no ink, no slant."""
    ink = images.astype(np.int64)
    y, x = np.arange(images.shape[1]), np.arange(images.shape[2])
    # Moments are sums of whole numbers, so they are exact in any order.
    mass, m_y, m_x = ink.sum((1, 2)), (ink.sum(2) * y).sum(1), (ink.sum(1) * x).sum(1)
    m_yy, m_xy = (ink.sum(2) * y * y).sum(1), ((ink * x).sum(2) * y).sum(1)
    vertical, mixed = mass * m_yy - m_y * m_y, mass * m_xy - m_y * m_x
    return -mixed / np.maximum(vertical, 1), m_y / np.maximum(mass, 1)


def _sheared(images: Images) -> Images:
    height, width = images.shape[1:]
    slant, centre = slants(images)
    # Ink at column c of a row comes from column c - move, between two pixels.
    move = slant[:, None] * (np.arange(height) - centre[:, None])
    source = np.clip(np.arange(width) - move[..., None], -1.0, width)
    left = np.floor(source).astype(np.int64)
    share = source - left
    padded = np.pad(images, ((0, 0), (0, 0), (1, 2))).astype(np.float64)
    near, far = (np.take_along_axis(padded, left + k, axis=2) for k in (1, 2))
    return np.rint((1 - share) * near + share * far).astype(np.uint8)
