"""Shares of causes: they add up, equal what all orders give, and their intervals hold the truth."""

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.base.statistics import interval_of_mean
from sim.comparison.shares import Coalition, Order, Outcomes, coalitions_of, orders_of, pair_of, shares_of

CAUSES = ("a", "b", "c", "d", "e")


def _every() -> list[Coalition]:
    return [frozenset(some) for size in range(len(CAUSES) + 1) for some in combinations(CAUSES, size)]


def _outcomes(rng: np.random.Generator, images: int, error: Callable[[Coalition], float]) -> Outcomes:
    """One chip: each image is misread where a number of its own lies below the error of what is on."""
    luck = rng.random(images)
    return {some: luck < error(some) for some in _every()}


def _exact(cause: str, error: Callable[[Coalition], float]) -> float:
    """The Shapley value by all orders."""
    orders = list(permutations(CAUSES))
    befores = [frozenset(order[: order.index(cause)]) for order in orders]
    return sum(error(before | {cause}) - error(before) for before in befores) / len(orders)


def _masking(some: Coalition) -> float:
    """Causes that add up, two that only hurt together, and one that hides behind another."""
    hidden = "e" in some and "a" not in some
    return 0.02 + 0.03 * ("a" in some) + 0.01 * ("b" in some) + 0.06 * ({"c", "d"} <= some) + 0.02 * hidden


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3))
def test_shares_add_up_to_all_that_is_lost(seed: int, chips: int, pairs: int) -> None:
    """On every chip and image, whatever the outcomes."""
    rng = np.random.default_rng(seed)
    wrong_c = [{some: rng.random(40) < 0.3 for some in _every()} for _ in range(chips)]
    orders_c = [orders_of(CAUSES, chip, pairs) for chip in range(chips)]
    total = sum(share.moved.share for share in shares_of(CAUSES, orders_c, wrong_c))
    lost = np.mean([wrong[frozenset(CAUSES)].mean() - wrong[frozenset()].mean() for wrong in wrong_c])
    assert total == pytest.approx(lost, abs=1e-12)


def test_with_all_orders_shares_are_the_exact_ones() -> None:
    """Five causes, 120 orders, against enumeration."""
    rng = np.random.default_rng(1)
    orders: list[Order] = list(permutations(CAUSES))
    wrong = [{some: rng.random(30) < 0.4 for some in _every()} for _ in range(2)]
    found = {share.cause: share.moved.share for share in shares_of(CAUSES, [orders] * 2, wrong)}
    for cause in CAUSES:
        mean = _exact(cause, lambda some: float(np.mean([one[some].mean() for one in wrong])))
        assert found[cause] == pytest.approx(mean, abs=1e-12)


def test_where_causes_act_at_most_in_pairs_one_order_and_its_reverse_are_exact() -> None:
    rng = np.random.default_rng(2)

    def error(some: Coalition) -> float:
        return 0.05 * len(some) + 0.08 * ({"a", "b"} <= some) - 0.03 * ({"c", "e"} <= some)

    value = {some: error(some) for some in _every()}
    wrong: Outcomes = {some: np.array([value[some]] * 4) for some in _every()}  # type: ignore[misc]
    # Outcomes as numbers: what is added is then exact, and `added` only ever subtracts them.
    scaled: Outcomes = {some: np.rint(1000 * one).astype(np.int64) for some, one in wrong.items()}  # type: ignore[misc]
    orders = orders_of(CAUSES, int(rng.integers(1000)), 1)
    found = {share.cause: share.moved.share for share in shares_of(CAUSES, [orders], [scaled])}
    for cause in CAUSES:
        assert found[cause] == pytest.approx(1000 * _exact(cause, error), abs=1e-9)


@pytest.mark.slow
def test_coverage_of_shares_over_chips_images_and_orders() -> None:
    """1,000 ledgers of four chips, each chip somewhat better or worse than its kind."""
    rng, draws = np.random.default_rng(3), 1000
    truth = {cause: _exact(cause, _masking) for cause in CAUSES}
    held = dict.fromkeys(CAUSES, 0)
    for draw in range(draws):
        wrong_c = []
        for _ in range(4):
            worse = 1 + 0.2 * rng.normal()
            wrong_c.append(_outcomes(rng, 300, lambda some, worse=worse: worse * _masking(some)))  # type: ignore[misc]
        orders_c = [orders_of(CAUSES, 4 * draw + chip, 1) for chip in range(4)]
        for share in shares_of(CAUSES, orders_c, wrong_c):
            held[share.cause] += share.moved.low <= truth[share.cause] <= share.moved.high
    assert all(0.92 <= count / draws <= 0.999 for count in held.values()), held


def test_a_cause_that_costs_more_is_listed_first_and_chance_is_marked() -> None:
    rng = np.random.default_rng(4)
    wrong_c = [_outcomes(rng, 4000, lambda some: 0.01 + 0.2 * ("a" in some) + 0.01 * ("b" in some)) for _ in range(4)]
    found = shares_of(CAUSES, [orders_of(CAUSES, chip, 1) for chip in range(4)], wrong_c)
    assert [found[0].cause, found[1].cause] == ["a", "b"]
    assert not found[0].tied and not found[1].tied
    assert all(share.tied for share in found[3:])  # c, d and e cost nothing


def test_the_sign_of_a_share_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(5)
    found = {share.cause: share.moved.share for share in shares_of(
        CAUSES, [orders_of(CAUSES, 0, 1)], [_outcomes(rng, 2000, lambda some: 0.3 + 0.1 * ("a" in some) - 0.1 * ("b" in some))]
    )}  # fmt: skip
    assert found["a"] > 0.05 and found["b"] < -0.05


def test_orders_come_with_their_reverse_and_from_the_seed_alone() -> None:
    orders = orders_of(CAUSES, 7, 3)
    assert orders == orders_of(CAUSES, 7, 3) != orders_of(CAUSES, 8, 3)
    assert all(orders[k + 1] == orders[k][::-1] for k in (0, 2, 4))
    assert {frozenset(), frozenset(CAUSES)} <= coalitions_of(orders)
    assert orders_of(tuple(reversed(CAUSES)), 7, 3) == orders  # not from how the causes are listed


def test_a_pair_is_told_by_what_it_does_beyond_each_alone() -> None:
    rng = np.random.default_rng(6)
    wrong_c = [_outcomes(rng, 4000, _masking) for _ in range(4)]
    together, apart = pair_of("c", "d", wrong_c), pair_of("a", "b", wrong_c)
    assert together.low <= 0.06 <= together.high and together.low > 0
    assert apart.low <= 0 <= apart.high
    assert interval_of_mean(np.zeros((2, 5))).share == 0
