"""What only the checked build does: an operand that lies outside its array is caught where it is used, in each file of Cython
that packs a workload, and the audit refuses a packed form that the kernel could not walk."""

from typing import Any

import numpy as np
import pytest
from engine_reference import random_workload

from anna.base.errors import MachineError
from anna.engine import core, is_checked
from anna.engine.arrays import check_packed, workload_arrays
from anna.engine.audit import wrong_group
from anna.engine.covers import cover_rows
from anna.engine.packing import pack, pack_rows
from anna.engine.results import place_results
from anna.engine.rows import groups_of, take_rows
from anna.engine.tables import cold_slots, fixed_slots

WIDTH, STRIDE = 8, 64
FAR = 10**6

checked_only = pytest.mark.skipif(
    not is_checked(), reason="SKIPPED: only the checked build has bounds checks (-Csetup-args=-Dchecked=true)"
)


@pytest.fixture
def sizes_and_arrays() -> tuple[dict[str, int], dict[str, Any]]:
    """A workload of two groups a CALC, whose arrays may be broken after they were checked."""
    return workload_arrays(random_workload(np.random.default_rng(5), neurons=16, calcs=4, fan_in=12, slots=30, sparse=0.2))


def steps(sizes: dict[str, int], arrays: dict[str, Any]) -> dict[str, Any]:
    """What each step of packing takes."""
    fixed = fixed_slots(sizes["slots"], *(arrays[k] for k in ("constant_slots", "constant_codes", "input_slots", "out_slot")))
    calc_of, first_of = groups_of(arrays["out_slot"], WIDTH)
    row_start, slot, line, readers, weight, _ = take_rows(arrays, arrays["out_slot"], calc_of, first_of, WIDTH, fixed, 0, None)
    place, kinds, in_kind = cover_rows(WIDTH, row_start, readers)
    return {"fixed": fixed, "calc_of": calc_of, "first_of": first_of, "row_start": row_start, "slot": slot, "line": line,
            "readers": readers, "weight": weight, "place": place, "kinds": kinds, "in_kind": in_kind}  # fmt: skip


@checked_only
@pytest.mark.parametrize("name", ["constant_slots", "input_slots", "out_slot"])
def test_tables_catch_a_slot_that_is_not_there(sizes_and_arrays, name):
    sizes, arrays = sizes_and_arrays
    arrays[name].flat[-1] = FAR
    with pytest.raises(IndexError, match="Out of bounds"):
        fixed_slots(sizes["slots"], *(arrays[k] for k in ("constant_slots", "constant_codes", "input_slots", "out_slot")))


@checked_only
@pytest.mark.parametrize("name", ["op_slot", "output_slots"])
def test_tables_catch_an_operand_that_is_not_there(sizes_and_arrays, name):
    sizes, arrays = sizes_and_arrays
    arrays[name][-1] = FAR
    names = ("constant_slots", "input_slots", "op_start", "op_slot", "out_slot", "output_slots")
    with pytest.raises(IndexError, match="Out of bounds"):
        cold_slots(sizes["slots"], *(arrays[k] for k in names))


@checked_only
def test_rows_catch_an_operand_that_is_not_there(sizes_and_arrays):
    sizes, arrays = sizes_and_arrays
    step = steps(sizes, arrays)
    arrays["op_slot"][-1] = FAR
    with pytest.raises(IndexError, match="Out of bounds"):
        take_rows(arrays, arrays["out_slot"], step["calc_of"], step["first_of"], WIDTH, step["fixed"], 0, None)


@checked_only
def test_covers_catch_readers_that_no_group_has(sizes_and_arrays):
    step = steps(*sizes_and_arrays)
    assert step["readers"].max() >= 1 << 4
    with pytest.raises(IndexError, match="Out of bounds"):
        cover_rows(4, step["row_start"], step["readers"])


