"""The float network as a reference for lock-step: the code that each result of a program would have without rounding."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip.codes import state_converter
from anna.compiler.passes import Compilation
from anna.machine.lockstep import Reference, map_reference
from anna.network.forward import forward


def float_reference(compilation: Compilation, image: NDArray[Any]) -> Reference:
    """The float maps of an image as codes of the chip, with fractions; NaN for layers that only the compiler knows."""
    network, spec = compilation.checked.network, compilation.options.chip
    lowest = float(state_converter(spec).values(0))
    kept = forward(network, image[None], dtype=np.float64, keep="all").outputs
    maps = {}
    for quant in compilation.quantised.layers:
        name, meaning = quant.layer.name, quant.meaning
        if name in kept and quant.layer.stack_maps == kept[name].shape[1] and name in compilation.timeline.outputs:
            values = (kept[name][0] - meaning.offset_m[:, None, None]) / meaning.gain_m[:, None, None]
            maps[name] = np.clip(values - lowest, 0, (1 << spec.state_bits) - 1)
    return map_reference(compilation.timeline, maps)
