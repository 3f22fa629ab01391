"""Quantised networks: codes become what they stand for, and a quantisation a function that rounds and clips.

ONNX's pairs of QuantizeLinear and DequantizeLinear, its QLinearConv and QLinearMatMul, and QONNX's Quant. The float forward of
such a network gives the quantised network's results.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_axes import Inputs, constant
from anna.importers.onnx_file import BITS, HALVES, TYPES, Array, Node
from anna.importers.onnx_ops import matmul
from anna.importers.onnx_windows import conv
from anna.importers.tensor import Refused, Tensor
from anna.network.activations import Activation

QUANT = "qonnx.custom_op.general.Quant"
MICROSOFT = "com.microsoft"  # of ONNX Runtime before ONNX had these for four bits
Values = Tensor | Array


def _along(value: Any, ndim: int, axis: int, what: str) -> Array:
    """One number, or one for each place along an axis, fit for arrays of `ndim` axes."""
    numbers = constant(value, what)
    if numbers.size == 1:
        return numbers.astype(np.float64).reshape(())
    if numbers.ndim != 1:
        raise Refused(f"has {what} of shape {numbers.shape}; expected one number, or one for each place along an axis")
    return numbers.astype(np.float64).reshape((-1,) + (1,) * (ndim - axis % ndim - 1))


def _axes(x: Values) -> int:
    return x.units.ndim + 1 if isinstance(x, Tensor) else x.ndim


def _scaled(draft: Draft, node: Node, x: Values, factor: Array, offset: Array) -> Values:
    return draft.affine(x, node, factor, offset) if isinstance(x, Tensor) else x * factor + offset


def _rounded(draft: Draft, node: Node, x: Values, low: float, high: float) -> Values:
    if not isinstance(x, Tensor):
        return np.clip(np.rint(x), low, high)
    return draft.activate(x, node, Activation("rounded", low, high))


def _to_codes(draft: Draft, node: Node, x: Values, scale: Array, zero: Array, ends: tuple[int, int]) -> Values:
    """Codes: rounded before the zero point is added, as ONNX defines ties."""
    if zero.size > 1 and (zero != zero.flat[0]).any():
        raise Refused("has zero points that differ; expected one")
    offset = zero.flat[0]
    found = _rounded(draft, node, _scaled(draft, node, x, 1.0 / scale, np.zeros(())), ends[0] - offset, ends[1] - offset)
    return _scaled(draft, node, found, np.ones(()), zero)


def _ends(node: Node, zero: Any) -> tuple[int, int]:
    """The least and the greatest code, by the type of the zero point."""
    kind = (
        (TYPES | HALVES).get(int(node.attributes.get("output_dtype") or 0))
        if zero is None
        else constant(zero, "zero point").dtype
    )
    kind = np.dtype(np.uint8) if kind is None else kind
    if kind.kind not in "iu":
        raise Refused(f"quantises to {kind}; expected integers")
    fewer = np.iinfo(kind).bits - (kind.metadata or {}).get(BITS, np.iinfo(kind).bits)
    return int(np.iinfo(kind).min) >> fewer, int(np.iinfo(kind).max) >> fewer


def _zero(zero: Any, ndim: int, axis: int) -> Array:
    return np.zeros(()) if zero is None else _along(zero, ndim, axis, "zero points")


def _single(found: Values) -> Values:
    """Constants are kept in 32 bits, as in the file."""
    return found if isinstance(found, Tensor) else found.astype(np.float32)


def quantize(draft: Draft, node: Node, inputs: Inputs) -> Values:
    """QuantizeLinear."""
    x, scale, zero = (*inputs, None)[:3]
    axis = int(node.attributes.get("axis", 1))
    ends = _ends(node, zero)
    return _to_codes(draft, node, x, _along(scale, _axes(x), axis, "scales"), _zero(zero, _axes(x), axis), ends)


def dequantize(draft: Draft, node: Node, inputs: Inputs) -> Values:
    """DequantizeLinear."""
    x, scale, zero = (*inputs, None)[:3]
    axis = int(node.attributes.get("axis", 1))
    factor = _along(scale, _axes(x), axis, "scales")
    shift = _zero(zero, _axes(x), axis)
    if isinstance(x, Tensor):
        return draft.affine(x, node, factor, -shift * factor)
    values: Array = ((x - shift) * factor).astype(np.float32)
    return values


def quant(draft: Draft, node: Node, inputs: Inputs) -> Values:
    """QONNX's Quant: to codes of some bits and back."""
    x, scale, zero, bits = inputs
    if node.attributes.get("rounding_mode", "ROUND") not in ("ROUND", "HALF_EVEN"):
        raise Refused(f"rounds by {node.attributes['rounding_mode']}; expected ROUND")
    width, narrow = float(constant(bits, "width").reshape(-1)[0]), int(node.attributes.get("narrow", 0))
    if node.attributes.get("signed", 1):
        ends = int(-(2 ** (width - 1))) + narrow, int(2 ** (width - 1)) - 1
    else:
        ends = 0, int(2**width) - 1 - narrow
    factor, shift = (np.asarray(constant(one, "scales"), np.float64) for one in (scale, zero))
    if isinstance(x, Tensor):
        factor, shift = (one[0] if one.ndim == x.units.ndim + 1 else one.reshape(()) if one.size == 1 else one
                         for one in (factor, shift))  # fmt: skip
    codes = _to_codes(draft, node, x, factor, shift, ends)
    return _single(_scaled(draft, node, codes, factor, -shift * factor))


