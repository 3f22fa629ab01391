"""What to train, as data: a task of `anna train` with its defaults filled in, its recipes and file names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from anna.base.errors import DataError
from anna.network.graph import Network
from lenet.networks.catalogue import define, full_name, native_data, stem
from lenet.training.recipes import ForChip, Recipe, chip_recipe_for, conditions_for, default_recipe, recipe_for


@dataclass(frozen=True)
class Task:
    """Everything that determines trained weights, besides the digits themselves."""

    network: str
    data: str  # the data set; default: that of the network's paper
    recipe: str  # by name; default: that of the shipped weights
    train_seed: int = 1
    distort: bool = False  # also train on distorted copies of the digits
    passes: int | None = None  # over the digits; None: the recipe's
    validation: int = 0  # number of training digits held out to watch progress
    count: int | None = None  # number of digits to train on; None: all
    for_chip: bool = False  # continue from these weights in the chip's codes, with its noise
    chip_passes: int | None = None  # its passes; None: the recipe's

    @classmethod
    def of(cls, network: str, data: str | None, recipe: str | None, **rest: Any) -> Task:
        """A task with its defaults filled in."""
        name = full_name(network)
        data = data or native_data(name)
        return cls(name, data, recipe or default_recipe(name, data), **rest)

    def __post_init__(self) -> None:
        if self.train_seed < 0:
            raise DataError(f"train_seed is {self.train_seed}; expected at least 0")
        _ = self.untrained, self.float_recipe  # both raise on unknown names
        for name, passes in (("passes", self.passes), ("chip_passes", self.chip_passes)):
            if passes is not None and passes < 1:
                raise DataError(f"{name} is {passes}; expected at least 1")
        if self.chip_passes is not None and not self.for_chip:
            raise DataError("chip_passes needs for_chip; give both or neither")

    @property
    def untrained(self) -> Network:
        """The network, with zero weights."""
        return define(self.network, self.data)

    @property
    def float_recipe(self) -> Recipe:
        """How the float weights are trained."""
        return _with_passes(recipe_for(self.network, self.data, self.recipe, distorted=self.distort), self.passes)

    @property
    def last_recipe(self) -> Recipe:
        """How the task's final weights are trained."""
        if not self.for_chip:
            return self.float_recipe
        return _with_passes(chip_recipe_for(self.network, self.data, self.float_recipe), self.chip_passes)

    @property
    def conditions(self) -> ForChip | None:
        """The chips of a task for the chip."""
        return conditions_for(self.network, self.data) if self.for_chip else None

    @property
    def floats(self) -> Task:
        """The task of the float weights that a task for the chip continues from."""
        return replace(self, for_chip=False, chip_passes=None)

    @property
    def stem(self) -> str:
        """The name of its files, without suffix."""
        unusual = self.recipe != default_recipe(self.network, self.data)
        variants = ["distorted"] * self.distort + [self.recipe] * unusual + ["chip"] * self.for_chip
        return stem(self.network, self.data, self.train_seed, "-".join(variants))

    @property
    def command(self) -> str:
        """The command that reproduces the weights."""
        words = f"anna train {self.network} --data {self.data} --train-seed {self.train_seed} --recipe {self.recipe}"
        words += " --distort" * self.distort
        for option, value in (("validation", self.validation or None), ("passes", self.passes), ("count", self.count)):
            words += "" if value is None else f" --{option} {value}"
        words += " --for-chip" * self.for_chip
        return words + ("" if self.chip_passes is None else f" --chip-passes {self.chip_passes}")


def _with_passes(recipe: Recipe, passes: int | None) -> Recipe:
    return recipe if passes is None else replace(recipe, passes=passes)
