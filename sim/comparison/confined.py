"""Silicon that is real in one place and ideal elsewhere, to attribute a cause to a layer.

A layer's place is where the compiler put its weights: rows of the array, on one or more weight pages. An imperfection acts
on the synapses there, and on the neurons whose first synapse lies there. Faults are not a cause in the ledger and are left
out.
"""

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import IdealSilicon, Sigmas, Silicon
from anna.chip.codes import Ints
from anna.program.file import Program

Place = NDArray[np.bool_]  # (pages, rows)
NO_LIMIT = 2**62


def places_of_layers(program: Program) -> Mapping[str, Place]:
    """Where the weights of each layer of the network lie, parts of its sums included; empty for a program that was not compiled
    from a network."""
    report = program.report or {}
    found, names = dict[str, Place](), {layer["name"] for layer in report.get("layers", ())}
    for part in report.get("placement", ()):
        place = found.setdefault(
            _layer_of(part["layer"], names), np.zeros((len(program.weight_codes), program.spec.rows), np.bool_)
        )
        place[part["page"], part["first_row"] : part["first_row"] + part["rows"]] = True
    return found


def _layer_of(name: str, names: Collection[str]) -> str:
    """The network's layer: C5 for its part C5.1."""
    origin, _, number = name.rpartition(".")
    return _layer_of(origin, names) if number.isdigit() and origin in names else name


class Confined(IdealSilicon):
    """Silicon that is real in one place and ideal elsewhere."""

    def __init__(self, real: Silicon, place: Place) -> None:
        super().__init__(real.spec)
        # Real silicon may count states, and hence sums, in a finer unit; the ideal part has to use it too.
        fine = int(real.numerators[-1]) // int(self.numerators[-1])
        self.numerators, self._thresholds = self.numerators * fine, self._thresholds * fine
        self._real, self._place, self._pages = real, place, np.array(0)

    def _here(self, rows: Ints) -> NDArray[np.bool_]:
        return np.asarray(self._place[self._pages, rows])

    def with_pages(self, pages: Ints) -> Silicon:
        """The same silicon for these pages, on which the place is looked up."""
        turned = copy(self)
        turned._real, turned._pages = self._real.with_pages(pages), pages
        return turned

    def noise_key(self, noise_seed: int) -> int:
        """The real chip's noise, which all rows of a ledger share."""
        return self._real.noise_key(noise_seed)

    def conducts(self, weight_codes: Ints, rows: Ints, columns: Ints) -> NDArray[np.bool_]:
        """The real silicon's answer in the place."""
        real = self._real.conducts(weight_codes, rows, columns)
        return np.where(self._here(rows), real, super().conducts(weight_codes, rows, columns))

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """Real weights in the place."""
        ideal = super().weights(weight_codes, rows, columns, ages_cycles)
        return np.where(self._here(rows), self._real.weights(weight_codes, rows, columns, ages_cycles), ideal)

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        """Real thresholds for neurons that begin in the place."""
        ideal, real = (silicon(adcs, rows, groups, scale_codes) for silicon in (super().thresholds, self._real.thresholds))
        return np.where(self._here(rows)[:, None], real, ideal)

    def thermal_sigma(  # type: ignore[override]
        self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints
    ) -> Sigmas | None:
        """Noise for neurons that begin in the place."""
        real = self._real.thermal_sigma(adcs, rows, groups, scale_codes, synapses)
        return None if real is None else np.where(self._here(rows), real, np.float32(0))

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> tuple[Ints, Ints] | None:  # type: ignore[override]
        """Limits for neurons that begin in the place."""
        real, here = self._real.sum_limits(adcs, rows, groups, scale_codes), self._here(rows)
        return None if real is None else (np.where(here, real[0], -NO_LIMIT), np.where(here, real[1], NO_LIMIT))

    def coupled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:  # type: ignore[override]
        """Shares for neurons that begin in the place; what they take is their neighbours', wherever those begin."""
        real = self._real.coupled(adcs, rows, groups, scale_codes)
        return None if real is None else np.where(self._here(rows), real, 0)

    def unsettled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:  # type: ignore[override]
        """What is left on wires of neurons that begin in the place."""
        real = self._real.unsettled(adcs, rows, groups, scale_codes)
        return None if real is None else np.where(self._here(rows), real, 0)

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Sigmas | None:  # type: ignore[override]
        """Slow noise for neurons that begin in the place."""
        real = self._real.slow_sigma(adcs, rows, groups, scale_codes)
        return None if real is None else np.where(self._here(rows), real, np.float32(0))

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Sigmas | None:  # type: ignore[override]
        """Charge noise in the place."""
        real = self._real.charge_sigma(weight_codes, rows, columns)
        return None if real is None else np.where(self._here(rows), real, np.float32(0))

    def state_tables(self) -> Any:
        """The real tables, then one with ideal steps."""
        real = self._real.state_tables()
        return None if real is None else np.vstack([real, self.numerators])

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        """A real table in the place, the last one elsewhere."""
        tables = self.state_tables()
        last = 0 if tables is None else len(tables) - 1
        return np.where(self._here(rows), self._real.state_table_of(rows, columns), last)
