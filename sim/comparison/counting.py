"""Counts arms against the labels, the float network and each other: the rows of a comparison."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.base import statistics
from sim.base.statistics import Interval, Paired
from sim.comparison.arm_table import ArmRow, Gain
from sim.comparison.arms import Arm

Labels = NDArray[Any]


def error_of(arm: Arm, labels: Labels) -> Interval:
    """Mean error of the arm's chips with its 95 % interval, over images and chips."""
    return statistics.error_of_chips(arm.wrong_cn(labels))


def errors_of(arm: Arm, labels: Labels) -> tuple[float, ...]:
    """The error of each chip."""
    return tuple((arm.wrong_cn(labels).sum(axis=1) / len(labels)).tolist())


def std_over_chips(arm: Arm, labels: Labels) -> float | None:
    """Standard deviation of the error rate from chip to chip; None for a single chip."""
    if arm.chips < 2:
        return None
    rates = errors_of(arm, labels)
    centre = statistics.mean(rates)
    return float(np.sqrt(statistics.mean([(rate - centre) ** 2 for rate in rates]) * arm.chips / (arm.chips - 1)))


def disagreement(arm: Arm, reference: Arm) -> float:
    """Share of images that an arm reads differently from another's first chip, right or wrong."""
    other: NDArray[np.bool_] = arm.labels_cn != reference.labels_cn[0][None]
    return int(other.sum()) / int(other.size)


def paired(arm: Arm, against: Arm, labels: Labels) -> Paired:
    """McNemar's test of the first chips of two arms."""
    return statistics.mcnemar(against.wrong_cn(labels)[0], arm.wrong_cn(labels)[0])


def confusion(arm: Arm, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Classes against answers, over all the arm's chips."""
    return statistics.confusion(np.tile(labels.astype(np.int64), arm.chips), arm.labels_cn.reshape(-1), classes)


def arm_row(arm: Arm, reference: Arm, ordinary: Arm | None, labels: Labels) -> ArmRow:
    """An arm against float; if it has other weights, also against the `ordinary` ones on the same chips."""
    return ArmRow(
        name=arm.name,
        what=arm.what,
        seeds=arm.seeds,
        errors=errors_of(arm, labels),
        error=error_of(arm, labels),
        std_over_chips=std_over_chips(arm, labels),
        disagreement=disagreement(arm, reference),
        p_value=None if arm is reference else paired(arm, reference, labels).p_value,
        rejects=statistics.reject_curve(arm.scores_nk, labels),
        gain=None if ordinary is None else _gain(arm, ordinary, labels),
    )


def _gain(arm: Arm, ordinary: Arm, labels: Labels) -> Gain:
    moved = statistics.difference_of_chips(ordinary.wrong_cn(labels), arm.wrong_cn(labels))
    return Gain(ordinary.name, moved, paired(arm, ordinary, labels).p_value)
