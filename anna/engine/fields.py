"""A workload's arrays in the types and shapes the C engine takes, every index checked once."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import MachineError

if TYPE_CHECKING:
    from anna.engine.workload import Workload

Array = NDArray[Any]

# field -> type, shape in terms of the workload's sizes, whether it may be None
_FIELDS: dict[str, tuple[type, tuple[str, ...], bool]] = {
    "numerators": (np.int32, ("levels",), False),
    "input_slots": (np.int32, ("inputs",), False),
    "constant_slots": (np.int32, ("constants",), False),
    "constant_codes": (np.uint16, ("constants",), False),
    "op_start": (np.int64, ("calcs_and_one",), False),
    "op_slot": (np.int32, ("ops",), False),
    "op_weight": (np.int32, ("ops", "neurons"), False),
    "thresholds": (np.int64, ("tables", "edges"), False),
    "table": (np.int32, ("calcs", "neurons"), False),
    "out_slot": (np.int32, ("calcs", "neurons"), False),
    "output_slots": (np.int32, ("outputs",), False),
    "clamp_low": (np.int64, ("calcs", "neurons"), True),
    "clamp_high": (np.int64, ("calcs", "neurons"), True),
    "sigma": (np.float32, ("calcs", "neurons"), True),
    "ordinal": (np.uint32, ("calcs",), False),
    "and_mask": (np.uint16, ("calcs", "neurons"), True),
    "or_mask": (np.uint16, ("calcs", "neurons"), True),
    "charge_sigma": (np.float32, ("ops", "neurons"), True),
    "charge_refresh": (np.uint32, ("ops", "neurons"), True),
    "charge_synapse": (np.uint32, ("ops", "neurons"), True),
    "op_levels": (np.int32, ("ops", "neurons"), True),
    "numerator_tables": (np.int32, ("numerator_tables", "levels"), True),
}


def _sizes(workload: "Workload") -> dict[str, int]:
    calcs, neurons = np.shape(workload.out_slot)
    levels = len(workload.numerators)
    return {
        "slots": int(workload.slots),
        "levels": levels,
        "edges": levels - 1,
        "neurons": neurons,
        "calcs": calcs,
        "calcs_and_one": calcs + 1,
        "ops": len(workload.op_slot),
        "tables": len(workload.thresholds),
        "inputs": len(workload.input_slots),
        "constants": len(workload.constant_slots),
        "outputs": len(workload.output_slots),
        "numerator_tables": 0 if workload.numerator_tables is None else len(workload.numerator_tables),
    }


def _within(name: str, values: Array | None, low: int, high: int) -> None:
    """Every value in low..high."""
    if values is None or values.size == 0:
        return
    least, most = int(values.min()), int(values.max())
    if least < low or most > high:
        wrong = least if least < low else most
        raise MachineError(f"workload: {name} holds {wrong}, it must lie in {low}..{high}")


def _check(sizes: dict[str, int], arrays: dict[str, Any]) -> None:
    slots, levels, tables = sizes["slots"], sizes["levels"], sizes["tables"]
    if not 1 <= levels <= 2**16:
        raise MachineError(f"workload: {levels} levels, a state has 1 to 65536")
    if slots >= 2**31 - sizes["neurons"] or slots < 0:
        raise MachineError(f"workload: {slots} slots, it must lie in 0..2^31")
    for name in ("input_slots", "constant_slots", "op_slot", "output_slots"):
        _within(name, arrays[name], 0, slots - 1)
    _within("out_slot", arrays["out_slot"], -1, slots - 1)
    _within("constant_codes", arrays["constant_codes"], 0, levels - 1)
    stored = arrays["out_slot"] >= 0
    _within("table", arrays["table"][stored], 0, tables - 1)
    start = arrays["op_start"]
    if start[0] != 0 or start[-1] != sizes["ops"] or (np.diff(start) < 0).any():
        raise MachineError(f"workload: op_start must rise from 0 to the number of operands, {sizes['ops']}")
    if (np.diff(arrays["thresholds"], axis=1) < 0).any():
        raise MachineError("workload: thresholds must not fall within a table")
    _check_optional(sizes, arrays)


def _check_optional(sizes: dict[str, int], arrays: dict[str, Any]) -> None:
    levels = sizes["levels"]
    for name in ("sigma", "charge_sigma"):
        if arrays[name] is not None and not (np.isfinite(arrays[name]).all() and (arrays[name] >= 0).all()):
            raise MachineError(f"workload: {name} must be finite and not negative")
    needs = {"charge_sigma": ("charge_refresh", "charge_synapse"), "op_levels": ("numerator_tables",)}
    for name, others in needs.items():
        for other in others:
            if arrays[name] is not None and arrays[other] is None:
                raise MachineError(f"workload: {name} is given without {other}")
    _within("charge_synapse", arrays["charge_synapse"], 0, 2**30 - 1)
    _within("op_levels", arrays["op_levels"], 0, sizes["numerator_tables"] - 1)
    if arrays["and_mask"] is not None or arrays["or_mask"] is not None:
        if levels & (levels - 1):
            raise MachineError(f"workload: stuck bits need a power of two of levels, not {levels}")
        _within("or_mask", arrays["or_mask"], 0, levels - 1)


def workload_arrays(workload: "Workload") -> tuple[dict[str, int], dict[str, Any]]:
    """The sizes of a workload and its arrays, checked, C-contiguous and of the engine's types."""
    sizes = _sizes(workload)
    arrays: dict[str, Any] = {}
    for name, (dtype, axes, optional) in _FIELDS.items():
        value = getattr(workload, name)
        if value is None and optional:
            arrays[name] = None
            continue
        shape = tuple(sizes[axis] for axis in axes)
        if np.shape(value) != shape:
            raise MachineError(f"workload: {name} has the shape {np.shape(value)}, expected {shape} for {', '.join(axes)}")
        array: Array = np.ascontiguousarray(value, dtype=dtype)
        if not np.array_equal(array, value):
            raise MachineError(f"workload: {name} does not fit {np.dtype(dtype).name}")
        arrays[name] = array
    _check(sizes, arrays)
    return sizes, arrays
