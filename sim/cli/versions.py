"""The versions of the package, the noise and each kind of file; docs/versions.md says what they promise."""

from typing import Any

import anna


def versions() -> dict[str, Any]:
    """All versions, each from the place that defines it."""
    from anna.analog import die, noise
    from anna.exporters import bundle
    from anna.lab import trim
    from anna.network import file as network
    from anna.program import file as program
    from lenet.networks import record
    from sim.sweep import store

    kinds = {"program": program, "network": network, "die": die, "trim": trim, "bundle": bundle, "training record": record,
             "sweep": store}  # fmt: skip
    formats = {kind: module.FORMAT for kind, module in kinds.items()}
    return {"anna": anna.__version__, "noise": noise.NOISE_VERSION, "formats": formats}
