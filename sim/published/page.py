"""Published numbers as text for a terminal, and as the page of the docs."""

from collections.abc import Sequence

from sim.published.findings import Finding, ends, tally
from sim.published.row import Kind
from sim.published.speeds import Speed

TITLES: dict[Kind, str] = {
    "prediction": "Predictions",
    "definition": "Definitions",
    "fitted": "Fitted",
}
MEANINGS: dict[Kind, str] = {
    "prediction": "What comes out of compiling, running or counting. Ranges were written down before the published chip had a\n"
    "compiler, except where the row says otherwise; a miss is shown as a miss.",
    "definition": "What the model contains as a constant, or does not contain at all: agreement says nothing about it.",
    "fitted": "What something in the model was chosen to meet: no prediction.",
}
INTRODUCTION = """\
# Published numbers

Every number that is published or recalled of the chip, its boards and its networks, with what the model says to it. Marks:
**P** published, **R** recalled, **D** derived by arithmetic, **F** fitted. `anna published` computes this page again
(`anna published -o docs/published.md` writes it), `anna published NAME` shows one row with its source and its reason.
Connections are multiply-adds without biases, as the board paper counts them, and those of the host's layers are included in
every rate. Published times are held against one position a CALC and no RFSH, as in 1991; what several positions and the refresh
make of them stands beside them, without a range.
"""
SPEEDS = """\
## Every application on every machine

Several positions a CALC where that pays, refresh and page loads included, as many images a batch as the compiler chooses.
A *bound* is what the busiest unit needs for each layer, with whatever may not run beside it; *over bound* is by how much the
schedule without refresh exceeds it.
"""


def number(value: float, unit: str) -> str:
    """A number in four digits: large rates with a prefix, counts with commas."""
    if unit.endswith("/s") or unit == "Hz":
        for size, prefix in ((1e9, " G"), (1e6, " M")):
            if value >= size:
                return f"{value / size:.4g}{prefix}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def published(finding: Finding) -> str:
    """The published number or range."""
    low, high = ends(finding.row.fact.value)
    unit = finding.row.fact.unit
    return number(low, unit) if low == high else f"{number(low, unit)} to {number(high, unit)}"


def predicted(finding: Finding) -> str:
    """The predicted number; empty where there is none."""
    return "" if finding.predicted is None else number(finding.predicted, finding.row.fact.unit)


def expected(finding: Finding) -> str:
    """The range that counts as met; empty where none was stated."""
    stated, unit = finding.row.expected, finding.row.fact.unit
    if stated is None:
        return ""
    low, high = number(stated.low, unit), number(stated.high, unit)
    return low if low == high else f"{low} to {high}"


def ratio(finding: Finding) -> str:
    """Predicted over published."""
    return "" if finding.ratio is None else f"{finding.ratio:.2f}"


def counted(findings: Sequence[Finding]) -> str:
    """How many of each kind are met, missed and open."""
    words = {"prediction": "predictions", "definition": "definitions", "fitted": "fitted"}
    lines = []
    for kind, counts in tally(findings).items():
        if any(counts.values()):
            lines.append(f"{words[kind]}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    return "\n".join(lines)


# --- for a terminal --------------------------------------------------------------------------------------------------
def text(findings: Sequence[Finding], speeds: Sequence[Speed]) -> str:
    """All rows, the reasons of the misses, the count and the machines."""
    heads = ("number", "mark", "published", "predicted", "ratio", "unit", "kind", "verdict")
    rows = [heads, *(_cells(finding) for finding in findings)]
    misses = [f"{finding.row.name}: {finding.reason}" for finding in findings if finding.verdict == "missed"]
    parts = [columns(rows), *(["\n".join(["missed", *misses])] if misses else []), counted(findings)]
    if speeds:
        parts.append(columns([SPEED_HEADS, *(speed_cells(one) for one in speeds)]))
    return "\n\n".join(parts)


def details(findings: Sequence[Finding]) -> str:
    """A few rows, with everything that is known of them."""
    return "\n\n".join(_detail(finding) for finding in findings)


def _detail(finding: Finding) -> str:
    row, stated = finding.row, finding.row.expected
    lines = [
        f"{row.name}: {row.what}",
        f"  published  {published(finding)} {row.fact.unit} ({row.fact.mark.value}; {row.fact.source})",
        f"  predicted  {predicted(finding) or 'nothing'}",
        f"  {row.kind}, {finding.verdict}: {finding.reason}",
    ]
    if row.by is not None:
        of = " ".join(f"{name}={value}" for name, value in row.by.of.items())
        lines.insert(3, f"  by         {row.by.quantity} {of}".rstrip())
    if stated is not None:
        lines.insert(-1, f"  expected   {expected(finding)}: {stated.why}")
    return "\n".join(lines)


def _cells(finding: Finding) -> tuple[str, ...]:
    row = finding.row
    return (row.name, row.fact.mark.value, published(finding), predicted(finding), ratio(finding), row.fact.unit, row.kind,
            finding.verdict)  # fmt: skip


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as left-aligned columns, headings first."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


# --- for the docs ----------------------------------------------------------------------------------------------------
def page(findings: Sequence[Finding], speeds: Sequence[Speed]) -> str:
    """The page in Markdown."""
    parts = [INTRODUCTION, "\n".join(f"- {line}" for line in counted(findings).splitlines()) + "\n"]
    parts.append(
        "What each assumption is worth has pages of its own: for the [recogniser](assumptions.md) and for "
        "[LeNet-5](assumptions-lenet5.md).\nTable 1 of the chip's paper is [run again](table-1.md) on drawn chips, with digits "
        "of another set, and so is\nthe [table of 1998](table-1998.md), whose methods are held against the LeNets on MNIST.\n"
    )
    for kind, title in TITLES.items():
        rows = [finding for finding in findings if finding.row.kind == kind]
        heads = ("number", "", "mark", "published", "expected", "predicted", "ratio", "unit", "verdict", "reason")
        parts.append(f"## {title}\n\n{MEANINGS[kind]}\n\n{markdown(heads, [markdown_cells(row) for row in rows])}")
    parts.append(f"{SPEEDS}\n{markdown(SPEED_HEADS, [speed_cells(one) for one in speeds])}")
    return "\n".join(parts)


def markdown_cells(finding: Finding) -> tuple[str, ...]:
    """A row of the page."""
    row = finding.row
    return (f"`{row.name}`", row.what, row.fact.mark.value, published(finding), expected(finding), predicted(finding),
            ratio(finding), row.fact.unit, finding.verdict, finding.reason)  # fmt: skip


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |\n" for line in lines)


SPEED_HEADS = (
    "network", "machine", "pages", "batch", "cycles an image", "us", "connections/s", "images/s", "bound by", "bound",
    "over bound",
)  # fmt: skip


def speed_cells(one: Speed) -> tuple[str, ...]:
    """A row of the machines."""
    if one.refused:
        return (one.network, one.machine, *[""] * 6, f"refused: {one.refused}", "", "")
    return (one.network, one.machine, str(one.pages), str(one.batch), f"{one.cycles_per_image:,.0f}",
            f"{one.chip_us_per_image:,.1f}", number(one.connections_per_s, "/s"), f"{one.images_per_s:,.0f}", one.binds,
            f"{one.bound_cycles:,.0f}", f"{100 * one.over_bound:.1f} %")  # fmt: skip
