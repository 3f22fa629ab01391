"""A drawing as SVG, written out by hand: for a page in the page's colours, or as a file of its own.

The same drawing gives the same bytes; nothing in them has an id or an address, so that many can stand on one page.
"""

import base64
import html
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report import layout
from sim.report.colours import FAINT, INK, PAPER, Rgba, coloured
from sim.report.drawing import Area, Boxes, Dots, Drawing, Key, Line, Mark, Pixels, Places, Plot, Rule, Words
from sim.report.layout import APART, BAR, ENTRY, GAP, LEGEND_LINE, LINE, STROKE, SWATCH, TEXT, Box, Placed

VARIABLES = {INK: "var(--ink)", FAINT: "var(--faint)", PAPER: "var(--paper)"}
MIDDLE = 0.36  # from a text's baseline to the middle of its letters, in heights of letters
KEY_COLOURS = 64
DASHES = "4 3"  # in widths of the line


def svg_element(drawing: Drawing) -> str:
    """The drawing as an SVG element for a page."""
    text = f'<svg role="img" {_view(drawing)}>\n{_body(drawing)}\n</svg>'
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return text


def svg_document(drawing: Drawing) -> str:
    """The drawing as an SVG file of its own."""
    size = f'width="{_n(72 * drawing.width)}pt" height="{_n(72 * drawing.height)}pt"'
    name = 'xmlns="http://www.w3.org/2000/svg"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<svg {name} {size} {_view(drawing)}>\n{_body(drawing)}\n</svg>\n'


def _view(drawing: Drawing) -> str:
    return f'viewBox="0 0 {_n(72 * drawing.width)} {_n(72 * drawing.height)}" font-family="sans-serif" font-size="{_n(TEXT)}"'


def _body(drawing: Drawing) -> str:
    wide, tall = 72 * drawing.width, 72 * drawing.height
    parts = [f'<rect width="{_n(wide)}" height="{_n(tall)}" fill="{PAPER}"/>']
    plots = layout.placed(drawing)
    for one in plots:
        parts += _plot(one)
    if drawing.legend:
        entries = [entry for one in plots for entry in layout.named(one.plot.marks)]
        top = tall - layout.EDGE - layout.legend_height(len(entries), drawing.legend)
        parts += _legend(entries, 2 * layout.EDGE, top, drawing.legend)
    return "\n".join(parts)


def _n(value: float) -> str:
    """A length to a hundredth of a point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _plot(one: Placed) -> Iterator[str]:
    plot, box = one.plot, one.box
    if not plot.bare:
        yield from _grid(one)
    for mark in plot.marks:
        yield from _mark(mark, one)
    if not plot.bare:
        yield from _scales(one)
    at = box.top - GAP
    if plot.legend == "above":
        entries = list(layout.named(plot.marks))
        yield from _legend(entries, box.left, at - LEGEND_LINE * plot.legend_size, len(entries), plot.legend_size)
        at -= LEGEND_LINE * plot.legend_size + GAP
    elif plot.legend:
        yield from _legend_inside(plot, box)
    if plot.title:
        yield from _lines(plot.title, box.left, at - 2, plot.title_size)
    if plot.key is not None:
        yield from _key(plot.key, box)


def _places(one: Placed, xs: Places, ys: Places) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places on the page, no farther than the ends of the scales."""
    across, up = np.clip(one.x.shares(xs), 0, 1), np.clip(one.y.shares(ys), 0, 1)
    return one.box.left + one.box.width * across, one.box.bottom - one.box.height * up


