"""Train a network and write its weights with their record; `anna train` is its command.

`run` is the whole of it as a function. The weights are those after the last pass: nothing is chosen by looking at
test digits, which are counted once, at the end. Recipes are chosen on digits kept aside from the training set
(`validation`).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from anna.container import write_beside
from anna.errors import DataError
from anna.graph import Ensemble, Network
from anna.graph_file import graph_bytes
from lenet.catalogue import define, full_name, native_data, stem
from lenet.datasets.digits import Digits, digits, holdout, training_digits
from lenet.recipes import default_recipe, recipe_for
from lenet.records import result, versions

VALIDATION_DRAW = 1989  # seeds which training digits are kept aside: the same for every network and seed


@dataclass(frozen=True)
class Trained:
    """A trained network, its record, and where both were written."""

    network: Network
    record: dict[str, Any]
    weights_path: Path
    record_path: Path


def split(whole: Digits, validation: int) -> tuple[Digits, Digits | None]:
    """The digits for training, and those kept aside to watch it."""
    if not 0 <= validation < len(whole):
        raise DataError(f"validation takes {validation} digits of {len(whole)}; expected fewer than there are")
    if not validation:
        return whole, None
    order = np.random.Generator(np.random.PCG64(VALIDATION_DRAW)).permutation(len(whole))
    kept = whole.picked(f"{whole.name}, validation", np.sort(order[:validation]))
    return whole.picked(f"{whole.name}, without validation", np.sort(order[validation:])), kept


def command(network: str, data: str, seed: int, recipe: str, distorted: bool, validation: int, passes: int | None) -> str:
    """The command that makes the weights again."""
    words = ["anna", "train", network, "--data", data, "--seed", str(seed), "--recipe", recipe]
    words += ["--distort"] if distorted else []
    words += ["--validation", str(validation)] if validation else []
    words += ["--passes", str(passes)] if passes is not None else []
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
    folder: Path | str | None = None,
    output: Path | str = ".",
    test: bool = True,
    watch: Any = None,
) -> Trained:
    """Train `network` and write `<stem>.safetensors` and `<stem>.json` into `output`.

    `data` is "mnist" or "usps" (default: that of the paper); `recipe` is "modern", "1989" or "1998" (default: that of
    the shipped weights); `distorted` adds distorted copies; `passes` overrides the recipe's; `validation` keeps so
    many training digits aside and watches them; `folder` is the data folder (default ANNA_DATA). Interrupted, it
    leaves a checkpoint in `output` and the same call continues it. `watch` is called with a line of progress now and
    then; the default writes to the terminal when there is one.
    """
    name = full_name(network)
    data = data or native_data(name)
    if seed < 0:
        raise DataError(f"seed is {seed}; expected a whole number of at least 0")
    graph = define(name, data)
    usual = default_recipe(name, data)
    recipe = recipe or usual
    chosen = recipe_for(name, data, recipe, distorted=distorted)
    if passes is not None:
        if passes < 1:
            raise DataError(f"passes is {passes}; expected at least 1")
        chosen = replace(chosen, passes=passes)
    try:
        from lenet.boost import fit_boosted
        from lenet.fit import fit, terminal_watch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise DataError("training needs the package torch, which is not installed; install the extra `train`") from None
    home = Path(output)
    if not home.is_dir():
        raise DataError(f"{home}: is not a folder; expected one for the weights")
    shown, kept = split(training_digits(data, folder), validation)
    tested = [digits(data, "test", folder), *([holdout()] if data == "mnist" else [])] if test else []
    files = home / stem(name, data, seed, "-".join(["distorted"] * distorted + [recipe] * (recipe != usual)))
    checkpoint = files.with_name(f".{files.name}.checkpoint")
    report = watch or terminal_watch
    started = time.monotonic()
    trained: Network
    if isinstance(graph, Ensemble):
        trained, curve = fit_boosted(graph, chosen, shown, seed, checkpoint=checkpoint, watch=report)
    else:
        fitted = fit(graph, chosen, shown, seed, validation=kept, checkpoint=checkpoint, watch=report)
        trained, curve = fitted.graph, fitted.curve
    record = {
        "command": command(name, data, seed, recipe, distorted, validation, passes),
        "network": name,
        "data": data,
        "seed": seed,
        "recipe": asdict(chosen),
        "training_digits": {"name": shown.name, "images": len(shown), "sha256": shown.digest},
        "validation_digits": kept and {"name": kept.name, "images": len(kept), "sha256": kept.digest},
        "results": [result(trained, one) for one in tested],
        "curve": [asdict(one) for one in curve],
        "weights_digest": trained.digest,
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    return _write(trained, record, files)


def _write(trained: Network, record: dict[str, Any], files: Path) -> Trained:
    weights_path = files.with_name(files.name + ".safetensors")
    record_path = files.with_name(files.name + ".json")
    write_beside(weights_path, graph_bytes(trained))
    write_beside(record_path, (json.dumps(record, indent=1, sort_keys=False) + "\n").encode())
    return Trained(trained, record, weights_path, record_path)