@checked_only
def test_covers_catch_rows_that_are_not_there(sizes_and_arrays):
    step = steps(*sizes_and_arrays)
    step["row_start"][-1] = FAR
    with pytest.raises(IndexError, match="Out of bounds"):
        cover_rows(WIDTH, step["row_start"], step["readers"])


@checked_only
@pytest.mark.parametrize("name", ["in_kind", "row_start"])
def test_packing_catches_rows_that_are_not_there(sizes_and_arrays, name):
    step = steps(*sizes_and_arrays)
    step[name].flat[-1] += 1000
    rows = [step[k] for k in ("slot", "line", "readers", "weight")]
    with pytest.raises(IndexError, match="Out of bounds"):
        pack_rows(WIDTH, STRIDE, step["row_start"], rows, step["kinds"], step["in_kind"], step["place"])


@checked_only
def test_results_catch_a_place_that_is_not_there(sizes_and_arrays):
    sizes, arrays = sizes_and_arrays
    step = steps(sizes, arrays)
    packed = pack(sizes, arrays, WIDTH, STRIDE, 0)[1]
    step["place"][0, 0] = WIDTH
    with pytest.raises(IndexError, match="Out of bounds"):
        place_results(packed["group"], step["calc_of"], step["first_of"], step["place"], sizes, arrays)


@pytest.mark.parametrize(
    ("record", "part", "value"),
    [
        ("group", "segments", 10**6),
        ("group", "pair", -1),
        ("group", "weight", 10**6),
        ("group", "copies", 10**6),
        ("segment", "kind", 18),
        ("segment", "pairs", 10**6),
        ("neuron", "number", 8),
    ],
)
def test_the_audit_names_a_group_that_leaves_its_arrays(sizes_and_arrays, record, part, value):
    numbers, packed = pack(*sizes_and_arrays, WIDTH, STRIDE, 0)
    assert wrong_group(numbers, packed) is None
    packed[record][part].flat[-1] = value
    assert wrong_group(numbers, packed) == len(packed["group"]) - 1


@pytest.mark.parametrize(
    ("name", "part", "sentence"),
    [
        ("pair_at", None, "packed workload: pair_at holds 1000000; expected 0 to 2943"),
        ("neuron", "out_slot", "packed neuron: out_slot holds 1000000; expected -1 to 45"),
        ("neuron", "table", "packed neuron: table holds 1000000; expected 0 to 4"),
        ("group", "calc", "packed group: calc holds 1000000; expected 0 to 3"),
    ],
)
def test_the_audit_names_an_index_outside_its_range(sizes_and_arrays, name, part, sentence):
    sizes, arrays = sizes_and_arrays
    numbers, packed = pack(sizes, arrays, WIDTH, STRIDE, 0)
    check_packed(sizes | numbers, packed)
    (packed[name] if part is None else packed[name][part]).flat[-1] = FAR
    with pytest.raises(MachineError, match=sentence):
        check_packed(sizes | numbers, packed)


def test_states_that_32_bits_cannot_address_are_refused(sizes_and_arrays):
    sizes, arrays = sizes_and_arrays
    with pytest.raises(MachineError, match="67,108,880 slots take 4,294,968,320 bytes"):
        pack(sizes | {"slots": 2**26}, arrays, WIDTH, STRIDE, 0)


def test_a_checked_build_audits_whatever_it_packs(sizes_and_arrays, monkeypatch):
    sizes, arrays = sizes_and_arrays
    numbers, packed = pack(sizes, arrays, WIDTH, STRIDE, 0)
    packed["segment"][-1]["kind"] = 18
    monkeypatch.setattr("anna.engine.packing.pack", lambda *_: (numbers, packed))
    if is_checked():
        with pytest.raises(MachineError, match=r"packed workload: group \d+, of CALC 3, reaches beyond its arrays"):
            core._pack(sizes, arrays, WIDTH, STRIDE, 0)
    else:
        assert core._pack(sizes, arrays, WIDTH, STRIDE, 0)[1] is packed
