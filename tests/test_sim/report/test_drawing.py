"""Drawings: what scales and layouts promise, and that both ways of drawing show the same."""

import io
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from sim.report.colours import BLUE_TO_RED, COLOURS, FAINT, GREYS, INK, PAPER, coloured
from sim.report.drawing import Area, Boxes, Dots, Drawing, Key, Line, Pixels, Plot, Rule, Scale, Words, categories, steps
from sim.report.figure import figure_of
from sim.report.layout import named, placed
from sim.report.plots import _busy_cycles
from sim.report.scales import log_ticks, reaches, round_ticks
from sim.report.svg import png, svg_document, svg_element

NUMBERS = st.floats(-1e6, 1e6)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


def every_mark() -> Drawing:
    """A drawing that has whatever a drawing can have."""
    shares = np.linspace(0, 1, 12).reshape(3, 4)
    busy = Plot(
        [
            Area([0, 1, 2], [0, 0, 1], [1, 2, 3], COLOURS[0], name="an area"),
            Line([0, 1, 2], [1, 5, 2], COLOURS[1], dashed=True, name="a line"),
            Dots([0.5, 1.5], [4, 4], COLOURS[2], name="discs"),
            Dots([0.5], [3], COLOURS[2], shape="diamond", name="a diamond"),
            Dots([0.5], [2], COLOURS[2], shape="square", name="a square"),
            Dots([0.5], [1], COLOURS[2], shape="frame", name="a frame"),
            Dots([1.5], [1], COLOURS[2], shape="tick", name="a tick"),
            Boxes([1.0, 1.2], [1.1, 1.4], [0, 0], [3, 2], COLOURS[3], edge=FAINT, name="boxes"),
            Rule(2.5, True, name="upright"),
            Rule(2.5, False, dashed=True, name="level"),
            Words(1, 4, "5 < 6 & so on", raised=7),
        ],
        Scale("across", grid=True),
        Scale("up", low=0, grid=True),
        "two lines\nof title",
        legend="beside",
        legend_title="a legend",
    )
    names = Scale(low=2.5, high=-0.5, ticks=categories(["one", "two", "three"]), strokes=False)
    image = Plot([Pixels(coloured(shares, GREYS), -0.5, 3.5, 2.5, -0.5)], Scale("column"), names, "an image", square=True,
                   key=Key(BLUE_TO_RED, ((0, "least"), (1, "most")), "what it is"))  # fmt: skip
    wide = Plot([Line([1, 10, 500], [1, 2, 3], INK, name="far")], Scale(log=True), Scale(), legend="above")
    bare = Plot([Words(0, 0, "nothing else")], bare=True)
    return Drawing(8, 5, [[busy, image], [wide, bare]], legend=3)


@given(NUMBERS, st.floats(1e-3, 1e6), st.integers(1, 12))
def test_round_ticks_lie_between_the_ends_evenly_and_are_not_too_many(low: float, span: float, most: int) -> None:
    high = low + span
    assume(span > 1e-9 * abs(low))
    ticks = round_ticks(low, high, most)
    places = [at for at, _ in ticks]
    assert all(low - 1e-6 * span <= at <= high + 1e-6 * span for at in places)
    assert len(ticks) <= min(9, most) + 1
    gaps = [second - first for first, second in pairwise(places)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps)) if gaps else True
    for at, text in ticks:
        assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(at, rel=1e-9, abs=1e-9 * span)


@given(st.floats(1e-6, 1e6), st.floats(1.5, 1e6))
def test_ticks_of_a_logarithmic_scale_lie_between_its_ends_and_say_where(low: float, ratio: float) -> None:
    for at, text in log_ticks(low, low * ratio):
        assert low <= at <= low * ratio
        assert float(text.replace(",", "")) == pytest.approx(at)


@given(POINTS)
def test_a_scale_reaches_beyond_all_that_is_drawn(points: list[tuple[float, float]]) -> None:
    xs, ys = zip(*points, strict=True)
    for reach, places in zip(reaches(Plot([Line(xs, ys, INK)])), (xs, ys), strict=True):
        assert reach.low < min(places) <= max(places) < reach.high


