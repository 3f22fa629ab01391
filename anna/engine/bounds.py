"""Proves from a workload alone how large its sums can get, and so which kernel computes it exactly."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anna.analog import share
from anna.analog.noise import LARGEST_NORMAL
from anna.analog.slow_noise import LARGEST_LEVEL
from anna.native.loader import compiled

if TYPE_CHECKING:
    from anna.engine.workload import Workload

NARROW_LEVELS = 64
LINE_LEVELS = 8  # the limit if synapses differ in their steps
NARROW_SUM = 2**31 - 1
NARROW_NUMERATOR = 2**15 - 1
NARROW_SLOTS = 2**25  # places of 64 bytes at most, counted in 32 bits
NARROW_WEIGHT = 2**20  # split over several operands beyond 16 bits


@dataclass(frozen=True, slots=True)
class Bounds:
    """The proof: every sum of the workload, noise included, lies within +-largest_sum."""

    largest_sum: int
    largest_weight: int
    largest_numerator: int
    noise_margin: int
    why_wide: tuple[str, ...]

    @property
    def kernel(self) -> str:
        return "wide" if self.why_wide else "narrow"


def _largest(values: NDArray[np.generic] | None) -> int:
    if values is None or values.size == 0:
        return 0
    return max(abs(int(values.max())), abs(int(values.min())))


def _margin(sigma: NDArray[np.float32] | None, largest: float) -> int:
    return 0 if sigma is None or sigma.size == 0 else int(np.ceil(float(sigma.max()) * largest)) + 1


def _thermal(workload: "Workload") -> int:
    """The largest noise of an evaluation: no normal is larger than that of 16 bits."""
    if workload.strength is None or workload.grain is None or workload.strength.size == 0:
        return 0
    return int(((workload.strength.astype(np.int64) + 1) << workload.grain[workload.table].astype(np.int64)).max())


def _in_wires(workload: "Workload", largest: int) -> int:
    """How large sums get by what they take of their neighbours', and how far one can be from the next."""
    if workload.coupled is not None:
        largest += (2 * largest * _largest(workload.coupled) >> share.BITS) + 1
    return largest if workload.unsettled is None else 2 * largest + 1


def _largest_row_sum(workload: "Workload") -> float:
    charge = None if workload.charge_sigma is None else np.ascontiguousarray(workload.charge_sigma, np.float32)
    start, weight = (np.ascontiguousarray(workload.op_start, np.int64), np.ascontiguousarray(workload.op_weight, np.int32))
    return float(compiled("anna.engine.rows").largest_row_sum(start, weight, charge, LARGEST_NORMAL))


def prove(workload: "Workload") -> Bounds:
    """Bound every sum, and collect the reasons that rule out the narrow kernel."""
    weight = _largest(workload.op_weight)
    numerator = _largest(workload.numerators if workload.op_levels is None else workload.numerator_tables)
    noise = _thermal(workload) + _margin(workload.slow_sigma, LARGEST_LEVEL)
    largest = _in_wires(workload, int(_largest_row_sum(workload)) * numerator) + noise
    levels = len(workload.numerators)
    lined = workload.op_levels is not None
    checks = (
        (levels > NARROW_LEVELS, f"{levels} levels are more than {NARROW_LEVELS}"),
        (largest >= NARROW_SUM, f"a sum can reach {largest}, beyond the {NARROW_SUM} of 32 bits"),
        (numerator > NARROW_NUMERATOR, f"a numerator of {numerator} does not fit 16 bits"),
        (workload.slots > NARROW_SLOTS, f"{workload.slots} slots are more than {NARROW_SLOTS}"),
        (weight > NARROW_WEIGHT, f"a weight of {weight} is more than {NARROW_WEIGHT}"),
        (not lined and bool((np.diff(workload.numerators) <= 0).any()), "the numerators do not rise with the code"),
        (
            lined and levels > LINE_LEVELS,
            f"synapses differ in the steps of their {levels} levels; at most {LINE_LEVELS} are possible",
        ),
        (workload.charge_sigma is not None, "charge noise makes the weights of every image different"),
    )
    return Bounds(largest, weight, numerator, noise, tuple(why for fails, why in checks if fails))
