"""What both evaluators ask of a piece of silicon, and the ideal one.

`Silicon` is the entire interface between a chip's electronics and its digital side: the interpreter and the engine ask the
same questions and get the same integers, so that they can agree to the bit. None means that this silicon does not have the
imperfection asked about.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec

Sigmas = NDArray[np.float32]


class Silicon(Protocol):
    """One chip's electronics. Arrays of one call have one shape; answers are in accumulator units (see `anna.chip.codes`).

    Silicon whose synapses differ in their state steps may measure states, and with them sums, thresholds, limits and sigmas,
    in a finer unit than half a state LSB, as long as all its answers do.
    """

    @property
    def spec(self) -> ChipSpec:
        """The chip it is a piece of."""

    @property
    def numerators(self) -> Ints:
        """What each state code drives the synapses with, in half state LSBs."""

    @property
    def refresh_stops(self) -> int | None:
        """Cycle of each page segment at which the refresh stops."""

    def stored_codes(self, weight_codes: Ints) -> Ints:
        """What the weight RAM returns for the codes (pages, rows, columns) that a program stored there."""

    def noise_key(self, noise_seed: int) -> int:
        """The key of all noise on this chip in a run with this noise seed."""

    def with_pages(self, pages: Ints) -> "Silicon":
        """This silicon with those weight pages loaded, one for each entry of the arrays in the next question."""

    def conducts(self, weight_codes: Ints, rows: Ints, columns: Ints) -> NDArray[np.bool_]:
        """Which synapses may carry a current at some age; the engine leaves out the others."""

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """Effective weights of synapses whose charge has an age, in 2^-f weight LSBs."""

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        """Thresholds of neurons (n, levels - 1), rising; a neuron is known by its ADC and where its scale code lies."""

    def thermal_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints) -> Sigmas | None:
        """Standard deviation of what is added to each sum at each evaluation; `synapses` of each neuron carry a weight."""

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> tuple[Ints, Ints] | None:
        """Lowest and highest sum that a wire carries."""

    def coupled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:
        """What a wire takes of each neighbour's limited sum, in 2^-16 (`anna.analog.coupling`)."""

    def unsettled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:
        """What the ADC still sees of the wire's last sum, in 2^-16 (`anna.analog.settling`)."""

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Sigmas | None:
        """Standard deviation of the slow noise in each sum (`anna.analog.slow_noise`)."""

    def code_masks(self, adcs: Ints) -> tuple[Ints, Ints] | None:
        """For each ADC the masks that its codes are ANDed and then ORed with."""

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Sigmas | None:
        """Standard deviation of what each refresh adds to a weight, in 2^-f weight LSBs."""

    def state_tables(self) -> Ints | None:
        """If synapses differ in their state steps: numerators (tables, levels) ..."""

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        """... and which of them each synapse uses."""


class IdealSilicon:
    """A chip without imperfections: the integer arithmetic of its codes."""

    refresh_stops: int | None = None

    def __init__(self, spec: ChipSpec) -> None:
        self.spec = spec
        self.numerators = codes.state_converter(spec).numerators
        # A level in half LSBs, shifted to 2^-f LSBs.
        self._weights = codes.weight_converter(spec).numerators << (spec.weight_fraction_bits - 1)
        self._thresholds = codes.thresholds(spec, range(1 << spec.scale_bits))

    def stored_codes(self, weight_codes: Ints) -> Ints:
        """The codes as stored."""
        return weight_codes

    def noise_key(self, noise_seed: int) -> int:
        """The seed itself."""
        return noise_seed

    def with_pages(self, pages: Ints) -> Silicon:
        """The same for every page."""
        return self

    def conducts(self, weight_codes: Ints, rows: Ints, columns: Ints) -> NDArray[np.bool_]:
        """Those whose level is not zero."""
        return np.asarray(self._weights[weight_codes] != 0)

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """The levels of the codes, whatever the place and age."""
        return self._weights[weight_codes]

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        """The ideal thresholds, the same for every ADC."""
        return self._thresholds[scale_codes]

    def thermal_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints) -> None:
        """No noise."""

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> None:
        """No limits."""

    def coupled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> None:
        """No coupling."""

    def unsettled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> None:
        """Wires settle."""

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> None:
        """No slow noise."""

    def code_masks(self, adcs: Ints) -> None:
        """No stuck bits."""

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> None:
        """No charge noise."""

    def state_tables(self) -> None:
        """All synapses alike."""

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        """All synapses alike."""
        return np.zeros(np.broadcast_shapes(rows.shape, columns.shape), dtype=np.int64)
