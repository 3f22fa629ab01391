"""A figure of a network: every layer as a stack of maps drawn to scale, with its name, shape and counts beneath."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from anna.base.errors import FileError
from anna.network.graph import Graph, Network, Shape, Step, shape_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAYER_WIDTH = 1.9  # inches for each layer
HEIGHT = 3.2  # inches
OFFSET = 0.05  # how far each map of a stack is moved, as a share of the drawing's height
MOST_MAPS = 16  # drawn of a stack
INK = "#24425c"
COLOURS = {"prepare": "#f4f4f0", "convolution": "#c9dff0", "subsample": "#d8ecd0", "pool": "#d8ecd0", "full": "#f3d9c4"}


def draw(network: Network) -> Figure:
    """A matplotlib figure of the network, one row for each member of an ensemble."""
    from anna.base.drawn_figure import DrawnFigure

    longest = max(len(member.steps) for member in network.members)
    rows = len(network.members)
    figure = DrawnFigure(figsize=(LAYER_WIDTH * (longest + 1), HEIGHT * rows), layout="constrained")
    for place, member in enumerate(network.members):
        axes = figure.add_subplot(rows, 1, place + 1)
        _draw_graph(axes, member, longest)
    return figure


def save_drawing(network: Network, path: Path | str) -> None:
    """Draw into a file; its suffix (.svg, .png, .pdf) selects the format."""
    path = Path(path)
    known = (".svg", ".png", ".pdf")
    if path.suffix not in known:
        raise FileError(f"{path}: ends in {path.suffix or 'nothing'}; expected one of {', '.join(known)}")
    import matplotlib

    figure = draw(network)
    metadata = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else None
    try:
        with matplotlib.rc_context({"svg.hashsalt": network.name}):  # else an SVG's ids change from run to run
            figure.savefig(path, metadata=metadata)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from None


def _draw_graph(axes: Axes, graph: Graph, longest: int) -> None:
    shapes = [graph.input_shape, *(step.output_shape for step in graph.steps)]
    tallest = max(max(shape[1:]) for shape in shapes)
    for place, shape in enumerate(shapes):
        step = graph.steps[place - 1] if place else None
        _draw_maps(axes, place, shape, tallest, COLOURS.get(step.layer.kind, "#ece0f0") if step else "#ffffff")
        title = step.layer.name if step else "image"
        label = f"{shape_text(shape)}{_counts(step)}{_reads(graph, step)}"
        axes.text(place, -0.62, title, ha="center", va="top", fontsize=10, color=INK, fontweight="bold")
        axes.text(place, -0.76, label, ha="center", va="top", fontsize=8, color=INK)
    total = f"{graph.name}: {graph.connections:,} connections, {graph.parameters:,} parameters"
    axes.set_title(total, fontsize=11, color=INK, loc="left")
    axes.set_xlim(-0.6, longest + 0.6)
    axes.set_ylim(-1.25, 0.75)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _reads(graph: Graph, step: Step | None) -> str:
    """What a layer reads that does not stand before it."""
    if step is None or step.layer.name not in graph.links:
        return ""
    return "\nof " + ", ".join(one.strip("/") for one in step.inputs)


def _counts(step: Step | None) -> str:
    if step is None or not step.connections:
        return ""
    return f"\n{step.connections:,} connections\n{step.parameters:,} parameters"


def _draw_maps(axes: Axes, place: int, shape: Shape, tallest: int, colour: str) -> None:
    from matplotlib.patches import Rectangle

    maps, rows, columns = shape
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": INK, "linewidth": 0.7}
    if rows == columns == 1:  # a column of units
        high = min(1.0, 0.03 * maps)
        axes.add_patch(Rectangle((place - 0.04, -high / 2), 0.08, high, **style))
        return
    shown = min(maps, MOST_MAPS)
    step = min(OFFSET, 0.5 / shown)
    scale = 0.6 / tallest
    for n in range(shown):
        shift = (n - (shown - 1) / 2) * step
        corner = (place - columns * scale / 2 + shift * 0.5, -rows * scale / 2 - shift)
        axes.add_patch(Rectangle(corner, columns * scale, rows * scale, **style))
