"""A network as far as an importer has read it: layers one after the other, factors and offsets folded as they come."""

import re
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from anna.importers.onnx_file import Array, Node, OnnxModel
from anna.network.graph import NONE, Activation, Affine, Convolution, FullConnection, Layer, Pool, Shape

STACK, FLAT = "myx", "f"
NO_PADDING = (0, 0, 0, 0)


class Refused(Exception):  # noqa: N818
    """Why a node cannot be taken; the reader adds which node it is."""


@dataclass
class Chain:
    """The network as far as it has been read.

    Layers know maps, rows and columns only. The axes that a tensor of the file has behind its batch are letters: `m` maps,
    `y` rows, `x` columns, or `f` all of them in a row, in the order `order`. An axis that a tensor lacks is one long.
    """

    model: OnnxModel
    image: Shape
    axes: str = STACK
    layers: list[Layer] = field(default_factory=list)
    order: str = STACK  # of a flat vector
    padding: tuple[int, int, int, int] = NO_PADDING  # of a Pad that the next layer takes over
    padding_value: float | None = 0.0  # None: the pixel at the border
    names: set[str] = field(default_factory=set)
    shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        self.shape = self.image

    @property
    def flat(self) -> bool:
        """Whether maps, rows and columns have become one axis; a vector that never had rows and columns is one too."""
        return self.axes in (FLAT, "m")

    @property
    def count(self) -> int:
        """How many numbers an image has become."""
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
        """A name for the node's layer: its own, in letters that a layer may have, once."""
        base = re.sub(r"[^A-Za-z0-9_\-]+", "_", node.name).strip("_") or node.op
        name, number = base, 2
        while name in self.names:
            name, number = f"{base}_{number}", number + 1
        self.names.add(name)
        return name

    def add(self, layer: Layer) -> None:
        """Put a layer at the end."""
        self.shape = layer.output_shape(self.shape)
        self.layers.append(layer)

    def flatten(self) -> None:
        """Make one axis of all."""
        if not self.flat:
            self.order = self.axes + "".join(axis for axis in STACK if axis not in self.axes)
        self.axes = FLAT

    def take_padding(self) -> tuple[int, int, int, int]:
        """The padding that waits for a layer, which now has it."""
        padding, self.padding = self.padding, NO_PADDING
        return padding

    def settle_padding(self, node: Node) -> None:
        """A padding that no layer can take over becomes a layer of its own: each map on itself."""
        if not any(self.padding):
            return
        if self.padding_value is None:
            raise Refused(f"{node.op} reads maps that repeat their border (Pad, mode edge); expected a MaxPool there, or zeros")
        maps, padding = self.shape[0], self.take_padding()
        weights = np.eye(maps, dtype=np.float32)[:, :, None, None]
        self.add(Convolution(self.name(replace(node, name=f"pad_before_{node.name}")), weights, None, np.eye(maps, dtype=bool),
                             (1, 1), padding, self.padding_value))  # fmt: skip

    @property
    def linear(self) -> Convolution | FullConnection | None:
        """The last layer, where a factor or an offset folds into it."""
        last = self.layers[-1] if self.layers else None
        return last if isinstance(last, Convolution | FullConnection) and last.activation == NONE else None

    def affine(self, node: Node, scale: Array, offset: Array) -> None:
        """A factor and an offset per map, folded where that can be."""
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
        """An activation, in the layer before it where that has none."""
        last = self.layers[-1] if self.layers else None
        if isinstance(last, Convolution | FullConnection | Affine | Pool) and last.activation == NONE:
            self.layers[-1] = replace(last, activation=activation)
        else:
            one = np.ones(self.shape[0], np.float32)
            self.add(Affine(self.name(node), one, np.zeros_like(one), activation))
