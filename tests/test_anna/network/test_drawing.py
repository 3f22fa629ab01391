"""A network can be drawn, with its counts."""

from dataclasses import replace

import numpy as np
import pytest

from anna.base.errors import FileError
from anna.network.drawing import draw, save_drawing
from anna.network.graph import IMAGE, Combination, Convolution, Ensemble, FullConnection, Graph, Prepare


def example():
    layers = (
        Prepare((8, 8)),
        Convolution("C1", np.zeros((4, 1, 3, 3), np.float32)),
        FullConnection("out", np.zeros((10, 144), np.float32)),
    )
    return Graph("example", (1, 8, 8), layers)


def test_the_drawing_names_every_layer_with_its_counts():
    axes = draw(example()).axes[0]
    words = [one.get_text() for one in axes.texts]
    assert "C1" in words
    assert "4@6x6\n1,296 connections\n36 parameters" in words
    assert axes.get_title(loc="left") == "example: 2,736 connections, 1,476 parameters"


def test_a_drawing_says_what_a_branch_reads():
    layers = (Convolution("a", np.zeros((1, 1, 1, 1), np.float32)), Combination("sum", "sum"))
    words = [one.get_text() for one in draw(Graph("g", (1, 8, 8), layers, links={"sum": ("a", IMAGE)})).axes[0].texts]
    assert words[-1].endswith("\nof a, image")


def test_an_ensemble_is_drawn_member_by_member():
    both = Ensemble("both", (example(), replace(example(), name="other")))
    assert len(draw(both).axes) == 2


def test_a_drawing_is_written_or_refused(tmp_path):
    path = tmp_path / "net.svg"
    save_drawing(example(), path)
    assert path.read_bytes().startswith(b"<?xml")
    save_drawing(example(), tmp_path / "again.svg")
    assert path.read_bytes() == (tmp_path / "again.svg").read_bytes()
    with pytest.raises(FileError, match=r"net\.txt: ends in \.txt; expected one of \.svg, \.png, \.pdf"):
        save_drawing(example(), tmp_path / "net.txt")
    with pytest.raises(FileError, match=r"cannot be written"):
        save_drawing(example(), tmp_path / "absent" / "net.svg")