@given(POINTS, NUMBERS, st.floats(0.1, 1e6))
def test_nothing_is_drawn_outside_its_plot(points: list[tuple[float, float]], low: float, span: float) -> None:
    """Whatever the marks, for scales with given ends."""
    xs, ys = (np.array(ends) for ends in zip(*points, strict=True))
    scale = Scale(low=low, high=low + span)
    marks = [Line(xs, ys, "#111111"), Area(xs, ys, ys + 1, "#111111"), Boxes(xs, xs + 1, ys, ys + 1, "#111111")]
    drawing = Drawing(4, 3, [[Plot(marks, scale, scale)]])
    (one,) = placed(drawing)
    drawn = [path for path in ElementTree.fromstring(svg_element(drawing)).iter("path") if "#111111" in str(path.attrib)]
    assert len(drawn) == len(marks)
    for path in drawn[:2]:
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.attrib["d"]):
            assert one.box.left - 0.1 <= float(x) <= one.box.right + 0.1
            assert one.box.top - 0.1 <= float(y) <= one.box.bottom + 0.1


def test_plots_and_their_texts_lie_within_the_drawing() -> None:
    drawing = every_mark()
    boxes = [one.box for one in placed(drawing)]
    for box in boxes:
        assert 0 < box.left < box.right < 72 * drawing.width
        assert 0 < box.top < box.bottom < 72 * drawing.height
    assert boxes[0].right < boxes[1].left
    assert boxes[0].bottom < boxes[2].top


def test_a_square_plot_has_units_as_long_upwards_as_across() -> None:
    one = placed(every_mark())[1]
    assert one.box.width / 4 == pytest.approx(one.box.height / 3)


def test_a_drawing_on_a_page_has_the_pages_colours_no_ids_and_no_addresses() -> None:
    text = svg_element(every_mark())
    assert not any(colour in text for colour in (INK, FAINT, PAPER))
    assert all(f"var(--{name})" in text for name in ("ink", "faint", "paper"))
    assert "id=" not in text and "http" not in text
    assert text == svg_element(every_mark())


def test_a_drawing_says_all_its_words_and_every_name_of_a_legend() -> None:
    root = ElementTree.fromstring(svg_document(every_mark()))
    said = ["".join(part.itertext()) for part in root.iter("{http://www.w3.org/2000/svg}text")]
    names = {"an area", "a line", "discs", "a diamond", "a square", "a frame", "a tick", "boxes", "upright", "level", "far"}
    texts = {"5 < 6 & so on", "two lines", "of title", "a legend", "an image", "column", "least", "most", "what it is", "one"}
    assert names | texts <= set(said)
    assert all(said.count(name) == 2 for name in names)  # in the plot's legend and in the one below


def test_a_picture_is_read_by_others() -> None:
    rgba = np.random.default_rng(3).integers(0, 256, (5, 7, 4)).astype(np.uint8)
    with Image.open(io.BytesIO(png(rgba))) as found:
        assert (np.asarray(found) == rgba).all()


def test_matplotlib_draws_the_same_scales_ticks_and_names() -> None:
    drawing = every_mark()
    shown = [axes for axes in figure_of(drawing).axes if axes.get_label() != "<colorbar>"]
    for one, axes in zip(placed(drawing), shown, strict=True):
        assert axes.get_xlim() == (one.x.low, one.x.high) and axes.get_ylim() == (one.y.low, one.y.high)
        assert axes.get_xlabel() == one.plot.x.label
        assert axes.get_title(loc="left") == one.plot.title
        if one.plot.y.ticks is not None:
            assert [text.get_text() for text in axes.get_yticklabels()] == [text for _, text in one.y_ticks]
        assert set(axes.get_legend_handles_labels()[1]) == {name for _, name in named(one.plot.marks)}


def test_steps_keep_their_height_to_the_next_point() -> None:
    xs, ys = steps([0, 1, 3], [5, 2, 4])
    assert xs.tolist() == [0, 1, 1, 3, 3] and ys.tolist() == [5, 5, 2, 2, 4]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 50)), max_size=10), st.integers(4, 300))
def test_the_busy_cycles_of_a_bin_are_those_of_its_spans(spans: list[tuple[int, int]], length: int) -> None:
    starts = -(-np.arange(5) * length // 4)
    array = np.array([(start, start + width) for start, width in spans], np.int64).reshape(-1, 2)
    slow = [sum(first <= cycle < last for begin, width in spans for cycle in range(begin, begin + width))
            for first, last in pairwise(starts.tolist())]  # fmt: skip
    assert _busy_cycles(array, starts).tolist() == slow
