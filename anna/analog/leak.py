"""How old a charge may grow before it has lost more than is allowed."""

import math

from anna.analog.parameters import Analog
from anna.analog.synapse import leak_per_cycle, minus_log_of_rest
from anna.base.errors import SpecError
from anna.chip.spec import ChipSpec


def oldest_charge_cycles(spec: ChipSpec, analog: Analog, max_charge_lost: float) -> int | None:
    """Cycles after which a synapse of average leak has lost this share of its charge; None if charges do not leak."""
    if not 0 < max_charge_lost < 1:
        raise SpecError(f"max_charge_lost is {max_charge_lost:g}; expected more than 0 and less than 1")
    rate = leak_per_cycle(spec, analog)
    return math.floor(minus_log_of_rest(max_charge_lost) / rate * (1 + 1e-12)) if rate else None


def charge_lost_at(spec: ChipSpec, analog: Analog, age_cycles: int) -> float:
    """Share of its charge that a synapse of average leak has lost at an age."""
    return -math.expm1(-leak_per_cycle(spec, analog) * age_cycles)
