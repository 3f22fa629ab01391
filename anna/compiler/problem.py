"""What is to be rounded: one layer in units of its input's states, and what it should give for the calibration images."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import exact, integer
from anna.compiler.calibrate import FloatMaps
from anna.compiler.drawn import Drawn
from anna.compiler.integer import Ints, States
from anna.compiler.ir import Bools, ChipLayer, Floats
from anna.compiler.ladder import Ladder, ladder

GRAM_WINDOWS = 1 << 13


@dataclass(frozen=True, eq=False)
class Carry:
    """Partial sums that a layer continues, or values that it adds, in digits."""

    states: States  # (images, digits x o, y, x)
    gain_do: Floats
    offset_o: Floats
    width: int  # maps of one digit of the stack that they lie in

    @property
    def digits(self) -> int:
        """States that carry one."""
        return len(self.gain_do)

    def digit(self, states: States, d: int) -> States:
        """One digit of such states (n, digits x o, ...)."""
        maps = self.gain_do.shape[1]
        return states[:, d * maps : (d + 1) * maps]


@dataclass(frozen=True, eq=False)
class Problem:
    """One layer: weights in units of its input's states, and windows of the calibration images."""

    layer: ChipLayer
    spec: ChipSpec
    used_t: Bools  # the taps of the window that any map reads; the others are left out below
    weights_ot: Floats
    bias_o: Floats
    unit_bias_oyx: Floats | None  # how much a unit's bias differs from bias_o
    windows: integer.States  # codes (windows, taps) for the search
    gram_windows: integer.States
    sums: Floats  # float sums of the search windows, (windows, o)
    outputs: Floats
    gram_sums: Floats
    care: NDArray[np.uint8]  # of the search windows
    gram_care: NDArray[np.uint8]
    carried: States | None  # states of the partial sums of the search windows
    gram_carried: States | None
    carry: Carry | None
    ladder: Ladder
    sign_o: Floats  # -1 for maps carried upside down: all that is said of their sums here has the other sign
    unit_sums: Floats | None  # what the units' own biases add to the sums of the search windows
    most_constants: int  # columns that carry a bias, at most
    drawn: Drawn | None = None  # the chips that it is chosen for, if they are not ideal

    @cached_property
    def patterns(self) -> list[tuple[Ints, Ints]]:
        """Maps that read the same taps, and which of the used taps these are."""
        found = dict[bytes, list[int]]()
        mask = self.layer.mask_oiyx.reshape(len(self.layer.mask_oiyx), -1)[:, self.used_t]
        for o, taps in enumerate(mask):
            found.setdefault(taps.tobytes(), []).append(o)
        return [(np.array(maps), np.flatnonzero(mask[maps[0]])) for maps in found.values()]

    @property
    def in_digits(self) -> bool:
        """Whether the layer reads or makes values in digits, in copies or by several synapses."""
        return self.layer.digits > 1 or self.layer.input_maps > 0

    def in_lsb(self, maps: Ints, weight_lsb: Floats, taps: Ints) -> Floats:
        """Weights of some maps on some taps, in their own weight LSB. Synapses that share one carry even shares, so that their
        mismatch averages; but in a step of a maximum, all of whose weights are alike, the first of them carry as much as they
        can, since the ends of a DAC's range have no INL by definition."""
        found: Floats = self.weights_ot[maps[:, None], taps] / weight_lsb[:, None]
        if self.layer.synapses == 1 or not self.layer.lowest_border:
            return found
        place = np.full(len(self.used_t), -1)
        place[np.flatnonzero(self.used_t)[taps]] = np.arange(len(taps))
        sharing = place.reshape(-1, self.layer.input_maps * math.prod(self.layer.kernel))[: self.layer.synapses]
        sharing = sharing[:, sharing[0] >= 0]
        largest, rest = float((1 << (self.spec.weight_bits - 1)) - 1), found[:, sharing[0]] * self.layer.synapses
        for synapse in sharing:
            found[:, synapse] = np.clip(rest, -largest, largest)
            rest = rest - found[:, synapse]
        return found

    @cached_property
    def peak(self) -> float:
        """The greatest state, in half state LSB."""
        return float(np.abs(codes.state_converter(self.spec).numerators).max())

    @cached_property
    def inputs_tn(self) -> NDArray[np.float32]:
        """What the search windows hold, in half state LSB: whole numbers, a row for each tap."""
        return inputs_of(self.spec, self.windows, np.float32)

    @cached_property
    def limits_kl(self) -> Ints:
        """Sums from which on each next state is converted to, a row for each scale code."""
        return integer.steps(self.spec, np.arange(len(codes.full_scales(self.spec))))

    @cached_property
    def targets(self) -> exact.Targets:
        """The outputs of the search windows, map by map; of a part, weighted by how much its error matters."""
        cares = np.ascontiguousarray(self.care.T) if self.layer.partial else None
        return exact.Targets.of(np.ascontiguousarray(self.outputs.T), cares)


