"""The network in codes: what the quantise pass makes, and place, schedule and selfcheck read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anna.board.host import digit_codes
from anna.chip.codes import state_converter
from anna.chip.spec import ChipSpec
from anna.compiler.integer import Ints, States
from anna.compiler.ir import INPUT, ChipLayer, Floats, Lowered, OwnColumn


@dataclass(frozen=True, eq=False)
class Meaning:
    """What the states of a map stack stand for: gain x state LSB + offset, per map; a value in digits is their sum."""

    gain_m: Floats
    offset_m: Floats
    digits: int = 1

    def with_maps(self, maps: slice, meaning: "Meaning") -> "Meaning":
        """With what some of the maps stand for."""
        gain, offset = self.gain_m.copy(), self.offset_m.copy()
        gain[maps], offset[maps] = meaning.gain_m, meaning.offset_m
        return Meaning(gain, offset, self.digits)

    def values_of(self, spec: ChipSpec, states: States) -> Floats:
        """What states (images, digits x maps, rows, columns) stand for."""
        levels = state_converter(spec).values(states)
        values: Floats = levels * self.gain_m[:, None, None] + self.offset_m[:, None, None]
        if self.digits > 1:
            values = values.reshape(len(values), self.digits, -1, *values.shape[2:]).sum(axis=1)
        return values

    def codes_of(self, spec: ChipSpec, values: Floats) -> States:
        """The nearest codes to values (images, maps, rows, columns), digit by digit."""
        return digit_codes(spec, self.gain_m, self.offset_m, self.digits, values)


def unknown_meaning(maps: int, digits: int) -> Meaning:
    """Of maps that nothing has been written to."""
    return Meaning(np.ones(maps), np.zeros(maps), digits)


@dataclass(frozen=True, eq=False)
class QuantLayer:
    """A chip layer in codes, per map; all positions of a map have the same."""

    layer: ChipLayer
    narrow_ot: NDArray[np.int16]  # weights in weight LSB, taps in the order i, y, x
    constants_oc: Ints  # weights on the constant columns, in LSB
    units: tuple[OwnColumn, ...]  # what a unit's own columns hold: its bias, partial sums that it continues, coarser digits
    unit_weights_ou: Ints  # weights on them
    unit_states_ouyx: States  # the states on those of its bias
    scale_codes_o: Ints
    weight_lsb_o: Floats  # one weight LSB x state LSB in units of the map's sum
    meaning: Meaning  # of its output
    border_i: Ints  # codes of the border around its input
    sqnr_db: float
    saturated_share: float

    @property
    def weights_ot(self) -> Ints:
        """The weights, to be computed with."""
        return self.narrow_ot.astype(np.int64)

    @property
    def maps(self) -> slice:
        """Its maps in the stack that it writes to."""
        return slice(self.layer.first_map, self.layer.first_map + self.layer.output_shape[0])


@dataclass(frozen=True, eq=False)
class QuantGraph:
    """The network in codes."""

    lowered: Lowered
    spec: ChipSpec
    input_meaning: Meaning
    layers: tuple[QuantLayer, ...]
    results: Mapping[str, States]  # what the host's tails read, for the calibration images
    written: Mapping[str, Meaning] = field(default_factory=dict)  # what the states stand for that the host writes
    kept: tuple[str, ...] = ()  # layers whose weights are the codes of a quantised network
    notes: tuple[str, ...] = ()  # why other codes of such a network are not kept

    def meaning_of(self, stack: str) -> Meaning:
        """What the states of a stack stand for."""
        if stack == INPUT:
            return self.input_meaning
        if stack in self.written:
            return self.written[stack]
        mine = [quant for quant in self.layers if quant.layer.stack == stack]
        found = unknown_meaning(mine[0].layer.stack_maps, mine[0].layer.digits)
        for quant in mine:
            found = found.with_maps(quant.maps, quant.meaning)
        return found

    @property
    def text(self) -> str:
        """The canonical text: per layer the scale codes, the quality and the number of constants."""
        lines = [f"input: gain {self.input_meaning.gain_m[0]:.6g} offset {self.input_meaning.offset_m[0]:.6g}"]
        for quant in self.layers:
            scales = " ".join(map(str, quant.scale_codes_o[:16].tolist())) + (" ..." if len(quant.scale_codes_o) > 16 else "")
            lines.append(
                f"{quant.layer.name}: scale codes {scales}, {quant.constants_oc.shape[1]} constants, "
                f"signal to quantisation noise {quant.sqnr_db:.2f} dB, {100 * quant.saturated_share:.1f} % saturated"
            )
        lines += [f"weights keep the codes of the quantised network: {', '.join(self.kept)}"] if self.kept else []
        return "\n".join([*lines, *self.notes])
