"""A network as far as an importer has read it: layers one after the other, factors and offsets folded as they come."""

import re
from dataclasses import dataclass, field, replace

import numpy as np

from anna.graph import NONE, Activation, Affine, Convolution, FullConnection, Layer, Pool, Shape
from anna.importers.onnx_file import Array, Node, OnnxModel


class Refused(Exception):  # noqa: N818
    """Why a node cannot be taken; the reader adds which node it is."""


@dataclass
class Chain:
    """The network as far as it has been read."""

    model: OnnxModel
    shape: Shape
    layers: list[Layer] = field(default_factory=list)
    flat: bool = False  # whether maps, rows and columns have become one axis
    rows_first: bool = False  # whether that axis (or the map stack) runs row, column, map
    names: set[str] = field(default_factory=set)

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
