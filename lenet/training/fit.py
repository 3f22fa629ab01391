"""The training loop: passes over digits, a checkpoint after each, and the same bits for the same seed.

Every draw of a pass (order, distortion) comes from (seed, pass), so that a run that was interrupted continues with
the bits it would have had. PyTorch is held to one thread: its sums change with the number of threads.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from anna.base.container import canonical_json, write_beside
from anna.base.errors import DataError
from anna.network.graph import Graph, text
from lenet.datasets.labelled import LabelledImages
from lenet.training.chip_net import ChipNet
from lenet.training.distort import distort
from lenet.training.initial import initial
from lenet.training.optimisers import adam_step, diagonal_update, loss, loss_name, second_derivatives
from lenet.training.recipes import ForChip, Recipe
from lenet.training.torch_net import TorchNet, prepared

Watch = Callable[[str], None]
Net = TorchNet | ChipNet
KEY = "anna_checkpoint"


@dataclass(frozen=True)
class Pass:
    """What one pass over the digits came to."""

    number: int
    loss: float
    error_percent: float  # on the digits as they were shown, while the weights moved
    validation_error_percent: float | None


@dataclass(frozen=True)
class Fitted:
    """The trained graph and how it went."""

    graph: Graph
    curve: tuple[Pass, ...]


def quiet(_: str) -> None:
    """A watch that says nothing."""


def fingerprint(
    graph: Graph,
    recipe: Recipe,
    digits: LabelledImages,
    validation: LabelledImages | None,
    seed: int,
    chip: ForChip | None = None,
) -> str:
    """What a checkpoint must agree with to be continued."""
    parts = [
        text(graph),
        canonical_json(asdict(recipe)),
        digits.digest,
        validation.digest if validation else "",
        str(seed),
    ]
    if recipe.initial is None:
        parts.append(graph.digest)
    if chip is not None:
        parts.append(canonical_json(asdict(chip)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def error_percent(net: Net, pictures: Tensor, labels: Tensor) -> float:
    """Share of wrong labels, for watching a run; results are counted with anna's own forward."""
    net.eval()  # a ChipNet without noise: the ideal chip
    with torch.no_grad():
        answers = torch.cat([net(pictures[at : at + 500]).argmax(1) for at in range(0, len(labels), 500)])
        net.train()
        wrong = int((answers != labels).sum())
    return 100.0 * wrong / len(labels)


