"""The data plane: runs a workload over many images side by side, in C without the GIL.

`Engine(workload)` proves bounds, chooses a kernel and packs the operands once; `Engine.run` takes codes and returns codes,
the same bits for every SIMD level, kernel, thread count, number of lanes and order of images.
"""

from anna.engine.core import Engine, run
from anna.native.loader import native, simd_levels

__all__ = ["Engine", "is_checked", "run", "simd_levels"]


def is_checked() -> bool:
    """Whether the extension was built with bounds checks and assertions (`-Dchecked=true`)."""
    return bool(native().CHECKED)
