"""A sweep in words and tables, for its page and its Markdown."""

from collections.abc import Sequence
from typing import Any

from sim.base.columns import Column, View, cells, on_page
from sim.base.formats import per_cent
from sim.report import sweep_plots as plots
from sim.sweep.spec import value_text
from sim.sweep.summary import POINTS, STATES, WEIGHTS, Summary, SweepResult

TIES = "; =: these images and chips do not tell it from the best of the map (95 %, all points together)"
POINTS_SHOWN = 200  # points in a table for people; results.csv has all

Table = tuple[Sequence[str], list[Sequence[str]]]


def lead(found: SweepResult) -> str:
    """The result in up to three sentences."""
    refused = f", {len(found.refusals)} of them refused" if found.refusals else ""
    done = len(found.points) + len(found.refusals)
    text = (
        f"{done:,} of {found.total:,} points{refused}; {len(found.rows):,} rows, one per chip, each on {_images(found)} digits."
    )
    if not found.points:
        return text
    best = min(found.points, key=lambda point: (point.error, point.point))
    where = ", ".join(f"{name} = {value_text(best.values[name])}" for name in found.varying)
    floats = {per_cent(point.float_error) for point in found.points}
    float_text = f" The float network misreads {floats.pop()}." if len(floats) == 1 else ""
    return f"{text} The lowest error is {per_cent(best.error)}{f' at {where}' if where else ''}.{float_text}"


def _images(found: SweepResult) -> str:
    return f"{found.rows[0]['images']:,}" if found.rows else f"{found.spec.count:,}"


def how(found: SweepResult) -> str:
    """Seeds and rows, for the caption of every figure."""
    last = found.spec.seed + found.spec.chips - 1
    seeds = f"chip seeds {found.spec.seed} to {last}, noise seed {found.spec.seed}"
    held = "".join(f"; {name} = {value_text(value)}" for name, value in found.held.items())
    return f"{len(found.rows):,} rows: {seeds}, {_images(found)} digits each{held}"


def commands(found: SweepResult) -> list[str]:
    """The distinct commands that computed the rows."""
    return list(dict.fromkeys(run["command"] for run in found.runs if run.get("command"))) or ["sim.sweep.run.run_sweep(...)"]


def others_text(others: dict[str, Any]) -> str:
    """The values of the other axes, in words."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in others.items())


def map_table(found: SweepResult, others: dict[str, Any]) -> Table:
    """Weight bits x state bits as a table."""
    states, weights, error = plots.grid(found, others)
    best = plots.equals(found, others)

    def cell(value: float, bits: tuple[int, int]) -> str:
        return "" if value != value else f"{value:.2f} %{' =' * (bits in best)}"

    rows = [[str(bits), *(cell(value, (weight, bits)) for weight, value in zip(weights, row, strict=True))]
            for bits, row in zip(states, error.tolist(), strict=True)]  # fmt: skip
    return ["state bits \\ weight bits", *map(str, weights)], list(rows)


def point_table(found: SweepResult) -> Table:
    """The points, up to `POINTS_SHOWN`."""
    names = list(found.varying)
    axes = [_axis(name, heading) for name, heading in zip(names, short(names), strict=True)]
    head, rows = cells(on_page([POINTS[0], *axes, *POINTS[1:]]), found.points[:POINTS_SHOWN])
    return head, list(rows)


def _axis(name: str, heading: str) -> Column[Summary]:
    return Column(
        name, "", "", lambda point: point.values[name], page=View(heading, lambda point: value_text(point.values[name]))
    )


def short(names: list[str]) -> list[str]:
    """Names of axes without their group, if they stay distinct."""
    fields = [name.rpartition(".")[2] for name in names]
    return [field if fields.count(field) == 1 else name for name, field in zip(names, fields, strict=True)]


def refusal_table(found: SweepResult) -> Table:
    """Refused points, and why."""
    names = list(found.varying)
    rows = [[str(one.point), *(value_text(one.values[name]) for name in names), one.sentence] for one in found.refusals]
    return ["point", *short(names), "why"], list(rows[:POINTS_SHOWN])


def more(total: int) -> str:
    """What a table does not show."""
    return f"{total - POINTS_SHOWN:,} more are in results.csv and the database." if total > POINTS_SHOWN else ""


def made(found: SweepResult) -> list[str]:
    """How the sweep was made, one sentence per line: versions, machines, time, digests."""
    seconds = sum(run["seconds"] for run in found.runs)
    work = sum(facts.get("seconds", 0.0) for facts in found.facts)
    hosts = {(facts.get("host"), facts.get("cpu"), facts.get("cores")) for facts in found.facts}
    versions = {(facts.get("anna"), facts.get("python"), facts.get("numpy"), facts.get("simd")) for facts in found.facts}
    commits = sorted({str(facts["commit"]) for facts in found.facts if facts.get("commit")})
    lines = [f"{len(found.runs)} start{'s' if len(found.runs) != 1 else ''}, {seconds:,.0f} s in all; the workers were "
             f"busy for {work:,.0f} s."]  # fmt: skip
    lines += [f"Machine: {host}, {cpu}, {cores} cores." for host, cpu, cores in sorted(hosts, key=str)[:20]]
    lines += [f"anna {one}, Python {python}, NumPy {numpy}, {simd}." for one, python, numpy, simd in sorted(versions, key=str)]
    if commits:
        lines.append(f"Commit: {', '.join(commits)} (+: with uncommitted changes).")
    lines += [f"{name}: {digest}" for name, digest in found.inputs if not name.startswith("analog ")]
    lines.append("Digests: of the network, then of the digits. The same sweep gives the same results.csv on every machine.")
    lines.append("Intervals: Wilson, over images and chips. Differs: share of digits read differently from the float network.")
    return lines


def markdown(found: SweepResult) -> str:
    """The sweep as a Markdown page."""
    parts = [f"# Sweep {found.spec.name}", lead(found)]
    if found.has_map:
        for others in plots.combinations(found, [WEIGHTS, STATES])[: plots.MAPS]:
            title = f" ({others_text(others)})" if others else ""
            parts += [f"## Error over weight bits and state bits{title}", _markdown_table(map_table(found, others))]
            parts += [f"Mean error over chips{TIES}."] if found.best else []
    if found.points:
        parts += ["## Points", _markdown_table(point_table(found)), more(len(found.points))]
    if found.refusals:
        parts += ["## Refused", _markdown_table(refusal_table(found)), more(len(found.refusals))]
    parts += ["## How this was made", "\n".join(f"    {command}" for command in commands(found)), f"{how(found)}."]
    parts += ["\n".join(f"- {line}" for line in made(found))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(table: Table) -> str:
    head, rows = table
    lines = [head, ["---:"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
