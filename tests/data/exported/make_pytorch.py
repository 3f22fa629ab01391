"""Writes pytorch_*.onnx: networks as PyTorch users write them, from both of its exporters. README.md tells how to run it."""

import numpy as np
import torch
from small_digits import small_digits
from stored import HOME, store
from torch import nn
from torch.nn import functional


class Functional(nn.Module):
    """The style of PyTorch's own MNIST example: functions, a view, dropout, log softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3)
        self.fc1, self.fc2 = nn.Linear(8 * 4 * 4, 16), nn.Linear(16, 10)
        self.dropout = nn.Dropout(0.25)

    def forward(self, x):
        x = functional.avg_pool2d(functional.relu(self.conv1(x)), 2)
        x = torch.clamp(self.conv2(x), min=0)
        x = x.view(x.size(0), -1)
        x = functional.relu(self.fc1(self.dropout(x)))
        return functional.log_softmax(self.fc2(x), dim=1)


class Squashed(nn.Module):
    """Padding of its own, LeCun's tanh, a picture without an axis for its map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.full = nn.Conv2d(1, 4, 5), nn.Linear(4 * 7 * 7, 10)

    def forward(self, x):
        x = functional.pad(x.unsqueeze(1), (2, 2, 2, 2), value=-1.0)
        x = 1.7159 * torch.tanh(2 / 3 * self.conv(x))
        return self.full(torch.flatten(functional.avg_pool2d(x, 2), 1))


def depthwise() -> nn.Module:
    """Batch normalisation, ReLU6, groups, a mean over whole maps."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        nn.Conv2d(8, 24, 3, stride=2, bias=False), nn.BatchNorm2d(24), nn.Hardtanh(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10),
    )  # fmt: skip


def maximum() -> nn.Module:
    """Maximum pooling, batch normalisation after it and on a flat vector, softmax."""
    return nn.Sequential(
        nn.BatchNorm2d(1), nn.Conv2d(1, 6, 4, dilation=2), nn.Tanh(), nn.MaxPool2d(3, ceil_mode=True), nn.BatchNorm2d(6),
        nn.Dropout(0.1), nn.Flatten(), nn.Linear(54, 16), nn.BatchNorm1d(16), nn.Sigmoid(), nn.Linear(16, 10), nn.Softmax(1),
    )  # fmt: skip


def trained(net: nn.Module, axes: tuple[int, ...]) -> nn.Module:
    """A few passes over 500 digits: enough to tell most digits apart."""
    torch.manual_seed(1)
    pictures, labels = (torch.from_numpy(part) for part in small_digits())
    pictures = pictures.reshape(len(pictures), *axes)
    rule, rng = torch.optim.Adam(net.parameters(), 0.01), np.random.default_rng(1)
    for _ in range(30):
        for part in np.array_split(rng.permutation(len(labels)), 20):
            rule.zero_grad()
            loss = functional.cross_entropy(net(pictures[part]), labels[part])
            loss.backward()
            rule.step()
    return net.eval()


def main() -> None:
    """Train and export."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for name, make, axes in (
        ("functional", Functional, (1, 14, 14)),
        ("squashed", Squashed, (14, 14)),
        ("depthwise", depthwise, (1, 14, 14)),
        ("maximum", maximum, (1, 14, 14)),
    ):
        net, one = trained(make(), axes), torch.zeros(1, *axes)
        torch.onnx.export(net, (one,), str(HOME / f"pytorch_script_{name}.onnx"), dynamo=False, input_names=["picture"],
                          dynamic_axes={"picture": {0: "batch"}})  # fmt: skip
        torch.onnx.export(net, (one.repeat(2, *(1,) * len(axes)),), str(HOME / f"pytorch_dynamo_{name}.onnx"),
                          input_names=["picture"], dynamic_shapes=({0: torch.export.Dim("batch")},),
                          external_data=name == "functional")  # fmt: skip
    store("pytorch")


if __name__ == "__main__":
    main()
