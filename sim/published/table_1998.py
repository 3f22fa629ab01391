"""The table of 1998 run again: every method of paper 8 on the same 10,000 test digits, and those that can on the chip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import UsageError, nearest
from anna.compiler import compilation
from anna.network.forward import forward
from anna.program.file import Program
from lenet.classical.deskew import deskewed
from lenet.datasets.digits import calibration, digits, holdout, training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.networks.catalogue import load
from sim.base.statistics import Interval, error_of_chips, wilson
from sim.comparison.arms import chip_arm
from sim.published.kept import Kept
from sim.published.methods_1998 import METHODS, Classical, Method, Setting, Shipped

DATA = "mnist"
ANALOG = "typical-v2"
CHIPS = tuple(range(100, 116))
NOISE_SEED = 1

Watch = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Digits:
    """The digits to fit to, those kept aside to choose settings on, and those for results."""

    training: LabelledImages
    aside: LabelledImages
    test: LabelledImages

    @cached_property
    def deskewed(self) -> Self:
        """The same, deskewed."""
        return replace(self, training=_deskewed(self.training), aside=_deskewed(self.aside), test=_deskewed(self.test))


def _deskewed(one: LabelledImages) -> LabelledImages:
    return replace(one, name=f"{one.name}, deskewed", images=deskewed(one.images))


def all_digits() -> Digits:
    """MNIST: the 55,000 digits that shipped weights were trained on, the 4,500 of the hold-out, and the 10,000 test digits."""
    return Digits(training_digits(DATA), holdout(DATA), digits(DATA, "test"))


@dataclass(frozen=True, eq=False)
class OnChip:
    """A network on the ideal chip and on drawn ones."""

    ideal: Interval
    drawn: Interval
    pages: int
    cycles: float  # an image


@dataclass(frozen=True, eq=False)
class Obtained:
    """A method with the share of test digits that it misreads."""

    method: Method
    images: int
    error: Interval
    chip: OnChip | None = None
    tried: Mapping[str, float] = field(default_factory=dict)  # settings, and what each misreads of the digits kept aside
    chosen: str = ""
    beside: str = ""

    @property
    def verdict(self) -> str:
        """What became of the prediction: met or missed; known where there was none."""
        stated = self.method.expected
        return "known" if stated is None else "met" if stated.holds(100 * self.error.share) else "missed"

    def content(self) -> dict[str, Any]:
        """The row of the JSON: errors are shares, published ones too."""
        one, stated = self.method, self.method.expected
        return {
            "name": one.name, "what": one.what, "mark": one.fact.mark.value, "published": round(one.fact.value / 100, 6),
            "error": _told(self.error), "images": self.images, "verdict": self.verdict, "differs": one.differs,
            "expected": None if stated is None else {"low": stated.low, "high": stated.high, "why": stated.why},
            "chip": None if self.chip is None else {
                "ideal": _told(self.chip.ideal), "drawn": _told(self.chip.drawn), "analog": ANALOG,
                "chip_seeds": [str(seed) for seed in CHIPS], "pages": self.chip.pages, "cycles_per_image": self.chip.cycles},
            "off_chip": one.by.off_chip if isinstance(one.by, Classical) else None,
            "tried": [{"setting": setting, "error": round(error, 6)} for setting, error in self.tried.items()],
            "chosen": self.chosen, "beside": self.beside, "command": one.command,
        }  # fmt: skip


def _told(one: Interval) -> dict[str, float]:
    return {"mean": round(one.share, 6), "low": round(one.low, 6), "high": round(one.high, 6)}


def chosen(names: Sequence[str]) -> tuple[Method, ...]:
    """The methods with these names, in the order of the table; all by default."""
    known = {method.name: method for method in METHODS}
    for name in names:
        if name not in known:
            raise UsageError(f"the table of 1998 has no method {name!r}{nearest(name, known)}; its methods: {', '.join(known)}")
    return tuple(method for method in METHODS if not names or method.name in names)


def table_1998(methods: Sequence[Method], digits: Digits, threads: int, watch: Watch, kept: Kept) -> tuple[Obtained, ...]:
    """Runs methods, one after the other."""
    found = []
    for method in methods:
        watch(method.name)
        match method.by:
            case Shipped():
                found.append(_network(method, method.by, digits.test, threads, kept))
            case Classical():
                found.append(_classical(method, method.by, digits.deskewed if method.by.deskewed else digits, threads, kept))
    return tuple(found)


def _network(method: Method, by: Shipped, test: LabelledImages, threads: int, kept: Kept) -> Obtained:
    network = load(by.network, DATA, variant=by.variant)
    program = compilation(network, calibration(DATA).images).program
    assert program.report is not None
    wrong = forward(network, test.images).labels != test.labels

    def run(analog: Analog) -> Interval:
        return error_of_chips(kept.array(f"{program.digest} {analog.kind} {CHIPS} {NOISE_SEED} {test.digest}",
                                         lambda: _wrong(program, analog, test, threads)))  # fmt: skip

    chip = OnChip(run(Analog.ideal()), run(Analog.preset(ANALOG)), int(program.report["pages"]),
                  float(program.report["cycles_per_image"]))  # fmt: skip
    return Obtained(method, len(test), _interval(wrong), chip)


def _wrong(program: Program, analog: Analog, test: LabelledImages, threads: int) -> NDArray[np.bool_]:
    return chip_arm("", "", program, test, analog, CHIPS, NOISE_SEED, threads).wrong_cn(test.labels)


def _classical(method: Method, by: Classical, digits: Digits, threads: int, kept: Kept) -> Obtained:
    training, aside, test = digits.training, digits.aside, digits.test

    def wrong(setting: Setting, of: LabelledImages) -> NDArray[np.bool_]:
        key = f"{method.name} {setting.told} {training.digest} {of.digest}"
        labels = kept.array(key, lambda: setting.fit(training, kept.array, threads)(of.images))
        found: NDArray[np.bool_] = labels != of.labels
        return found

    errors = {one.told: float(wrong(one, aside).mean()) for one in by.settings} if len(by.settings) > 1 else {}
    best = min(by.settings, key=lambda one: errors.get(one.told, 0.0))  # of equals the first
    beside = "" if best.beside is None else best.beside(training, aside, kept.array, threads)
    return Obtained(method, len(test), _interval(wrong(best, test)), tried=errors, chosen=best.told, beside=beside)


def _interval(wrong: NDArray[np.bool_]) -> Interval:
    return wilson(int(wrong.sum()) / len(wrong), len(wrong))
