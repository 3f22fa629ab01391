"""How far work has come: every part is counted once, and only what is left is waited for."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sim.base.pace import Pace, time_left


@given(st.lists(st.lists(st.integers(), max_size=5), max_size=5))
def test_parts_pass_unchanged_and_each_is_counted_once(work: list[list[int]]) -> None:
    said, total = list[str](), sum(map(len, work))
    pace = Pace("chips", total, said.append)
    assert [list(pace.over(parts)) for parts in work] == work
    assert said[0] == "chips"
    assert [re.findall(r"^chips: (\d+) of (\d+)", line) for line in said[1:]] == [
        [(f"{k + 1}", f"{total}")] for k in range(total)
    ]
    assert [line.endswith(" left") for line in said[1:]] == [k + 1 < total for k in range(total)]


def test_a_time_is_told_no_finer_than_anyone_waits() -> None:
    assert [time_left(seconds) for seconds in (0.2, 99.4, 200, 7200)] == [
        "about 0 s left", "about 99 s left", "about 3 min left", "about 2.0 h left",
    ]  # fmt: skip
