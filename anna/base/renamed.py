"""Renamed names: the old one works for one minor version, with a DeprecationWarning that gives the new one."""

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

NewNames = Mapping[str, str | tuple[str, ...]]  # old name -> the new one, or the several it was split into


def warn(old: str, new: str | tuple[str, ...], stacklevel: int = 3) -> None:
    """Warn of a renamed name at the line that uses it: `stacklevel` 3 is our caller's caller."""
    says = new if isinstance(new, str) else " and ".join(new)
    warnings.warn(f"{old} is now {says}; the old name goes with the next minor version", DeprecationWarning, stacklevel)


def in_new_names(given: Mapping[str, Any], names: NewNames, stacklevel: int = 4) -> dict[str, Any]:
    """Keyword arguments under their new names."""
    found = {name: value for name, value in given.items() if name not in names}
    for old, new in names.items():
        if old in given:
            warn(old, new, stacklevel)
            for name in (new,) if isinstance(new, str) else new:
                if name in found:
                    raise TypeError(f"{old} and {name} were both given; {old} is the old name of {name}")
                found[name] = given[old]
    return found


def renamed(**names: str | tuple[str, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function accept keyword arguments under their old names too: `@renamed(old="new")`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if names.keys() & kwargs.keys():
                return function(*args, **in_new_names(kwargs, names))
            return function(*args, **kwargs)

        return call

    return decorate
