"""Counts arms against the labels, the float network and each other: the rows of a comparison."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.base import statistics
from sim.base.drawn_chips import Rejects, deviation, good_share, paired_p_value, quantile
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
    return deviation(errors_of(arm, labels))


def rejects(arm: Arm, labels: Labels) -> Rejects:
    """Error against rejects of each chip."""
    wrong_cn = arm.wrong_cn(labels)
    return Rejects(tuple(statistics.reject_curve(lead, wrong) for lead, wrong in zip(arm.leads_cn, wrong_cn, strict=True)))


def p_value(arm: Arm, against: Arm, labels: Labels) -> float:
    """Of the hypothesis that both arms misread equally often, over images and chips."""
    return paired_p_value(against.wrong_cn(labels), arm.wrong_cn(labels))


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


def arm_row(arm: Arm, reference: Arm, ordinary: Arm | None, labels: Labels, limit: float | None) -> ArmRow:
    """An arm against float; if it has other weights, also against the `ordinary` ones on the same chips. A chip within the
    limit is a good one."""
    errors, drawn = errors_of(arm, labels), len(arm.seeds) > 1
    return ArmRow(
        name=arm.name,
        what=arm.what,
        seeds=arm.seeds,
        errors=errors,
        error=error_of(arm, labels),
        std_over_chips=deviation(errors),
        median=quantile(errors, 0.5) if drawn else None,
        p90=quantile(errors, 0.9) if drawn else None,
        good=good_share(errors, limit) if drawn and limit is not None else None,
        disagreement=disagreement(arm, reference),
        p_value=None if arm is reference else p_value(arm, reference, labels),
        rejects=rejects(arm, labels),
        gain=None if ordinary is None else _gain(arm, ordinary, labels),
    )


def _gain(arm: Arm, ordinary: Arm, labels: Labels) -> Gain:
    moved = statistics.difference_of_chips(ordinary.wrong_cn(labels), arm.wrong_cn(labels))
    return Gain(ordinary.name, moved, p_value(arm, ordinary, labels))
