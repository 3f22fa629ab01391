"""Comparisons as text for a terminal."""

from collections.abc import Mapping
from typing import Any

from anna.program.report import latency_text, published_text
from sim.base import formats
from sim.base.columns import terminal_lines
from sim.base.drawn_chips import worse_than_worst
from sim.comparison.arm_table import ArmRow, Gain, arm_columns
from sim.comparison.ledger_table import LEDGER_WITH_MEANINGS, Losses, Pair
from sim.comparison.rows import ComparisonRows

LEDGER_NOTE = (
    "share: what a cause adds on the average over orders in which causes are switched on, so shares add up; =: may be as "
    "large as the one above\nalone: only this cause, minus the ideal chip; without: all causes, minus all but this one"
)

NOTES = (
    "equal: images, trained weights (unless chip-trained), preparation, and the noise seed of all chips",
    "chosen: 6-bit weights, 3-bit states, 4-bit scales as on the chip; levels, ranges and imperfections are assumed",
    "fitted: ranges, scales and rounding, on at most 500 calibration digits, none of which are among these images",
)


def notes(found: ComparisonRows) -> tuple[str, ...]:
    """What was held equal, chosen and fitted; and what other weights gained or lost."""
    others = [(arm, arm.gain) for arm in found.arms if arm.gain is not None]
    if not others:
        return NOTES
    weights = others[0][0].what.partition(",")[0]
    return (
        *NOTES,
        f"chip-trained: {weights}; images, preparation, chips and noise are equal",
        *(f"against the network's own weights: {arm.name} {_gain(gain)}" for arm, gain in others),
    )


def yields(found: ComparisonRows) -> tuple[str, ...]:
    """What the drawn chips say of all chips of their kind, a sentence for each arm of several."""
    return tuple(_yield(arm, found.limit) for arm in found.arms if arm.worst is not None)


def _yield(arm: ArmRow, limit: float | None) -> str:
    assert arm.worst is not None
    good = "" if limit is None else f"; {formats.good(arm.good)} misread at most {100 * limit:g} %"
    return (
        f"{arm.name}: half misread at most {formats.quantile(arm.median)}, nine of ten at most {formats.quantile(arm.p90)}; at "
        f"most {100 * worse_than_worst(arm.chips):.1f} % of all such chips are worse than the worst{good}"
    )


def _gain(gain: Gain) -> str:
    points, low, high = (100 * share for share in (gain.moved.share, gain.moved.low, gain.moved.high))
    return f"{points:+.2f} points ({low:+.2f} to {high:+.2f}), p {formats.p_value(gain.p_value)}"


def comparison_text(found: ComparisonRows) -> str:
    """The table, with layers, ledger, time and notes."""
    wide = max(len(arm.name) for arm in found.arms)
    lines = [
        f"{found.network} on {found.data}, {found.images:,} images",
        "",
        *terminal_lines(arm_columns(found.limit), found.arms),
    ]
    if found.layers:
        lines += ["", "signal-to-noise ratio of each layer against float, dB"]
        titles = [title for title in found.layers[0] if title != "layer"]
        for title in titles:
            lines.append(f"{title:{wide}s} " + "  ".join(f"{row['layer']} {row[title]:.1f}" for row in found.layers))
    if found.losses is not None:
        lines += ["", ledger_text(found.losses)]
    if found.report:
        lines += ["", _time(found.report)]
    classes = ", ".join(f"{digit}: {count}" for digit, count in enumerate(found.class_counts))
    lines += ["", *yields(found), *notes(found), f"images per class: {classes}"]
    return "\n".join(lines)


def ledger_text(found: Losses) -> str:
    """The ledger, and what it was counted on."""
    lines = [
        f"where it was lost, in points of error, on {found.images:,} of the images and {found.chips} {found.kind} "
        f"(ideal {100 * found.ideal_error:.2f} %, all causes {100 * found.full_error:.2f} %)",
        *terminal_lines(LEDGER_WITH_MEANINGS, found.entries),
        LEDGER_NOTE,
        *(f"{pair_text(pair)}" for pair in found.pairs),
    ]
    return "\n".join(lines)


def pair_text(pair: Pair) -> str:
    """What two causes do together, in a sentence."""
    points, low, high = (100 * share for share in (pair.moved.share, pair.moved.low, pair.moved.high))
    return f"{pair.first} and {pair.second} together: {points:+.2f} points ({low:+.2f} to {high:+.2f}) beyond each alone"


def _time(report: Mapping[str, Any]) -> str:
    host = report.get("host_multiply_adds", 0)
    total = host + report.get("chip_multiply_adds", 0)
    return (
        f"chip time on machine {report['machine']} {report['chip_us_per_image']:,.1f} us per image "
        f"({report['cycles_per_image']:,.0f} cycles){latency_text(report)}{published_text(report)}; it reads "
        f"{report['board_images_per_s']:,.0f} images per second, bound by its {report['board_binds']}; "
        f"{host:,} of {total:,} multiply-adds run on the host"
    )
