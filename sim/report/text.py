"""Comparisons as text for a terminal."""

from collections.abc import Mapping
from typing import Any

from sim.comparison.rows import ComparisonRows, Losses

LEDGER_NOTE = "alone: this cause and no other, less the ideal chip; without: all causes less all but this one"

NOTES = (
    "equal: pictures, trained weights (unless chip-trained), preparation, and the noise seed of all chips",
    "chosen: 6-bit weights, 3-bit states, 4-bit scales as on the chip; levels, ranges and imperfections are assumed",
    "fitted: ranges, scales and rounding to at most 500 calibration digits, which are not among those shown",
)


def notes(found: ComparisonRows) -> tuple[str, ...]:
    """What was held equal, what is this design's choice, what was fitted; and what other weights gained or lost."""
    others = [(arm, arm.gain) for arm in found.arms if arm.gain is not None]
    if not others:
        return NOTES
    weights = others[0][0].what.partition(",")[0]
    return (
        *NOTES,
        f"chip-trained: {weights}; pictures, preparation, chips and noise are equal",
        *(f"against the network's own weights: {arm.name} {100 * gain.moved.share:+.2f} points "
          f"({100 * gain.moved.low:+.2f} to {100 * gain.moved.high:+.2f}), p {p_value(gain.p_value)}" for arm, gain in others),
    )  # fmt: skip


def comparison_text(found: ComparisonRows) -> str:
    """The table, and what it took."""
    wide = max(len(arm.name) for arm in found.arms)
    lines = [
        f"{found.network} on {found.data}, {found.images:,} pictures",
        "",
        f"{'':{wide}s} {'chips':>5s} {'error':>8s} {'95 % interval':>17s} {'over chips':>10s} {'differs':>8s} {'p':>7s} "
        f"{'rejects for 1 %':>16s} {'0.5 %':>8s}",
    ]
    for arm in found.arms:
        spread = "" if arm.std_over_chips is None else f"± {100 * arm.std_over_chips:.2f}"
        differs = "" if arm is found.reference else f"{100 * arm.disagreement:.2f} %"
        lines.append(
            f"{arm.name:{wide}s} {arm.chips:5d} {100 * arm.error.share:6.2f} % {interval(arm.error.low, arm.error.high):>17s} "
            f"{spread:>10s} {differs:>8s} "
            f"{p_value(arm.p_value):>7s} {share(arm.rejects.needed_for(0.01)):>16s} {share(arm.rejects.needed_for(0.005)):>8s}"
        )
    if found.layers:
        lines += ["", "signal to noise of each layer against float, dB"]
        titles = [title for title in found.layers[0] if title != "layer"]
        for title in titles:
            lines.append(f"{title:{wide}s} " + "  ".join(f"{row['layer']} {row[title]:.1f}" for row in found.layers))
    if found.losses is not None:
        lines += ["", ledger_text(found.losses)]
    if found.report:
        lines += ["", _time(found.report)]
    classes = ", ".join(f"{digit}: {count}" for digit, count in enumerate(found.class_counts))
    lines += ["", *notes(found), f"pictures a class: {classes}"]
    return "\n".join(lines)


def ledger_text(found: Losses) -> str:
    """The ledger, and what it was counted on."""
    lines = [
        f"where it was lost, in points of error, on {found.images:,} of the pictures and {found.chips} {found.kind} "
        f"(ideal {100 * found.ideal_error:.2f} %, all causes {100 * found.full_error:.2f} %)",
        f"{'cause':16s} {'layer':10s} {'alone':>8s} {'without':>8s}",
    ]
    for e in found.entries:
        without = "" if e.without_points is None else f"{e.without_points:+.2f}"
        lines.append(f"{e.cause:16s} {e.layer:10s} {e.alone_points:+8.2f} {without:>8s}  {e.meaning}".rstrip())
    return "\n".join([*lines, LEDGER_NOTE])


def interval(low: float, high: float) -> str:
    """In per cent."""
    return f"{100 * low:.2f} to {100 * high:.2f}"


def p_value(p: float | None) -> str:
    """None: there is nothing to tell apart."""
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def share(value: float | None) -> str:
    """Of rejects; None: no share does it."""
    return "never" if value is None else f"{100 * value:.1f} %"


def _time(report: Mapping[str, Any]) -> str:
    host = report.get("host_multiply_adds", 0)
    whole = host + report.get("chip_multiply_adds", 0)
    return (
        f"chip time {report['chip_us_per_image']:,.1f} us a picture ({report['cycles_per_image']:,.0f} cycles); "
        f"the board reads {report['board_images_per_s']:,.0f} a second, bound by its {report['board_binds']}; "
        f"{host:,} of {whole:,} multiply-adds run on the host"
    )
