"""What a point costs beside its error: columns that follow from its chip and its program alone, so they have no noise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anna.base.errors import DataError, nearest
from anna.chip.machines import Machine

ERROR = "error"


@dataclass(frozen=True)
class Priced:
    """What a cost may be counted from."""

    machine: Machine
    cycles_per_image: float


@dataclass(frozen=True)
class Cost:
    """One cost of a point; less is better."""

    key: str
    unit: str
    meaning: str
    value: Callable[[Priced], float]
    heading: str

    def text(self, value: float) -> str:
        """A value as readers see it."""
        return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


_COSTS = (
    Cost("time", "us", "chip time per image: its cycles over the clock",
         lambda one: 1e6 * one.cycles_per_image / one.machine.chip.clock_hz, "time, us"),
    Cost("size", "bits", "bits that the array holds: a weight and a state for each synapse",
         lambda one: one.machine.chip.synapses * (one.machine.chip.weight_bits + one.machine.chip.state_bits), "size, bits"),
    Cost("cycles", "cycles", "chip time per image, whatever the clock", lambda one: one.cycles_per_image, "cycles"),
)  # fmt: skip

COSTS: Mapping[str, Cost] = MappingProxyType({cost.key: cost for cost in _COSTS})


def costs_named(names: tuple[str, ...]) -> tuple[Cost, ...]:
    """The costs with these names; raises for others."""
    for name in names:
        if name not in COSTS:
            raise DataError(f"there is no cost {name}{nearest(name, tuple(COSTS))}; costs are {', '.join(COSTS)}")
    return tuple(COSTS[name] for name in names)
