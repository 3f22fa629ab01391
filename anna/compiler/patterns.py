"""Addresses as the two-stride patterns that SHIFT and OUT can name."""

from collections.abc import Sequence
from typing import NamedTuple


class Pattern(NamedTuple):
    """`length` addresses a stride apart, and blocks of them a block stride apart."""

    offset: int
    length: int
    stride: int
    blocks: int
    block_stride: int

    @property
    def states(self) -> int:
        """Addresses in all."""
        return self.length * self.blocks


def patterns(addresses: Sequence[int]) -> list[Pattern]:
    """The addresses, in order, as patterns; each is the longest that the remaining addresses begin with."""
    found, at = [], 0
    while at < len(addresses):
        pattern = longest(addresses[at:])
        found.append(pattern)
        at += pattern.states
    return found


def longest(addresses: Sequence[int], most: int | None = None) -> Pattern:
    """The longest pattern that the addresses begin with, of at most `most` blocks of as many states; strides are never
    negative."""
    total = len(addresses)
    most = total if most is None else most
    best = Pattern(addresses[0], 1, 1, 1, 0)
    run = 1
    stride = addresses[1] - addresses[0] if total > 1 else 1
    if stride < 0:
        return best
    while run < total and addresses[run] - addresses[run - 1] == stride:
        run += 1
    # Blocks of the run, and of every shorter prefix of it.
    for count in range(min(run, most), 0, -1):
        step = stride if count > 1 else 1
        blocks, block_stride = 1, 0
        if count < total:
            block_stride = addresses[count] - addresses[0]
            if block_stride >= 0:
                while blocks < most and _repeats(addresses, count, blocks, block_stride):
                    blocks += 1
        if blocks == 1:
            block_stride = 0
        if count * blocks > best.states:
            best = Pattern(addresses[0], count, step, blocks, block_stride)
        if best.states == total:
            break
    return best


def _repeats(addresses: Sequence[int], count: int, blocks: int, block_stride: int) -> bool:
    start = count * blocks
    if start + count > len(addresses):
        return False
    return all(addresses[start + k] == addresses[k] + blocks * block_stride for k in range(count))
