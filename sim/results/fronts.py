"""The front of a sweep as a table and a figure, and the smallest chip that is statistically as good as the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anna.base.errors import DataError, nearest
from sim.base import formats
from sim.base.columns import View, cells
from sim.base.contest import Label
from sim.inputs.joules import Joules, load_joules
from sim.report.drawing import Drawing
from sim.report.figure import figure_of
from sim.report.front_plots import front_plot
from sim.report.svg import svg_document
from sim.report.sweep_text import others_text, short
from sim.sweep.costs import ERROR, Cost, costs_named
from sim.sweep.front import Panel, Placed, candidates, panels, varying
from sim.sweep.spec import FIRST_CHIP, SweepSpec, value_text
from sim.sweep.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OVER = (ERROR, "time")
SMALLEST = ("size", "time")
MARGIN = 0.01
NOTE = (
    f"{Label.ON.value}: errs less than each other point that costs no more; {Label.OPEN.value}: these chips and images do not "
    "tell.\nWhat is said of all points of a front together is wrong in at most 5 % of repetitions."
)


@dataclass(frozen=True, eq=False)
class Front:
    """The fronts of a sweep, one for each combination of values of the axes `each`."""

    name: str
    spec: SweepSpec
    images: int
    costs: tuple[Cost, ...]  # beside the error
    each: tuple[str, ...]
    margin: float  # a share of images: what is as good as the best errs at most so much more
    panels: tuple[Panel, ...]
    total: int  # points of the sweep
    refused: int

    def rows(self) -> list[dict[str, Any]]:
        """One row per point, by panel and rising cost."""
        return [self._row(panel, placed) for panel in self.panels for placed in panel.points]

    def _row(self, panel: Panel, placed: Placed) -> dict[str, Any]:
        one, stand = placed.candidate, placed.standing
        return {
            "point": one.number, **varying(self.spec, one.values), "chips": one.chips, "error": stand.share,
            "low": stand.error.low, "high": stand.error.high,
            **{cost.key: value for cost, value in zip(self.costs, one.costs, strict=True)},
            "front": stand.label.value, "lowest": stand.lowest, "may_be_best": stand.may_be_best,
            "worse_at_most": stand.worse_at_most, "best": placed is panel.best, "smallest": placed is panel.smallest,
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "name": self.name, "images": self.images, "over": [ERROR, *(cost.key for cost in self.costs)],
            "each": list(self.each), "margin": self.margin,
            "points": self.rows(),
            "fronts": [
                {"given": panel.given, "best": panel.best.candidate.number,
                 "smallest": None if panel.smallest is None else panel.smallest.candidate.number,
                 "band": [dict(zip((self.costs[0].key, "error", "low", "high"), step, strict=True)) for step in panel.band]}
                for panel in self.panels
            ],
        }  # fmt: skip

    def table(self) -> str:
        """The fronts as text: a line for each point that has the lowest error of all that cost no more, or may be on the
        front."""
        done = sum(len(panel.points) for panel in self.panels)
        lines = [f"{self.name}: {done:,} points on {self.images:,} images; front of error and "
                 f"{', '.join(cost.key for cost in self.costs)}"]  # fmt: skip
        for panel in self.panels:
            lines += [
                "",
                *([f"{others_text(panel.given)}:"] if panel.given else []),
                *self._lines(panel),
                self._smallest(panel),
            ]
        return "\n".join([*lines, "", NOTE])

    def _lines(self, panel: Panel) -> list[str]:
        shown = [one for one in panel.points if one.standing.lowest]
        names = [name for name in varying(self.spec, panel.best.candidate.values) if name not in panel.given]
        views: list[View[Placed]] = [View("point", lambda one: f"{one.candidate.number}")]
        views += [_axis(name, heading) for name, heading in zip(names, short(names), strict=True)]
        views += [_cost(place, cost) for place, cost in enumerate(self.costs)]
        views += [
            View("chips", lambda one: f"{one.candidate.chips}"),
            View("error", lambda one: formats.per_cent(one.standing.share)),
            View("95 % interval", lambda one: formats.interval(one.standing.error.low, one.standing.error.high)),
            View("front", lambda one: one.standing.label.value),
            View("may be the best", lambda one: "yes" if one.standing.may_be_best else "no"),
        ]
        head, body = cells(views, shown)
        widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
        lines = ["  ".join(f"{cell:>{width}s}" for cell, width in zip(line, widths, strict=True)) for line in [head, *body]]
        unsure = sum(one.standing.label is Label.OPEN and not one.standing.lowest for one in panel.points)
        return [*lines, *([f"{unsure} more points may be on the front"] if unsure else [])]

    def _smallest(self, panel: Panel) -> str:
        best, least, points = panel.best, panel.smallest, 100 * self.margin
        kept = [one for one in panel.points if one.standing.may_be_best]
        if least is None:
            tightest = 100 * min(one.standing.worse_at_most for one in kept)
            return (
                f"no point is told to be as good as the best, within {points:g} points of error: of {len(kept)} that may be\n"
                f"it, none is sure to err less than {tightest:.2f} points more; more chips or images tell more"
            )
        values = varying(self.spec, least.candidate.values)
        names = [name for name in values if name not in panel.given]
        where = others_text({heading: values[name] for name, heading in zip(names, short(names), strict=True)})
        more, most = 100 * (least.standing.share - best.standing.share), 100 * least.standing.worse_at_most
        share = formats.per_cent(least.standing.share)
        return (
            f"smallest as good as the best, within {points:g} points of error: point {least.candidate.number}"
            f"{f' ({where})' if where else ''},\n{share}: {more:.2f} points more than the lowest, "
            f"point {best.candidate.number}, and at most {most:.2f} more than the best, whichever of {len(kept)} that is"
        )

    def plot(self) -> "Figure":
        """A matplotlib figure: error over the first cost, each front with its band."""
        return figure_of(self._drawing)

    def svg(self) -> str:
        """The same figure as an SVG file."""
        return svg_document(self._drawing)

    @property
    def _drawing(self) -> Drawing:
        return front_plot(self.panels, self.costs[0], lambda panel: others_text(panel.given))

    def __repr__(self) -> str:
        return f"Front({self.name}: {sum(len(panel.points) for panel in self.panels)} points, {len(self.panels)} fronts)"

    def _repr_html_(self) -> str:
        return f"<pre>{self.table()}</pre>"


def _axis(name: str, heading: str) -> View[Placed]:
    return View(heading, lambda one: value_text(one.candidate.values[name]))


def _cost(place: int, cost: Cost) -> View[Placed]:
    return View(cost.heading, lambda one: cost.text(one.candidate.costs[place]))


def front(
    folder: str | Path,
    *,
    over: Sequence[str] = OVER,
    each: Sequence[str] = (),
    smallest: Sequence[str] = SMALLEST,
    margin: float = MARGIN,
    joules: str | Path | Joules | None = None,
) -> Front:
    """The front of a sweep: the points than which none errs less and costs no more.

    folder    of the sweep; it may still be running
    over      error and the costs that count, the first of them on the figure's axis
    each      axes that are not chosen, such as scaled.noise: a front for each of their values
    smallest  costs by which the smallest of the points that are as good as the best is found, the first one first
    margin    how much more than the best, at 95 % confidence, such a point may err: a share of images
    joules    what events cost, for energy: a file, or costs by event, as in `energy`
    """
    over, each, smallest = tuple(over), tuple(each), tuple(smallest)
    if ERROR not in over or len(over) < 2:
        raise DataError(f"a front is over {', '.join(over)}; expected error and at least one cost, such as error,time")
    if not 0 < margin <= 1:
        raise DataError(f"margin is {margin}; expected a share of images between 0 and 1")
    prices = load_joules(joules) if isinstance(joules, str | Path) else joules
    costs, sizes = costs_named(tuple(name for name in over if name != ERROR), prices), costs_named(smallest, prices)
    with Store(Path(folder)) as store:
        spec = store.identity.spec
        for name in each:
            if name not in spec.axes or name == FIRST_CHIP:
                raise DataError(
                    f"{name} is no axis of the sweep{nearest(name, tuple(spec.axes))}; it has {', '.join(spec.axes)}"
                )
        found = candidates(store, costs)
        if not found:
            raise DataError(f"{folder}: holds no points yet; a front needs some")
        ordered = [one.costs for one in candidates(store, sizes)]
        images = len(next(iter(found[0].runs.misread.values())))
        made = panels(found, each, ordered, margin, spec.looks)
        return Front(spec.name, spec, images, costs, each, margin, made, spec.total, len(store.refusals()))
