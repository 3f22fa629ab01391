"""Trains two well-known MNIST networks for a minute and saves them: PyTorch's example (1.2 M weights), Keras' mnist_convnet.

    python benchmarks/large_networks.py FOLDER [--steps N]

needs PyTorch and MNIST's training set in the folder ANNA_DATA. The networks are written as torch_mnist.safetensors and
mnist_convnet.safetensors, for `anna plan`, `anna compile` and `benchmarks/compiling.py`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

import anna
from lenet.datasets.digits import training_digits

RELU, NONE = anna.Activation("relu"), anna.Activation("none")


def layers(name: str) -> list[tuple[str, nn.Module]]:
    """The layers of a network as PyTorch has them, each with its name."""
    if name == "torch_mnist":
        return [("conv1", nn.Conv2d(1, 32, 3)), ("", nn.ReLU()), ("conv2", nn.Conv2d(32, 64, 3)), ("", nn.ReLU()),
                ("pool", nn.MaxPool2d(2)), ("", nn.Flatten()), ("fc1", nn.Linear(9216, 128)), ("", nn.ReLU()),
                ("fc2", nn.Linear(128, 10))]  # fmt: skip
    return [("conv1", nn.Conv2d(1, 32, 3)), ("", nn.ReLU()), ("pool1", nn.MaxPool2d(2)), ("conv2", nn.Conv2d(32, 64, 3)),
            ("", nn.ReLU()), ("pool2", nn.MaxPool2d(2)), ("", nn.Flatten()), ("fc", nn.Linear(1600, 10))]  # fmt: skip


def trained(name: str, images: np.ndarray, labels: np.ndarray, steps: int) -> anna.Graph:
    """The network after so many steps of 64 images."""
    torch.manual_seed(0)
    named = layers(name)
    model = nn.Sequential(*(layer for _, layer in named))
    optimiser, order = torch.optim.Adam(model.parameters(), 1e-3), torch.randperm(len(images))
    for step in range(steps):
        some = order[torch.arange(64 * step, 64 * step + 64) % len(order)].numpy()
        scores = model(torch.tensor(images[some, None] / np.float32(255)))
        loss = nn.functional.cross_entropy(scores, torch.tensor(labels[some].astype(np.int64)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = list[anna.Convolution | anna.FullConnection | anna.Pool]()
    for k, (title, layer) in enumerate(named):
        after = RELU if k + 1 < len(named) and isinstance(named[k + 1][1], nn.ReLU) else NONE
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weights, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            kind = anna.Convolution if isinstance(layer, nn.Conv2d) else anna.FullConnection
            found.append(kind(title, weights, bias, activation=after))
        elif isinstance(layer, nn.MaxPool2d):
            found.append(anna.Pool(title, "max", (2, 2), (2, 2)))
    return anna.Graph(name, (1, 28, 28), tuple(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    digits = training_digits("mnist")
    for name in ("torch_mnist", "mnist_convnet"):
        anna.save_network(trained(name, digits.images, digits.labels, given.steps), given.folder / f"{name}.safetensors")


if __name__ == "__main__":
    main()
