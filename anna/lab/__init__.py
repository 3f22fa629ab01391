"""The lab: a chip measured through its pins, and what a trim needs of that.

Names are loaded when first used, so that `import anna.lab` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anna.lab.characterise import converters as converters
    from anna.lab.characterise import dac_levels as dac_levels
    from anna.lab.characterise import droop as droop
    from anna.lab.characterise import effective_bits as effective_bits
    from anna.lab.compressing import compression as compression
    from anna.lab.digits import DigitBits as DigitBits
    from anna.lab.digits import digit_bits as digit_bits
    from anna.lab.drifting import drift as drift
    from anna.lab.keeping import KeptTrim as KeptTrim
    from anna.lab.keeping import kept_trim as kept_trim
    from anna.lab.noise_parts import noise_law as noise_law
    from anna.lab.pins import Resolution as Resolution
    from anna.lab.places import gain_map as gain_map
    from anna.lab.trim import TrimMeter as TrimMeter
    from anna.lab.wires import coupling as coupling
    from anna.lab.wires import settling as settling

_HOMES = {
    "DigitBits": "anna.lab.digits",
    "KeptTrim": "anna.lab.keeping",
    "Resolution": "anna.lab.pins",
    "TrimMeter": "anna.lab.trim",
    "compression": "anna.lab.compressing",
    "converters": "anna.lab.characterise",
    "coupling": "anna.lab.wires",
    "dac_levels": "anna.lab.characterise",
    "digit_bits": "anna.lab.digits",
    "drift": "anna.lab.drifting",
    "droop": "anna.lab.characterise",
    "effective_bits": "anna.lab.characterise",
    "gain_map": "anna.lab.places",
    "kept_trim": "anna.lab.keeping",
    "noise_law": "anna.lab.noise_parts",
    "settling": "anna.lab.wires",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'anna.lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
