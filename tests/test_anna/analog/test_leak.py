"""How old a charge may grow: the exponential leak of a record, turned round."""

import math

import pytest

from anna.analog.leak import charge_lost_at, oldest_charge_cycles
from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.chip.spec import ANNA_1991

ONE_IN_A_HUNDRED = Analog(charge_lost=0.01, charge_lost_after_us=5000.0)


def test_a_charge_may_grow_as_old_as_the_record_says() -> None:
    """1 % in 5 ms at 20 MHz is 100,000 cycles; for 2 %, ln 0.98 / ln 0.99 times as many."""
    assert oldest_charge_cycles(ANNA_1991, ONE_IN_A_HUNDRED, 0.01) == 100_000
    assert oldest_charge_cycles(ANNA_1991, ONE_IN_A_HUNDRED, 0.02) == math.floor(100_000 * math.log(0.98) / math.log(0.99))
    assert oldest_charge_cycles(ANNA_1991.changed(clock_hz=10_000_000), ONE_IN_A_HUNDRED, 0.01) == 50_000


@pytest.mark.parametrize("lost", [0.001, 0.01, 0.3, 0.9])
def test_at_that_age_the_loss_is_within_the_limit_and_a_cycle_later_it_is_not(lost: float) -> None:
    oldest = oldest_charge_cycles(ANNA_1991, ONE_IN_A_HUNDRED, lost)
    assert oldest is not None
    assert charge_lost_at(ANNA_1991, ONE_IN_A_HUNDRED, oldest) <= lost * (1 + 1e-9)
    assert charge_lost_at(ANNA_1991, ONE_IN_A_HUNDRED, oldest + 1) > lost


def test_a_warm_chip_leaks_faster() -> None:
    warm = ONE_IN_A_HUNDRED.changed(temperature_k=309.0)
    assert oldest_charge_cycles(ANNA_1991, warm, 0.01) == 50_000


def test_a_charge_that_does_not_leak_may_grow_as_old_as_it_likes() -> None:
    assert oldest_charge_cycles(ANNA_1991, Analog(), 0.01) is None


@pytest.mark.parametrize("lost", [0.0, 1.0, -0.1])
def test_a_limit_beyond_none_and_all_is_refused(lost: float) -> None:
    with pytest.raises(SpecError, match=r"^max_charge_lost is .*; expected more than 0 and less than 1$"):
        oldest_charge_cycles(ANNA_1991, ONE_IN_A_HUNDRED, lost)
