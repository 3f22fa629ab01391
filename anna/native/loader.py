"""Find a compiled module, beside its sources or in the installed package, or say in one sentence how to build it."""

from importlib import import_module
from types import ModuleType

from anna.base.errors import BuildError, MachineError
from anna.native.borrowed import borrow
from anna.native.fields import interface

HOW = (
    "run `pip install .` in the project's folder, or, to work in the source tree, "
    "`meson setup build && meson compile -C build inplace`"
)


def check_module(module: ModuleType) -> None:
    """Raise if the extension was built from other sources."""
    found = getattr(module, "INTERFACE", None)
    if found != interface():
        raise BuildError(f"the compiled engine has interface {found}, these sources need {interface()}: {HOW}")


def compiled(name: str) -> ModuleType:
    """A compiled module by its full name."""
    module = imported(name, "the compiled engine")
    check_module(module)
    return module


def imported(name: str, what: str) -> ModuleType:
    """A compiled module by its full name, imported; what it is, for the sentence where it cannot be."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = str(error)
    why = borrow()
    try:
        return import_module(name)
    except ImportError:
        raise BuildError(f"{what} is not built ({why or missing}): {HOW}") from None


def native() -> ModuleType:
    """The interface to C."""
    return compiled("anna.native._native")


def simd_levels() -> tuple[str, ...]:
    """Names of the SIMD levels of this machine, best first; the last one is always `plain`."""
    names: tuple[str, ...] = native().levels()
    return names


def choose_level(name: str | None) -> str:
    """The level asked for, or the best one."""
    present = simd_levels()
    if name is None:
        return present[0]
    if name not in present:
        raise MachineError(f"SIMD level {name!r} is not available on this machine; expected one of {', '.join(present)}")
    return name
