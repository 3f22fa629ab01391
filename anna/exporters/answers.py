"""Somebody's answers against those of a bundle: whether every state agrees, or which layer, map and place differs first."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.errors import DataError
from anna.exporters.bundle import Bundle, Part, load_bundle, read_arrays


@dataclass(frozen=True)
class Agreement:
    """What agreed, to the bit."""

    images: int
    states: int
    stacks: tuple[str, ...]  # in the order in which the chip writes them
    not_given: tuple[str, ...]


def check_answers(folder: Path | str, answers: Path | str | Mapping[str, ArrayLike]) -> Agreement:
    """Compare the maps in an .npz file, or arrays by name, with the known answers in a folder that `export` wrote; raises
    DataError that names the first layer, map and place that differ. Maps that are not given are not compared."""
    bundle = load_bundle(folder)
    if isinstance(answers, Mapping):
        where, given = "the answers", {name: np.asarray(array) for name, array in answers.items()}
    else:
        where, given = str(answers), read_arrays(answers)
    stacks = tuple(dict.fromkeys(part.stack for part in bundle.parts))
    compared = tuple(name for name in stacks if name in given)
    if not compared:
        raise DataError(f"{where}: holds {', '.join(given) or 'nothing'}; expected maps by name: {', '.join(stacks)}")
    for name in compared:
        _check_form(where, name, given[name], bundle.answers[name])
    agreed = list[str]()
    for part in bundle.parts:
        if part.stack in compared:
            _compare(where, part, given[part.stack], bundle, agreed)
            agreed.append(part.layer)
    states = sum(bundle.answers[name].size for name in compared)
    return Agreement(len(bundle.answers[compared[0]]), states, compared, tuple(name for name in stacks if name not in given))


def _check_form(where: str, name: str, found: NDArray[Any], known: NDArray[Any]) -> None:
    if found.dtype.kind not in "iuf" or found.shape != known.shape:
        raise DataError(f"{where}: {name} is {found.dtype} of shape {found.shape}; expected state codes of shape {known.shape}")


def _compare(where: str, part: Part, given: NDArray[Any], bundle: Bundle, agreed: list[str]) -> None:
    mine = slice(part.first_map, part.first_map + part.shape[0])
    found, known = given[:, mine], bundle.answers[part.stack][:, mine]
    wrong = np.argwhere(found != known)
    if not len(wrong):
        return
    image, m, row, column = (int(n) for n in wrong[0])
    before = f"{', '.join(agreed)} before it agree" if agreed else "it is the first compared"
    raise DataError(
        f"{where}: layer {part.layer}, map {m} row {row} column {column} of image {image} is {found[image, m, row, column]:g}; "
        f"expected {known[image, m, row, column]} ({len(wrong):,} of its {known.size:,} states differ; {before})"
    )
