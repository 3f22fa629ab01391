"""A network in Sandia's CrossSim, from a folder that holds its sources: noisy inference on pairs of devices.

The settings are those of the other noisy peers as far as it has them. A weight is the difference of two devices of opposite
conductance, programmed once with an error; sums have no noise of their own in CrossSim but every device does at each read, so
its strength is chosen for each layer such that sums of the calibration images get the noise that the other peers add.
"""

from __future__ import annotations

import math
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from anna.base.errors import UsageError
from anna.base.toml import read_toml
from anna.chip.facts import STATE_BITS
from anna.network.forward import network_input
from anna.network.graph import Graph
from sim.bench.reader import Reader
from sim.bench.torch_peers import NOISE, SUM_BOUND, WEIGHT_ERROR, Replaced, round_weights, state_range, torch_reader

DEVICES = math.sqrt(2)  # errors of the two devices of a weight add up to so many times one
CALIBRATION = 20  # images: noise is drawn for every product, which takes long


def noisy_reader(graph: Graph, calibration: NDArray[Any], folder: Path) -> Reader:
    """Inputs and sums in eight levels, six-bit weights programmed with errors, fresh noise at every read."""
    simulator = sources(folder)
    net = Replaced(graph, lambda module, first: _Analog(simulator, module, state_range(graph, first))).eval()
    read = torch_reader(net)
    images = network_input(graph, calibration[:CALIBRATION]).transpose(3, 0, 1, 2)
    read(np.ascontiguousarray(images))
    return read


def sources(folder: Path) -> Any:
    """The package `simulator` in the folder, which is put on the path after all others; raises if it is not found there."""
    if not (folder / "simulator" / "__init__.py").is_file():
        raise UsageError(f"{folder}: holds no CrossSim; expected its sources, with a folder named simulator")
    if str(folder.absolute()) not in sys.path:
        sys.path.append(str(folder.absolute()))
    found = import_module("simulator")
    if Path(found.__file__ or "").parents[1].resolve() != folder.resolve():
        raise UsageError(f"{folder}: another package named simulator comes before it: {found.__file__}; remove that one")
    return found


def version(folder: Path) -> str:
    """The version of the sources, as they tell it."""
    project = folder / "pyproject.toml"
    told = read_toml(project, "a pyproject.toml") if project.is_file() else {}
    return str(told.get("project", {}).get("version", "unknown"))


class _Analog(nn.Module):
    """A convolution or full connection that moves to analog devices when it sees its first inputs, which tell the noise."""

    def __init__(self, simulator: Any, module: Any, inputs: tuple[float, float]) -> None:
        super().__init__()
        round_weights(module)
        self.simulator, self.plain, self.inputs = simulator, module, inputs
        self.analog: Any = None

    def forward(self, x: Any) -> Any:
        if self.analog is None:
            settings = _settings(self.simulator, self.plain, self.inputs, float((x**2).mean()))
            self.analog = import_module("simulator.algorithms.dnn.torch").from_torch(self.plain, settings)
        return self.analog(x)


def _settings(simulator: Any, module: Any, inputs: tuple[float, float], power: float) -> Any:
    """CrossSim's parameters for a layer whose inputs have this mean square."""
    largest, terms = float(module.weight.abs().max()), module.weight[0].numel()
    settings = simulator.CrossSimParameters()
    settings.core.output_dtype = "FLOAT32"
    settings.core.style, settings.core.balanced.style = "BALANCED", "TWO_SIDED"
    device = settings.xbar.device
    device.infinite_on_off_ratio = True
    for errors, strength in (
        (device.programming_error, WEIGHT_ERROR),  # of the largest weight, which is the largest conductance
        (device.read_noise, NOISE / (largest * math.sqrt(terms * power))),
    ):
        errors.enable, errors.model, errors.magnitude = True, "NormalIndependentDevice", strength / DEVICES
    low, high = inputs
    settings.core.mapping.inputs.mvm.min, settings.core.mapping.inputs.mvm.max = low, high
    dac, adc = settings.xbar.dac.mvm, settings.xbar.adc.mvm
    dac.model, dac.bits, dac.signed = "QuantizerDAC", int(STATE_BITS.value), True
    adc.model, adc.bits, adc.signed = "QuantizerADC", int(STATE_BITS.value), True
    settings.xbar.adc.mvm.calibrated_range = [
        bound / (largest * (high - low) / 2) for bound in (-SUM_BOUND, SUM_BOUND)
    ]  # in units of the largest weight and input
    return settings
