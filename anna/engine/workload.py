"""What the engine runs: a timeline on a piece of silicon, as flat arrays.

Each CALC is a list of slots (where a value lies in an image's lane), a row of fixed-point weights for each slot, and
thresholds for each neuron.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.chip.codes import Ints

Int32s = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Workload:
    """Arrays for the data plane. N is the number of neurons at once; None: without this imperfection."""

    slots: int
    numerators: Int32s  # (levels) what a state code drives a synapse with
    input_slots: Int32s  # (pixels)
    constant_slots: Int32s
    constant_codes: NDArray[np.uint16]
    op_start: Ints  # (calcs + 1) where each CALC's operands begin
    op_slot: Int32s  # (operands)
    op_weight: Int32s  # (operands, N) zero where a neuron does not use the operand
    thresholds: Ints  # (tables, levels - 1)
    table: Int32s  # (calcs, N) thresholds of each neuron
    out_slot: Int32s  # (calcs, N) where a result goes; -1: nowhere
    output_slots: Int32s  # what is read at the end
    ordinal: NDArray[np.uint32]  # (calcs) which CALC of the image it is
    clamp_low: Ints | None = None  # (calcs, N)
    clamp_high: Ints | None = None
    grain: Int32s | None = None  # (tables) a step of thresholds and thermal noise is 2^grain
    strength: Int32s | None = None  # (calcs, N) thermal noise in 1/8 of a step
    coupled: Int32s | None = None  # (calcs, N) 2^-16
    unsettled: Int32s | None = None  # (calcs, N) 2^-16; -1: the CALC has no such neuron
    at_rest: NDArray[np.uint8] | None = None  # (calcs) whether a segment begins
    slow_sigma: NDArray[np.float32] | None = None  # (calcs, N)
    and_mask: NDArray[np.uint16] | None = None  # (calcs, N)
    or_mask: NDArray[np.uint16] | None = None
    charge_sigma: NDArray[np.float32] | None = None  # (operands, N)
    charge_refresh: NDArray[np.uint32] | None = None
    charge_synapse: NDArray[np.uint32] | None = None
    op_levels: Int32s | None = None  # (operands, N) which numerator table a synapse uses
    numerator_tables: Int32s | None = None  # (tables, levels)
