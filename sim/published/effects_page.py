"""What each assumption is worth, as text, as a page of the docs and as a plot."""

from pathlib import PurePath
from typing import Any

from sim.base.statistics import Interval
from sim.published.alternatives import PARTS, value_text
from sim.published.assumptions import CHIPS, IMAGES, MACHINE, Effect, Effects
from sim.published.page import columns
from sim.published.page import markdown as markdown
from sim.report.colours import COLOURS, INK
from sim.report.figure import themed

INTRODUCTION = f"""\
# What each assumption is worth

Whatever no paper says of the chip, its sequencer and its electronics is assumed (mark **A**) and has a name. Here each
is replaced by an alternative, one at a time and all else as it is, for a network compiled for machine {MACHINE}. Errors
are counted on the first {IMAGES} images of the hold-out, on the ideal chip and on {CHIPS} typical dies; a change is paired:
the same images, dies and noise, and its interval is the 95 % one over images and dies. The plot leaves out what changes
neither cycles nor errors noticeably. This page and its plot were written by
"""
HEADS = ("of", "assumption", "alternative", "cycles", "ratio", "ideal, points", "typical, points", "95 % interval", "why")
LEAST_RATIO, LEAST_POINTS = 0.005, 0.3  # what is drawn changes cycles or errors by as much, or errors beyond chance


def text(found: Effects) -> str:
    """The table for a terminal."""
    return f"{heading(found)}\n\n{columns([HEADS, *(cells(row) for row in found.rows)])}"


def page(found: Effects, plot: str) -> str:
    """The page in Markdown; `plot` is the file of the plot."""
    image = f"![What each assumption is worth for {found.network}]({plot})"
    own = "" if found.network == "recognizer" else f" --network {found.network}"
    command = f"    anna published --assumptions{own} -o docs/{PurePath(plot).stem}.md\n"
    return f"{INTRODUCTION}\n{command}\n{heading(found)}.\n\n{image}\n\n{markdown(HEADS, [cells(row) for row in found.rows])}"


def heading(one: Effects) -> str:
    """What a network's changes are counted from."""
    return (
        f"{one.network} on machine {MACHINE}: {one.cycles:,.0f} cycles an image; error {100 * one.ideal_error:.2f} % on the "
        f"ideal chip, {100 * one.typical_error:.2f} % on {CHIPS} typical dies ({IMAGES} images)"
    )


def cells(row: Effect) -> tuple[str, ...]:
    """A row of the tables."""
    one, points = row.alternative, row.typical_points
    first = (one.part, f"{one.field} = {value_text(row.assumed)}", value_text(one.value))
    if row.refused or points is None:
        return (*first, "", "", "", "", "", f"refused: {row.refused}")
    return (*first, f"{row.cycles:,.0f}", f"{row.cycles_ratio:.3f}", f"{row.ideal_points:+.2f}", f"{points.share:+.2f}",
            f"{points.low:+.2f} to {points.high:+.2f}", one.why)  # fmt: skip


def noticed(found: Effects) -> list[Effect]:
    """The rows that change cycles or errors enough to be drawn."""
    return [row for row in found.rows if _moves_cycles(row.cycles_ratio) or _moves_errors(row.typical_points)]


def _moves_cycles(ratio: float | None) -> bool:
    return ratio is not None and abs(ratio - 1) >= LEAST_RATIO


def _moves_errors(points: Interval | None) -> bool:
    return points is not None and (abs(points.share) >= LEAST_POINTS or points.low > 0 or points.high < 0)


def plot(found: Effects) -> Any:
    """Change of cycles and of errors, a line for each alternative that is noticed."""
    from matplotlib.patches import Patch

    rows = noticed(found)
    with themed(8.4, 1.5 + 0.25 * len(rows), columns=2, sharey=True) as (figure, (cycles, errors)):
        for place, row in enumerate(rows):
            assert row.cycles_ratio is not None and row.typical_points is not None
            colour, points = COLOURS[PARTS.index(row.alternative.part)], row.typical_points
            cycles.barh(place, row.cycles_ratio - 1, left=1, height=0.62, color=colour)
            errors.plot([points.low, points.high], [place, place], color=colour, linewidth=2.0, alpha=0.55)
            errors.plot(points.share, place, "o", color=colour, markersize=5)
            errors.plot(row.ideal_points, place, "|", color=INK, markersize=9)
        cycles.set_yticks(range(len(rows)), [row.alternative.name for row in rows])
        cycles.set_ylim(len(rows) - 0.4, -0.6)
        ratios = [row.cycles_ratio for row in rows if row.cycles_ratio is not None]
        low, high = min([0.75, *ratios]), max([1.33, *ratios])
        cycles.set_xscale("log", base=2)
        cycles.set_xlim(low / 1.05, high * 1.05)
        ticks = [tick for tick in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16) if low <= tick <= high]
        cycles.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        cycles.minorticks_off()
        cycles.set_xlabel("cycles, over those as assumed")
        errors.set_xlabel("points of error (typical dies, 95 %; |: ideal)")
        for axes, middle in ((cycles, 1.0), (errors, 0.0)):
            axes.axvline(middle, color=INK, linewidth=0.8)
            axes.grid(axis="x")
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", left=False)
        drawn = [part for part in PARTS if any(row.alternative.part == part for row in rows)]
        figure.legend([Patch(color=COLOURS[PARTS.index(part)]) for part in drawn], drawn, loc="outside lower left", ncols=5)
        figure.suptitle(f"{found.network}: what each assumption is worth", x=0.01, ha="left", fontsize=10)
    return figure
