"""Makes the ONNX files of the importer's tests: `python tests/data/onnx/make.py`, with torch, onnx and onnxruntime.

Thirty small convolutional networks drawn from a fixed seed, exported by PyTorch's two exporters in turn, and what ONNX
Runtime makes of twelve pictures each. The weights are drawn so that maps use the range of their activation.
"""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np

HOME = Path(__file__).parent
NETWORKS, PICTURES = 30, 12
ACTIVATIONS = ("tanh", "relu", "sigmoid", "hardtanh", "relu6")


def network(number: int):
    """One random network and the shape of its picture."""
    import torch
    from torch import nn

    rng = np.random.Generator(np.random.PCG64(1000 + number))
    torch.manual_seed(number)
    made = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "hardtanh": nn.Hardtanh, "relu6": nn.ReLU6}
    kind = made[ACTIVATIONS[number % len(ACTIVATIONS)]]
    maps, size = int(rng.integers(1, 3)), int(rng.integers(12, 19))
    shape, layers = (maps, size, size), []
    for depth in range(int(rng.integers(1, 3))):
        kernel, stride = int(rng.choice([3, 4, 5])), int(rng.choice([1, 1, 2]))
        if shape[1] < kernel + 2:
            break
        out = int(rng.choice([2, 4, 6]))
        groups = 2 if shape[0] % 2 == 0 and out % 2 == 0 and rng.random() < 0.3 else 1
        padding = int(rng.choice([0, 0, 1]))
        layers.append(nn.Conv2d(shape[0], out, kernel, stride, padding, groups=groups, bias=bool(rng.random() < 0.8)))
        rows = (shape[1] + 2 * padding - kernel) // stride + 1
        if rng.random() < 0.4:
            normal = nn.BatchNorm2d(out)
            nn.init.uniform_(normal.running_mean, -0.2, 0.2)
            nn.init.uniform_(normal.running_var, 0.5, 1.5)
            nn.init.uniform_(normal.weight, 0.7, 1.3)
            layers.append(normal)
        layers.append(kind())
        shape = (out, rows, rows)
        if rows % 2 == 0 and rows >= 6 and rng.random() < 0.6:
            layers.append(nn.AvgPool2d(2))
            shape = (out, rows // 2, rows // 2)
        del depth
    layers += [nn.Flatten(), nn.Linear(int(np.prod(shape)), int(rng.integers(8, 20))), kind()]
    layers.append(nn.Linear(layers[-2].out_features, 10))
    if rng.random() < 0.3:
        layers.append(nn.Softmax(dim=1))
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, std=1.3 / fan_in**0.5)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -0.3, 0.3)
    return nn.Sequential(*layers).eval(), (maps, size, size)


def pictures(number: int, shape: tuple[int, int, int], count: int) -> np.ndarray:
    """Smooth random pictures in -1..1; picture k is the same for every count."""
    rows, columns = (np.arange(n) * 4 // n for n in shape[1:])
    found = []
    for k in range(count):
        rng = np.random.Generator(np.random.PCG64([5000 + number, k]))
        coarse = rng.uniform(-1.6, 1.6, (shape[0], 5, 5))
        found.append(np.clip(coarse[:, rows][:, :, columns] + rng.normal(0, 0.2, shape), -1, 1))
    return np.array(found, np.float32)


def main() -> None:
    """Write all files."""
    import onnx
    import onnxruntime
    import torch

    warnings.filterwarnings("ignore")
    expected = {}
    for number in range(NETWORKS):
        net, shape = network(number)
        path = HOME / f"net{number:02d}.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(net, (torch.zeros(1, *shape),), str(path), dynamo=number % 2 == 1, input_names=["picture"],
                              **({} if number % 2 else {"dynamic_axes": {"picture": {0: "n"}}}))  # fmt: skip
        model = onnx.load(str(path))
        path.with_name(path.name + ".data").unlink(missing_ok=True)
        del model.metadata_props[:]
        for node in model.graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
        onnx.save(model, str(path), save_as_external_data=False)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        seen = pictures(number, shape, PICTURES)
        expected[f"net{number:02d}"] = np.concatenate([session.run(None, {"picture": one[None]})[0] for one in seen])
    np.savez(HOME / "expected.npz", **expected)


if __name__ == "__main__":
    main()
