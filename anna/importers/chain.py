"""The part of a network that an importer has read so far: a chain of layers, factors and offsets folded in as they come."""

import re
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from anna.importers.onnx_file import Array, Node, OnnxModel
from anna.network.graph import NONE, Activation, Affine, Convolution, FullConnection, Layer, Pool, Shape

STACK, FLAT = "myx", "f"
NO_PADDING = (0, 0, 0, 0)


class Refused(Exception):  # noqa: N818
    """Why a node cannot be read; the caller adds which node it is."""


@dataclass
class Chain:
    """The network read so far.

    Layers know only maps, rows and columns. The axes of a tensor in the file, after the batch, are letters: `m` maps, `y`
    rows, `x` columns, or `f` all of them flattened in the order `order`. A missing axis has length one.
    """

    model: OnnxModel
    image: Shape
    axes: str = STACK
    layers: list[Layer] = field(default_factory=list)
    order: str = STACK  # of a flat vector
    padding: tuple[int, int, int, int] = NO_PADDING  # of a Pad, for the next layer to absorb
    padding_value: float | None = 0.0  # None: the pixel at the border
    names: set[str] = field(default_factory=set)
    shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        self.shape = self.image

    @property
    def flat(self) -> bool:
        """Whether maps, rows and columns are one axis; a vector that never had rows and columns is flat too."""
        return self.axes in (FLAT, "m")

    @property
    def count(self) -> int:
        """Numbers per image at this point."""
        return prod(self.shape)

    def size(self, axis: str) -> int:
        """How long an axis is."""
        top, bottom, left, right = self.padding
        sizes = {"m": self.shape[0], "y": self.shape[1] + top + bottom, "x": self.shape[2] + left + right, FLAT: self.count}
        return sizes[axis]

    @property
    def dims(self) -> tuple[int, ...]:
        """The tensor's shape in the file, without the batch."""
        return tuple(self.size(axis) for axis in self.axes)

    def name(self, node: Node) -> str:
        """A unique name for the node's layer: the node's own, in characters that a layer name may have."""
        base = re.sub(r"[^A-Za-z0-9_\-]+", "_", node.name).strip("_") or node.op
        name, number = base, 2
        while name in self.names:
            name, number = f"{base}_{number}", number + 1
        self.names.add(name)
        return name

    def add(self, layer: Layer) -> None:
        """Append a layer."""
        self.shape = layer.output_shape(self.shape)
        self.layers.append(layer)

    def flatten(self) -> None:
        """Make all axes one."""
        if not self.flat:
            self.order = self.axes + "".join(axis for axis in STACK if axis not in self.axes)
        self.axes = FLAT

    def take_padding(self) -> tuple[int, int, int, int]:
        """The pending padding, which the caller's layer now absorbs."""
        padding, self.padding = self.padding, NO_PADDING
        return padding

    def settle_padding(self, node: Node) -> None:
        """Turn pending padding that the next layer cannot absorb into a layer of its own: the identity on each map."""
        if not any(self.padding):
            return
        if self.padding_value is None:
            raise Refused(f"{node.op} reads maps padded with their border (Pad, mode edge); expected a MaxPool there, or zeros")
        maps, padding = self.shape[0], self.take_padding()
        weights = np.eye(maps, dtype=np.float32)[:, :, None, None]
        self.add(Convolution(self.name(replace(node, name=f"pad_before_{node.name}")), weights, None, np.eye(maps, dtype=bool),
                             (1, 1), padding, self.padding_value))  # fmt: skip

    @property
    def linear(self) -> Convolution | FullConnection | None:
        """The last layer, if factors and offsets fold into it."""
        last = self.layers[-1] if self.layers else None
        return last if isinstance(last, Convolution | FullConnection) and last.activation == NONE else None

    def affine(self, node: Node, scale: Array, offset: Array) -> None:
        """Add a factor and an offset per map, folded if possible."""
        maps = self.shape[0]
        scale, offset = (np.ascontiguousarray(np.broadcast_to(part, (maps,)).astype(np.float64)) for part in (scale, offset))
        last = self.linear
        if isinstance(last, FullConnection):
            bias = np.zeros(maps) if last.bias_o is None else last.bias_o.astype(np.float64)
            weights = (last.weights_oi * scale[:, None]).astype(np.float32)
            self.layers[-1] = replace(last, weights_oi=weights, bias_o=(bias * scale + offset).astype(np.float32))
        elif isinstance(last, Convolution) and (last.bias is None or last.bias.ndim == 1):
            bias = np.zeros(maps) if last.bias is None else last.bias.astype(np.float64)
            weights = (last.weights_oiyx * scale[:, None, None, None]).astype(np.float32)
            self.layers[-1] = replace(last, weights_oiyx=weights, bias=(bias * scale + offset).astype(np.float32))
        elif self.layers and isinstance(before := self.layers[-1], Affine) and before.activation == NONE:
            offset = before.offset_m * scale + offset
            self.layers[-1] = replace(before, scale_m=(before.scale_m * scale).astype(np.float32),
                                      offset_m=offset.astype(np.float32))  # fmt: skip
        else:
            self.add(Affine(self.name(node), scale.astype(np.float32), offset.astype(np.float32)))

    def activate(self, node: Node, activation: Activation) -> None:
        """Add an activation, to the last layer if that has none."""
        last = self.layers[-1] if self.layers else None
        if isinstance(last, Convolution | FullConnection | Affine | Pool) and last.activation == NONE:
            self.layers[-1] = replace(last, activation=activation)
        else:
            one = np.ones(self.shape[0], np.float32)
            self.add(Affine(self.name(node), one, np.zeros_like(one), activation))
