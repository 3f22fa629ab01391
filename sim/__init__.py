"""Experiments on the chip and the networks, and the command line.

Names are loaded on first use, so `import sim` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lenet.base.other_anna import check_anna

if TYPE_CHECKING:
    from sim.applications.cellular import cellular as cellular
    from sim.applications.noise_removal import noise_removal as noise_removal
    from sim.applications.pixels import Pixels as Pixels
    from sim.applications.slant import Slant as Slant
    from sim.applications.slant import slant as slant
    from sim.applications.zip_reader import ZipReading as ZipReading
    from sim.applications.zip_reader import read_zip as read_zip
    from sim.results.comparison import Comparison as Comparison
    from sim.results.comparison import compare as compare
    from sim.results.diagnosis import ChipDiagnosis as ChipDiagnosis
    from sim.results.diagnosis import diagnose as diagnose
    from sim.results.energy import Energy as Energy
    from sim.results.energy import energy as energy
    from sim.results.fronts import Front as Front
    from sim.results.fronts import front as front
    from sim.results.ledger import Ledger as Ledger
    from sim.results.ledger import ledger as ledger
    from sim.results.sensitivity import Sensitivity as Sensitivity
    from sim.results.sensitivity import sensitivity as sensitivity
    from sim.results.yields import Yield as Yield
    from sim.results.yields import chip_yield as chip_yield
    from sim.results.yields import read_yield as read_yield
    from sim.sweep.run import run_sweep as run_sweep
    from sim.sweep.spec import SweepSpec as SweepSpec
    from sim.sweep.spec import load_spec as load_spec
    from sim.sweep.spec import make_spec as make_spec
    from sim.sweep.store import Store as Store

# No module of sim may have one of these names: importing it would shadow the name.
_HOMES = {
    "ChipDiagnosis": "sim.results.diagnosis",
    "Comparison": "sim.results.comparison",
    "Energy": "sim.results.energy",
    "Front": "sim.results.fronts",
    "Ledger": "sim.results.ledger",
    "Pixels": "sim.applications.pixels",
    "Sensitivity": "sim.results.sensitivity",
    "Slant": "sim.applications.slant",
    "Store": "sim.sweep.store",
    "SweepSpec": "sim.sweep.spec",
    "Yield": "sim.results.yields",
    "ZipReading": "sim.applications.zip_reader",
    "cellular": "sim.applications.cellular",
    "chip_yield": "sim.results.yields",
    "compare": "sim.results.comparison",
    "diagnose": "sim.results.diagnosis",
    "energy": "sim.results.energy",
    "front": "sim.results.fronts",
    "ledger": "sim.results.ledger",
    "load_spec": "sim.sweep.spec",
    "make_spec": "sim.sweep.spec",
    "noise_removal": "sim.applications.noise_removal",
    "read_yield": "sim.results.yields",
    "read_zip": "sim.applications.zip_reader",
    "run_sweep": "sim.sweep.run",
    "sensitivity": "sim.results.sensitivity",
    "slant": "sim.applications.slant",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        check_anna()
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
