"""Integers that a caller passes: seeds, counts, cycles."""

from operator import index

from anna.base.errors import MachineError

LARGEST_SEED = (1 << 64) - 1


def checked_integer(what: str, value: object, low: int = 0, high: int | None = None) -> int:
    """A Python or NumPy integer as an int; raises MachineError with what was expected otherwise."""
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise MachineError(f"{what} is {value!r}; expected a whole number") from None
    if number < low or (high is not None and number > high):
        raise MachineError(f"{what} is {number}; expected {f'at least {low}' if high is None else f'{low} to {high}'}")
    return number
