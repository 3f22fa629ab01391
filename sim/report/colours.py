"""The colours of figures. Text, faint lines and background have three that nothing else uses: a page puts its own in their
place, light or dark; a figure on its own keeps them, and is legible."""

import numpy as np
from numpy.typing import NDArray

INK, FAINT, PAPER = "#1a1b1d", "#d2d3d5", "#fdfeff"
# Okabe and Ito's colours: distinct to the colour-blind, legible on white and on black.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")

# Colour scales, by colours at even distances.
GREYS = ("#000000", "#ffffff")
BLUE_TO_RED = (
    "#053061",
    "#2166ac",
    "#4393c3",
    "#92c5de",
    "#d1e5f0",
    "#f7f7f7",
    "#fddbc7",
    "#f4a582",
    "#d6604d",
    "#b2182b",
    "#67001f",
)  # fmt: skip  (Brewer's RdBu, reversed)
YELLOW_TO_BLUE = ("#ffffd9", "#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#253494", "#081d58")  # YlGnBu
PURPLE_TO_YELLOW = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")  # viridis

Rgba = NDArray[np.uint8]  # (rows, columns, 4)


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour such as #0072b2."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def coloured(shares: NDArray[np.float64], scale: tuple[str, ...]) -> Rgba:
    """Pixels in the colours of a scale, from its one end (0) to the other (1); transparent where a share is not a number."""
    known, places = ~np.isnan(shares), np.linspace(0, 1, len(scale))
    at = np.where(known, shares, 0.0)
    levels = [np.interp(at, places, level) for level in zip(*map(channels, scale), strict=True)]
    rgba: Rgba = np.rint(np.stack([*levels, 255.0 * known], axis=-1)).astype(np.uint8)
    return rgba


def between(scale: tuple[str, ...], share: float) -> str:
    """One colour of a scale."""
    red, green, blue, _ = coloured(np.array([[share]]), scale)[0, 0].tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
