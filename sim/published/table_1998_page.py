"""The table of 1998 run again, as text for a terminal and as a page of the docs."""

from collections.abc import Sequence

from sim.base.statistics import Interval
from sim.published.methods_1998 import Classical
from sim.published.page import columns
from sim.published.page import markdown as markdown
from sim.published.table_1998 import ANALOG, CHIPS, Obtained

HEADS = ("method", "published, %", "obtained, %", "95 %", "ideal chip, %", "typical chips, %", "95 %")
INTRODUCTION = """\
# The table of 1998 run again

Paper 8 (LeCun, Bottou, Bengio, Haffner, 1998) has one table that everybody knows: what methods from a linear classifier to
LeNet-5 misread of the 10,000 test digits of MNIST. Here is each of them again, beside what was published, and on the chip
where that can be. This page was written by

    anna published --table-1998 -o docs/table-1998.md

and `anna published --table-1998 NAME` makes a single line, by the name in its first column.

"""
HOW = """\
## How

- **Digits**: MNIST's {images} test digits for results. All methods learn from the same 55,000 training digits as the shipped
  networks did. The other 5,000 are [built in](data.md); 4,500 of these are the digits kept aside, on which settings are
  chosen. Nothing was chosen on test digits. The published methods had 60,000.
- **Intervals** are the 95 % ones over images (Wilson's), and for drawn chips over images and chips. They say how far other
  digits or chips of the same kind would differ, not how far another training would.
- **Networks**: the weights that ship, in 32-bit floats ([training](training.md)).
- **Chips**: compiled as `anna compare` does, one state a value, for machine `sequencer`; {analog}, seeds {chips}. Sums of
  784 inputs are converted in parts, three bits a part: two digits a part give most of that loss back, on a larger board for
  784-1000-10 ([digits](digits.md#what-it-is-good-for)).
- **Neighbours**: squared distances of grey levels are whole numbers, and exact; of equals the first training digit is nearer.
- **Quadratic**: the 40 largest principal components, scaled to a variance of 1, all 820 products of two, least squares.
- **Radial**: 100 centres a class by k-means, Gaussians of one width, least squares with a little ridge (A). The width is in
  units of the root mean square distance from a training digit to its nearest centre.
- **Tangent distance**: two-sided, between images smoothed with (1 2 1) / 4 along both axes, with seven tangents: two shifts,
  scale, rotation, two hyperbolic deformations, the thickness of the pen. In Cython (`lenet/classical/tangent.pyx`). The
  neighbour is the nearest of the candidates, which are nearest by Euclid.
- **Support vectors**: images scaled to length 1, ((u v + 1) / 2)^9, cost 2 (R), trained on all digits, and again on its support
  vectors and each of these shifted by one pixel in four directions.
- **Deskewed**: rows are shifted, by shares of a pixel, until the ink's second moments have no mixed part.

The quadratic and radial classifiers and the support vectors use scikit-learn (`pip install 'anna-chip[classical]'`); the last
bits of what they compute may depend on its version and on the BLAS behind it.
"""
DIFFERENT = """\
## What this cannot tell

- **Then and now.** An obtained error below the published one says that a method does better with today's recipe, or with
  settings chosen with more care; it says nothing of the order of methods in 1998.
- **Published numbers** come without intervals. On 10,000 digits an error of 1 % has one of 0.8 to 1.2, which is where most of
  the best lines lie: this table alone does not tell LeNet-4, LeNet-5, tangent distance and virtual support vectors apart.
- **The same digits again.** These test digits have been looked at for decades: settings recalled from later papers, such as the
  kernel and the cost of the support vectors, were found with them in sight.
- **Other lines** of the published table (two hidden layers, distorted digits for 300 and 1000 units, other support vector
  machines, LeNet-4 with neighbours instead of a last layer) are not here.

## To add a method

Add a line to `sim/published/methods_1998.py`: the published number with its mark; weights that ship, or a file in
`lenet/classical` with one function that is given labelled images and returns what reads others; and the range that you
expect, before its first run on test digits.
"""


def text(found: Sequence[Obtained]) -> str:
    """For a terminal: the table, and below it what else is known of each line."""
    notes = ["\n".join([f"{one.method.name}: {one.method.what}", *(f"  {line}" for line in _known(one))]) for one in found]
    return "\n\n".join([columns([HEADS, *(row(one) for one in found)]), *notes])


