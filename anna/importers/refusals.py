"""What is said about operations that have no layer: what to do instead."""

_OTHER_SQUASH = "train with Relu, Tanh, Sigmoid or a Clip (Hardtanh, ReLU6) instead"
_FLOAT = "export the float network, before it is quantised: the compiler finds the codes itself"
_NORM = "use BatchNormalization, which folds into the weights"
_RESIZE = "resize the images before the network, or use a convolution with a stride"
_RECURRENT = "the compiler takes convolutions and full connections, one after the other"
_BRANCH = "the compiler takes one layer after the other: split the network or remove the branch"

WAYS_OUT = {
    **dict.fromkeys(("Celu", "Elu", "Gelu", "HardSwish", "LeakyRelu", "Mish", "PRelu", "Selu", "Softplus", "Softsign",
                     "ThresholdedRelu", "Abs", "Erf", "Exp", "Pow", "Sqrt"), _OTHER_SQUASH),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
                     "ConvInteger", "MatMulInteger"), _FLOAT),
    **dict.fromkeys(("GroupNormalization", "InstanceNormalization", "LRN", "LayerNormalization", "LpNormalization"), _NORM),
    **dict.fromkeys(("ConvTranspose", "DepthToSpace", "Resize", "SpaceToDepth", "Upsample"), _RESIZE),
    **dict.fromkeys(("Attention", "GRU", "LSTM", "RNN"), _RECURRENT),
    **dict.fromkeys(("Concat", "Einsum", "Gather", "If", "Loop", "Scan", "Slice", "Split", "Where"), _BRANCH),
    "ArgMax": "end the network with its scores; labels are made of them",
    "StatefulPartitionedCall": "TensorFlow's converter left it out: export with another back end or without groups",
}  # fmt: skip
OTHERWISE = "replace it before exporting; docs/import.md lists what is known"


def no_layer(op: str) -> str:
    """Why an operation cannot be taken, and the way out."""
    return f"has no layer for the operation {op}; {WAYS_OUT.get(op, OTHERWISE)}"
