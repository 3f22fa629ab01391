"""Rounding that gradients pass straight through: a value that was made elsewhere stands for what it was made from."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.autograd import Function


class _StraightThrough(Function):
    @staticmethod
    def forward(ctx: Any, made_from: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
        ctx.slope = slope
        return value

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return grad if ctx.slope is None else grad * ctx.slope, None, None


def straight_through(made_from: Tensor, value: Tensor, slope: Tensor | None = None) -> Tensor:
    """The value, to the bit; its gradient with respect to what it was made from is the slope, of its shape or one that repeats
    to it, else one."""
    if not made_from.requires_grad:
        return value
    found: Tensor = _StraightThrough.apply(made_from, value, slope)
    return found


def held_between(x: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """Numbers held between two ends, and ones where they lay there, zeros elsewhere (as floats: a mask of truth values takes
    several times as long)."""
    held = x.clamp(low, high)
    return held, (held - x).sign_().abs_().neg_().add_(1.0)
