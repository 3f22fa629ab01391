"""A network in IBM's aihwkit: noisy inference on analog tiles, weights programmed once.

The settings are the fastest ones in its hardware-aware inference presets: the PyTorch tile, which is faster here than the
C++ one; fixed input ranges, so no maximum is taken of each input vector and no product is repeated when it clips; digital
biases and subsampling; no drift, hence no drift compensation.
"""

from __future__ import annotations

import warnings
from typing import Any

from anna.network.graph import Graph
from sim.bench.reader import Reader
from sim.bench.torch_peers import NOISE, STEPS, SUM_BOUND, WEIGHT_ERROR, Replaced, round_weights, state_range, torch_reader


def noisy_reader(graph: Graph) -> Reader:
    """Inputs and sums in eight levels, six-bit weights programmed with errors, fresh noise on every sum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch_reader(Replaced(graph, lambda module, first: _analog(graph, module, first)).eval())


def _analog(graph: Graph, module: Any, first: bool) -> Any:
    """The module on an analog tile."""
    from aihwkit.inference import StateIndependentNoiseModel
    from aihwkit.nn import AnalogConv2d, AnalogLinear
    from torch.nn import Conv2d

    round_weights(module)
    kind = AnalogConv2d if isinstance(module, Conv2d) else AnalogLinear
    analog = kind.from_digital(module, _settings(graph, first))
    errors = [WEIGHT_ERROR, 0.0, 0.0]  # of the largest weight, the same for all
    analog.eval()
    analog.program_analog_weights(StateIndependentNoiseModel(g_max=1.0, prog_coeff=errors))
    return analog


def _settings(graph: Graph, first: bool) -> Any:
    from aihwkit.simulator.configs import TorchInferenceRPUConfig
    from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType

    settings = TorchInferenceRPUConfig()
    settings.drift_compensation = None
    io = settings.forward
    low, high = state_range(graph, first)
    io.inp_bound = max(-low, high)  # the range is symmetric; the step is that of the images' own range
    io.inp_res = (high - low) / STEPS / (2 * io.inp_bound)
    io.out_bound, io.out_res, io.out_noise = SUM_BOUND, 1 / STEPS, NOISE
    io.noise_management, io.bound_management = NoiseManagementType.NONE, BoundManagementType.NONE
    return settings
