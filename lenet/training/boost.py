"""Boosting, as paper 8 tells it of LeNet-4: three networks in turn, each on what the ones before find hard.

The first is trained as usual. The second sees as many digits that the first gets wrong as digits that it gets right.
The third sees digits on which the first two disagree. Distorted copies supply as many of them as needed, for the
first network makes few errors on its own training digits (P). How many copies are looked through is not published (A:
`POOL_PASSES`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from anna.base.errors import DataError
from anna.network.graph import Ensemble, Graph
from lenet.datasets.labelled import LabelledImages
from lenet.training.distort import distort
from lenet.training.fit import Fitted, Pass, Watch, fit
from lenet.training.recipes import Distortion, Recipe
from lenet.training.torch_net import TorchNet, prepared

POOL_PASSES = 20


def labels_of(graph: Graph, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """What the network answers, by PyTorch: a choice of training digits needs no portable bits."""
    net = TorchNet(graph)
    with torch.no_grad():
        answers = [net(prepared(graph, images[at : at + 1000])).argmax(1).numpy() for at in range(0, len(images), 1000)]
    return np.concatenate(answers)


def hard_digits(
    digits: LabelledImages,
    how: Distortion,
    seed: int,
    stage: int,
    hard: Callable[[LabelledImages], npt.NDArray[np.bool_]],
    *,
    easy_too: bool,
    passes: int,
    watch: Watch,
) -> LabelledImages:
    """Distorted copies for which `hard` holds, over several passes; with `easy_too`, as many drawn from the others."""
    images, labels = [], []
    for number in range(passes):
        copies = LabelledImages(digits.name, distort(digits.images, how, (seed, stage, number)), digits.labels.copy())
        found = hard(copies)
        chosen = np.flatnonzero(found)
        if easy_too:
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, stage, number, 2))))
            easy = np.flatnonzero(~found)
            chosen = np.concatenate([chosen, rng.choice(easy, min(len(chosen), len(easy)), replace=False)])
        images.append(copies.images[chosen])
        labels.append(copies.labels[chosen])
        watch(f"boosting, network {stage}: {sum(map(len, labels))} digits after {number + 1}/{passes} looks")
    if not sum(map(len, labels)):
        raise DataError(f"boosting, network {stage}: no hard digits were found in {passes} looks; expected at least one")
    return LabelledImages(f"{digits.name}, hard ones for network {stage}", np.concatenate(images), np.concatenate(labels))


def fit_boosted(
    ensemble: Ensemble,
    recipe: Recipe,
    digits: LabelledImages,
    seed: int,
    *,
    checkpoint: Path | None = None,
    watch: Watch,
    pool_passes: int = POOL_PASSES,
) -> tuple[Ensemble, tuple[Pass, ...]]:
    """Train the three members in turn; each has a checkpoint of its own, and all are kept until the last is trained."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        how = recipe.distortion or Distortion()

        def beside(stage: int) -> Path | None:
            return checkpoint and checkpoint.with_name(f"{checkpoint.name}{stage}")

        first = _kept(ensemble.members[0], replace(recipe, distortion=how), digits, seed, beside(1), watch)
        one = first.graph
        mixed = hard_digits(
            digits,
            how,
            seed,
            2,
            lambda d: labels_of(one, d.images) != d.labels,
            easy_too=True,
            passes=pool_passes,
            watch=watch,
        )
        plain = replace(recipe, distortion=None)
        second = _kept(ensemble.members[1], plain, mixed, seed + 1000, beside(2), watch)
        two = second.graph
        disputed = hard_digits(
            digits,
            how,
            seed,
            3,
            lambda d: labels_of(one, d.images) != labels_of(two, d.images),
            easy_too=False,
            passes=pool_passes,
            watch=watch,
        )
        third = _kept(ensemble.members[2], plain, disputed, seed + 2000, beside(3), watch)
        for path in map(beside, (1, 2, 3)):
            if path is not None:
                path.unlink(missing_ok=True)
        return replace(ensemble, members=(one, two, third.graph)), first.curve + second.curve + third.curve
    finally:
        torch.set_num_threads(threads)


def _kept(graph: Graph, recipe: Recipe, digits: LabelledImages, seed: int, checkpoint: Path | None, watch: Watch) -> Fitted:
    return fit(graph, recipe, digits, seed, checkpoint=checkpoint, keep_checkpoint=True, watch=watch)
