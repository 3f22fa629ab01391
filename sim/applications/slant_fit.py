"""How a slant is found: sixteen detectors of strokes, what each direction's outputs come to, and a fit of the slant to that.

Published (paper 3): 16 kernels of 16 x 16 stepped over a large image, used to find the slant of text. Assumed (A): that the
kernels are lines in 16 directions; the step; that the host raises each positive output to a power, so that a line which a
kernel fits counts more than many that it nearly fits; and that a slant is a linear function of each direction's share of the
sum, and of its root.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.network.graph import SCALED_TANH, Convolution, Graph, Prepare
from lenet.networks.applications import KERNELS, line
from sim.applications.lettering import Style

Floats = NDArray[np.float64]

TEXT = Style(rows=96, columns=256, x_height=(9, 15), pen=(0.10, 0.20), steepest=30)  # (A)
SIDE = 60.0  # degrees to either side of upright that the kernels' directions span (A)
DIRECTIONS = np.linspace(-SIDE, SIDE, KERNELS)
LINE_WIDTH, LINE_REACH, DRIVE = 1.2, 5.0, 1.5  # of a kernel: see lenet.networks.applications.line (A)
STEP = (4, 2)  # rows and columns from window to window (A)
POWER = 4  # to which the host raises positive outputs (A)
PULL = 1e-3  # of the fit, towards no slant at all, as a share of the blocks (A)


def kernels() -> NDArray[np.float32]:
    """The detectors, by direction: (kernels, rows, columns)."""
    return np.stack([line(np.radians(slant - 90), LINE_WIDTH, LINE_REACH, DRIVE) for slant in DIRECTIONS])


def convolver(text: Style = TEXT) -> Graph:
    """Sixteen detectors of strokes, stepped over a block."""
    lines = Convolution("lines", kernels()[:, None], stride=STEP, activation=SCALED_TANH)
    return Graph("convolver", (1, text.rows, text.columns), (Prepare(source=(text.rows, text.columns)), lines))


def energies(maps_nkyx: NDArray[Any]) -> Floats:
    """Each direction's share of the sum of positive outputs, raised to a power."""
    found: Floats = (np.maximum(maps_nkyx, 0).astype(float) ** POWER).sum(axis=(2, 3))
    shares: Floats = found / found.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class Fit:
    """A slant as a linear function of the energies and their roots."""

    centre: Floats
    spread: Floats
    slopes: Floats
    middle: float

    @classmethod
    def of(cls, energies_nk: Floats, slants_n: Floats) -> "Fit":
        """By ridge regression on columns of unit spread."""
        raw = _columns(energies_nk)
        centre, spread, middle = raw.mean(axis=0), raw.std(axis=0) + 1e-12, float(slants_n.mean())
        columns = (raw - centre) / spread
        pulled = columns.T @ columns + PULL * len(columns) * np.eye(columns.shape[1])
        return cls(centre, spread, np.linalg.solve(pulled, columns.T @ (slants_n - middle)), middle)

    def slants(self, energies_nk: Floats) -> Floats:
        """Degrees to the right."""
        found: Floats = (_columns(energies_nk) - self.centre) / self.spread @ self.slopes + self.middle
        return found


def _columns(energies_nk: Floats) -> Floats:
    return np.concatenate([energies_nk, np.sqrt(energies_nk)], axis=1)
