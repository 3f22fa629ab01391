"""The training loop: passes over digits, a checkpoint after each, and the same bits for the same seed.

Every draw of a pass (order, distortion) comes from (seed, pass), so an interrupted run continues with the same bits.
PyTorch is limited to one thread, because its sums depend on the number of threads.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from anna.base.container import canonical_json
from anna.base.errors import DataError
from anna.network.graph import Graph, text
from lenet.datasets.labelled import LabelledImages
from lenet.training.checkpoint import Checkpoint, Pass
from lenet.training.chip_net import ChipNet
from lenet.training.distort import distort
from lenet.training.initial import initial
from lenet.training.one_digit import OneDigit
from lenet.training.optimisers import adam_step, diagonal_update, judged, loss, loss_name, second_derivatives
from lenet.training.recipes import ForChip, Recipe
from lenet.training.torch_net import TorchNet, prepared
from lenet.training.windows import on_windows, windows

Watch = Callable[[str], None]
Net = TorchNet | ChipNet
Step = Callable[[int], None]  # updates the weights after a batch, given its index in the pass
STATES = ("step", "exp_avg", "exp_avg_sq")  # what the optimiser Adam keeps of each parameter


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that determines the weights of one training run."""

    graph: Graph  # trained from new initial weights, or from its own if the recipe draws none
    recipe: Recipe
    digits: LabelledImages
    train_seed: int
    validation: LabelledImages | None = None  # watched, never trained on
    chip: ForChip | None = None  # trained as the chip computes

    @property
    def fingerprint(self) -> str:
        """What a checkpoint must match to be continued."""
        parts = [
            text(self.graph),
            canonical_json(asdict(self.recipe)),
            self.digits.digest,
            self.validation.digest if self.validation else "",
            str(self.train_seed),
        ]
        if self.recipe.initial is None:
            parts.append(self.graph.digest)
        if self.chip is not None:
            parts.append(canonical_json(asdict(self.chip)))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Fitted:
    """The trained graph and its learning curve."""

    graph: Graph
    curve: tuple[Pass, ...]


def quiet(_: str) -> None:
    """A watch that prints nothing."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits PyTorch to one thread, so that bits do not depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def error_percent(net: Net, images: Tensor, labels: Tensor) -> float:
    """Error rate for watching a run; results are counted with anna's own forward."""
    net.eval()  # a ChipNet without noise: the ideal chip
    with torch.no_grad():
        answers = torch.cat([net(images[at : at + 500]).argmax(1) for at in range(0, len(labels), 500)])
        net.train()
        wrong = int((answers != labels).sum())
    return 100.0 * wrong / len(labels)


def fit(
    setup: Setup,
    *,
    checkpoint: Path | None = None,
    watch: Watch = quiet,
    stop_after: int | None = None,
) -> Fitted:
    """Trains the graph of a setup.

    With `checkpoint`, that file is written after each pass, and training continues from it if it has the same setup. The
    caller removes it once the weights are safe. `stop_after` stops after this many passes, to test interruptions.
    """
    with one_thread():
        return _Run(setup, checkpoint, watch).passes(stop_after)


def _tensors(graph: Graph, digits: LabelledImages) -> tuple[Tensor, Tensor]:
    """Prepared images and their labels."""
    return prepared(graph, digits.images), torch.from_numpy(digits.labels.astype(np.int64))


@dataclass
class _Tally:
    """Running totals of a pass."""

    loss: float = 0.0
    wrong: int = 0
    digits: int = 0

    @property
    def mean_loss(self) -> float:
        return self.loss / self.digits

    @property
    def error_percent(self) -> float:
        return 100.0 * self.wrong / self.digits


