"""How the range of the ADC grows with the scale code: one entry of `SCALE_LAWS` for each law that a chip may have."""

from collections.abc import Callable
from itertools import accumulate, repeat
from typing import Literal

ScaleLaw = Literal["geometric", "linear"]

# All ranges, from the first one, the step and how many there are.
SCALE_LAWS: dict[ScaleLaw, Callable[[float, float, int], list[float]]] = {
    # Multiplied step by step: products of doubles are the same on every machine, powers are not.
    "geometric": lambda first, step, count: list(accumulate(repeat(step, count - 1), float.__mul__, initial=first)),
    "linear": lambda first, step, count: [first * (code + 1) for code in range(count)],
}
