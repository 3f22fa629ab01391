"""A network in Brevitas: fake quantisation in float32 with six-bit weights and three-bit states, no noise.

Run as its documentation advises for inference: ranges come from calibration images, then scales are fixed and quantised
weights cached. Compiling (its `compile=True`) gained nothing here.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip.facts import STATE_BITS, WEIGHT_BITS
from anna.network.forward import network_input
from anna.network.graph import Graph
from sim.bench.reader import Reader
from sim.bench.torch_peers import Replaced, torch_reader


def quantised_reader(graph: Graph, calibration: NDArray[Any]) -> Reader:
    """Inputs of convolutions and full connections in eight levels, their weights in 63."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from brevitas.export.inference import quant_inference_mode
        from brevitas.graph.calibrate import calibration_mode

        net = Replaced(graph, _quantised).eval()
        images = network_input(graph, calibration).transpose(3, 0, 1, 2)
        x = torch.from_numpy(np.ascontiguousarray(images))
        with torch.no_grad():
            with calibration_mode(net):
                net(x)
            net.eval()
            quant_inference_mode(
                net, cache_quant_weight=True
            ).__enter__()  # never exited: it holds as long as the network lives
            net(x)  # the first run caches scales and weights
    return torch_reader(net)


def _quantised(module: Any, first: bool) -> Any:
    """The module with its input quantised; images get a zero point, since they are not symmetric about zero."""
    from brevitas import nn
    from brevitas.quant import Int8ActPerTensorFloat, ShiftedUint8ActPerTensorFloat
    from torch.nn import Conv2d

    settings = {
        "input_quant": ShiftedUint8ActPerTensorFloat if first else Int8ActPerTensorFloat,
        "input_bit_width": int(STATE_BITS.value),
        "weight_bit_width": int(WEIGHT_BITS.value),
        "bias": module.bias is not None,
    }
    made: Any
    if isinstance(module, Conv2d):
        made = nn.QuantConv2d(module.in_channels, module.out_channels, module.kernel_size, module.stride, **settings)
    else:
        made = nn.QuantLinear(module.in_features, module.out_features, **settings)
    made.load_state_dict(module.state_dict(), strict=False)
    return made
