"""Trains a network and writes its weights with their record; `run` is `anna train` as a function.

The weights are those after the last pass: nothing is chosen on test digits, whose errors are counted once, at the end.
Recipes are chosen on digits held out of the training set (`validation`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anna.base.container import expect_writable, write_beside
from anna.base.errors import DataError, FileError
from anna.base.renamed import renamed
from anna.network.file import graph_bytes, load_graph
from anna.network.graph import Ensemble, Network
from lenet.datasets.digits import digits, holdout, training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import data_set
from lenet.networks.catalogue import WEIGHTS
from lenet.networks.record import read_record
from lenet.training.recipes import ForChip, Recipe, recipe_of
from lenet.training.records import chip_result, result, versions
from lenet.training.task import Task

if TYPE_CHECKING:
    from lenet.training.checkpoint import Pass

VALIDATION_DRAW = 1989  # seeds the choice of held-out training digits: the same for every network and seed


@dataclass(frozen=True)
class Folders:
    """Where data sets are read, weights are written, and float weights to continue from are found."""

    data: Path | str | None  # None: ANNA_DATA
    output: Path
    float_weights: Path


@dataclass(frozen=True, eq=False)
class Parts:
    """The digits of one training, in disjoint parts."""

    training: LabelledImages
    validation: LabelledImages | None
    tests: tuple[LabelledImages, ...]


@dataclass(frozen=True)
class Outcome:
    """The outcome of training."""

    start: Network | None  # the float weights that training for the chip continued from
    trained: Network
    curve: tuple[Pass, ...]


@dataclass(frozen=True)
class Trained:
    """A trained network, its record, and where both were written."""

    network: Network
    record: dict[str, Any]
    weights_path: Path
    record_path: Path


@renamed(seed="train_seed", distorted="distort")
def run(
    network: str,
    *,
    data: str | None = None,
    train_seed: int = 1,
    recipe: str | None = None,
    distort: bool = False,
    passes: int | None = None,
    validation: int = 0,
    count: int | None = None,
    for_chip: bool = False,
    chip_passes: int | None = None,
    folder: Path | str | None = None,
    output: Path | str = ".",
    float_weights: Path | str | None = None,
    test: bool = True,
    watch: Callable[[str], None] | None = None,
) -> Trained:
    """Trains `network` and writes `<stem>.safetensors` and `<stem>.json` into `output`.

    The fields of `Task` describe what determines the weights. `folder` is the data folder (default: ANNA_DATA); `test`
    counts errors on the test digits at the end; `watch` is called with progress lines. An interrupted run leaves a
    checkpoint in `output`, and the same call continues it.

    `for_chip` continues from the weights that the other options give, in the chip's codes and with its noise. Those float
    weights come from `float_weights` (a folder; default: `output`) or from the shipped ones if a record there has the same
    recipe, digits and seed; otherwise they are trained first, into that folder.
    """
    task = Task.of(network, data, recipe, train_seed=train_seed, distort=distort, passes=passes, validation=validation,
                   count=count, for_chip=for_chip, chip_passes=chip_passes)  # fmt: skip
    home = Path(output)
    folders = Folders(folder, home, home if float_weights is None else Path(float_weights))
    return train(task, folders, test=test, watch=watch or (lambda _: None))


def train(task: Task, folders: Folders, *, test: bool, watch: Callable[[str], None]) -> Trained:
    """Trains what a task describes and writes it."""
    expect_torch()
    _expect_folder(folders.output, task)
    parts = parts_of(task, folders.data, test=test)
    start = _start(task, folders, parts, test, watch) if task.for_chip else None
    begun = time.monotonic()
    outcome = _fitted(task, start, parts, folders.output, watch)
    record = _record(task, parts, outcome, folders.data) | {"seconds": round(time.monotonic() - begun, 1)}
    written = _written(outcome.trained, record, folders.output / task.stem)
    for checkpoint in folders.output.glob(f".{task.stem}.checkpoint*"):  # not before: counting errors takes long, too
        checkpoint.unlink(missing_ok=True)
    return written


def expect_torch() -> None:
    """Raises if PyTorch is not installed."""
    if find_spec("torch") is None:
        raise DataError("training needs PyTorch, which is not installed: pip install 'anna-chip[train]'")


def _expect_folder(output: Path, task: Task) -> None:
    if not output.is_dir():
        raise DataError(f"{output}: is not a folder; expected one for the weights")
    expect_writable(output / f"{task.network}.safetensors")


def parts_of(task: Task, folder: Path | str | None, *, test: bool) -> Parts:
    """The digits that a task trains on, watches, and is tested on."""
    training, validation = split(training_digits(task.data, folder), task.validation, task.count)
    if not test:
        return Parts(training, validation, ())
    built_in = (holdout(task.data),) if data_set(task.data).built_in else ()
    return Parts(training, validation, (digits(task.data, "test", folder), *built_in))


def split(
    everything: LabelledImages, validation: int, count: int | None = None
) -> tuple[LabelledImages, LabelledImages | None]:
    """The digits for training (all, or `count` of them), and those held out to watch it.

    Both come from one random order: the first are held out, the next are trained on, so a smaller set is always part of a
    larger one.
    """
    if not 0 <= validation < len(everything):
        raise DataError(f"validation takes {validation} of {len(everything)} digits; expected fewer")
    if count is not None and not 1 <= count <= len(everything) - validation:
        raise DataError(f"training takes {count} digits; expected 1 to {len(everything) - validation}")
    if not validation and count is None:
        return everything, None
    order = np.random.Generator(np.random.PCG64(VALIDATION_DRAW)).permutation(len(everything))
    end = len(everything) if count is None else validation + count
    name = everything.name if count is None else f"{everything.name}, {count} of them"
    training = everything.picked(f"{name}, without validation" if validation else name, np.sort(order[validation:end]))
    return training, everything.picked(f"{everything.name}, validation", np.sort(order[:validation])) if validation else None


def _start(task: Task, folders: Folders, parts: Parts, test: bool, watch: Callable[[str], None]) -> Network:
    """The float weights that training for the chip continues from: found, or trained first."""
    floats = task.floats
    places = (folders.float_weights, WEIGHTS)
    found = trained_before(places, floats.stem, floats.float_recipe, parts.training, task.train_seed)
    if found is not None:
        return found
    return train(floats, replace(folders, output=folders.float_weights), test=test, watch=watch).network


def trained_before(
    folders: Sequence[Path], name: str, recipe: Recipe, training: LabelledImages, train_seed: int
) -> Network | None:
    """Weights with this name whose record has this recipe, these digits and this seed."""
    for folder in folders:
        weights, record = folder / f"{name}.safetensors", folder / f"{name}.json"
        if not (weights.is_file() and record.is_file()):
            continue
        try:
            about = read_record(record)
            told = recipe_of(about["recipe"]), about["training_digits"]["sha256"], about["seed"]
        except FileError as error:
            raise DataError(f"{error}; or remove it and its weights to train again") from None
        except (KeyError, TypeError):
            raise DataError(f"{record}: is not a training record; remove it and its weights to train again") from None
        if told == (recipe, training.digest, train_seed):
            return load_graph(weights)
    return None


def _fitted(task: Task, start: Network | None, parts: Parts, output: Path, watch: Callable[[str], None]) -> Outcome:
    """The trained network and its curve; the checkpoint lies beside the files to be written."""
    from lenet.training.boost import fit_boosted
    from lenet.training.fit import Setup, fit

    checkpoint = output / f".{task.stem}.checkpoint"
    network, recipe = start or task.untrained, task.last_recipe
    chip = task.conditions
    if isinstance(network, Ensemble):
        boosted = fit_boosted(network, recipe, parts.training, task.train_seed, chip=chip, checkpoint=checkpoint, watch=watch)
        return Outcome(start, *boosted)
    setup = Setup(network, recipe, parts.training, task.train_seed, parts.validation, chip)
    fitted = fit(setup, checkpoint=checkpoint, watch=watch)
    return Outcome(start, fitted.graph, fitted.curve)


def _record(task: Task, parts: Parts, outcome: Outcome, folder: Path | str | None) -> dict[str, Any]:
    """What was trained, on what, with which results; the keys are those of the file."""
    for_chip = {} if outcome.start is None else {"for_chip": {
        **asdict(task.conditions or ForChip()), "start": task.floats.stem, "start_digest": outcome.start.digest,
        "on_chip": [chip_result(outcome.start, outcome.trained, one, folder) for one in parts.tests],
    }}  # fmt: skip
    return {
        "command": task.command,
        "network": task.network,
        "data": task.data,
        "seed": task.train_seed,
        "recipe": asdict(task.last_recipe),
        **for_chip,
        "training_digits": _told(parts.training),
        "validation_digits": parts.validation and _told(parts.validation),
        "results": [result(outcome.trained, one) for one in parts.tests],
        "curve": [asdict(one) for one in outcome.curve],
        "weights_digest": outcome.trained.digest,
        "versions": versions(),
    }


def _told(one: LabelledImages) -> dict[str, Any]:
    return {"name": one.name, "images": len(one), "sha256": one.digest}


def _written(trained: Network, record: dict[str, Any], files: Path) -> Trained:
    weights_path = files.with_name(files.name + ".safetensors")
    record_path = files.with_name(files.name + ".json")
    write_beside(weights_path, graph_bytes(trained))
    write_beside(record_path, (json.dumps(record, indent=1, sort_keys=False) + "\n").encode())
    return Trained(trained, record, weights_path, record_path)
