"""Shares of causes that add up: Shapley values of the error, sampled over orders in which the causes are switched on.

A cause's share is what it adds when it is switched on after the causes before it, averaged over orders. In each order the steps
add up to all that is lost, so the shares do too, on every chip and image. Each chip has orders of its own, each with its
reverse: where causes only act in pairs, an order and its reverse together are exact.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.base.statistics import Bools, Interval, interval_of_mean

Coalition = frozenset[str]  # the causes that are on
Order = tuple[str, ...]
Outcomes = Mapping[Coalition, Bools]  # which images one chip misreads, for each set of causes


@dataclass(frozen=True)
class Share:
    """What a cause adds to the error, on the average over orders, and its 95 % interval over images and chips."""

    cause: str
    moved: Interval
    tied: bool  # whether its difference from the cause listed before it may be chance


def orders_of(causes: Sequence[str], seed: int, pairs: int) -> tuple[Order, ...]:
    """Pairs of an order and its reverse for one chip: the same for the same seed on every machine."""
    found = list[Order]()
    for pair in range(pairs):
        drawn = sorted(causes, key=lambda cause: hashlib.sha256(f"{seed} {pair} {cause}".encode()).digest())
        found += [tuple(drawn), tuple(reversed(drawn))]
    return tuple(found)


def coalitions_of(orders: Iterable[Order]) -> set[Coalition]:
    """All sets of causes that are on at some step of an order."""
    return {frozenset(order[:on]) for order in orders for on in range(len(order) + 1)}


def added(cause: str, orders: Sequence[Order], wrong: Outcomes) -> NDArray[np.float64]:
    """What a cause adds on each image of one chip, averaged over the orders."""
    total = np.zeros(len(next(iter(wrong.values()))), np.int64)
    for order in orders:
        before = frozenset(order[: order.index(cause)])
        total += wrong[before | {cause}].astype(np.int64) - wrong[before].astype(np.int64)
    return total / len(orders)


def shares_of(causes: Sequence[str], orders_c: Sequence[Sequence[Order]], wrong_c: Sequence[Outcomes]) -> list[Share]:
    """The shares of all causes over chips, the largest first."""
    moved = {
        cause: np.stack([added(cause, orders, wrong) for orders, wrong in zip(orders_c, wrong_c, strict=True)])
        for cause in causes
    }
    ranked = sorted(causes, key=lambda cause: (-float(moved[cause].mean()), cause))
    found = list[Share]()
    for place, cause in enumerate(ranked):
        apart = None if place == 0 else interval_of_mean(moved[ranked[place - 1]] - moved[cause])
        found.append(Share(cause, interval_of_mean(moved[cause]), apart is not None and apart.low <= 0.0))
    return found


def pair_of(first: str, second: str, wrong_c: Sequence[Outcomes]) -> Interval:
    """What two causes cost together beyond what each costs alone."""
    on = [(frozenset((first, second)), 1), (frozenset((first,)), -1), (frozenset((second,)), -1), (frozenset[str](), 1)]
    return interval_of_mean(np.stack([sum(sign * wrong[some].astype(np.float64) for some, sign in on) for wrong in wrong_c]))
