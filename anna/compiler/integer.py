"""The quantised graph in plain integer arithmetic: what the chip must compute, without registers or cycles.

Maps are (images, maps, rows, columns) of state codes. `quantise` uses it to see what the chip will see, `selfcheck` to
check the emitted program against.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.threads import cores, share
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import exact
from anna.compiler.ir import ChipLayer
from anna.native.loader import compiled

Ints = NDArray[np.int64]
States = NDArray[np.uint16]
PIECE_NUMBERS = 1 << 17  # of a patch matrix
FEW_LIMITS = 15  # up to which a sum is compared with each


def padded(layer: ChipLayer, states: States, border_i: Ints) -> States:
    """The maps with the layer's border around them, a code per map."""
    if not any(layer.padding):
        return states
    top, bottom, left, right = layer.padding
    n, maps, rows, columns = states.shape
    out = np.empty((n, maps, rows + top + bottom, columns + left + right), dtype=states.dtype)
    out[:] = border_i.astype(states.dtype)[None, :, None, None]
    out[:, :, top : top + rows, left : left + columns] = states
    return out


def patches(layer: ChipLayer, maps: NDArray[Any]) -> NDArray[Any]:
    """(taps, images x rows x columns): what each window of a (padded) map stack holds, taps in the order i, y, x."""
    n, (kh, kw), (down, right) = len(maps), layer.kernel, layer.stride
    if maps.shape[2:] == layer.kernel:
        return maps.reshape(n, -1).T
    rows, columns = (maps.shape[2] - kh) // down + 1, (maps.shape[3] - kw) // right + 1
    held = np.empty((maps.shape[1], kh, kw, n, rows, columns), dtype=maps.dtype)
    by_map = maps.transpose(1, 0, 2, 3)
    for y in range(kh):  # entire rows at a time: much faster than window by window
        for x in range(kw):
            held[:, y, x] = by_map[:, :, y : y + down * rows : down, x : x + right * columns : right]
    return held.reshape(maps.shape[1] * kh * kw, -1)


def used_taps(weights_ot: NDArray[Any]) -> slice | Ints:
    """The taps that any map weighs: all of them, or which."""
    used = weights_ot.any(axis=0)
    return slice(None) if used.all() else np.flatnonzero(used)


def pieces(layer: ChipLayer, n: int) -> Iterator[slice]:
    """Images in pieces whose patch matrix fits the cache."""
    taps = layer.mask_oiyx[0].size
    step = max(1, PIECE_NUMBERS // (taps * layer.output_shape[1] * layer.output_shape[2]))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def sums(layer: ChipLayer, spec: ChipSpec, states: States, border_i: Ints, weights_ot: Ints) -> NDArray[np.floating]:
    """Sums (images, o, rows, columns) in weight LSB x half state LSB, without bias; weights in LSB, (o, taps)."""
    numerators = codes.state_converter(spec).numerators
    bound = float(np.abs(weights_ot).sum(axis=1).max(initial=0)) * float(np.abs(numerators).max())
    kind = np.float32 if bound < 1 << 24 else np.float64
    table, out, used = numerators.astype(kind), layer.output_shape, used_taps(weights_ot)
    result, weights = np.empty((len(states), *out), dtype=kind), weights_ot[:, used].astype(kind)

    def add_up(piece: slice) -> None:
        values = table[padded(layer, states[piece], border_i)]
        found = exact.product(weights, patches(layer, values)[used], bound)
        result[piece] = found.reshape(out[0], -1, *out[1:]).swapaxes(0, 1)

    share(add_up, pieces(layer, len(states)), cores())
    return result


def steps(spec: ChipSpec, scale_codes: Ints) -> Ints:
    """Sums from which on each next state is converted to, in weight LSB x half state LSB, a row for each scale code."""
    # A sum is a whole number of 2^f accumulator units: compare with thresholds rounded up to one.
    units, used = 1 << spec.weight_fraction_bits, np.unique(scale_codes)
    found: Ints = -(-codes.thresholds(spec, used) // units)
    return found[np.searchsorted(used, scale_codes)]


def convert(spec: ChipSpec, sums: NDArray[np.floating], scale_codes_o: Ints) -> States:
    """State codes of sums (n, o, ...) in weight LSB x half state LSB: the ideal ADC at each map's scale code."""
    used = np.unique(scale_codes_o)
    limits = steps(spec, used)
    table = np.searchsorted(used, scale_codes_o)
    result = np.empty(sums.shape, dtype=np.uint16)
    if limits.shape[1] <= FEW_LIMITS:
        by_map, found = (*sums.shape[:2], -1 if sums.size else 0), np.ascontiguousarray(sums)
        own = np.ascontiguousarray(limits[table], np.float64)
        compiled("anna.compiler.fitting").convert(found.reshape(by_map), own, result.reshape(by_map))
        return result
    for k, limit in enumerate(limits.astype(np.float64)):
        mine = np.flatnonzero(table == k)
        result[:, mine] = np.searchsorted(limit, sums[:, mine].astype(np.float64), side="right")
    return result
