"""A workload's arrays in the types and shapes that the engine takes, checked by the table of its fields."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import MachineError
from anna.native.fields import PACKED, RECORDS, SIZES, WORKLOAD, Field

if TYPE_CHECKING:
    from anna.engine.workload import Workload

Array = NDArray[Any]


@cache
def record_type(name: str) -> np.dtype[Any]:
    """The type of a record of the packed form, laid out as C does."""
    return np.dtype([(part.name, part.kind) for part in RECORDS[name]], align=True)


def workload_arrays(workload: "Workload") -> tuple[dict[str, int], dict[str, Any]]:
    """The sizes of a workload and its arrays, checked, C-contiguous and of the engine's types."""
    sizes = _sizes(workload)
    arrays = {field.name: _array(field, getattr(workload, field.name), sizes) for field in WORKLOAD}
    _check_sizes(sizes)
    check_values("workload", WORKLOAD, sizes, arrays)
    _check_order(sizes, arrays)
    _check_masks(sizes, arrays)
    return sizes, arrays


def check_packed(sizes: dict[str, int], packed: dict[str, Any]) -> None:
    """Raise if an index of the packed form is outside its range."""
    for field in PACKED:
        if field.kind in RECORDS:
            parts = {part.name: packed[field.name][part.name] for part in RECORDS[field.kind]}
            check_values(f"packed {field.name}", RECORDS[field.kind], sizes, parts)
    check_values("packed workload", PACKED, sizes, packed)


def _sizes(workload: "Workload") -> dict[str, int]:
    """Each length from the first array that has it."""
    sizes = {"slots": int(workload.slots), **dict.fromkeys(SIZES.keys() - {"slots"}, -1)}
    for field in WORKLOAD:
        value = getattr(workload, field.name)
        for axis, length in zip(field.axes, np.shape(value) if value is not None else (), strict=False):
            if sizes.get(axis) == -1:
                sizes[axis] = length
    return {name: max(0, size) for name, size in sizes.items()}


def _length(axis: str, sizes: Mapping[str, int]) -> int:
    name, _, more = axis.partition(" ")  # "calcs + 1"
    return sizes[name] + int(more.replace(" ", "") or 0)


def _array(field: Field, value: Any, sizes: Mapping[str, int]) -> Array | None:
    if value is None and field.optional:
        return None
    shape = tuple(_length(axis, sizes) for axis in field.axes)
    if np.shape(value) != shape:
        raise MachineError(f"workload: {field.name} has shape {np.shape(value)}; expected {shape} for {field.shape}")
    array: Array = np.ascontiguousarray(value, dtype=field.kind)
    if array is not value and not np.array_equal(array, value):
        raise MachineError(f"workload: {field.name} does not fit {field.kind}")
    return array


def check_values(what: str, fields: Iterable[Field], sizes: Mapping[str, int], arrays: Mapping[str, Any]) -> None:
    """Raise unless every index is in range, every float finite and not negative, and every field has those it needs."""
    for field in fields:
        values = arrays[field.name]
        if values is None:
            continue
        for other in field.needs:
            if arrays[other] is None:
                raise MachineError(f"{what}: {field.name} is given without {other}")
        if field.kind == "float32" and not (np.isfinite(values).all() and (values >= 0).all()):
            raise MachineError(f"{what}: {field.name} must be finite and not negative")
        if field.below is not None and values.size:
            most = (field.below if isinstance(field.below, int) else sizes[field.below]) - 1
            low, high = int(values.min()), int(values.max())
            if low < field.low or high > most:
                wrong = low if low < field.low else high
                raise MachineError(f"{what}: {field.name} holds {wrong}; expected {field.low} to {most}")


def _check_sizes(sizes: Mapping[str, int]) -> None:
    if not 1 <= sizes["levels"] <= 2**16:
        raise MachineError(f"workload: {sizes['levels']} levels; expected 1 to 65536")
    if sizes["slots"] >= 2**31 - sizes["neurons"] or sizes["slots"] < 0:
        raise MachineError(f"workload: {sizes['slots']} slots; expected 0 to 2^31")


def _check_order(sizes: Mapping[str, int], arrays: Mapping[str, Any]) -> None:
    start = arrays["op_start"]
    if start[0] != 0 or start[-1] != sizes["ops"] or (np.diff(start) < 0).any():
        raise MachineError(f"workload: op_start must rise from 0 to the number of operands, {sizes['ops']}")
    thresholds = arrays["thresholds"]
    if (thresholds[:, 1:] < thresholds[:, :-1]).any():  # compared, not subtracted: they may be 2^63 apart
        raise MachineError("workload: thresholds must not fall within a table")


def _check_masks(sizes: Mapping[str, int], arrays: Mapping[str, Any]) -> None:
    levels = sizes["levels"]
    if (arrays["and_mask"] is not None or arrays["or_mask"] is not None) and levels & (levels - 1):
        raise MachineError(f"workload: stuck bits need a power of two of levels, not {levels}")
