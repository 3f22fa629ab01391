"""Boosting, as paper 8 describes it for LeNet-4: three networks in turn, each trained on what the earlier ones find hard.

The first is trained as usual. The second sees equally many digits that the first gets wrong and gets right. The third sees
digits on which the first two disagree. Distorted copies supply enough of them, since the first network makes few errors on
its own training digits (P). How many copies are searched is not published (A: `POOL_PASSES`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from anna.base.errors import DataError
from anna.network.graph import Ensemble, Graph
from lenet.datasets.labelled import LabelledImages
from lenet.training.checkpoint import Pass
from lenet.training.distort import distort
from lenet.training.fit import Fitted, Setup, Watch, fit, one_thread
from lenet.training.recipes import Distortion, ForChip, Recipe
from lenet.training.torch_net import TorchNet, prepared

POOL_PASSES = 20
STAGES = (1, 2, 3)

Hard = Callable[[LabelledImages], npt.NDArray[np.bool_]]


def labels_of(graph: Graph, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The network's answers, by PyTorch: selecting training digits needs no portable bits."""
    net = TorchNet(graph)
    with torch.no_grad():
        answers = [net(prepared(graph, images[at : at + 1000])).argmax(1).numpy() for at in range(0, len(images), 1000)]
    return np.concatenate(answers)


@dataclass(frozen=True, eq=False)
class Pool:
    """Distorted copies of the training digits, searched for the next network's digits."""

    digits: LabelledImages
    distortion: Distortion
    train_seed: int
    passes: int  # over the digits, each with new copies
    watch: Watch

    def hard(self, stage: int, hard: Hard, *, easy_too: bool) -> LabelledImages:
        """The copies for which `hard` holds; with `easy_too`, also as many drawn from the rest."""
        found = []
        for number in range(self.passes):
            found.append(self._chosen(stage, number, hard, easy_too))
            count = sum(map(len, found))
            self.watch(f"boosting, network {stage}: {count} digits after {number + 1}/{self.passes} passes")
        if not sum(map(len, found)):
            raise DataError(f"boosting, network {stage}: no hard digits in {self.passes} passes; expected at least one")
        images, labels = np.concatenate([one.images for one in found]), np.concatenate([one.labels for one in found])
        return LabelledImages(f"{self.digits.name}, hard ones for network {stage}", images, labels)

    def _chosen(self, stage: int, number: int, hard: Hard, easy_too: bool) -> LabelledImages:
        key = (self.train_seed, stage, number)
        copies = replace(self.digits, images=distort(self.digits.images, self.distortion, key))
        is_hard = hard(copies)
        chosen = np.flatnonzero(is_hard)
        if easy_too:
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((*key, 2))))
            easy = np.flatnonzero(~is_hard)
            chosen = np.concatenate([chosen, rng.choice(easy, min(len(chosen), len(easy)), replace=False)])
        return copies.picked(copies.name, chosen)


def fit_boosted(
    ensemble: Ensemble,
    recipe: Recipe,
    digits: LabelledImages,
    train_seed: int,
    *,
    chip: ForChip | None = None,
    checkpoint: Path | None = None,
    watch: Watch,
    pool_passes: int = POOL_PASSES,
) -> tuple[Ensemble, tuple[Pass, ...]]:
    """Trains the three members in turn; each has its own checkpoint.

    For a chip each goes on from its own weights, and these, not the new ones, decide which digits are hard: each member
    sees what it was made for.
    """
    beside = {stage: checkpoint and checkpoint.with_name(f"{checkpoint.name}{stage}") for stage in STAGES}
    distortion = recipe.distortion or Distortion()
    pool = Pool(digits, distortion, train_seed, pool_passes, watch)

    def fitted(stage: int, recipe: Recipe, digits: LabelledImages) -> Fitted:
        setup = Setup(ensemble.members[stage - 1], recipe, digits, train_seed + 1000 * (stage - 1), chip=chip)
        return fit(setup, checkpoint=beside[stage], watch=watch)

    def judge(stage: int, fitted: Fitted) -> Graph:
        return fitted.graph if chip is None else ensemble.members[stage - 1]

    with one_thread():
        first = fitted(1, replace(recipe, distortion=distortion), digits)
        plain, one = replace(recipe, distortion=None), judge(1, first)
        mixed = pool.hard(2, lambda copies: labels_of(one, copies.images) != copies.labels, easy_too=True)
        second = fitted(2, plain, mixed)
        two = judge(2, second)
        disputed = pool.hard(3, lambda copies: labels_of(one, copies.images) != labels_of(two, copies.images), easy_too=False)
        third = fitted(3, plain, disputed)
    members = (first.graph, second.graph, third.graph)
    return replace(ensemble, members=members), first.curve + second.curve + third.curve
