"""Addresses that a text leaves out: whatever the loops, each SHIFT and OUT goes on where the last one of its name ended."""

from collections.abc import Sequence

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

import anna
from anna.base.errors import AssemblyError
from anna.program.isa import PUBLISHED, Op
from anna.program.loops import unrolled
from anna.program.pointers import AddressError, addressed

HEAD = ".input name=image address=8 shape=64\n.output name=out address=100 shape=4\n"


def addresses(text: str) -> list[tuple[int, int, int]]:
    """Address and steps of each SHIFT and OUT of a text."""
    program = anna.assemble(HEAD + text)
    return [(op["address"], op["step"], op["outer_step"]) for op in program.code if op.name in ("SHIFT", "OUT")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SHIFT 4\nSHIFT 3\nOUT 2\nSHIFT 1\nOUT 2", [(8, 0, 0), (12, 0, 0), (100, 0, 0), (15, 0, 0), (102, 0, 0)]),
        ("SHIFT 4 address=40\nSHIFT 4", [(40, 0, 0), (44, 0, 0)]),
        ("REPEAT 16\nSHIFT 4\nENDREP\nSHIFT 4", [(8, 4, 0), (72, 0, 0)]),
        ("REPEAT 2\nSHIFT 4\nREPEAT 3\nSHIFT 2\nENDREP\nENDREP\nSHIFT 1", [(8, 10, 0), (12, 2, 10), (28, 0, 0)]),
        ("REPEAT 3\nSHIFT 4 address=20 step=9\nSHIFT 4\nENDREP\nSHIFT 1", [(20, 9, 0), (24, 9, 0), (46, 0, 0)]),
        ("SHIFT 4 address=11\nREPEAT 3\nSHIFT 1\nSHIFT 4 address=20 step=9\nENDREP", [(11, 0, 0), (15, 9, 0), (20, 9, 0)]),
    ],
)
def test_an_address_left_out_goes_on(text: str, expected: list[tuple[int, int, int]]) -> None:
    assert addresses(text) == expected


def test_an_address_that_follows_no_step_must_be_given() -> None:
    with pytest.raises(AssemblyError) as refusal:
        addresses("REPEAT 3\nSHIFT 1\nSHIFT 4 address=20\nENDREP")
    assert str(refusal.value) == (
        "assembly, line 4: SHIFT needs address=: left out, it would go on from the SHIFT before its loop in the first turn, "
        "and from the last one within the loop in the others"
    )


SHIFTS = st.builds(
    lambda name, count, given, address, steps: (name, count, (address, *steps) if given else None),
    st.sampled_from(["SHIFT", "OUT"]), st.integers(1, 4), st.booleans(), st.integers(0, 9),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
)  # fmt: skip
INNER = st.tuples(st.integers(1, 3), st.lists(SHIFTS, max_size=3))
OUTER = st.tuples(st.integers(1, 3), st.lists(st.one_of(SHIFTS, INNER), max_size=4))
PROGRAMS = st.lists(st.one_of(SHIFTS, INNER, OUTER), max_size=5)


def written(items: Sequence, ops: list[Op], left_open: set[int], depth: int = 0) -> None:
    """The instructions of a drawn program, and which of them have no address."""
    for item in items:
        if len(item) == 2:
            ops.append(PUBLISHED.op("REPEAT", count=item[0]))
            written(item[1], ops, left_open, depth + 1)
            ops.append(PUBLISHED.op("ENDREP"))
            continue
        name, count, place = item
        if place is None:
            left_open.add(len(ops))
        steps = dict(zip(("step", "outer_step"), place[1:] if place else (), strict=False)) if depth else {}
        if depth == 1:
            steps.pop("outer_step", None)
        ops.append(PUBLISHED.op(name, count=count, address=place[0] if place else 0, **steps))


@given(PROGRAMS)
def test_in_the_order_of_issue_each_begins_where_the_last_one_ended(items: list) -> None:
    ops, left_open = list[Op](), set[int]()
    written(items, ops, left_open)
    try:
        found = addressed(ops, left_open, {"SHIFT": 50, "OUT": 90})
    except AddressError as refusal:
        event("refused")
        open_where_refused = refusal.index in left_open
        found = None
    if found is None:
        assert open_where_refused
        return
    marked = [op.changed(count=op["count"] + 8 * (i in left_open)) if op.name in ("SHIFT", "OUT") else op
              for i, op in enumerate(found)]  # fmt: skip
    ends = {"SHIFT": 50, "OUT": 90}
    for op in unrolled(marked):  # counts above 8 mark what was left out
        if op["count"] > 8:
            assert op["address"] == ends[op.name]
        ends[op.name] = op["address"] + op["count"] % 8 + (8 if op["count"] in (8, 16) else 0)
