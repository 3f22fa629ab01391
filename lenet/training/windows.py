"""Windows of strings of digits, for training a network to read what stands in its middle and to reject partial characters.

A window in place has a digit in its middle, with its neighbours where they stand. Any other shows partial characters, two
halves, or nothing; its label is "none", one more than the classes. What lies between the two is not trained on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from anna.base.errors import DataError
from anna.network.graph import Graph
from anna.network.layers import Prepare
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import data_set
from lenet.datasets.strings import Strings, strings
from lenet.training.recipes import Partials

TRIES = 16  # places drawn for a window without a digit, of which the first free one is taken

Places = npt.NDArray[np.int64]  # (windows, 2): row and column of their middles


def on_windows(graph: Graph) -> Graph:
    """The same network, given windows of what it sees instead of the digits that it would put there."""
    if graph.prepare is None or graph.output_shape[1:] != (1, 1):
        raise DataError(f"{graph.name}: cannot be trained on windows; expected a network that prepares images of one digit")
    before = graph.prepare
    prepare = Prepare(source=before.fielded, low=before.low, high=before.high, name=before.name)
    return replace(graph, layers=(prepare, *graph.layers[1:]), input_shape=(graph.input_shape[0], *before.fielded))


def windows(digits: LabelledImages, data: str, how: Partials, none: int, seed: tuple[int, ...]) -> LabelledImages:
    """For every digit, in strings of all of them, one window in place and one without a digit, labelled `none`."""
    count = -(-len(digits) // how.writing.digits)
    found = strings(digits, data_set(data), count, how.writing, (*seed, 0))
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((*seed, 1))))
    seen = sliding_window_view(found.images_nyx, (how.writing.window,) * 2, (1, 2))
    read, elsewhere = _in_place(found, how, rng), _free(found, how, rng)
    at, half = np.concatenate([read, elsewhere]), how.writing.window // 2
    labels = np.concatenate([found.labels_nk.reshape(-1), np.full(len(elsewhere), none, np.uint8)])
    images = seen[at[:, 0], at[:, 1] - half, at[:, 2] - half]
    return LabelledImages(f"windows of {found.name}", images, labels)


def _in_place(found: Strings, how: Partials, rng: np.random.Generator) -> Places:
    """String, row and column of a window's middle near each digit's own."""
    n, k = found.labels_nk.shape
    off = rng.uniform(-how.in_place, how.in_place, (n, k, 2))
    half, shape = how.writing.window // 2, np.array(found.images_nyx.shape[1:])
    middles = np.clip(np.rint(found.centres_nk2 + off).astype(np.int64), half, shape - half)
    return np.concatenate([_numbered(n, k), middles.reshape(n * k, 2)], axis=1)


def _free(found: Strings, how: Partials, rng: np.random.Generator) -> Places:
    """As many windows that are off every digit's middle; a string without room for one has fewer."""
    n, k = found.labels_nk.shape
    half, (rows, columns) = how.writing.window // 2, found.images_nyx.shape[1:]
    tried = np.stack([rng.integers(half, size - half, (n, k, TRIES), endpoint=True) for size in (rows, columns)], axis=-1)
    off = np.abs(tried[:, :, :, None] - found.centres_nk2[:, None, None])
    free = np.all(np.any(off >= np.array(how.none_from), axis=-1), axis=-1)
    first = np.take_along_axis(tried, free.argmax(axis=2)[:, :, None, None], axis=2)[:, :, 0]
    every = np.concatenate([_numbered(n, k), first.reshape(n * k, 2)], axis=1)
    return np.asarray(every[free.any(axis=2).reshape(-1)])


def _numbered(n: int, k: int) -> Places:
    return np.repeat(np.arange(n), k)[:, None]
