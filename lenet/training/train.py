"""Train a network and write its weights with their record; `anna train` is its command.

`run` is the whole of it as a function. The weights are those after the last pass: nothing is chosen by looking at
test digits, which are counted once, at the end. Recipes are chosen on digits kept aside from the training set
(`validation`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anna.base.container import expect_writable, write_beside
from anna.base.errors import DataError, FileError
from anna.network.file import graph_bytes, load_graph
from anna.network.graph import Ensemble, Network
from lenet.datasets.digits import digits, holdout, training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import data_set
from lenet.networks.catalogue import WEIGHTS, define, full_name, native_data, stem
from lenet.networks.record import read_record
from lenet.training.recipes import ForChip, Recipe, chip_recipe_for, default_recipe, recipe_for
from lenet.training.records import chip_result, result, versions

if TYPE_CHECKING:
    from lenet.training.fit import Pass

VALIDATION_DRAW = 1989  # seeds which training digits are kept aside: the same for every network and seed


@dataclass(frozen=True)
class Trained:
    """A trained network, its record, and where both were written."""

    network: Network
    record: dict[str, Any]
    weights_path: Path
    record_path: Path


def split(whole: LabelledImages, validation: int, count: int | None = None) -> tuple[LabelledImages, LabelledImages | None]:
    """The digits for training (all, or so many of them), and those kept aside to watch it.

    One drawn order decides: the first are kept aside, the next are shown, so that fewer digits are a part of more.
    """
    if not 0 <= validation < len(whole):
        raise DataError(f"validation takes {validation} digits of {len(whole)}; expected fewer than there are")
    if count is not None and not 1 <= count <= len(whole) - validation:
        raise DataError(f"digits is {count}; expected 1 to {len(whole) - validation}")
    if not validation and count is None:
        return whole, None
    order = np.random.Generator(np.random.PCG64(VALIDATION_DRAW)).permutation(len(whole))
    end = len(whole) if count is None else validation + count
    name = whole.name if count is None else f"{whole.name}, {count} of them"
    shown = whole.picked(f"{name}, without validation" if validation else name, np.sort(order[validation:end]))
    return shown, whole.picked(f"{whole.name}, validation", np.sort(order[:validation])) if validation else None


def command(network: str, **options: Any) -> str:
    """The command that makes the weights again; options as `anna train` names them, those that are not given left out."""
    words = ["anna", "train", network]
    for name, value in options.items():
        if value is not None and value is not False and not (name == "validation" and value == 0):
            words += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
    return " ".join(words)


def run(
    network: str,
    *,
    data: str | None = None,
    seed: int = 1,
    recipe: str | None = None,
    distorted: bool = False,
    passes: int | None = None,
    validation: int = 0,
    count: int | None = None,
    for_chip: bool = False,
    chip_passes: int | None = None,
    folder: Path | str | None = None,
    output: Path | str = ".",
    float_weights: Path | str | None = None,
    test: bool = True,
    watch: Any = None,
) -> Trained:
    """Train `network` and write `<stem>.safetensors` and `<stem>.json` into `output`.

    `data` is "mnist" or "usps" (default: that of the paper); `recipe` is "modern", "1989" or "1998" (default: that of
    the shipped weights); `distorted` adds distorted copies; `passes` overrides the recipe's; `validation` keeps so
    many training digits aside and watches them; `count` trains on so many digits only; `folder` is the data folder
    (default ANNA_DATA). Interrupted, it leaves a checkpoint in `output` and the same call continues it. `watch` is called
    with a line of progress now and then.

    `for_chip` goes on from the weights that the other options give, for `chip_passes`, in the codes of the chip and with
    its noise. Those float weights are taken from `float_weights` (a folder, default `output`) or from the shipped ones
    when a record there tells of the same recipe, digits and seed; else they are trained first, into that folder.
    """
    name = full_name(network)
    data = data or native_data(name)
    if seed < 0:
        raise DataError(f"seed is {seed}; expected a whole number of at least 0")
    graph = define(name, data)
    usual = default_recipe(name, data)
    recipe = recipe or usual
    chosen = _with_passes(recipe_for(name, data, recipe, distorted=distorted), "passes", passes)
    if chip_passes is not None and not for_chip:
        raise DataError("chip_passes are given without for_chip; expected both or neither")
    if for_chip and isinstance(graph, Ensemble):
        raise DataError(f"{name}: has {len(graph.members)} networks; expected a single one to train for the chip")
    expect_torch()
    home = Path(output)
    if not home.is_dir():
        raise DataError(f"{home}: is not a folder; expected one for the weights")
    expect_writable(home / f"{name}.safetensors")
    shown, kept = split(training_digits(data, folder), validation, count)
    tested = [digits(data, "test", folder), *([holdout(data)] if data_set(data).built_in else [])] if test else []
    variants = ["distorted"] * distorted + [recipe] * (recipe != usual)
    float_stem = stem(name, data, seed, "-".join(variants))
    files = home / (stem(name, data, seed, "-".join([*variants, "chip"])) if for_chip else float_stem)
    start: Network | None = None
    if for_chip:
        where = home if float_weights is None else Path(float_weights)
        start = trained_before((where, WEIGHTS), float_stem, chosen, shown, seed)
        if start is None:
            start = run(name, data=data, seed=seed, recipe=recipe, distorted=distorted, passes=passes, validation=validation,
                        count=count, folder=folder, output=where, test=test, watch=watch).network  # fmt: skip
        chosen = _with_passes(chip_recipe_for(name, data, chosen), "chip_passes", chip_passes)
    started = time.monotonic()
    trained, curve = _trained(start or graph, chosen, shown, kept, seed, files, ForChip() if for_chip else None, watch)
    about = {} if start is None else {"for_chip": {
        **asdict(ForChip()), "start": float_stem, "start_digest": start.digest,
        "on_chip": [chip_result(start, trained, one, folder) for one in tested],
    }}  # fmt: skip
    record = {
        "command": command(
            name,
            data=data,
            seed=seed,
            recipe=recipe,
            distort=distorted,
            validation=validation,
            passes=passes,
            digits=count,
            for_chip=for_chip,
            chip_passes=chip_passes,
        ),
        "network": name,
        "data": data,
        "seed": seed,
        "recipe": asdict(chosen),
        **about,
        "training_digits": {"name": shown.name, "images": len(shown), "sha256": shown.digest},
        "validation_digits": kept and {"name": kept.name, "images": len(kept), "sha256": kept.digest},
        "results": [result(trained, one) for one in tested],
        "curve": [asdict(one) for one in curve],
        "weights_digest": trained.digest,
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    return _write(trained, record, files)


def expect_torch() -> None:
    """Refuse to train where PyTorch is absent."""
    if find_spec("torch") is None:
        raise DataError("training needs the package torch, which is not installed; install the extra `train`")


def _trained(
    graph: Network,
    recipe: Recipe,
    shown: LabelledImages,
    kept: LabelledImages | None,
    seed: int,
    files: Path,
    chip: ForChip | None,
    watch: Any,
) -> tuple[Network, tuple[Pass, ...]]:
    """The trained network and its curve, with a checkpoint beside the files that will be written."""
    from lenet.training.boost import fit_boosted
    from lenet.training.fit import fit, quiet

    checkpoint = files.with_name(f".{files.name}.checkpoint")
    if isinstance(graph, Ensemble):
        return fit_boosted(graph, recipe, shown, seed, checkpoint=checkpoint, watch=watch or quiet)
    fitted = fit(graph, recipe, shown, seed, validation=kept, checkpoint=checkpoint, watch=watch or quiet, chip=chip)
    return fitted.graph, fitted.curve


def _with_passes(recipe: Recipe, name: str, passes: int | None) -> Recipe:
    if passes is not None and passes < 1:
        raise DataError(f"{name} is {passes}; expected at least 1")
    return recipe if passes is None else replace(recipe, passes=passes)


def trained_before(folders: Sequence[Path], name: str, recipe: Recipe, shown: LabelledImages, seed: int) -> Network | None:
    """Weights of that name whose record says that they came of this recipe, these digits and this seed."""
    for folder in folders:
        weights, record = folder / f"{name}.safetensors", folder / f"{name}.json"
        if not (weights.is_file() and record.is_file()):
            continue
        try:
            about = read_record(record)
            told = about["recipe"], about["training_digits"]["sha256"], about["seed"]
        except FileError as error:
            raise DataError(f"{error}; or remove it and its weights to train anew") from None
        except (KeyError, TypeError):
            raise DataError(f"{record}: is no whole record of a training; remove it and its weights to train anew") from None
        if told == (json.loads(json.dumps(asdict(recipe))), shown.digest, seed):
            return load_graph(weights)
    return None


def _write(trained: Network, record: dict[str, Any], files: Path) -> Trained:
    weights_path = files.with_name(files.name + ".safetensors")
    record_path = files.with_name(files.name + ".json")
    write_beside(weights_path, graph_bytes(trained))
    write_beside(record_path, (json.dumps(record, indent=1, sort_keys=False) + "\n").encode())
    return Trained(trained, record, weights_path, record_path)
