"""Noise removal, as on the board of 1996: pages of text with pixels flipped at random, cleaned by a Gaussian of 5 x 5 pixels.

Published (paper 6): that the board removed noise. Assumed (A): how, and what noise. The program is
programs/noise_removal.asm; in floats the Gaussian's weights are not rounded, and a sum's sign is the pixel.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.integers import checked_integer
from anna.chip.machines import Machine
from anna.sequencer.rules import verified
from sim.applications.application import CHIPS, MACHINE, Conditions, Watch, silent
from sim.applications.by_hand import BLACK, WHITE, by_hand, found_black, in_bands
from sim.applications.lettering import Style, pages
from sim.applications.pixels import Images, PixelArm, Pixels
from sim.applications.pixels_plot import grid
from sim.comparison.arms import Kind

TEXT = Style(rows=32, columns=64, x_height=(14, 20), pen=(0.15, 0.22), steepest=10)  # (A)
FLIPPED = 0.1  # share of pixels (A)
RADIUS, WIDTH = 2, 0.8  # pixels: of the window, and the Gaussian's standard deviation (A)
SERIES = 4  # of pages; others were for choosing what is assumed
DRAWN = 3  # pages in the figure: those with most ink


def gaussian() -> NDArray[np.float64]:
    """The window's weights, 1 in its middle."""
    at = np.arange(-RADIUS, RADIUS + 1)
    found: NDArray[np.float64] = np.exp(-(at[:, None] ** 2 + at**2) / (2 * WIDTH**2))
    return found


def flipped(right: Images) -> Images:
    """The pages with noise; that of page k is the same whatever their number."""
    noise = [np.random.default_rng((SERIES, 1, k)).random(page.shape) < FLIPPED for k, page in enumerate(right)]
    found: Images = right ^ np.stack(noise)
    return found


def cleaned(noisy: Images, weights_yx: NDArray[np.float64]) -> Images:
    """A window's sum for each pixel, black counting 1 and white -1, on a white ground: black where it is more than 0."""
    rows, columns = noisy.shape[1:]
    framed = np.pad(np.where(noisy, 1.0, -1.0), ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS)), constant_values=-1.0)
    total = np.zeros(noisy.shape)
    for (y, x), weight in np.ndenumerate(weights_yx):
        total += weight * framed[:, y : y + rows, x : x + columns]
    found: Images = total > 0
    return found


def codes(noisy: Images) -> NDArray[np.uint8]:
    """State codes of the pages with their frame, as the program reads them."""
    framed = np.pad(noisy, ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS)))
    return in_bands(np.where(framed, BLACK, WHITE).astype(np.uint8))


def noise_removal(
    count: int = 200,
    *,
    chips: int = CHIPS,
    analog: str | Analog | Sequence[Kind] = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    machine: str | Machine = MACHINE,
    threads: int | None = None,
    watch: Watch = silent,
) -> Pixels:
    """Noise taken off so many pages of text, in floats, on the ideal chip and on drawn chips."""
    asked = Conditions(chips, analog, chip_seed, noise_seed, machine, threads)
    right = pages(TEXT, checked_integer("count", count, 2), SERIES)
    noisy, program = flipped(right), by_hand("noise_removal", asked.on)
    in_floats = cleaned(noisy, gaussian())
    floats = PixelArm.of("float", in_floats[None], right)
    arms = [PixelArm.of("as they came", noisy[None], right), floats]
    shown = [("page", right), ("flipped", noisy), ("float", in_floats)]
    for name, some in asked.arms():
        watch(f"run {name}")
        found = found_black(asked, program, some, codes(noisy))
        arms.append(PixelArm.of(name, found, right, floats))
        shown.append((name.removesuffix("s"), found[0]))
    drawn = np.argsort(-right.sum(axis=(1, 2)), kind="stable")[:DRAWN]
    first = [(name, images[drawn]) for name, images in shown]
    times = asked.times(verified(program).cycles_per_image)
    return Pixels("noise-removal", count, (TEXT.rows, TEXT.columns), tuple(arms), times,
                  lambda: grid(first, right[drawn], range(1, len(first))))  # fmt: skip