def _path(xs: NDArray[Any], ys: NDArray[Any]) -> str:
    known = np.isfinite(xs) & np.isfinite(ys)
    points = zip(np.round(xs[known], 2).tolist(), np.round(ys[known], 2).tolist(), strict=True)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _mark(mark: Mark, one: Placed) -> Iterator[str]:
    match mark:
        case Line():
            yield _stroke(_path(*_places(one, mark.xs, mark.ys)), mark.colour, mark.width, mark.opacity, mark.dashed)
        case Area():
            xs, high = _places(one, mark.xs, mark.high)
            _, low = _places(one, mark.xs, mark.low)
            path = _path(np.concatenate([xs, xs[::-1]]), np.concatenate([high, low[::-1]]))
            yield f'<path d="{path}Z" fill="{mark.colour}"{_faded(mark.opacity)}/>'
        case Dots():
            across, up = one.x.shares(mark.xs), one.y.shares(mark.ys)
            seen = (abs(across - 0.5) <= 0.5 + 1e-9) & (abs(up - 0.5) <= 0.5 + 1e-9)
            xs, ys = one.box.left + one.box.width * across[seen], one.box.bottom - one.box.height * up[seen]
            yield from _dots(mark, xs.tolist(), ys.tolist())
        case Boxes():
            (x0, y0), (x1, y1) = _places(one, mark.x0, mark.y0), _places(one, mark.x1, mark.y1)
            path = "".join(f"M{_n(a)} {_n(b)}H{_n(c)}V{_n(d)}H{_n(a)}Z" for a, b, c, d in
                           zip(x0.tolist(), y0.tolist(), x1.tolist(), y1.tolist(), strict=True))  # fmt: skip
            edge = f' stroke="{mark.edge}" stroke-width="{_n(mark.edge_width)}"' if mark.edge else ""
            yield f'<path d="{path}" fill="{mark.colour or "none"}"{edge}{_faded(mark.opacity)}/>'
        case Rule():
            ends = ([mark.at] * 2, [one.y.low, one.y.high]) if mark.upright else ([one.x.low, one.x.high], [mark.at] * 2)
            yield _stroke(_path(*_places(one, *ends)), mark.colour, mark.width, mark.opacity, mark.dashed)
        case Pixels():
            xs, ys = _places(one, [mark.left, mark.right], [mark.top, mark.bottom])
            yield _pixels(mark.rgba, *xs.tolist(), *ys.tolist())
        case Words():
            xs, ys = one.x.shares([mark.x]), one.y.shares([mark.y])
            x, y = one.box.left + one.box.width * float(xs[0]), one.box.bottom - one.box.height * float(ys[0])
            middle = MIDDLE * mark.size if not mark.raised else 0.0
            yield _text(mark.text, x, y - mark.raised + middle, mark.size, mark.anchor, mark.colour)


def _faded(opacity: float) -> str:
    return f' opacity="{_n(opacity)}"' if opacity < 1 else ""


def _stroke(path: str, colour: str, width: float, opacity: float = 1.0, dashed: bool = False) -> str:
    dashes = " ".join(_n(float(dash) * width) for dash in DASHES.split())
    more = f' stroke-dasharray="{dashes}"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{more}{_faded(opacity)}/>'


def _dots(mark: Dots, xs: Sequence[float], ys: Sequence[float]) -> Iterator[str]:
    points, r = list(zip(xs, ys, strict=True)), mark.size / 2
    if mark.shape == "disc":  # lines of no length with round ends
        path = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points)
        yield (f'<path d="{path}" stroke="{mark.colour}" stroke-width="{_n(mark.size)}" stroke-linecap="round"'
               f"{_faded(mark.opacity)}/>")  # fmt: skip
    elif mark.shape == "tick":
        yield _stroke("".join(f"M{_n(x)} {_n(y - r)}v{_n(2 * r)}" for x, y in points), mark.colour, 1.0, mark.opacity)
    else:
        diamond = f"l{_n(r)} {_n(r)}l{_n(-r)} {_n(r)}l{_n(-r)} {_n(-r)}Z"
        square = f"h{_n(r)}v{_n(2 * r)}h{_n(-2 * r)}v{_n(-2 * r)}Z"
        path = "".join(f"M{_n(x)} {_n(y - r)}{diamond if mark.shape == 'diamond' else square}" for x, y in points)
        if mark.shape == "frame":
            yield _stroke(path, mark.colour, 1.6, mark.opacity)
        else:
            yield f'<path d="{path}" fill="{mark.colour}"{_faded(mark.opacity)}/>'


def _text(
    text: str, x: float, y: float, size: float = TEXT, anchor: str = "start", colour: str = INK, turned: bool = False
) -> str:
    where = f'transform="translate({_n(x)} {_n(y)}) rotate(-90)"' if turned else f'x="{_n(x)}" y="{_n(y)}"'
    large = "" if size == TEXT else f' font-size="{_n(size)}"'
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text {where}{large}{side} fill="{colour}">{html.escape(text)}</text>'


