"""The float forward pass: the same bits on every machine, for every batch size and number of threads.

Sums take one input at a time, in the order input map, row, column of the window, by whole-array operations that round once:
no BLAS, no reduction whose order NumPy chooses, no libm. Images lie along the last axis, in pieces small enough for the
cache; an image's result does not depend on its piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.arrays import Floats
from anna.base.errors import DataError
from anna.native.float_sums import window_sums
from anna.network.graph import IMAGE, Graph, Network, Step
from anna.network.host_arithmetic import host_sums
from anna.network.images import float_images
from anna.network.imported_layers import Affine, Pool
from anna.network.layers import Convolution, FullConnection, Layer, Prepare, Rbf, Subsample
from anna.network.prepare import checked_images, prepare

Labels = npt.NDArray[np.int64]
PIECE = 64  # images at once: whole vectors of the engine, and maps that stay in the cache


@dataclass(frozen=True, eq=False)
class Forward:
    """What a network gives for n images.

    `scores` is (n, classes), or (n, classes, rows, columns) where the output slides. `sums` and `outputs` hold, by
    layer name, (n, maps, rows, columns) before and after the activation, of the layers asked for and of every output of a
    network that has several.
    """

    scores: Floats
    sums: dict[str, Floats]
    outputs: dict[str, Floats]

    @property
    def labels(self) -> Labels:
        """The class with the greatest score, the lowest on a tie; (n,) or (n, rows, columns)."""
        labels: Labels = np.argmax(self.scores, axis=1)
        return labels


def layer_sums(layer: Layer, *xs_iyxn: Floats) -> Floats:
    """What a layer computes before its activation from all that it reads; maps, rows, columns, images in and out, in the
    type of `xs_iyxn`."""
    x_iyxn = xs_iyxn[0]
    match layer:
        case Prepare():
            return x_iyxn
        case Convolution():
            return _convolution(layer, x_iyxn)
        case Subsample():
            window = _window_sums(x_iyxn, layer.window, layer.window)[list(layer.source)]
            kind = x_iyxn.dtype.type
            return (
                window * layer.coefficient_o.astype(kind)[:, None, None, None] + layer.bias_o.astype(kind)[:, None, None, None]
            )
        case Pool():
            return _pool(layer, x_iyxn)
        case FullConnection():
            return _full(layer, x_iyxn)
        case Rbf():
            return _rbf(layer, x_iyxn)
        case Affine():
            kind = x_iyxn.dtype.type
            return x_iyxn * layer.scale_m.astype(kind)[:, None, None, None] + layer.offset_m.astype(kind)[:, None, None, None]
        case _:
            return host_sums(layer, *xs_iyxn)


def _padded(x_iyxn: Floats, padding: tuple[int, int, int, int], value: float) -> Floats:
    if not any(padding):
        return x_iyxn
    top, bottom, left, right = padding
    maps, rows, columns, n = x_iyxn.shape
    out = np.full((maps, rows + top + bottom, columns + left + right, n), value, x_iyxn.dtype)
    out[:, top : top + rows, left : left + columns] = x_iyxn
    return out


def _convolution(layer: Convolution, x_iyxn: Floats) -> Floats:
    kind = x_iyxn.dtype.type
    layer.output_shape((x_iyxn.shape[0], x_iyxn.shape[1], x_iyxn.shape[2]))
    x = _padded(x_iyxn, layer.padding, layer.padding_value)
    sums = window_sums(x, layer.weights_oiyx.astype(kind), layer.table, layer.stride)
    if layer.bias is not None:
        bias = layer.bias.astype(kind)
        sums += bias[:, None, None, None] if bias.ndim == 1 else bias[..., None]
    return sums


def _full(layer: FullConnection, x_iyxn: Floats) -> Floats:
    kind = x_iyxn.dtype.type
    flat = np.ascontiguousarray(x_iyxn).reshape(-1, 1, 1, x_iyxn.shape[3])
    sums = window_sums(flat, layer.weights_oi.astype(kind)[:, :, None, None], np.ones(layer.weights_oi.shape, np.bool_))
    if layer.bias_o is not None:
        sums += layer.bias_o.astype(kind)[:, None, None, None]
    return sums


def _rbf(layer: Rbf, x_iyxn: Floats) -> Floats:
    centres = layer.centres_oi.astype(x_iyxn.dtype.type)[:, :, None, None]
    return window_sums(x_iyxn, centres, np.ones(layer.centres_oi.shape, np.bool_), squared=True)


def _window_sums(
    x_iyxn: Floats, window: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> Floats:
    parts = _window_parts(x_iyxn, window, stride, dilation)
    total: Floats = next(parts).copy()
    for part in parts:
        total = total + part
    return total


def _window_parts(
    x_iyxn: Floats, window: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> Iterator[Floats]:
    """What each place of a window sees, row by row."""
    down, right = stride
    rows = (x_iyxn.shape[1] - (window[0] - 1) * dilation[0] - 1) // down + 1
    columns = (x_iyxn.shape[2] - (window[1] - 1) * dilation[1] - 1) // right + 1
    for ky in range(0, window[0] * dilation[0], dilation[0]):
        for kx in range(0, window[1] * dilation[1], dilation[1]):
            yield x_iyxn[:, ky : ky + down * (rows - 1) + 1 : down, kx : kx + right * (columns - 1) + 1 : right]


def _pool(layer: Pool, x_iyxn: Floats) -> Floats:
    where = (layer.window, layer.stride, layer.dilation)
    if layer.mode == "average":
        total = _window_sums(_padded(x_iyxn, layer.padding, 0.0), *where)
        ones = np.ones((1, *x_iyxn.shape[1:3], 1), x_iyxn.dtype)
        return total / _window_sums(_padded(ones, layer.padding, 0.0), *where)
    parts = _window_parts(_padded(x_iyxn, layer.padding, -np.inf), *where)
    best: Floats = next(parts).copy()
    for part in parts:
        np.maximum(best, part, out=best)
    return best


def run_layer(layer: Layer, *xs_iyxn: Floats) -> tuple[Floats, Floats]:
    """Sums and outputs of one layer for maps (maps, rows, columns, images), for callers that go layer by layer."""
    with np.errstate(all="ignore"):  # what has no value is NaN or infinite, as IEEE 754 says
        sums = layer_sums(layer, *xs_iyxn)
        return sums, layer.activation.value(sums)


def network_input(graph: Graph, images: npt.NDArray[Any], dtype: npt.DTypeLike = np.float32) -> Floats:
    """What enters the first layer after the preparation: (maps, rows, columns, n), contiguous.

    `images` are raw uint8 (n, rows, columns) if the graph begins with `Prepare`, else floats as `float_images` takes them.
    """
    if graph.prepare is not None:
        x = prepare(graph.prepare, images, dtype)[None]
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    x = float_images(graph.input_shape, np.asarray(images))
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0).astype(dtype))


def _run_graph(graph: Graph, images: npt.NDArray[Any], dtype: np.dtype[Any], keep: frozenset[str]) -> Forward:
    if graph.prepare is not None:
        images = checked_images(graph.prepare, images)
    else:
        images = float_images(graph.input_shape, np.asarray(images))
    n = len(images)

    def empty_maps(step: Step) -> Floats:
        return np.empty((n, *step.output_shape), dtype)

    if len(graph.ends) > 1:
        keep |= set(graph.ends)
    sums = {step.layer.name: empty_maps(step) for step in graph.steps if step.layer.name in keep}
    outputs = {step.layer.name: empty_maps(step) for step in graph.steps if step.layer.name in keep}
    scores = np.empty((n, *graph.output_shape), dtype)
    steps = [step for step in graph.steps if step.layer is not graph.prepare]
    last_readers = {one: number for number, step in enumerate(steps) for one in step.inputs}
    first = IMAGE if graph.prepare is None else graph.prepare.name
    for start in range(0, n, PIECE):
        here = slice(start, min(start + PIECE, n))
        x = network_input(graph, images[here], dtype)
        maps = {first: x}
        for name in keep & {first}:
            sums[name][here] = outputs[name][here] = x.transpose(3, 0, 1, 2)
        for number, step in enumerate(steps):
            total, x = run_layer(step.layer, *(maps[one] for one in step.inputs))
            if step.layer.name in keep:
                sums[step.layer.name][here] = total.transpose(3, 0, 1, 2)
                outputs[step.layer.name][here] = x.transpose(3, 0, 1, 2)
            if step.layer.name == graph.ends[0]:
                scores[here] = x.transpose(3, 0, 1, 2)
            maps[step.layer.name] = x
            for one in {*step.inputs, step.layer.name}:
                if last_readers.get(one, number) <= number:
                    del maps[one]
        if graph.ends[0] == first:
            scores[here] = x.transpose(3, 0, 1, 2)
    return Forward(scores[:, :, 0, 0] if graph.output_shape[1:] == (1, 1) else scores, sums, outputs)


def forward(
    network: Network,
    images: npt.NDArray[Any],
    *,
    dtype: npt.DTypeLike = np.float32,
    keep: str | tuple[str, ...] = (),
) -> Forward:
    """Run a network on images.

    `keep` names the layers whose maps are returned, or "all"; of an ensemble's members they are called
    `<member>.<layer>`. The scores of an ensemble are those of its members, added in their order.
    """
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise DataError(f"forward cannot run in {kind}; expected float32 or float64")
    parts = []
    for member in network.members:
        prefix = "" if isinstance(network, Graph) else f"{member.name}."
        names = {step.layer.name for step in member.steps}
        wanted = names if keep == "all" else {name for name in names if f"{prefix}{name}" in keep}
        parts.append((prefix, _run_graph(member, images, kind, frozenset(wanted))))
    known = {f"{prefix}{name}" for prefix, part in parts for name in part.sums}
    if keep != "all" and set(keep) - known:
        raise DataError(f"{network.name}: has no layer {sorted(set(keep) - known)[0]!r} to keep maps of")
    scores = parts[0][1].scores
    for _, part in parts[1:]:
        scores = scores + part.scores
    sums = {f"{prefix}{name}": value for prefix, part in parts for name, value in part.sums.items()}
    outputs = {f"{prefix}{name}": value for prefix, part in parts for name, value in part.outputs.items()}
    return Forward(scores, sums, outputs)
