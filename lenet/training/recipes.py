"""Training recipes as data: by name, with the default for each network.

`modern` is Adam with a warm-up and a decaying step. `1989`, `1990` and `1998` take one digit at a time, with steps divided
by estimates of the second derivatives (papers 7 and 8). `reject` is `modern` on windows of strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anna.base.errors import DataError
from lenet.datasets.strings import Writing
from lenet.training.initial import Rule


@dataclass(frozen=True)
class Distortion:
    """Limits of a distorted copy; each quantity is drawn uniformly between plus and minus its limit, once per image."""

    shift_pixels: float = 1.0  # along rows and columns
    scale: float = 0.12  # relative, separately for rows and columns, so it also squeezes
    shear: float = 0.2  # columns of shift per row
    rotation_degrees: float = 8.0
    elastic_pixels: float = 0.0  # standard deviation of a pixel's displacement; 0: no elastic field
    elastic_smoothing_pixels: float = 4.0  # standard deviation of the Gaussian that smooths the field


@dataclass(frozen=True)
class Partials:
    """Training to reject partial characters, on windows of strings of the digits (A)."""

    writing: Writing = field(default_factory=Writing)
    in_place: float = 2.0  # pixels from a digit's middle to its window's, at most; places of a step of 4 come as near
    none_from: tuple[int, int] = (7, 5)  # rows or columns off every digit's middle from which a window shows none


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a training run besides network, data and seed."""

    name: str
    optimiser: Literal["adam", "diagonal"]
    passes: int
    batch: int
    steps: tuple[float, ...]  # adam: the largest step; diagonal: one per pass, the last repeated
    initial: Rule | None  # None: start from the given weights
    weight_decay: float = 0.0  # adam only, decoupled, per unit of step
    warm_up_share: float = 0.05  # adam only: share of all steps over which the step rises to its largest
    second_order_digits: int = 500  # diagonal only: digits per estimate (P, paper 8)
    second_order_floor: float = 0.02  # diagonal only: mu of paper 8 (P)
    by_hand: bool = False  # diagonal only: gradients of a digit written out, faster than PyTorch's and of other bits
    distortion: Distortion | None = None
    partials: Partials | None = None  # windows of strings instead of digits
    notes: tuple[str, ...] = field(default=())


def recipe_of(told: Mapping[str, Any]) -> Recipe:
    """The recipe that a record tells; what came later than the record has its default."""
    distortion, partials = told.get("distortion"), told.get("partials")
    tuples = {name: tuple(told[name]) for name in ("steps", "notes") if name in told}
    parts = {"distortion": distortion and Distortion(**distortion), "partials": partials and _partials_of(partials)}
    return Recipe(**{**told, **tuples, **parts})


def _partials_of(told: Mapping[str, Any]) -> Partials:
    writing: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["writing"].items()
    }
    return Partials(**{**told, "writing": Writing(**writing), "none_from": tuple(told["none_from"])})


@dataclass(frozen=True)
class ForChip:
    """The conditions of training for the chip."""

    analog: str = "typical-v2"  # the chips' electronics: a preset by name, with its version
    strength: float = 1.0  # factor on the strength of all imperfections
    range_digits: int = 500  # training digits on which the compiler chooses ranges before each pass


MODERN = Recipe(
    name="modern",
    optimiser="adam",
    passes=30,
    batch=64,
    steps=(0.003,),
    initial="deviation_1_over_root_fan_in",
    weight_decay=0.0,
    notes=("Adam, linear warm-up, cosine to zero; nothing in it is of the period",),
)

RECIPE_1989 = Recipe(
    name="1989",
    optimiser="diagonal",
    passes=23,  # P, paper 7
    batch=1,  # P, paper 7: weights updated after each digit
    steps=(0.0005,),  # A: the size of the step is not published
    initial="uniform_2.4_over_fan_in",  # P, paper 7
    notes=("diagonal second-order steps (P); size of the step, floor and digits for the estimate are not published (A)",),
)

RECIPE_1990 = Recipe(
    name="1990",
    optimiser="diagonal",
    passes=30,  # P, the paper of NIPS 2
    batch=1,  # A: as in paper 7
    steps=(0.0001,),  # A: not published; 0.00003 to 0.001 were tried on 1,000 training digits kept aside
    initial="uniform_2.4_over_fan_in",  # A: as in paper 7
    by_hand=True,
    notes=("30 passes (P), no distorted copies; steps, loss and initial weights are not those of a paper (A)",),
)

