"""Gathering: what its loops find is what a reader finds step by step, and the checked build looks at every index."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import legal_programs

import anna
from anna.engine import is_checked, wiring
from anna.engine.wiring import Chosen
from anna.native.loader import compiled
from anna.program.file import Program

gather = compiled("anna.engine.gather")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(program=legal_programs(), seed=st.integers(0, 2**32 - 1))
def test_the_wiring_is_what_each_calc_says_of_itself(program: Program, seed: int) -> None:
    timeline, spec = anna.elaborate(program), program.spec
    used, every, neurons = set(), [], []
    for calc in timeline.calcs:
        rows, columns = calc.synapses(spec)
        for k in range(calc.neurons):
            places = [(calc.page, int(row), int(column)) for row, column in zip(rows[k], columns[k], strict=True)]
            used.update(places)
            every += [(calc.ordinal, k, value, place) for value, place in zip(calc.operands[k].tolist(), places, strict=True)]
        neurons += [
            (calc.page, k, int(row), int(group)) for k, (row, group) in enumerate(zip(*calc.scale_places(spec), strict=True))
        ]
    wired = wiring.wiring(timeline)
    places = [wired.places.page, wired.places.row, wired.places.column]
    found = list(zip(*(part.tolist() for part in places), strict=True))
    assert found == sorted(used)

    conducts = np.random.default_rng(seed).random(len(used)) < 0.5
    some, calcs = wiring.conducting(timeline, Chosen.by(conducts)), timeline.columns
    carrying = {place for place, does in zip(found, conducts, strict=True) if does}
    synapses = zip(some.calc, some.neuron, some.value, calcs.page[some.calc], some.row, some.column, strict=True)
    assert [(c, k, v, (p, r, i)) for c, k, v, p, r, i in synapses] == [entry for entry in every if entry[3] in carrying]
    assert calcs.cycle[some.calc].tolist() == [timeline.calcs[calc].cycle for calc in some.calc]
    assert calcs.segment[some.calc].tolist() == [timeline.calcs[calc].segment for calc in some.calc]

    of = wired.neurons
    assert list(zip(of.page, of.adc, of.row, of.group, strict=True)) == neurons
    for name in ("page", "adc", "row", "group", "scale_code"):
        np.testing.assert_array_equal(getattr(wired.converters, name)[wired.converter_of], getattr(of, name))


@st.composite
def synapses(draw: st.DrawFn) -> tuple[int, int, np.ndarray]:
    """Synapses as gathering finds them: CALC after CALC, neuron after neuron; rows of CALC, neuron and value."""
    calcs, values = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rows = draw(st.lists(st.tuples(st.integers(0, calcs - 1), st.integers(0, 3)), max_size=60).map(sorted))
    table = np.array([(*row, draw(st.integers(0, values - 1))) for row in rows], np.int64).reshape(-1, 3)
    return calcs, values, np.ascontiguousarray(table.T)


@given(synapses(), st.booleans(), st.integers(0, 2**32 - 1))
def test_merging_keeps_every_sum(given: tuple[int, int, np.ndarray], apart: bool, seed: int) -> None:
    calcs, values, (calc, neuron, value) = given
    operand, calc_of, value_of = gather.merge(calc, neuron, value, calcs, values, apart)
    weight, expected = np.random.default_rng(seed).integers(-99, 100, len(calc)), defaultdict[tuple[int, ...], int](int)
    for *who, w in zip(calc.tolist(), neuron.tolist(), value.tolist(), weight.tolist(), strict=True):
        expected[tuple(who)] += w
    sums = np.zeros(len(calc_of) * 4, np.int32)
    gather.add_up(operand * 4 + neuron, weight, sums)
    merged = defaultdict[tuple[int, ...], int](int)
    for k, n in np.argwhere(sums.reshape(-1, 4)).tolist():
        merged[int(calc_of[k]), n, int(value_of[k])] += int(sums[k * 4 + n])
    assert {who: w for who, w in merged.items() if w} == {who: w for who, w in expected.items() if w}


@given(synapses(), st.booleans())
def test_synapses_share_an_operand_where_they_may(given: tuple[int, int, np.ndarray], apart: bool) -> None:
    calcs, values, (calc, neuron, value) = given
    operand, calc_of, value_of = gather.merge(calc, neuron, value, calcs, values, apart)
    pairs = list(zip(calc_of.tolist(), value_of.tolist(), strict=True))
    assert pairs == sorted(pairs) and len(pairs) == len(set(operand.tolist()))
    readers = defaultdict[tuple[int, int], list[int]](list)
    for c, n, v in zip(calc.tolist(), neuron.tolist(), value.tolist(), strict=True):
        readers[c, v].append(n)
    # apart, as many as the busiest neuron needs; else one
    assert {pair: pairs.count(pair) for pair in pairs} == {
        pair: max(map(of.count, of)) if apart else 1 for pair, of in readers.items()
    }
    if apart:
        assert len(set(zip(operand.tolist(), neuron.tolist(), strict=True))) == len(operand)


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 12))
def test_no_two_live_values_share_a_slot(data: st.DataObject, fixed: int, neurons: int, calcs: int) -> None:
    born = [-1] * fixed + [calc for calc in range(calcs) for _ in range(neurons)]
    last_use = [data.draw(st.one_of(st.just(-1), st.integers(calc + 1, calcs))) for calc in born]
    slot, slots = gather.allocate(np.array(last_use, np.int64), fixed, neurons, calcs)
    assert slot[:fixed].tolist() == list(range(fixed))
    for value in range(fixed, len(born)):
        assert (slot[value] >= 0) == (last_use[value] >= 0)
    held = [value for value in range(len(born)) if slot[value] >= 0]
    for one in held:
        for other in held:
            if one < other and slot[one] == slot[other]:
                assert last_use[one] < born[other]  # a CALC's results are not put where its own operands lie
    if slots > fixed:  # and no more slots than are needed: when the last one was added, all held what was still to be read
        new = slot.tolist().index(slots - 1)
        never_used_again = last_use[:fixed].count(-1)
        assert slots == never_used_again + sum(value <= new and last_use[value] >= born[new] for value in held)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), coupled=st.booleans(), unsettled=st.booleans())
def test_what_is_needed_where_sums_depend_on_sums(data: st.DataObject, coupled: bool, unsettled: bool) -> None:
    """Backwards from what is wanted, one question after another."""
    fixed, neurons = 3, 4
    used = data.draw(st.lists(st.integers(1, neurons), min_size=1, max_size=6))
    segment = sorted(data.draw(st.lists(st.integers(0, 2), min_size=len(used), max_size=len(used))))
    total = fixed + neurons * len(used)
    found = [(c, n, data.draw(st.integers(0, fixed + neurons * c - 1)))
             for c in range(len(used)) for n in range(used[c]) for _ in range(data.draw(st.integers(0, 2)))]  # fmt: skip
    results = [(c, n) for c in range(len(used)) for n in range(used[c])]
    wanted = data.draw(st.lists(st.sampled_from(results), min_size=1, max_size=3))

    needed, open_ = set[tuple[str, int, int]](), [("code", *one) for one in wanted]
    while open_:
        what, c, n = one = open_.pop()
        if one in needed:
            continue
        needed.add(one)
        if what == "code":
            open_.append(("carried", c, n))
            before = [b for b in range(c) if segment[b] == segment[c] and used[b] > n]
            open_ += [("carried", before[-1], n)] if unsettled and before else []
        elif what == "carried":
            beside = [k for k in (n - 1, n + 1) if 0 <= k < used[c]] if coupled else []
            open_ += [("sum", c, k) for k in (n, *beside)]
        else:
            values = [v - fixed for i, k, v in found if (i, k) == (c, n) and v >= fixed]
            open_ += [("code", *divmod(v, neurons)) for v in values if v % neurons < used[v // neurons]]
    calc, neuron, value = (ints(*part) for part in zip(*found, strict=True)) if found else (ints(), ints(), ints())
    asked = (calc, neuron, value, ints(*(fixed + c * neurons + n for c, n in wanted)), fixed, neurons, total)
    kept = gather.needed_in_wires(*asked, coupled, ints(*segment) if unsettled else None, ints(*used))
    assert kept.tolist() == [("sum", c, n) in needed for c, n, _ in found]
    if not coupled and not unsettled:
        np.testing.assert_array_equal(kept, gather.needed(*asked))


OUTSIDE = {
    "a place beyond the weight RAM": ("synapses", np.ones(4, np.uint8), ints(3), ints(1), ints(2), np.zeros(2, np.int32)),
    "fewer values than synapses": ("synapses", np.ones(4, np.uint8), ints(0), ints(2), ints(2), np.zeros(3, np.int32)),
    "an operand that is no value": ("merge", ints(0, 0), ints(0, 1), ints(0, 7), 1, 7, False),
    "a CALC too many": ("merge", ints(0, 2), ints(0, 0), ints(0, 0), 2, 1, False),
    "a value read after the end": ("allocate", ints(0, 1, 3), 1, 1, 2),
    "more CALCs than results": ("allocate", ints(0, 1), 1, 1, 2),
    "a value that a wire's synapse reads and that is none": (
        "needed_in_wires",
        ints(0),
        ints(0),
        ints(9),
        ints(1),
        1,
        1,
        2,
        True,
        ints(0),
        ints(1),
    ),
    "fewer segments than CALCs": (
        "needed_in_wires",
        ints(1),
        ints(0),
        ints(0),
        ints(2),
        1,
        1,
        3,
        True,
        ints(0),
        ints(1, 1),
    ),
    "a cell that is none": ("add_up", ints(0, 4), ints(1, 1), np.zeros(4, np.int32)),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_the_checked_build_catches_an_index_out_of_range(case: str) -> None:
    if not is_checked():
        pytest.skip("SKIPPED: only the checked build (-Csetup-args=-Dchecked=true) looks at indexes")
    name, *arguments = OUTSIDE[case]
    with pytest.raises(IndexError, match="Out of bounds"):
        getattr(gather, name)(*arguments)
