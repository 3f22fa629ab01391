"""Wrote the files beside it, with PyTorch 2.13.0, Brevitas 0.13.4, onnx and onnxoptimizer: `python make.py`."""

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.export import export_onnx_qcdq, export_qonnx
from brevitas.quant import Int8ActPerTensorFixedPoint, Int8WeightPerTensorFixedPoint, Uint8ActPerTensorFixedPoint
from torch import nn


class Weights(Int8WeightPerTensorFixedPoint):
    bit_width = 4


class Image(Int8ActPerTensorFixedPoint):
    bit_width = 3


class Maps(Uint8ActPerTensorFixedPoint):
    bit_width = 3


def network() -> nn.Module:
    return nn.Sequential(
        qnn.QuantIdentity(act_quant=Image),
        qnn.QuantConv2d(1, 4, 3, bias=True, weight_quant=Weights),
        qnn.QuantReLU(act_quant=Maps),
        qnn.QuantConv2d(4, 6, 3, stride=2, bias=True, weight_quant=Weights),
        qnn.QuantReLU(act_quant=Maps),
        nn.Flatten(),
        qnn.QuantLinear(6 * 16, 5, bias=True, weight_quant=Weights),
    )


expected = {}
for name, export in (("qonnx", export_qonnx), ("qcdq", export_onnx_qcdq)):
    torch.manual_seed(0)
    net, images = network(), torch.rand(64, 1, 12, 12) * 2 - 1
    optimiser = torch.optim.SGD(net.train().parameters(), 0.01)
    for _ in range(30):
        optimiser.zero_grad()
        ((net(images) - images.mean(dim=(1, 2, 3))[:, None]) ** 2).mean().backward()
        optimiser.step()
    net.eval()
    export(net, args=images[:1], export_path=f"brevitas_{name}.onnx")
    expected[f"{name}.images"], expected[f"{name}.scores"] = images.numpy(), net(images).detach().numpy()
    for number in (1, 3):
        expected[f"{name}.{number}"] = net[number].quant_weight().int().numpy()
np.savez_compressed("expected.npz", **expected)