def _lines(text: str, x: float, last: float, size: float) -> Iterator[str]:
    """Lines of text, the last of which stands at a height."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        yield _text(line, x, last - (len(lines) - 1 - number) * LINE * size, size)


def _ticks(one: Placed) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """The ticks of both scales, in places on the page."""
    x, _ = _places(one, [at for at, _ in one.x_ticks], np.full(len(one.x_ticks), one.y.low))
    _, y = _places(one, np.full(len(one.y_ticks), one.x.low), [at for at, _ in one.y_ticks])
    return ([(at, text) for at, (_, text) in zip(x.tolist(), one.x_ticks, strict=True)],
            [(at, text) for at, (_, text) in zip(y.tolist(), one.y_ticks, strict=True)])  # fmt: skip


def _grid(one: Placed) -> Iterator[str]:
    box, (across, up) = one.box, _ticks(one)
    path = "".join(f"M{_n(at)} {_n(box.top)}V{_n(box.bottom)}" for at, _ in across if one.plot.x.grid)
    path += "".join(f"M{_n(box.left)} {_n(at)}H{_n(box.right)}" for at, _ in up if one.plot.y.grid)
    if path:
        yield _stroke(path, FAINT, 0.6)


def _scales(one: Placed) -> Iterator[str]:
    plot, box, (across, up) = one.plot, one.box, _ticks(one)
    yield _stroke(f"M{_n(box.left)} {_n(box.top)}V{_n(box.bottom)}H{_n(box.right)}", FAINT, 0.8)
    below, before = box.bottom + STROKE * plot.x.strokes + GAP, box.left - STROKE * plot.y.strokes - GAP
    path = "".join(f"M{_n(at)} {_n(box.bottom)}v{_n(STROKE)}" for at, _ in across if plot.x.strokes)
    path += "".join(f"M{_n(box.left)} {_n(at)}h{_n(-STROKE)}" for at, _ in up if plot.y.strokes)
    if path:
        yield _stroke(path, INK, 0.8)
    for at, text in across:
        yield _text(text, at, below + 2 * MIDDLE * TEXT, anchor="middle")
    for at, text in up:
        yield _text(text, before, at + MIDDLE * TEXT, anchor="end")
    if plot.x.label:
        yield _text(plot.x.label, box.left + box.width / 2, below + LINE * TEXT + APART + 2 * MIDDLE * TEXT, anchor="middle")
    if plot.y.label:
        widest = max((layout.width_of(text) for _, text in up), default=0.0)
        yield _text(plot.y.label, before - widest - APART, box.top + box.height / 2, anchor="middle", turned=True)


def _legend(entries: Sequence[tuple[Mark, str]], left: float, top: float, across: int, size: float = TEXT) -> Iterator[str]:
    """Entries in rows, from left to right."""
    widths = layout.legend_columns([name for _, name in entries], across, size)
    for number, (mark, name) in enumerate(entries):
        row, column = divmod(number, across)
        x, y = left + sum(widths[:column]) + ENTRY * column, top + LEGEND_LINE * size * (row + 0.5)
        yield from _swatch(mark, x, y)
        yield _text(name, x + SWATCH + 2 * GAP, y + MIDDLE * size, size)


def _legend_inside(plot: Plot, box: Box) -> Iterator[str]:
    """Entries one below the other, in a corner of the plot or beside it."""
    entries, size = list(layout.named(plot.marks)), plot.legend_size
    title = layout.height_of(plot.legend_title, size)
    wide, tall = (
        sum(layout.legend_columns([name for _, name in entries], 1, size)),
        layout.legend_height(len(entries), 1, size) + title,
    )
    left = box.right + APART if plot.legend == "beside" else box.right - APART - wide
    top = box.bottom - tall - APART if plot.legend == "lower right" else box.top + (0.0 if plot.legend == "beside" else APART)
    if title:
        yield from _lines(plot.legend_title, left, top + title - LINE * size * 0.3, size)
    yield from _legend(entries, left, top + title, 1, size)


def _swatch(mark: Mark, x: float, y: float) -> Iterator[str]:
    match mark:
        case Dots():
            yield from _dots(mark, [x + SWATCH / 2], [y])
        case Boxes() | Area():
            path = f"M{_n(x)} {_n(y - 3)}h{_n(SWATCH)}v6h{_n(-SWATCH)}Z"
            yield f'<path d="{path}" fill="{mark.colour}"{_faded(mark.opacity)}/>'
        case Line() | Rule():
            yield _stroke(f"M{_n(x)} {_n(y)}h{_n(SWATCH)}", mark.colour, mark.width, mark.opacity, mark.dashed)


def _key(key: Key, box: Box) -> Iterator[str]:
    left = box.right + 2 * APART
    shares = np.linspace(1, 0, KEY_COLOURS)[:, None]
    yield _pixels(coloured(shares, key.colours), left, left + BAR, box.top, box.bottom)
    path = "".join(f"M{_n(left + BAR)} {_n(box.bottom - box.height * at)}h{_n(STROKE)}" for at, _ in key.places)
    yield _stroke(path, INK, 0.8)
    texts = left + BAR + STROKE + GAP
    for at, text in key.places:
        yield _text(text, texts, box.bottom - box.height * at + MIDDLE * TEXT)
    widest = max((layout.width_of(text) for _, text in key.places), default=0.0)
    yield _text(key.label, texts + widest + APART + TEXT, box.top + box.height / 2, anchor="middle", turned=True)


def _pixels(rgba: Rgba, left: float, right: float, top: float, bottom: float) -> str:
    data = base64.b64encode(png(rgba)).decode()
    return (f'<image x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>')  # fmt: skip


def png(rgba: Rgba) -> bytes:
    """Pixels as a PNG file."""
    rows, columns, _ = rgba.shape
    lines = b"".join(b"\0" + row.tobytes() for row in rgba)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
