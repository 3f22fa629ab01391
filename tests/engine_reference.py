"""Workloads for tests: random ones, the shape of a recogniser, and their evaluation by the definition in NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog import coupling, noise, settling, slow_noise, thermal
from anna.engine.workload import Workload

Array = NDArray[Any]


def evaluate(workload: Any, codes: Array, image_ids: Array, noise_seed: int) -> Array:
    """What the engine must return: CALC after CALC, every sum in Python's int64, every image at once."""
    images = len(codes)
    state = np.zeros((images, workload.slots), np.int64)
    state[:, workload.constant_slots] = workload.constant_codes
    for column, slot in enumerate(workload.input_slots):
        state[:, slot] = codes[:, column]
    calcs, neurons = workload.out_slot.shape
    last = np.zeros((neurons, images), np.int64)
    slow = slow_noise.levels(noise_seed, image_ids, neurons) if workload.slow_sigma is not None else None
    for calc in range(calcs):
        ops = range(int(workload.op_start[calc]), int(workload.op_start[calc + 1]))
        results = np.zeros((images, neurons), np.int64)
        sums = np.zeros((neurons, images), np.int64)
        for n in range(neurons):
            total = sums[n]
            for k in ops:
                code = state[:, workload.op_slot[k]]
                levels = (
                    workload.numerators if workload.op_levels is None else workload.numerator_tables[workload.op_levels[k, n]]
                )
                weight = np.full(images, int(workload.op_weight[k, n]), np.int64)
                if workload.charge_sigma is not None:
                    when, which = workload.charge_refresh[k, n], workload.charge_synapse[k, n]
                    z = noise.normals(noise_seed, image_ids, when, noise.CHARGE, which)
                    weight += noise.steps(z, workload.charge_sigma[k, n])
                total += weight * levels.astype(np.int64)[code]
            if workload.clamp_low is not None:
                np.maximum(total, workload.clamp_low[calc, n], out=total)
            if workload.clamp_high is not None:
                np.minimum(total, workload.clamp_high[calc, n], out=total)
        if workload.coupled is not None:
            sums = coupling.coupled(sums, workload.coupled[calc].astype(np.int64)[:, None])
        if workload.unsettled is not None:
            last *= not workload.at_rest[calc]
            left = workload.unsettled[calc].astype(np.int64)[:, None]
            carried = sums
            sums = np.where(left >= 0, settling.seen(carried, last, left), carried)
            last = np.where(left >= 0, carried, last)
        for n in range(neurons):
            total = sums[n]
            if slow is not None:
                total = total + noise.steps(slow[:, n], workload.slow_sigma[calc, n])
            if workload.strength is not None:
                normals = thermal.normals(noise_seed, image_ids, workload.ordinal[calc], n)
                grain = np.int64(workload.grain[workload.table[calc, n]])
                total = total + thermal.amounts(normals, np.int64(workload.strength[calc, n]), grain)
            code = (workload.thresholds[workload.table[calc, n]][None, :] <= total[:, None]).sum(axis=1)
            if workload.and_mask is not None:
                code &= int(workload.and_mask[calc, n])
            if workload.or_mask is not None:
                code |= int(workload.or_mask[calc, n])
            results[:, n] = code
        for n in range(neurons):
            if workload.out_slot[calc, n] >= 0:
                state[:, workload.out_slot[calc, n]] = results[:, n]
    return state[:, workload.output_slots]


def random_workload(
    rng: np.random.Generator,
    *,
    levels: int = 8,
    neurons: int = 8,
    calcs: int = 6,
    fan_in: int = 20,
    slots: int = 40,
    weight: int = 32000,
    grain: int = 0,
    sparse: float = 0.5,
    options: frozenset[str] = frozenset(),
) -> Any:
    """A workload with shared and private operands, rewritten slots, unused neurons and whatever `options` name."""
    inputs = min(slots, int(rng.integers(1, slots + 1)))
    counts = rng.integers(0, fan_in + 1, calcs)
    start = np.concatenate([[0], np.cumsum(counts)])
    ops = int(start[-1])
    w = rng.integers(-weight, weight + 1, (ops, neurons))
    w[rng.random((ops, neurons)) < sparse] = 0
    w = w >> grain << grain  # multiples of 2^grain
    numerators = 2 * np.arange(levels) - (levels - 1)
    if "bent" in options:
        numerators = np.cumsum(rng.integers(1, 4, levels)) - levels
    scale = max(1, int(weight * levels * max(1.0, fan_in * (1 - sparse)) ** 0.5 / 2))
    thresholds = np.sort(rng.integers(-scale, scale + 1, (5, levels - 1)), axis=1)
    shape = (calcs, neurons)
    fields: dict[str, Any] = {
        "slots": slots,
        "numerators": numerators.astype(np.int32),
        "input_slots": rng.permutation(slots)[:inputs].astype(np.int32),
        "constant_slots": rng.integers(0, slots, 2).astype(np.int32),
        "constant_codes": rng.integers(0, levels, 2).astype(np.uint16),
        "op_start": start.astype(np.int64),
        "op_slot": rng.integers(0, slots, ops).astype(np.int32),
        "op_weight": w.astype(np.int32),
        "thresholds": thresholds.astype(np.int64),
        "table": rng.integers(0, 5, shape).astype(np.int32),
        "out_slot": rng.integers(-1, slots, shape).astype(np.int32),
        "output_slots": rng.integers(0, slots, 12).astype(np.int32),
        "ordinal": rng.integers(0, 2**32, calcs).astype(np.uint32),
    }
    if "clamp" in options:
        fields["clamp_low"] = rng.integers(-scale, 0, shape)
        fields["clamp_high"] = rng.integers(0, scale + 1, shape)
    if "noise" in options:
        sigma = rng.random(shape) * scale / 4
        sigma[rng.random(shape) < 0.3] = 0
        steps = thermal.on_steps(fields["thresholds"], fields["table"].reshape(-1), sigma.astype(np.float32).reshape(-1))
        fields |= {
            "thresholds": steps.thresholds,
            "grain": steps.grain.astype(np.int32),
            "table": steps.table.astype(np.int32).reshape(shape),
            "strength": steps.strength.astype(np.int32).reshape(shape),
        }
    if "coupled" in options:
        fields["coupled"] = rng.integers(0, 2**16, shape).astype(np.int32)
    if "unsettled" in options:
        fields["unsettled"] = rng.integers(-1, 2**16, shape).astype(np.int32)
        fields["at_rest"] = (rng.random(calcs) < 0.3).astype(np.uint8)
    if "slow" in options:
        fields["slow_sigma"] = (rng.random(shape) * scale / 8).astype(np.float32)
    if "stuck" in options:
        fields["and_mask"] = rng.integers(0, levels, shape).astype(np.uint16)
        fields["or_mask"] = (rng.integers(0, levels, shape) & rng.integers(0, levels, shape)).astype(np.uint16)
    if "charge" in options:
        fields["charge_sigma"] = (rng.random((ops, neurons)) * 60).astype(np.float32)
        fields["charge_refresh"] = rng.integers(0, 3, (ops, neurons)).astype(np.uint32)
        fields["charge_synapse"] = rng.integers(0, 4096, (ops, neurons)).astype(np.uint32)
    if "steps" in options:
        fields["op_levels"] = rng.integers(0, 3, (ops, neurons)).astype(np.int32)
        fields["numerator_tables"] = (numerators + rng.integers(-1, 2, (3, levels))).astype(np.int32)
    return Workload(**fields)
