"""What a published number is held against: the quantity that predicts it, and the range stated before the model was run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from anna.chip.facts import Fact

Kind = Literal["prediction", "definition", "fitted"]
Verdict = Literal["met", "missed", "open"]


@dataclass(frozen=True)
class By:
    """A quantity of the model, by its name in `sim.published.quantities`, and of what it is taken."""

    quantity: str
    of: Mapping[str, Any] = field(default_factory=dict)


def by(quantity: str, **of: Any) -> By:
    """The same, briefly."""
    return By(quantity, of)


@dataclass(frozen=True)
class Range:
    """What counts as met, and why: written down before the model was run."""

    low: float
    high: float
    why: str

    def holds(self, value: float) -> bool:
        """Whether a prediction lies within, its ends included."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Row:
    """One published, recalled or derived number.

    A definition is contained in the model, so that it can only be wrong by a slip. What was fitted to a number is no
    prediction of it. All else is a prediction; without a quantity or a range its verdict is open, and `why` says why.
    """

    name: str
    what: str
    fact: Fact[Any]
    kind: Kind
    by: By | None
    expected: Range | None
    why: str = ""  # where nothing predicts it, or no range was stated; for what was fitted: what was fitted to it

    @property
    def command(self) -> str:
        """The command that shows it."""
        return f"anna published {self.name}"


def exactly(value: float, why: str = "a count, or a constant of the model") -> Range:
    """Nothing but this number; half a millionth is left to floating-point arithmetic."""
    return Range(value * (1 - 5e-7), value * (1 + 5e-7), why)


def within(value: float, share: float, why: str) -> Range:
    """At most this share away."""
    return Range(value * (1 - share), value * (1 + share), why)


def definition(name: str, what: str, fact: Fact[Any], by: By) -> Row:
    """A constant that the model contains."""
    return Row(name, what, fact, "definition", by, exactly(fact.value))


def unmodelled(name: str, what: str, fact: Fact[Any], why: str) -> Row:
    """A number that nothing here predicts."""
    return Row(name, what, fact, "definition", None, None, why)


def prediction(name: str, what: str, fact: Fact[Any], by: By, expected: Range) -> Row:
    """A number that comes out of compiling, running or counting."""
    return Row(name, what, fact, "prediction", by, expected)


def beside(name: str, what: str, fact: Fact[Any], by: By, why: str) -> Row:
    """What the model says beside a published number under other conditions: no range was stated for it."""
    return Row(name, what, fact, "prediction", by, None, why)


def unanswered(name: str, what: str, fact: Fact[Any], why: str) -> Row:
    """A number that a model could predict, but this one does not."""
    return Row(name, what, fact, "prediction", None, None, why)


def fitted(name: str, what: str, fact: Fact[Any], by: By, expected: Range, why: str) -> Row:
    """A number that something in the model was chosen to meet."""
    return Row(name, what, fact, "fitted", by, expected, why)