def _weights(codes: Any, scale: Any, zero: Any, axis: int) -> Array:
    numbers = constant(codes, "weights")
    factor, shift = _along(scale, numbers.ndim, axis, "scales"), _along(zero, numbers.ndim, axis, "zero points")
    return ((numbers - shift) * factor).astype(np.float32)


def _value(draft: Draft, node: Node, codes: Any, scale: Any, zero: Any) -> Tensor:
    if not isinstance(codes, Tensor):
        raise Refused("multiplies constants; expected the network's values first")
    factor, shift = _along(scale, 1, 0, "scales"), _along(zero, 1, 0, "zero points")
    return draft.affine(codes, node, factor, -shift * factor)


def _requantised(draft: Draft, node: Node, made: Tensor, scale: Any, zero: Any) -> Values:
    factor, shift = _along(scale, 1, 0, "scales"), _along(zero, 1, 0, "zero points")
    return _to_codes(draft, node, made, factor, shift, _ends(node, zero))


def quantised_conv(draft: Draft, node: Node, inputs: Inputs) -> Values:
    """QLinearConv: a convolution between codes."""
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias = (*inputs, None)[:9]
    weights = _weights(w, w_scale, w_zero, 0)
    if bias is not None:
        bias = (bias * constant(x_scale, "scales") * constant(w_scale, "scales").reshape(-1)).astype(np.float32)
    made = conv(draft, node, [_value(draft, node, x, x_scale, x_zero), weights, bias])
    return _requantised(draft, node, made, y_scale, y_zero)


def quantised_matmul(draft: Draft, node: Node, inputs: Inputs) -> Values:
    """QLinearMatMul: a full connection between codes."""
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = inputs
    made = matmul(draft, node, [_value(draft, node, x, x_scale, x_zero), _weights(w, w_scale, w_zero, -1)])
    return _requantised(draft, node, made, y_scale, y_zero)


READERS: dict[str, Callable[[Draft, Node, Inputs], Any]] = {
    "DequantizeLinear": dequantize, "QLinearConv": quantised_conv, "QLinearMatMul": quantised_matmul,
    "QuantizeLinear": quantize, QUANT: quant,
    f"{MICROSOFT}.DequantizeLinear": dequantize, f"{MICROSOFT}.QuantizeLinear": quantize,
}  # fmt: skip
# These also turn constants into constants.
OF_CONSTANTS = tuple(op for op in READERS if not op.startswith("QLinear"))
