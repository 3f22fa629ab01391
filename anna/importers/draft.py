"""The part of a network that an importer has read so far: layers with what they read, factors and offsets folded in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from anna.importers.onnx_file import Array, Node, OnnxModel
from anna.importers.tensor import NO_PADDING, Padding, Refused, Tensor, Units, inside_border, made_by
from anna.network.graph import (
    IMAGE,
    NONE,
    RELU,
    Activation,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Layer,
    Normalisation,
    Pool,
    Prelu,
    Reduction,
    Shape,
    sized_output,
)
from anna.network.host_layers import CombinationMode

OF_HOST = (Affine, Combination, Normalisation, Prelu, Reduction)  # take any activation: they run on the host anyway
ACTIVATED = (Convolution, FullConnection, Pool, *OF_HOST)  # take one that the chip can compute


@dataclass
class Draft:
    """The network read so far."""

    model: OnnxModel
    image: Shape
    layers: dict[str, Layer] = field(default_factory=dict)
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # how often a name was wanted

    def __post_init__(self) -> None:
        self.shapes[IMAGE] = self.image

    @property
    def batch(self) -> int | None:
        """How many images the file declares; None if that is open."""
        dims = next(iter(self.model.inputs.values()))
        return dims[0] if dims and isinstance(dims[0], int) else None

    def name(self, node: Node, before: str = "") -> str:
        """A unique name for the node's layer: the node's own, in characters that a layer name may have."""
        base = re.sub(r"[^A-Za-z0-9_\-]+", "_", before + node.name).strip("_") or node.op
        name = base
        while name in self.numbers:
            self.numbers[base] += 1
            name = f"{base}_{self.numbers[base]}"
        self.numbers[name] = 1
        return name

    def add(self, layer: Layer, *inputs: str) -> Tensor:
        """Append a layer; returns all that it makes."""
        shape = sized_output(layer, tuple(self.shapes[one] for one in inputs))
        self.layers[layer.name], self.links[layer.name], self.shapes[layer.name] = layer, inputs, shape
        return made_by(layer.name, shape)

    # --- views become layers -----------------------------------------------------------------------------------------
    def solid(self, tensor: Tensor, node: Node) -> Tensor:
        """A tensor without constant elements: a border becomes a layer, the identity on each map with padding."""
        if not tensor.filled:
            return tensor
        found = inside_border(tensor)
        if found is not None and found[0].shape == self.shapes[tensor.layer] and found[0].in_order:
            maps = tensor.dims[0]
            layer = Convolution(self.name(node, "pad_before_"), np.eye(maps, dtype=np.float32)[:, :, None, None], None,
                                np.eye(maps, dtype=bool), (1, 1), found[1], tensor.fill)  # fmt: skip
            return self.add(layer, tensor.layer)
        return self._arranged(tensor, node)

    def _arranged(self, tensor: Tensor, node: Node) -> Tensor:
        units = tensor.units.reshape(tensor.shape).astype(np.int32)
        value = tensor.fill if tensor.filled else 0.0
        made = self.add(Arrangement(self.name(node, "arranged_for_"), units, value), tensor.layer)
        return made.viewed(made.units.reshape(tensor.dims))

    def stacked(self, tensor: Tensor, node: Node) -> str:
        """The name of a layer that makes just this tensor, as maps, rows and columns."""
        tensor = self.solid(tensor, node)
        if not tensor.in_order or tensor.shape != self.shapes[tensor.layer]:
            tensor = self._arranged(tensor, node)
        return tensor.layer

    def without_border(self, tensor: Tensor, node: Node) -> tuple[Tensor, Padding]:
        """A tensor's middle, and the border of its constant that a window's layer can add itself."""
        if not tensor.filled:
            return tensor, NO_PADDING
        found = inside_border(tensor)
        return found if found is not None else (self.solid(tensor, node), NO_PADDING)

    # --- factors, offsets, activations -------------------------------------------------------------------------------
    def fitted(self, tensor: Tensor, node: Node, *constants: Any) -> tuple[Tensor, list[Array]]:
        """A tensor, and constants for its elements as constants for the units of its layer."""
        tensor = self.solid(tensor, node)
        parts = [self._spread(tensor, one) for one in constants]
        if any(part is None for part in parts):  # an element that is repeated has two
            tensor = self._arranged(tensor, node)
            parts = [self._spread(tensor, one) for one in constants]
        return tensor, [part for part in parts if part is not None]

    def _spread(self, tensor: Tensor, constant: Array) -> Array | None:
        """A constant for each element as one for each unit of the layer, with axes along which it does not change of
        length 1; None if an element that is repeated has two."""
        shape = self.shapes[tensor.layer]
        given = np.broadcast_to(np.asarray(constant, np.float64), tensor.dims)
        if not given.size or (given == given.flat[0]).all():
            return np.full((1, 1, 1), given.flat[0] if given.size else 0.0)
        values = np.full(int(np.prod(shape)), given.flat[0])
        values[tensor.units] = given
        if not np.array_equal(values[tensor.units], given):
            return None
        found = values.reshape(shape)
        for axis in range(3):
            first = found.take([0], axis)
            found = first if np.array_equal(np.broadcast_to(first, found.shape), found) else found
        return found

    def affine(self, tensor: Tensor, node: Node, scale: Any, offset: Any) -> Tensor:
        """scale x tensor + offset, each a number or one for each element; folded into the layer before if possible."""
        tensor, (scale_myx, offset_myx) = self.fitted(tensor, node, scale, offset)
        if scale_myx.shape[1:] == (1, 1):
            if offset_myx.shape[1:] == (1, 1):
                return self._per_map(tensor, node, scale_myx.reshape(-1), offset_myx.reshape(-1))
            if not (scale_myx == 1).all():
                tensor = self._per_map(tensor, node, scale_myx.reshape(-1), np.zeros(1))
        else:
            tensor = self.with_constant(tensor, node, "product", scale_myx)
        if not offset_myx.any():
            return tensor
        if offset_myx.shape[1:] == (1, 1):
            return self._per_map(tensor, node, np.ones(1), offset_myx.reshape(-1))
        return self._per_unit(tensor, node, offset_myx)

    def _per_map(self, tensor: Tensor, node: Node, scale_m: Array, offset_m: Array) -> Tensor:
        """A factor and an offset per map."""
        if tensor.layer != IMAGE and (scale_m == 1).all() and not offset_m.any():
            return tensor
        maps = self.shapes[tensor.layer][0]
        scale, offset = (
            np.ascontiguousarray(np.broadcast_to(part, (maps,)).astype(np.float64)) for part in (scale_m, offset_m)
        )
        last = self.layers.get(tensor.layer) if tensor.alone else None
        # A ReLU of a positive multiple is that multiple of the ReLU.
        through = last is not None and last.activation == RELU and bool((scale > 0).all()) and not offset.any()
        if last is None or (last.activation != NONE and not through):
            pass
        elif isinstance(last, FullConnection):
            bias = np.zeros(maps) if last.bias_o is None else last.bias_o.astype(np.float64)
            weights = (last.weights_oi * scale[:, None]).astype(np.float32)
            return self._changed(tensor, replace(last, weights_oi=weights, bias_o=(bias * scale + offset).astype(np.float32)))
        elif isinstance(last, Convolution) and (last.bias is None or last.bias.ndim == 1):
            bias = np.zeros(maps) if last.bias is None else last.bias.astype(np.float64)
            weights = (last.weights_oiyx * scale[:, None, None, None]).astype(np.float32)
            return self._changed(tensor, replace(last, weights_oiyx=weights, bias=(bias * scale + offset).astype(np.float32)))
        elif isinstance(last, Affine) and not through:
            offset = last.offset_m * scale + offset
            if np.allclose(last.scale_m * scale, 1.0, rtol=0, atol=1e-6) and not offset.any():  # the two undo each other
                return Tensor(self.links[last.name][0], tensor.units, alone=False)
            return self._changed(tensor, replace(last, scale_m=(last.scale_m * scale).astype(np.float32),
                                                 offset_m=offset.astype(np.float32)))  # fmt: skip
        layer = Affine(self.name(node), scale.astype(np.float32), offset.astype(np.float32))
        return self._after(tensor, self.add(layer, tensor.layer))

    def _per_unit(self, tensor: Tensor, node: Node, offset_myx: Array) -> Tensor:
        """An offset for each unit: the bias of a convolution before it, else a constant that is added."""
        last = self.layers.get(tensor.layer) if tensor.alone else None
        if isinstance(last, Convolution) and last.activation == NONE:
            old = (
                np.zeros((1, 1, 1))
                if last.bias is None
                else last.bias.reshape(len(last.bias), *(last.bias.shape[1:] or (1, 1)))
            )
            bias = np.broadcast_to(old + offset_myx, self.shapes[tensor.layer]).astype(np.float32)
            return self._changed(tensor, replace(last, bias=bias))
        return self.with_constant(tensor, node, "sum", offset_myx)

    def with_constant(self, tensor: Tensor, node: Node, mode: CombinationMode, constant_myx: Array) -> Tensor:
        """A constant for each unit of the layer is added, multiplied or compared."""
        layer = Combination(self.name(node), mode, constant_myx.astype(np.float32))
        return self._after(tensor, self.add(layer, tensor.layer))

    def activate(self, tensor: Tensor, node: Node, activation: Activation) -> Tensor:
        """An activation, of the layer before if that has none."""
        tensor = self.solid(tensor, node)
        before = self.layers.get(tensor.layer)
        if before is not None and _changes_nothing(before.activation, activation):
            return tensor
        last = before if tensor.alone else None
        if isinstance(last, ACTIVATED) and last.activation.kind == "rounded" and _holds_codes(activation):
            ends = max(last.activation.low, activation.low), min(last.activation.high, activation.high)
            return self._changed(tensor, replace(last, activation=Activation("rounded", *ends)))
        if isinstance(last, ACTIVATED) and last.activation == RELU and activation.kind == "rounded" and activation.low >= 0:
            return self._changed(tensor, replace(last, activation=activation))  # it cuts off what the ReLU does
        takes = ACTIVATED if activation.curve.adc is not None else OF_HOST
        if isinstance(last, takes) and last.activation == NONE:
            return self._changed(tensor, replace(last, activation=activation))
        one = np.ones(self.shapes[tensor.layer][0], np.float32)
        layer = Affine(self.name(node), one, np.zeros_like(one), activation)
        return self._after(tensor, self.add(layer, tensor.layer))

    def _changed(self, tensor: Tensor, layer: Layer) -> Tensor:
        self.layers[layer.name] = layer
        return tensor

    def _after(self, tensor: Tensor, made: Tensor) -> Tensor:
        """The same view, of a layer that keeps every unit where it is."""
        return made.viewed(tensor.units)

    # --- several tensors ---------------------------------------------------------------------------------------------
    def combine(self, mode: CombinationMode, tensors: Sequence[Tensor], node: Node) -> Tensor:
        """Tensors combined element by element, axes of length 1 repeated."""
        if len({one.units.ndim for one in tensors}) > 1:
            texts = " and ".join(sizes_with_batch(one) for one in tensors)
            raise Refused(f"combines tensors of {texts}; expected as many axes in each")
        tensors = [self.solid(one, node) for one in tensors]
        try:
            dims = np.broadcast_shapes(*(one.dims for one in tensors))
        except ValueError:
            raise Refused(f"combines tensors of {' and '.join(map(sizes_with_batch, tensors))}; expected equal sizes") from None
        units = self._common_view(tensors, dims)
        names = [one.layer for one in tensors] if units is not None else [self.stacked(one, node) for one in tensors]
        made = self.add(Combination(self.name(node), mode), *names)
        return made.viewed(units if units is not None else made.units.reshape(dims))

    def joined(self, tensors: Sequence[Tensor], node: Node, place: int) -> Tensor:
        """Tensors joined along an axis. Parts of one layer need no other layer."""
        names = list(dict.fromkeys(one.layer for one in tensors))
        before = np.cumsum([0, *(int(np.prod(self.shapes[name])) for name in names)])
        units = np.concatenate([one.units + before[names.index(one.layer)] for one in tensors], axis=place)
        if len(names) == 1:
            return Tensor(names[0], units, alone=False)
        return self.add(Concatenation(self.name(node)), *names).viewed(units)

    def _common_view(self, tensors: Sequence[Tensor], dims: tuple[int, ...]) -> Units | None:
        """How all tensors view their layers, if they do so alike and the layers' shapes fit as they are."""
        shapes = [self.shapes[one.layer] for one in tensors]
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            return None
        for tensor, own in zip(tensors, shapes, strict=True):
            if own == shape and tensor.dims == dims:
                alike = all(
                    np.array_equal(_repeated(other_shape, shape)[tensor.units], np.broadcast_to(other.units, dims))
                    for other, other_shape in zip(tensors, shapes, strict=True)
                )
                return tensor.units if alike else None
        return None


def _holds_codes(activation: Activation) -> bool:
    """Whether it holds codes between two whole numbers."""
    return activation.kind == "clip" and activation.low == round(activation.low) and activation.high == round(activation.high)


def _changes_nothing(before: Activation, activation: Activation) -> bool:
    """Whether codes are rounded again to at least as many."""
    kinds = {before.kind, activation.kind}
    return kinds == {"rounded"} and activation.low <= before.low and before.high <= activation.high


def _repeated(own: Shape, shape: tuple[int, ...]) -> Units:
    """Which unit of a layer each unit of a larger one meets, axes of length 1 repeated."""
    return np.broadcast_to(np.arange(int(np.prod(own))).reshape(own), shape).reshape(-1)


def sizes_with_batch(tensor: Tensor) -> str:
    """A tensor's sizes as the file has them."""
    return " x ".join(["n", *map(str, tensor.dims)])
