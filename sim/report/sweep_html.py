"""A sweep as one self-contained page: light and dark, printable, offline; every figure says how it was made."""

from sim.report import sweep_plots as plots
from sim.report import sweep_text as text
from sim.report.drawing import Drawing
from sim.report.page import escaped, figure, page, table
from sim.sweep.summary import STATES, WEIGHTS, SweepResult, is_number


def sweep_page(found: SweepResult) -> str:
    """The page of a sweep."""
    spec = found.spec
    title = f"Sweep {spec.name}: {spec.network if 'network' not in spec.axes else 'networks'} on the ANNA chip"
    parts = [f"<h1>{escaped(title)}</h1>", f'<p class="lead">{escaped(text.lead(found))}</p>', *_figures(found)]
    if found.points:
        parts += ["<h2>Points</h2>", table(*text.point_table(found)), f'<p class="note">{text.more(len(found.points))}</p>']
    if found.refusals:
        parts += ["<h2>Refused</h2>", "<p>The compiler or the chip refused these points; the last column says why.</p>"]
        parts += [table(*text.refusal_table(found), ("why",)), f'<p class="note">{text.more(len(found.refusals))}</p>']
    lines = "".join(f"<li>{escaped(line)}</li>" for line in text.made(found))
    shown = escaped("\n".join(text.commands(found)))
    parts += ["<h2>How this was made</h2>", f"<pre>{shown}</pre>", f'<ul class="made">{lines}</ul>']
    return page(title, parts)


def _figures(found: SweepResult) -> list[str]:
    parts: list[str] = []
    if not found.points:
        return parts
    if found.has_map:
        maps = plots.combinations(found, [WEIGHTS, STATES])
        parts.append("<h2>What bits buy</h2>")
        for others in maps[: plots.MAPS]:
            where = f" at {text.others_text(others)}" if others else ""
            caption = f"Mean error over chips{where}; framed: the chip as built{text.TIES * bool(found.best)}."
            parts.append(_figure(found, plots.bits_map(found, others), caption))
        if len(maps) > plots.MAPS:
            parts.append(f'<p class="note">{len(maps) - plots.MAPS} more maps are not shown; see the table.</p>')
    told = found.has_map  # whether some plot distinguishes all points
    for axis, values in found.varying.items():
        if sum(is_number(value) for value in values) < 2 or len({point.values[axis] for point in found.points}) < 2:
            continue
        several = len(plots.combinations(found, [axis])) > plots.LINES or found.spec.design == "random"
        told |= not several
        what = ("Mean of all points; the band spans from the best chip of any point to the worst" if several
                else "Mean over chips; the band spans from the best chip to the worst")  # fmt: skip
        parts += [f"<h2>Error against {escaped(axis)}</h2>",
                  _figure(found, plots.error_against(found, axis), f"{what}; dashed: the float network.")]  # fmt: skip
    if not told and (found.spec.design != "random" or not parts):
        names, many = ", ".join(found.varying) or "the only point", len(found.points) > plots.POINTS
        left = f" The first {plots.POINTS} points; the rest are in the table." if many else ""
        caption = f"By {names}. Line: 95 % interval; small dots: single chips; vertical tick: the float network.{left}"
        parts += ["<h2>Error of each point</h2>", _figure(found, plots.points(found), caption)]
    return parts


def _figure(found: SweepResult, drawn: Drawing, caption: str) -> str:
    return figure(drawn, f"{caption} {text.how(found)}.", text.commands(found)[0])