def fit(
    graph: Graph,
    recipe: Recipe,
    digits: LabelledImages,
    seed: int,
    *,
    validation: LabelledImages | None = None,
    checkpoint: Path | None = None,
    keep_checkpoint: bool = False,
    watch: Watch = quiet,
    stop_after: int | None = None,
    chip: ForChip | None = None,
) -> Fitted:
    """Train `graph` from new initial weights, or from its own where the recipe draws none; with `chip`, as the chip
    computes it.

    With `checkpoint`, the file is written after each pass and continued from when it fits; it is removed at the end,
    unless `keep_checkpoint` leaves that to the caller. `stop_after` ends after so many passes, for tests of the
    interruption.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fitted = _Run(graph, recipe, digits, seed, validation, checkpoint, watch, chip).passes(stop_after)
        if checkpoint is not None and not keep_checkpoint and len(fitted.curve) == recipe.passes:
            checkpoint.unlink(missing_ok=True)
        return fitted
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One run under way: the network, its optimiser, the curve so far."""

    def __init__(
        self,
        graph: Graph,
        recipe: Recipe,
        digits: LabelledImages,
        seed: int,
        validation: LabelledImages | None,
        checkpoint: Path | None,
        watch: Watch,
        chip: ForChip | None,
    ) -> None:
        self.recipe, self.digits, self.seed, self.checkpoint, self.watch = recipe, digits, seed, checkpoint, watch
        start = graph if recipe.initial is None else initial(graph, seed, recipe.initial)
        self.net: Net = TorchNet(start) if chip is None else ChipNet(start, chip)
        self.parameters = list(self.net.parameters())
        self.kind = loss_name(graph)
        self.labels = torch.from_numpy(digits.labels.astype(np.int64))
        self.pictures = prepared(graph, digits.images)
        self.validation: tuple[Tensor, Tensor] | None = None
        if validation is not None:
            labels = torch.from_numpy(validation.labels.astype(np.int64))
            self.validation = prepared(graph, validation.images), labels
        self.key = fingerprint(graph, recipe, digits, validation, seed, chip)
        self.curve: list[Pass] = []
        self.adam = torch.optim.AdamW(self.parameters, lr=1e-3, weight_decay=recipe.weight_decay, foreach=False)
        self.started = time.monotonic()
        if checkpoint is not None and checkpoint.exists():
            self._continue_from(checkpoint)

    def passes(self, stop_after: int | None) -> Fitted:
        for number in range(len(self.curve), self.recipe.passes):
            if stop_after is not None and number >= stop_after:
                return Fitted(self.net.to_graph(), tuple(self.curve))
            self._one_pass(number)
            if self.checkpoint is not None:
                self._save(self.checkpoint)
        return Fitted(self.net.to_graph(), tuple(self.curve))

    def _one_pass(self, number: int) -> None:
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((self.seed, number, 0))))
        order = torch.from_numpy(rng.permutation(len(self.digits)))
        if isinstance(self.net, ChipNet):
            self.net.begin_pass(self.digits.images, (self.seed, number, 2))
        pictures = self.pictures
        if self.recipe.distortion is not None:
            copies = distort(self.digits.images, self.recipe.distortion, (self.seed, number, 1))
            pictures = prepared(self.net.graph, copies)
        step = self._adam_batch if self.recipe.optimiser == "adam" else self._diagonal_rates(number, pictures, order)
        batch = self.recipe.batch
        total, wrong, shown = 0.0, 0, 0
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            labels = self.labels[chosen]
            scores = self.net(pictures[chosen])
            value = loss(self.kind, scores, labels)
            for parameter in self.parameters:
                parameter.grad = None
            value.backward()
            step(number, start // batch)
            total += float(value.detach()) * len(chosen)
            wrong += int((scores.detach().argmax(1) != labels).sum())
            shown += len(chosen)
            if start // batch % 50 == 0:
                self._tell(number, shown, total / shown, 100.0 * wrong / shown)
        if not np.isfinite(total):
            raise DataError(f"{self.net.graph.name}: the loss is NaN or infinite in pass {number + 1}; expected a smaller step")
        checked = None if self.validation is None else error_percent(self.net, *self.validation)
        self.curve.append(Pass(number + 1, total / shown, 100.0 * wrong / shown, checked))

    def _adam_batch(self, number: int, place: int) -> None:
        batches = -(-len(self.digits) // self.recipe.batch)
        step = number * batches + place
        rate = adam_step(self.recipe.steps[0], step, self.recipe.passes * batches, self.recipe.warm_up_share)
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()

    def _diagonal_rates(self, number: int, pictures: Tensor, order: Tensor) -> Callable[[int, int], None]:
        sample = order[-self.recipe.second_order_digits :]  # the order is random, so its end is a random sample
        assert isinstance(self.net, TorchNet)
        curvature = second_derivatives(self.net, pictures[sample], self.labels[sample])
        size = self.recipe.steps[min(number, len(self.recipe.steps) - 1)]
        rates = [size / (self.recipe.second_order_floor + h) for h in curvature]
        return lambda number, place: diagonal_update(self.parameters, rates)

    def _tell(self, number: int, shown: int, mean_loss: float, error: float) -> None:
        last = self.curve[-1].validation_error_percent if self.curve else None
        tail = "" if last is None else f", validation {last:.2f} %"
        seconds = time.monotonic() - self.started
        self.watch(
            f"{self.net.graph.name} pass {number + 1}/{self.recipe.passes} digit {shown}/{len(self.digits)} "
            f"loss {mean_loss:.4f} error {error:.2f} %{tail}, {seconds:.0f} s"
        )

    def _save(self, path: Path) -> None:
        tensors = {f"p{n}": p.detach().contiguous() for n, p in enumerate(self.parameters)}
        for n, p in enumerate(self.parameters):
            for name, value in self.adam.state.get(p, {}).items():
                tensors[f"s{n}.{name}"] = value.contiguous()
        about = canonical_json({"fingerprint": self.key, "curve": [asdict(one) for one in self.curve]})
        write_beside(path, save(tensors, metadata={KEY: about}))

    def _continue_from(self, path: Path) -> None:
        try:
            with safe_open(path, framework="pt") as file:
                about: dict[str, Any] = json.loads((file.metadata() or {})[KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise DataError(f"{path}: is no whole checkpoint ({error}); remove it to start anew") from None
        if about.get("fingerprint") != self.key:
            raise DataError(f"{path}: belongs to another run (network, recipe, digits or seed differ); remove it to start anew")
        self.curve = [Pass(**row) for row in about["curve"]]
        with torch.no_grad():
            for n, parameter in enumerate(self.parameters):
                parameter.copy_(tensors[f"p{n}"])
                names = [key.partition(".")[2] for key in tensors if key.startswith(f"s{n}.")]
                if names:
                    self.adam.state[parameter] = {name: tensors[f"s{n}.{name}"] for name in names}