def inputs_of(spec: ChipSpec, windows: States, kind: Any) -> NDArray[Any]:
    """The same of any windows (windows, taps), as numbers of a kind."""
    return codes.state_converter(spec).numerators.astype(kind)[np.ascontiguousarray(windows.T)]


def rows_of(array: NDArray[Any], rows: Ints) -> NDArray[Any]:
    """Some rows, in order; the array itself if these are all."""
    return array if len(rows) == len(array) else array[rows]


def build_problem(layer: ChipLayer, states: States, border_i: Ints, gain_i: Floats, offset_i: Floats, target: FloatMaps,
          carry: Carry | None, spec: ChipSpec, search_windows: int, most_constants: int,
          steps: Ladder | None = None) -> Problem:  # fmt: skip
    """The layer in units of its states, on windows picked evenly from the calibration images."""
    maps = len(layer.weights_oiyx)
    sign = layer.sign_o
    own_weights = layer.weights_oiyx * layer.mask_oiyx * sign[:, None, None, None]
    weights = own_weights * gain_i[:, None, None]
    bias, per_unit = exact.total(own_weights * offset_i[:, None, None], axis=(1, 2, 3)), None
    if layer.bias is not None and layer.bias.ndim == 1:
        bias = bias + layer.bias * sign
    elif layer.bias is not None:
        own_bias = layer.bias * sign[:, None, None]
        middle = (own_bias.max(axis=(1, 2)) + own_bias.min(axis=(1, 2))) / 2
        bias, per_unit = bias + middle, own_bias - middle[:, None, None]
    if carry is not None:
        carry = replace(carry, gain_do=carry.gain_do * sign, offset_o=carry.offset_o * sign)
        bias = bias + carry.offset_o
    unit_sums = None
    if per_unit is not None:
        unit_sums = per_unit.transpose(1, 2, 0).reshape(-1, maps)
    padded = integer.padded(layer, states, border_i)
    used = layer.mask_oiyx.any(axis=0).reshape(-1)
    few, few_index = _picked(layer, padded, search_windows, used)
    many, many_index = _picked(layer, padded, GRAM_WINDOWS, used)
    rows, columns = layer.output_shape[1:]

    def at(index: Ints) -> tuple[Any, ...]:
        image, rest = np.divmod(index, rows * columns)
        y, x = np.divmod(rest, columns)
        return image, slice(None), y, x

    here, there = at(few_index), at(many_index)
    sums, gram_sums = target.sums[here] * sign, target.sums[there] * sign
    if unit_sums is not None:
        sums, gram_sums = sums - unit_sums[few_index % len(unit_sums)], gram_sums - unit_sums[many_index % len(unit_sums)]
    return Problem(
        layer=layer,
        spec=spec,
        used_t=used,
        weights_ot=weights.reshape(maps, -1)[:, used],
        bias_o=bias,
        unit_bias_oyx=per_unit,
        windows=few,
        gram_windows=many,
        sums=sums,
        outputs=target.outputs[here] * sign,
        gram_sums=gram_sums,
        care=target.care(*here),
        gram_care=target.care(*there),
        carried=None if carry is None else carry.states[here],
        gram_carried=None if carry is None else carry.states[there],
        carry=carry,
        ladder=steps or ladder(spec, 1, True),
        sign_o=sign,
        unit_sums=None if unit_sums is None else unit_sums[few_index % len(unit_sums)],
        most_constants=most_constants,
    )


def _picked(layer: ChipLayer, padded: States, most: int, used: Bools) -> tuple[States, Ints]:
    """The used taps of windows picked evenly, and which windows they are in the order image, row, column."""
    _, rows, columns = layer.output_shape
    count = len(padded) * rows * columns
    chosen = np.arange(count, dtype=np.int64)
    if count > most:
        chosen = np.arange(most, dtype=np.int64) * count // most
        # An even step may coincide with the rows; a small running offset breaks that.
        chosen = np.minimum(chosen + np.arange(most) % max(1, count // most), count - 1)
    image, rest = np.divmod(chosen, rows * columns)
    y, x = np.divmod(rest, columns)
    (kh, kw), (down, right) = layer.kernel, layer.stride
    view = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    windows = view[image, :, y * down, x * right].reshape(len(chosen), -1)
    return windows if used.all() else windows[:, used], chosen
