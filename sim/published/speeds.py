"""What every application takes on every machine: cycles, time, rates, what binds, and how far a schedule is from its bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anna.base.errors import AnnaError
from anna.chip.machines import MACHINES
from sim.published.findings import Watch
from sim.published.networks import APPLICATIONS
from sim.published.runs import Runs, Setting


@dataclass(frozen=True)
class Speed:
    """An application on a machine, refresh and page loads included; or the sentence with which it was refused."""

    network: str
    machine: str
    batch: int = 1
    pages: int = 0
    cycles_per_image: float = 0.0
    chip_us_per_image: float = 0.0
    connections_per_s: float = 0.0  # of the machine, those of the host included
    images_per_s: float = 0.0
    binds: str = ""  # chip or host, and of the chip's layers what binds the most cycles
    run_cycles: float = 0.0  # without refresh; page loads of a network of several pages included
    bound_cycles: float = 0.0  # of the same
    refused: str = ""

    @property
    def over_bound(self) -> float:
        """How much longer than its bound the schedule is, as a share of the bound."""
        return self.run_cycles / self.bound_cycles - 1 if self.bound_cycles else 0.0

    def content(self) -> dict[str, Any]:
        """The row of the JSON."""
        fields = {name: value for name, value in vars(self).items() if name != "refused"}
        if self.refused:
            return {"network": self.network, "machine": self.machine, "refused": self.refused}
        return {**fields, "over_bound": round(self.over_bound, 6)}


def speed(runs: Runs, setting: Setting) -> Speed:
    """One application on one machine."""
    network, machine = setting.network, setting.machine
    try:
        run = runs.run(setting)
    except AnnaError as error:
        return Speed(network, machine, refused=str(error))
    report, times = run.report, run.times(refresh=True)
    bound: dict[str, float] = {}
    for layer in report["layers"]:
        if layer["where"] == "chip":
            bound[layer["binds"]] = bound.get(layer["binds"], 0.0) + layer["cycles"]
    unit = max(bound, key=lambda name: bound[name])
    return Speed(
        network, machine, report["batch"], report["pages"], run.cycles(refresh=True), round(times.chip_us, 3),
        round(run.multiply_adds * times.images_per_s), round(times.images_per_s, 3),
        "host" if times.binds == "host" else f"chip, {unit}", run.cycles(refresh=False), run.bound_cycles,
    )  # fmt: skip


def machines_of(name: str | None) -> Sequence[str]:
    """One machine, or all of them."""
    return tuple(MACHINES) if name is None else (name,)


def settings(machines: Sequence[str]) -> list[Setting]:
    """Every application on these machines."""
    return [Setting(network, machine) for network in APPLICATIONS for machine in machines]


def speeds(runs: Runs, machines: Sequence[str], say: Watch = lambda _: None) -> list[Speed]:
    """What they take."""
    found = []
    for setting in settings(machines):
        say(f"{setting.network} on {setting.machine}")
        found.append(speed(runs, setting))
    return found