def page(found: Sequence[Obtained]) -> str:
    """The page in Markdown."""
    how = HOW.format(images=f"{found[0].images:,}", analog=ANALOG, chips=f"{CHIPS[0]} to {CHIPS[-1]}")
    stated = [one for one in found if one.method.expected is not None]
    off = [one for one in found if isinstance(one.method.by, Classical)]
    tried = [one for one in found if one.tried or one.beside]
    return "\n".join([
        INTRODUCTION + markdown(("name", *HEADS), [(f"`{one.method.name}`", *row(one)) for one in found]),
        f"R: the published number is recalled. {against(found)}\n",
        "What differs from the published method, line by line:\n",
        markdown(("name", "what differs"), [(f"`{one.method.name}`", one.method.differs) for one in found]),
        "On the chip:\n",
        markdown(("name", "pages of weights", "cycles an image"), [(f"`{one.method.name}`", str(one.chip.pages),
                                                                    f"{one.chip.cycles:,.0f}") for one in found if one.chip]),
        "Not on the chip:\n",
        markdown(("name", "why"), [(f"`{one.method.name}`", _off_chip(one)) for one in off]),
        how,
        "## Chosen on digits kept aside\n",
        markdown(("name", "setting", "misread, %", ""), [line for one in tried for line in _tried(one)]),
        *(f"`{one.method.name}`: {one.beside}.\n" for one in tried if one.beside),
        "## Predicted, and obtained\n\nWritten down before the first run on test digits; the networks' errors were known.\n",
        markdown(("name", "predicted, %", "because", "obtained, %", ""), [_predicted(one) for one in stated]),
        DIFFERENT,
    ])  # fmt: skip


def row(one: Obtained) -> tuple[str, ...]:
    """A line of the table."""
    mark = one.method.fact.mark.value
    published = str(float(one.method.fact.value)) + ("" if mark == "P" else f" ({mark})")
    chips = ("", "", "") if one.chip is None else (f"{100 * one.chip.ideal.share:.2f}", *_percent(one.chip.drawn))
    return (one.method.what, published, *_percent(one.error), *chips)


def against(found: Sequence[Obtained]) -> str:
    """Which published numbers lie within the intervals obtained, and on which side the others do."""
    names: dict[str, list[str]] = {"above": [], "within": [], "below": []}
    for one in found:
        published = one.method.fact.value / 100
        side = "above" if published > one.error.high else "below" if published < one.error.low else "within"
        names[side].append(f"`{one.method.name}`")
    told = [f"{side} it for {', '.join(named)}" for side, named in names.items() if named]
    return f"Beside the interval obtained, the published number lies {'; '.join(told)}."


def _known(one: Obtained) -> list[str]:
    lines = [f"differs    {one.method.differs}"]
    if one.chip is not None:
        lines.append(f"chip       {one.chip.pages} pages, {one.chip.cycles:,.0f} cycles an image")
    if isinstance(one.method.by, Classical):
        lines.append(f"no chip    {_off_chip(one)}")
    lines += [f"tried      {setting}: {100 * error:.2f} % of the digits kept aside" for setting, error in one.tried.items()]
    if one.beside:
        lines.append(f"beside     {one.beside}")
    if one.method.expected is not None:
        _, predicted, why, _, verdict = _predicted(one)
        lines.append(f"predicted  {predicted} ({why}): {verdict}")
    return lines


def _off_chip(one: Obtained) -> str:
    assert isinstance(one.method.by, Classical)
    return one.method.by.off_chip


def _tried(one: Obtained) -> list[tuple[str, ...]]:
    return [(f"`{one.method.name}`", setting, f"{100 * error:.2f}", "taken" if setting == one.chosen else "")
            for setting, error in one.tried.items()]  # fmt: skip


def _predicted(one: Obtained) -> tuple[str, ...]:
    stated = one.method.expected
    assert stated is not None
    return (f"`{one.method.name}`", f"{stated.low:.1f} to {stated.high:.1f}", stated.why, f"{100 * one.error.share:.2f}",
            one.verdict)  # fmt: skip


def _percent(one: Interval) -> tuple[str, str]:
    return f"{100 * one.share:.2f}", f"{100 * one.low:.2f} to {100 * one.high:.2f}"