RECIPE_1998 = Recipe(
    name="1998",
    optimiser="diagonal",
    passes=20,  # P, paper 8
    batch=1,  # P, paper 8
    steps=(*(0.0005,) * 2, *(0.0002,) * 3, *(0.0001,) * 3, *(0.00005,) * 4, 0.00001),  # P, paper 8
    initial="uniform_2.4_over_fan_in",  # P, paper 8
    notes=("stochastic diagonal Levenberg-Marquardt, estimate renewed before each pass (P)",),
)

REJECT = Recipe(
    name="reject",
    optimiser="adam",
    passes=12,
    batch=128,
    steps=(0.01,),
    initial="deviation_1_over_root_fan_in",
    partials=Partials(),
    notes=("reads the digit in the middle of a window of a string, and rejects partial characters: no score above 0",),
)

FOR_CHIP = Recipe(
    name="for-chip",
    optimiser="adam",
    passes=10,
    batch=64,
    steps=(0.001,),
    initial=None,
    notes=("goes on from float weights, in the chip's codes and with its noise",),
)

RECIPES = {recipe.name: recipe for recipe in (MODERN, RECIPE_1989, RECIPE_1990, RECIPE_1998, REJECT)}


def default_recipe(network: str, data: str) -> str:
    """The recipe of the shipped weights: 1989 for the 1989 network on its own digits, modern for everything else."""
    return "1989" if (network, data) == ("lenet1", "usps") else "modern"


def recipe_for(network: str, data: str, name: str, *, distorted: bool = False) -> Recipe:
    """The recipe by name, with the values chosen on validation digits for this network and data set."""
    if name not in RECIPES:
        raise DataError(f"recipe {name!r} is not known; expected one of {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    if name == "modern":
        recipe = replace(recipe, **_CHOSEN.get((network, data), {}))  # type: ignore[arg-type]
    if distorted:  # new copies in each pass are learnt more slowly, but cannot be memorised
        recipe = replace(recipe, distortion=Distortion(), passes=2 * recipe.passes if name == "modern" else recipe.passes)
    return recipe


def chip_recipe_for(network: str, data: str, before: Recipe) -> Recipe:
    """The recipe for the chip: as chosen on validation digits, and by default with the distortion of the recipe before."""
    chosen = _CHOSEN_FOR_CHIP.get((network, data), {}) if before.partials is None else _REJECT_FOR_CHIP
    recipe = replace(FOR_CHIP, **chosen)  # type: ignore[arg-type]
    return replace(recipe, distortion=recipe.distortion or before.distortion, partials=before.partials)


def conditions_for(network: str, data: str) -> ForChip:
    """The chips on which this network is trained."""
    return ForChip(strength=_STRENGTH.get((network, data), 1.0))


# USPS digits are small (enlarged to 20x20) and few (7,291), so their copies stray less than those of MNIST
_MILD = Distortion(shift_pixels=1.0, scale=0.1, shear=0.15, rotation_degrees=5.0)
# chosen on digits held out of the training set (1,000 of USPS, 5,000 of MNIST), never on test digits
_CHOSEN: dict[tuple[str, str], dict[str, object]] = {
    ("recognizer", "usps"): {"passes": 60, "steps": (0.01,), "distortion": _MILD},
    ("recognizer", "mnist"): {"passes": 25, "steps": (0.01,)},
    ("lenet1_28", "mnist"): {"steps": (0.01,)},
    ("lenet1", "mnist"): {"passes": 20},
    ("linear", "mnist"): {"passes": 10},
    ("lenet4", "mnist"): {"passes": 25},
    ("lenet5", "mnist"): {"passes": 25},
    ("lenet5_modern", "mnist"): {"passes": 20},
    ("boosted_lenet4", "mnist"): {"passes": 20, "distortion": Distortion()},
    ("mlp300", "mnist"): {"passes": 15, "steps": (0.002,)},
    ("mlp1000", "mnist"): {"passes": 15, "steps": (0.002,)},
}
# less than typical where that costs typical chips nothing and gains on the ideal one
_STRENGTH: dict[tuple[str, str], float] = {("lenet5", "mnist"): 0.7}
_REJECT_FOR_CHIP: dict[str, object] = {"passes": 6, "batch": 128, "steps": (0.003,)}  # not tuned: a pass takes a minute or two
_CHOSEN_FOR_CHIP: dict[tuple[str, str], dict[str, object]] = {
    ("recognizer", "mnist"): {"passes": 20, "batch": 128, "steps": (0.004,), "distortion": _MILD},
    ("recognizer", "usps"): {"passes": 30, "steps": (0.004,)},
    ("lenet5", "mnist"): {"passes": 15, "batch": 128, "steps": (0.001,)},
    ("boosted_lenet4", "mnist"): {"passes": 8, "batch": 128, "steps": (0.001,)},
    ("mlp300", "mnist"): {"passes": 5, "steps": (0.002,)},
}
