"""What a layer is, in fixed words: its part of a network's canonical text."""

from dataclasses import fields

import numpy as np

from anna.base.arrays import Floats
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Affine, Pool, Softmax
from anna.network.layers import Convolution, FullConnection, Layer, Prepare, Rbf, Subsample


def about(layer: Layer) -> str:
    """What a layer is, beyond its shapes and weights, in fixed words."""
    match layer:
        case Prepare():
            parts = [f"uint8 {layer.source[0]}x{layer.source[1]}"]
            parts += [
                f"{f.name} {v[0]}x{v[1]}"
                for f in fields(layer)
                if f.name in ("crop", "resize", "field") and (v := getattr(layer, f.name))
            ]
            return ", ".join([*parts, f"0..255 to {layer.low!r}..{layer.high!r}"])
        case Convolution():
            parts = [f"{layer.kernel[0]}x{layer.kernel[1]}", f"stride {layer.stride[0]}x{layer.stride[1]}"]
            if any(layer.padding):
                parts.append(f"padding {' '.join(map(str, layer.padding))} of {layer.padding_value!r}")
            parts.append(f"bias {layer.bias_kind}")
            parts.append("all maps" if layer.table.all() else f"{layer.kernels} kernels, maps {_table_text(layer)}")
            return ", ".join(parts)
        case Subsample():
            same = layer.source == tuple(range(len(layer.source)))
            return f"{layer.window[0]}x{layer.window[1]}" + ("" if same else f", from maps {' '.join(map(str, layer.source))}")
        case Pool():
            padding = f", padding {' '.join(map(str, layer.padding))}" if any(layer.padding) else ""
            size, stride = (f"{rows}x{columns}" for rows, columns in (layer.window, layer.stride))
            apart = "" if layer.dilation == (1, 1) else f", dilation {layer.dilation[0]}x{layer.dilation[1]}"
            return f"{layer.mode}, {size}, stride {stride}{padding}{apart}"
        case FullConnection():
            return f"{layer.weights_oi.shape[1]} inputs, bias {'none' if layer.bias_o is None else 'unit'}"
        case Rbf():
            return f"{layer.centres_oi.shape[1]} inputs, centres {'trainable' if layer.trainable else 'fixed'}"
        case Affine():
            return "per map"
        case Softmax():
            return ("logarithm of it, " if layer.log else "") + ("per map" if layer.over == "m" else f"over {layer.over}")
        case Combination():
            return layer.mode + ("" if layer.constant_myx is None else f" with a constant {_sizes(layer.constant_myx)}")
        case Concatenation():
            return "maps in order"
        case Arrangement():
            fixed = int(np.count_nonzero(layer.units_myx < 0))
            return f"{layer.units_myx.size - fixed} copies" + (f", {fixed} of {layer.value!r}" if fixed else "")
        case Reduction():
            return f"{layer.mode} over {layer.over}"
        case Normalisation():
            return f"over {layer.over}, epsilon {layer.epsilon!r}" + ("" if layer.centred else ", not centred")
        case Prelu():
            return f"slopes {_sizes(layer.slope_myx)}"


def _table_text(layer: Convolution) -> str:
    return " ".join("+".join(str(i) for i in np.flatnonzero(row)) for row in layer.table)


def _sizes(array: Floats) -> str:
    return "x".join(map(str, array.shape))
