"""Learning one digit at a time with gradients written out in NumPy: five times as fast as PyTorch, which suits batches.

The arrays are those of a `TorchNet`, so whatever else is done with it (second derivatives, checkpoints) sees them move.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.activations import SCALED_TANH_HEIGHT, SCALED_TANH_SLOPE
from anna.network.graph import NONE, SCALED_TANH, Convolution, FullConnection, Subsample
from lenet.training.torch_net import TorchLayer, TorchNet

Array = NDArray[np.float32]
HEIGHT, SLOPE = np.float32(SCALED_TANH_HEIGHT), np.float32(SCALED_TANH_SLOPE)


class _Step(Protocol):
    """A layer for one digit; maps are (maps, rows, columns)."""

    rates: list[Array]  # of each parameter, in the order of the layer's

    def forward(self, x: Array) -> Array: ...

    def inputs_slope(self, slope: Array) -> Array:
        """The slope of the loss by the layer's inputs, from that by its sums."""
        ...

    def move(self, slope: Array) -> None:
        """Moves the weights against the gradient, each at its rate."""
        ...


class _Convolution:
    def __init__(self, layer: Convolution, weights: Array, bias: Array) -> None:
        self.kernel, self.mask = layer.kernel, layer.table[:, :, None, None].astype(np.float32)
        self.weights, self.bias, self.rates = weights, bias, list[Array]()

    def forward(self, x: Array) -> Array:
        windows = sliding_window_view(x, self.kernel, (1, 2)).transpose(0, 3, 4, 1, 2)
        self.inputs, (rows, columns) = x.shape, windows.shape[3:]
        self.columns = np.ascontiguousarray(windows).reshape(-1, rows * columns)
        flat = self.weights.reshape(len(self.weights), -1) @ self.columns + self.bias[:, None]
        return flat.reshape(-1, rows, columns)

    def inputs_slope(self, slope: Array) -> Array:
        maps, rows, columns = slope.shape
        back = self.weights.reshape(maps, -1).T @ slope.reshape(maps, -1)
        back = back.reshape(self.inputs[0], *self.kernel, rows, columns)
        found = np.zeros(self.inputs, np.float32)
        for row, column in np.ndindex(*self.kernel):
            found[:, row : row + rows, column : column + columns] += back[:, row, column]
        return found

    def move(self, slope: Array) -> None:
        flat = slope.reshape(len(slope), -1)
        self.weights -= self.rates[0] * (self.mask * (flat @ self.columns.T).reshape(self.weights.shape))
        self.bias -= self.rates[1] * flat.sum(1)


class _Subsample:
    def __init__(self, coefficient: Array, bias: Array) -> None:
        self.coefficient, self.bias, self.rates = coefficient, bias, list[Array]()

    def forward(self, x: Array) -> Array:
        self.totals = x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]
        return self.totals * self.coefficient[:, None, None] + self.bias[:, None, None]

    def inputs_slope(self, slope: Array) -> Array:
        return (slope * self.coefficient[:, None, None]).repeat(2, 1).repeat(2, 2)

    def move(self, slope: Array) -> None:
        self.coefficient -= self.rates[0] * (slope * self.totals).sum((1, 2))
        self.bias -= self.rates[1] * slope.sum((1, 2))


class _FullConnection:
    def __init__(self, weights: Array, bias: Array) -> None:
        self.weights, self.bias, self.rates = weights, bias, list[Array]()

    def forward(self, x: Array) -> Array:
        self.inputs = x
        return (self.weights @ x.reshape(-1) + self.bias)[:, None, None]

    def inputs_slope(self, slope: Array) -> Array:
        found: Array = (slope.reshape(-1) @ self.weights).reshape(self.inputs.shape)
        return found

    def move(self, slope: Array) -> None:
        flat = slope.reshape(-1)
        self.weights -= self.rates[0] * np.outer(flat, self.inputs)
        self.bias -= self.rates[1] * flat


class OneDigit:
    """Moves the weights of a network of convolutions, 2x2 subsampling and full connections, its output linear."""

    def __init__(self, net: TorchNet) -> None:
        self.steps = list[tuple[_Step, bool]]()  # with whether a scaled tanh follows
        last = net.chain[-1]
        for module in net.chain:
            assert isinstance(module, TorchLayer)
            layer, arrays = module.layer, [one.detach().numpy() for one in module.parameters()]
            wanted = NONE if module is last else SCALED_TANH
            self.steps.append((_step(layer, arrays), wanted == SCALED_TANH))
            if layer.activation != wanted:
                raise DataError(
                    f"{layer.name}: gradients by hand are for scaled tanh and a linear output; it has {layer.activation.kind}"
                )

    def settle(self, rates: list[Array]) -> None:
        """Takes the rate of each weight, in the order of the network's parameters."""
        left = iter(rates)
        for step, _ in self.steps:
            step.rates = [next(left), next(left)]

    def learn(self, image: Array, label: int) -> tuple[float, bool]:
        """Learns one image by cross-entropy; its loss and whether it was misread, both before the step."""
        x, given = image, list[Array]()
        for step, squashed in self.steps:
            x = step.forward(x)
            if squashed:
                x = np.tanh(x * SLOPE)
                given.append(x)
                x = x * HEIGHT
        scores = x.reshape(-1)
        powers = np.exp(scores - scores.max())
        total = float(powers.sum())
        loss = float(np.log(total) - (scores[label] - scores.max()))
        slope = (powers / np.float32(total)).astype(np.float32)
        slope[label] -= 1
        back = slope[:, None, None]
        for number, (step, squashed) in reversed([*enumerate(self.steps)]):
            if squashed:
                tanh = given.pop()
                back = back * (HEIGHT * SLOPE * (1 - tanh * tanh))
            before = step.inputs_slope(back) if number else back  # of the image, nobody asks
            step.move(back)
            back = before
        return loss, int(scores.argmax()) != label


def _step(layer: Any, arrays: list[Array]) -> _Step:
    match layer:
        case Convolution(stride=(1, 1), padding=(0, 0, 0, 0)) if layer.bias is not None and layer.bias.ndim == 1:
            return _Convolution(layer, *arrays)
        case Subsample(window=(2, 2)) if layer.source == tuple(range(len(layer.bias_o))):
            return _Subsample(*arrays)
        case FullConnection() if layer.bias_o is not None:
            return _FullConnection(*arrays)
        case _:
            raise DataError(
                f"{layer.name}: gradients by hand are for plain convolutions, 2x2 subsampling and full connections, not for "
                f"this {layer.kind} layer; expected another recipe"
            )
