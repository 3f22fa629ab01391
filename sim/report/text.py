"""Comparisons as text for a terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.comparison.compare import Comparison

NOTES = (
    "equal: pictures, trained weights (unless chip-trained), preparation, and the noise seed of all chips",
    "chosen: 6-bit weights, 3-bit states, 4-bit scales as on the chip; levels, ranges and imperfections are assumed",
    "fitted: ranges, scales and rounding to at most 500 calibration digits, which are not among those shown",
)


def notes(found: "Comparison") -> tuple[str, ...]:
    """What was held equal, what is this design's choice, what was fitted; and what other weights gained or lost."""
    if not any(arm.ordinary for arm in found.arms):
        return NOTES
    gains = [
        f"{row['name']} {row['points_against_ordinary']:+.2f} points "
        f"({row['points_low']:+.2f} to {row['points_high']:+.2f}), p {p_value(row['p_value_against_ordinary'])}"
        for row in found.rows()
        if "ordinary" in row
    ]
    weights = next(arm.what.partition(",")[0] for arm in found.arms if arm.ordinary)
    return (
        *NOTES,
        f"chip-trained: {weights}; pictures, preparation, chips and noise are equal",
        *(f"against the network's own weights: {gain}" for gain in gains),
    )


def comparison_text(found: "Comparison") -> str:
    """The table, and what it took."""
    labels, report = found.digits.labels, found.program.report or {}
    wide = max(len(arm.name) for arm in found.arms)
    lines = [
        f"{found.network.name} on {found.digits.name}, {len(found.digits):,} pictures",
        "",
        f"{'':{wide}s} {'chips':>5s} {'error':>8s} {'95 % interval':>17s} {'over chips':>10s} {'differs':>8s} {'p':>7s} "
        f"{'rejects for 1 %':>16s} {'0.5 %':>8s}",
    ]
    for arm, row in zip(found.arms, found.rows(), strict=True):
        std, p = row["error_std_over_chips"], row["p_value_against_float"]
        spread = "" if std is None else f"± {100 * std:.2f}"
        differs = "" if arm is found.reference else f"{100 * found.disagreement(arm):.2f} %"
        lines.append(
            f"{arm.name:{wide}s} {arm.chips:5d} {100 * row['error']:6.2f} % {interval(row['low'], row['high']):>17s} "
            f"{spread:>10s} {differs:>8s} "
            f"{p_value(p):>7s} {share(row['rejects_for_0.01']):>16s} {share(row['rejects_for_0.005']):>8s}"
        )
    if found.layers:
        lines += ["", "signal to noise of each layer against float, dB"]
        titles = [title for title in found.layers[0] if title != "layer"]
        for title in titles:
            lines.append(f"{title:{wide}s} " + "  ".join(f"{row['layer']} {row[title]:.1f}" for row in found.layers))
    if found.ledger is not None:
        lines += ["", found.ledger.table()]
    if report:
        lines += ["", _time(found)]
    classes = ", ".join(f"{digit}: {int((labels == digit).sum())}" for digit in range(found.classes))
    lines += ["", *notes(found), f"pictures a class: {classes}"]
    return "\n".join(lines)


def interval(low: float, high: float) -> str:
    """In per cent."""
    return f"{100 * low:.2f} to {100 * high:.2f}"


def p_value(p: float | None) -> str:
    """None: there is nothing to tell apart."""
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def share(value: float | None) -> str:
    """Of rejects; None: no share does it."""
    return "never" if value is None else f"{100 * value:.1f} %"


def _time(found: "Comparison") -> str:
    report = found.program.report or {}
    host = report.get("host_multiply_adds", 0)
    whole = host + report.get("chip_multiply_adds", 0)
    return (
        f"chip time {report['chip_us_per_image']:,.1f} us a picture ({report['cycles_per_image']:,.0f} cycles); "
        f"the board reads {report['board_images_per_s']:,.0f} a second, bound by its {report['board_binds']}; "
        f"{host:,} of {whole:,} multiply-adds run on the host"
    )
