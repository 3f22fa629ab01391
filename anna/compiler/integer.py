"""The quantised graph in plain integer arithmetic: what the chip must compute, said without registers or cycles.

Maps are (pictures, maps, rows, columns) of state codes. `quantise` uses it to see what the chip will see, `selfcheck` to
hold the emitted program against.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna import codes
from anna.compiler import exact
from anna.compiler.ir import ChipLayer
from anna.spec import ChipSpec

Ints = NDArray[np.int64]
States = NDArray[np.uint16]
PIECE_NUMBERS = 1 << 22  # of a patch matrix


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
    """(pictures x rows x columns, taps): what each window of a (padded) map stack holds, taps in the order i, y, x."""
    n = len(maps)
    kernel, (down, right) = layer.kernel, layer.stride
    if maps.shape[2:] == kernel:
        return maps.reshape(n, -1)
    view = np.lib.stride_tricks.sliding_window_view(maps, kernel, axis=(2, 3))[:, :, ::down, ::right]
    return view.transpose(0, 2, 3, 1, 4, 5).reshape(n * view.shape[2] * view.shape[3], -1)


def pieces(layer: ChipLayer, n: int) -> Iterator[slice]:
    """Pictures in pieces whose patch matrix fits the cache."""
    taps = layer.mask_oiyx[0].size
    step = max(1, PIECE_NUMBERS // (taps * layer.output_shape[1] * layer.output_shape[2]))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def sums(layer: ChipLayer, spec: ChipSpec, states: States, border_i: Ints, weights_ot: Ints) -> NDArray[np.floating]:
    """Sums (pictures, rows, columns, o) in weight LSB x half state LSB, without bias; weights in LSB, (o, taps)."""
    numerators = codes.state_converter(spec).numerators
    bound = float(np.abs(weights_ot).sum(axis=1).max(initial=0)) * float(np.abs(numerators).max())
    kind = np.float32 if bound < 1 << 24 else np.float64
    table, out = numerators.astype(kind), layer.output_shape
    result = np.empty((len(states), out[1], out[2], out[0]), dtype=kind)
    weights_to = np.ascontiguousarray(weights_ot.T).astype(kind)
    for piece in pieces(layer, len(states)):
        values = table[padded(layer, states[piece], border_i)]
        result[piece] = exact.product(patches(layer, values), weights_to, bound).reshape(-1, *out[1:], out[0])
    return result


def convert(spec: ChipSpec, sums_no: NDArray[np.floating], scale_codes_o: Ints) -> States:
    """State codes of sums (..., o) in weight LSB x half state LSB: the ideal ADC at each map's scale code."""
    # A sum is a whole number of 2^f accumulator units: compare with thresholds rounded up to one.
    units = 1 << spec.weight_fraction_bits
    used = np.unique(scale_codes_o)
    steps = -(-np.stack([codes.thresholds(spec, int(code)) for code in used]) // units)
    table = np.searchsorted(used, scale_codes_o)
    if steps.shape[1] <= 15:
        result = np.zeros(sums_no.shape, dtype=np.uint16)
        for column in steps.T.astype(sums_no.dtype):
            result += sums_no >= column[table]
        return result
    result = np.empty(sums_no.shape, dtype=np.uint16)
    for k, limits in enumerate(steps.astype(np.float64)):
        mine = np.flatnonzero(table == k)
        result[..., mine] = np.searchsorted(limits, sums_no[..., mine].astype(np.float64), side="right")
    return result
