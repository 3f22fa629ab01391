"""The table of ONNX operations: which become layers of the chip or of the host, which leave no layer, which are refused.

docs/import.md shows `as_markdown()`; the compiler decides for each network which of its chip layers the chip runs.
"""

from dataclasses import dataclass
from typing import Literal

from anna.importers import onnx_quantised as quantised
from anna.importers.folding import FOLDS
from anna.importers.onnx_ops import FUNCTIONS
from anna.importers.refusals import WAYS_OUT
from anna.network.activations import Activation

Where = Literal["chip", "host", "folded", "refused"]


@dataclass(frozen=True)
class Group:
    """Operations that become the same kind of thing."""

    where: Where
    operations: tuple[str, ...]
    becomes: str


def _functions(on_chip: bool) -> tuple[str, ...]:
    """The activations that the chip's ADC computes, or the others."""
    return tuple(op for op, kind in FUNCTIONS.items() if (Activation(kind).curve.adc is not None) is on_chip)


GROUPS = (
    Group("chip", ("Conv",), "a convolution; groups are a connection table, dilations zeros in the kernel, one axis a row"),
    Group("chip", ("Gemm", "MatMul"), "a full connection; along the last of several axes a 1 x 1 convolution"),
    Group("chip", ("AveragePool", "GlobalAveragePool"), "mean pooling; with padding that counts, a convolution"),
    Group("chip", ("GlobalMaxPool", "MaxPool"), "maximum pooling"),
    Group("chip", ("Clip", *_functions(True), "HardSigmoid"), "the activation of the layer before"),
    Group("chip", ("Max", "Min"), "with one number, the activation of the layer before; else a combination, on the host"),
    Group("chip", ("BatchNormalization", "Neg"), "a factor and an offset per map, folded into the layer before if it can be"),
    Group("chip", ("Add", "Div", "Mul", "Sub"),
          "with constants the same; of results a sum on the chip (a residual), or a combination on the host (a gate)"),
    Group("chip", ("Mean", "Sum"), "a sum of maps, unit by unit"),
    Group("chip", ("ReduceMean", "ReduceSum"), "over rows and columns, pooling; else a sum over axes"),
    Group("host", ("ReduceMax",), "over rows and columns, maximum pooling on the chip; else a reduction over axes"),
    Group("host", ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMin", "ReduceProd", "ReduceSumSquare"),
          "a reduction over axes, with the functions before and after it"),
    Group("host", ("GroupNormalization", "InstanceNormalization", "LayerNormalization", "LpNormalization", "RMSNormalization"),
          "a normalisation over axes, then factors and offsets"),
    Group("host", ("LogSoftmax", "Softmax"), "a softmax; before opset 13, over all axes from the one named"),
    Group("host", ("Gelu", *_functions(False), "PRelu", "Pow"), "an activation; powers -1, 0.5, 1, 2 and 3"),
    Group("host", ("ConvTranspose",), "an arrangement with zeros between, then a convolution"),
    Group("host", tuple(quantised.READERS), "codes as what they stand for, and on values a function that rounds and clips"),
    Group("folded", ("DepthToSpace", "Expand", "Flatten", "Gather", "Pad", "Reshape", "Resize", "Slice", "SpaceToDepth",
                     "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Upsample"),
          "nothing, permuted weights or the padding of the next layer; else an arrangement, on the host. Resize: nearest only"),
    Group("folded", ("Concat",), "a concatenation, a layout in memory"),
    Group("folded", ("Cast", "CastLike", "Dropout", "Identity"), "nothing"),
    Group("folded", tuple(sorted(FOLDS)), "of constants and of shapes, evaluated on reading"),
    Group("refused", tuple(WAYS_OUT), "one sentence for each operation, with what to do about it; as is every other operation"),
)  # fmt: skip


def as_markdown() -> str:
    """The table as docs/import.md shows it."""
    rows = ["| where | operation | becomes |", "|---|---|---|"]
    rows += [f"| {group.where} | {', '.join(sorted(group.operations))} | {group.becomes} |" for group in GROUPS]
    return "\n".join(rows)
