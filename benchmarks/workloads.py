"""Workloads of known shape for the benchmarks: a dense array, and the digit recogniser as the compiler places it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog import thermal
from anna.engine.workload import Workload

LEVELS = 8
ONE = 1 << 10  # fixed-point weights carry 10 fractional bits


class WorkloadBuilder:
    """Collects CALCs of up to eight neurons each."""

    def __init__(self, slots: int, inputs: int, rng: np.random.Generator, ideal: bool) -> None:
        self.slots, self.inputs, self.rng, self.ideal = slots, inputs, rng, ideal
        self.op_start = [0]
        self.op_slot: list[int] = []
        self.op_weight: list[NDArray[np.int32]] = []
        self.out_slot: list[list[int]] = []

    def kernel(self, operands: int) -> NDArray[np.int32]:
        """Weights of one neuron: 6-bit codes, plus a deviation as on a real chip unless ideal."""
        codes = self.rng.integers(-31, 32, operands)
        codes[codes == 0] = 1
        away = 0 if self.ideal else self.rng.integers(-300, 300, operands)
        return (codes * ONE + away).astype(np.int32)

    def calc(self, neurons: list[tuple[list[int], NDArray[np.int32], int]]) -> None:
        """Adds a CALC of neurons (slots, weights, output slot)."""
        slots = sorted({slot for operands, _, _ in neurons for slot in operands})
        column = {slot: i for i, slot in enumerate(slots)}
        weights = np.zeros((len(slots), 8), np.int32)
        outputs = [-1] * 8
        for n, (operands, kernel, output) in enumerate(neurons):
            weights[[column[slot] for slot in operands], n] = kernel
            outputs[n] = output
        self.op_slot += slots
        self.op_weight.append(weights)
        self.op_start.append(len(self.op_slot))
        self.out_slot.append(outputs)

    def workload(self, outputs: list[int], sigma_lsb: float) -> Workload:
        """The workload, with thresholds of linear ADCs that each have their own errors."""
        calcs = len(self.out_slot)
        fan_in = max(1.0, len(self.op_slot) / calcs)
        step = 32 * ONE * 7 * fan_in**0.5 / LEVELS
        edges = (np.arange(LEVELS - 1) - (LEVELS - 2) / 2) * step
        thresholds = np.sort(edges + self.rng.normal(0, step / 20, (64, LEVELS - 1)), axis=1)
        rows, table = np.round(thresholds).astype(np.int64), self.rng.integers(0, 64, (calcs, 8))
        noisy: dict[str, Any] = {}
        if sigma_lsb:
            steps = thermal.on_steps(rows, table.reshape(-1), np.full(table.size, sigma_lsb * step, np.float32))
            rows, table = steps.thresholds, steps.table.reshape(table.shape)
            noisy = {"grain": steps.grain.astype(np.int32), "strength": steps.strength.astype(np.int32).reshape(table.shape)}
        return Workload(
            slots=self.slots,
            numerators=(2 * np.arange(LEVELS) - (LEVELS - 1)).astype(np.int32),
            input_slots=np.arange(self.inputs, dtype=np.int32),
            constant_slots=np.zeros(0, np.int32),
            constant_codes=np.zeros(0, np.uint16),
            op_start=np.array(self.op_start, np.int64),
            op_slot=np.array(self.op_slot, np.int32),
            op_weight=np.concatenate(self.op_weight),
            thresholds=rows,
            table=table.astype(np.int32),
            out_slot=np.array(self.out_slot, np.int32),
            output_slots=np.array(outputs, np.int32),
            ordinal=np.arange(calcs, dtype=np.uint32),
            **noisy,
        )


def dense(inputs: int = 256, calcs: int = 16, sigma_lsb: float = 0.0, seed: int = 0) -> Workload:
    """Eight neurons on all inputs at once, which keeps the array busy: 2,048 multiply-adds per CALC."""
    builder = WorkloadBuilder(inputs + 8 * calcs, inputs, np.random.default_rng(seed), ideal=not sigma_lsb)
    for calc in range(calcs):
        builder.calc([(list(range(inputs)), builder.kernel(inputs), inputs + 8 * calc + n) for n in range(8)])
    return builder.workload(list(range(inputs, inputs + 8 * calcs)), sigma_lsb)


def _window(base: int, width: int, row: int, column: int, size: int) -> list[int]:
    return [base + (row + i) * width + column + j for i in range(size) for j in range(size)]


def recogniser(sigma_lsb: float = 0.0, seed: int = 0) -> Workload:
    """32x32, 5x5 to 4@28x28, 2x2 to 4@14x14, 5x5 to 12@10x10 on 20 kernels, 2x2 to 12@5x5: 132,736 multiply-adds.

    Each CALC computes two rows of positions and each register holds two maps, as the compiler places them.
    """
    c1, s2 = 1024, 1024 + 4 * 784
    c3, s4 = s2 + 4 * 196, s2 + 4 * 196 + 1200
    builder = WorkloadBuilder(s4 + 300, 1024, np.random.default_rng(seed), ideal=not sigma_lsb)
    for row in range(0, 28, 2):
        for column in range(28):
            builder.calc(
                [
                    (_window(0, 32, row + r, column, 5), builder.kernel(25), c1 + m * 784 + (row + r) * 28 + column)
                    for r in range(2)
                    for m in range(4)
                ]
            )
    _subsample(builder, c1, s2, 4, 14)
    reads = [[0, 1]] * 4 + [[2, 3]] * 4 + [[0], [1], [2], [3]]
    for maps in (range(4), range(4, 8), range(8, 12)):
        for row in range(0, 10, 2):
            for column in range(10):
                builder.calc(
                    [
                        (
                            [slot for s in reads[m] for slot in _window(s2 + s * 196, 14, row + r, column, 5)],
                            builder.kernel(25 * len(reads[m])),
                            c3 + m * 100 + (row + r) * 10 + column,
                        )
                        for r in range(2)
                        for m in maps
                    ]
                )
    _subsample(builder, c3, s4, 12, 5)
    return builder.workload(list(range(s4, s4 + 300)), sigma_lsb)


def _subsample(builder: WorkloadBuilder, source: int, target: int, maps: int, size: int) -> None:
    """2x2 means: four maps per CALC, and two positions where they fit."""
    neurons = [
        (
            _window(source + m * 4 * size * size, 2 * size, 2 * row, 2 * column, 2),
            builder.kernel(4),
            target + m * size * size + row * size + column,
        )
        for row in range(size)
        for column in range(size)
        for m in range(maps)
    ]
    for first in range(0, len(neurons), 8):
        builder.calc(neurons[first : first + 8])
