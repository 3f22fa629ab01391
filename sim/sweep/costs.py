"""What a point costs beside its error: columns that follow from its chip and its program alone, so they have no noise."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anna.base.errors import DataError, nearest
from anna.chip.machines import Machine
from sim.inputs.joules import Joules

ERROR, ENERGY = "error", "energy"


@dataclass(frozen=True)
class Priced:
    """What a cost may be counted from."""

    machine: Machine
    cycles_per_image: float
    events: Mapping[str, float] | None = None  # of an image; None for points from before they were counted


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


def costs_named(names: tuple[str, ...], joules: Joules | None = None) -> tuple[Cost, ...]:
    """The costs with these names; raises for others. Energy is of the events that `joules` prices."""
    known = {**COSTS, ENERGY: Cost(ENERGY, "uJ", "events of an image times the joules given", _energy(joules), "energy, uJ")}
    for name in names:
        if name not in known:
            raise DataError(f"there is no cost {name}{nearest(name, tuple(known))}; costs are {', '.join(known)}")
        if name == ENERGY and joules is None:
            raise DataError("energy needs joules for events, which anna does not know: --joules FILE.toml (docs/energy.md)")
    return tuple(known[name] for name in names)


def _energy(joules: Joules | None) -> Callable[[Priced], float]:
    def microjoules(one: Priced) -> float:
        if one.events is None:
            raise DataError("energy: the sweep has points from before events were counted; run it again in a new folder")
        return 1e6 * math.fsum(cost.joules * one.events.get(name, 0.0) for name, cost in (joules or {}).items())

    return microjoules
