"""Shared work: every part once, whatever the number of threads; the first failure stops it and is raised."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.base.threads import share


@given(st.integers(0, 40), st.integers(1, 9))
def test_every_part_is_done_once(parts: int, threads: int) -> None:
    done: list[int] = []
    share(done.append, range(parts), threads)
    assert sorted(done) == list(range(parts))


def test_the_caller_works_too_and_no_more_threads_than_parts() -> None:
    seen: set[int] = set()
    share(lambda _: seen.add(threading.get_ident()), [1], 8)
    assert seen == {threading.get_ident()}
    before = threading.active_count()
    share(lambda _: time.sleep(0.01), range(20), 3)
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_the_first_failure_ends_it(threads: int, kind: type[BaseException]) -> None:
    done: list[int] = []

    def work(part: int) -> None:
        if part == 3:
            raise kind("part three")
        done.append(part)
        time.sleep(0.002)

    with pytest.raises(kind, match="part three"):
        share(work, range(1000), threads)
    assert len(done) < 1000
