"""Your own network in PyTorch, computed as the chip computes it: converted, trained in your own loop, compiled.

Only this room and the training of lenet need PyTorch. Names are loaded when first used, so that `import anna.torch` is quick.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anna.torch.module import ChipModule as ChipModule
    from anna.torch.module import convert as convert

_HOMES = {"ChipModule": "anna.torch.module", "convert": "anna.torch.module"}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anna.torch' has no attribute {name!r}")
    if find_spec("torch") is None:
        raise ModuleNotFoundError(
            "anna.torch needs PyTorch, which is not installed: pip install 'anna-chip[torch]'", name="torch"
        )
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