class _Run:
    """A run in progress: the network, its optimiser, the curve so far."""

    def __init__(self, setup: Setup, checkpoint: Path | None, watch: Watch) -> None:
        self.setup, self.recipe, self.checkpoint, self.watch = setup, setup.recipe, checkpoint, watch
        graph, rule = setup.graph, setup.recipe.initial
        start = graph if rule is None else initial(graph, setup.train_seed, rule)
        start = start if self.recipe.partials is None else on_windows(start)
        self.net: Net = TorchNet(start) if setup.chip is None else ChipNet(start, setup.chip)
        self.parameters = list(self.net.parameters())
        self.loss_name = loss_name(graph, or_none=self.recipe.partials is not None)
        self.images, self.labels = _tensors(graph, setup.digits)
        self.validation = None if setup.validation is None else _tensors(graph, setup.validation)
        self.fingerprint = setup.fingerprint
        self.curve: list[Pass] = []
        self.adam = torch.optim.AdamW(self.parameters, lr=1e-3, weight_decay=self.recipe.weight_decay, foreach=False)
        self.started = time.monotonic()
        if checkpoint is not None and checkpoint.exists():
            self._continue_from(checkpoint)

    def passes(self, stop_after: int | None) -> Fitted:
        for number in range(len(self.curve), self.recipe.passes):
            if stop_after is not None and number >= stop_after:
                break
            self._one_pass(number)
            if self.checkpoint is not None:
                self._save(self.checkpoint)
        trained = self.net.to_graph()
        if self.recipe.partials is not None:  # on digits again, not on windows
            layers = (*self.setup.graph.layers[:1], *trained.layers[1:])
            trained = replace(trained, layers=layers, input_shape=self.setup.graph.input_shape)
        return Fitted(trained, tuple(self.curve))

    def _one_pass(self, number: int) -> None:
        digits = self._digits(number)
        if isinstance(self.net, ChipNet):
            undistorted = self.setup.digits if self.recipe.partials is None else digits
            self.net.begin_pass(undistorted.images, (self.setup.train_seed, number, 2))
        images = self.images if digits is self.setup.digits else prepared(self.net.graph, digits.images)
        labels = self.labels if self.recipe.partials is None else torch.from_numpy(digits.labels.astype(np.int64))
        order, tally = self._order(number, len(labels)), _Tally()
        if self.recipe.by_hand:
            self._learn_by_hand(number, images, order, tally)
        else:
            self._learn_batches(number, images, labels, order, tally)
        if not np.isfinite(tally.loss):
            raise DataError(f"{self.net.graph.name}: the loss is NaN or infinite in pass {number + 1}; use a smaller step")
        checked = None if self.validation is None else error_percent(self.net, *self.validation)
        self.curve.append(Pass(number + 1, tally.mean_loss, tally.error_percent, checked))

    def _order(self, number: int, count: int) -> Tensor:
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((self.setup.train_seed, number, 0))))
        return torch.from_numpy(rng.permutation(count))

    def _digits(self, number: int) -> LabelledImages:
        """The digits, this pass's distorted copies of them, or windows of strings of either."""
        found, key = self.setup.digits, (self.setup.train_seed, number)
        if self.recipe.distortion is not None:
            found = replace(found, images=distort(found.images, self.recipe.distortion, (*key, 1)))
        if self.recipe.partials is not None:
            graph = self.setup.graph
            found = windows(found, graph.data, self.recipe.partials, graph.classes, (*key, 3))
        return found

    def _learn_batches(self, number: int, images: Tensor, labels: Tensor, order: Tensor, tally: _Tally) -> None:
        step = self._adam_steps(number) if self.recipe.optimiser == "adam" else self._diagonal_steps(number, images, order)
        for place, chosen in enumerate(order.split(self.recipe.batch)):
            self._learn(images[chosen], labels[chosen], partial(step, place), tally)
            if place % 50 == 0:
                self._tell(number, tally)

    def _learn_by_hand(self, number: int, images: Tensor, order: Tensor, tally: _Tally) -> None:
        assert isinstance(self.net, TorchNet)
        one = OneDigit(self.net)
        one.settle([rate.numpy() for rate in self._rates(number, images, order)])
        x, labels = images.numpy(), self.labels.tolist()
        for place in order.tolist():
            value, wrong = one.learn(x[place], labels[place])
            tally.loss, tally.wrong, tally.digits = tally.loss + value, tally.wrong + wrong, tally.digits + 1
            if tally.digits % 500 == 0:
                self._tell(number, tally)

    def _learn(self, images: Tensor, labels: Tensor, step: Callable[[], None], tally: _Tally) -> None:
        """Learns one batch: scores, gradients, a step."""
        scores = self.net(images)
        value = loss(self.loss_name, scores, labels)
        for parameter in self.parameters:
            parameter.grad = None
        value.backward()
        step()
        tally.loss += float(value.detach()) * len(labels)
        tally.wrong += int((judged(self.loss_name, scores.detach()).argmax(1) != labels).sum())
        tally.digits += len(labels)

    def _adam_steps(self, number: int) -> Step:
        learnt = len(self.setup.digits) * (1 if self.recipe.partials is None else 2)
        batches = -(-learnt // self.recipe.batch)

        def step(place: int) -> None:
            at, steps = number * batches + place, self.recipe.passes * batches
            self.adam.param_groups[0]["lr"] = adam_step(self.recipe.steps[0], at, steps, self.recipe.warm_up_share)
            self.adam.step()

        return step

    def _diagonal_steps(self, number: int, images: Tensor, order: Tensor) -> Step:
        rates = self._rates(number, images, order)
        return lambda place: diagonal_update(self.parameters, rates)

    def _rates(self, number: int, images: Tensor, order: Tensor) -> list[Tensor]:
        """The rate of each weight during a pass."""
        sample = order[-self.recipe.second_order_digits :]  # the order is random, so its end is a random sample
        assert isinstance(self.net, TorchNet)
        curvature = second_derivatives(self.net, images[sample], self.labels[sample])
        size = self.recipe.steps[min(number, len(self.recipe.steps) - 1)]
        return [size / (self.recipe.second_order_floor + h) for h in curvature]

    def _tell(self, number: int, tally: _Tally) -> None:
        last = self.curve[-1].validation_error_percent if self.curve else None
        tail = "" if last is None else f", validation {last:.2f} %"
        seconds = time.monotonic() - self.started
        self.watch(
            f"{self.net.graph.name} pass {number + 1}/{self.recipe.passes} digit {tally.digits}/{len(self.setup.digits)} "
            f"loss {tally.mean_loss:.4f} error {tally.error_percent:.2f} %{tail}, {seconds:.0f} s"
        )

    def _save(self, path: Path) -> None:
        numbers = {name: tensor.numpy(force=True) for name, tensor in self._numbers()}
        Checkpoint(self.fingerprint, tuple(self.curve), numbers).save(path)

    def _numbers(self) -> Iterator[tuple[str, Tensor]]:
        for n, parameter in enumerate(self.parameters):
            yield f"p{n}", parameter
            yield from ((f"s{n}.{name}", value) for name, value in self.adam.state.get(parameter, {}).items())

    def _continue_from(self, path: Path) -> None:
        found = Checkpoint.load(path)
        if found.fingerprint != self.fingerprint:
            raise DataError(f"{path}: belongs to another run (network, recipe, digits or seed differ); remove it to start over")
        self.curve = list(found.curve)
        if f"s0.{STATES[0]}" in found.numbers:
            for parameter in self.parameters:
                step, *moments = torch.zeros(()), torch.zeros_like(parameter), torch.zeros_like(parameter)
                self.adam.state[parameter] = dict(zip(STATES, (step, *moments), strict=True))
        expected = dict(self._numbers())
        if {name: array.size for name, array in found.numbers.items()} != {name: one.numel() for name, one in expected.items()}:
            raise DataError(f"{path}: holds other weights than those of {self.setup.graph.name}; remove it to start over")
        with torch.no_grad():
            for name, tensor in expected.items():
                tensor.copy_(torch.from_numpy(found.numbers[name]).reshape(tensor.shape))
