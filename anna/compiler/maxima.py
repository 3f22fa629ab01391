"""Where maxima are taken if nobody says: on the chip, or on the host where that errs clearly less on drawn chips.

A maximum on the chip meets noise in each of its steps, which no ideal chip shows. So a network with maxima is compiled both
ways, and the programs are judged by the calibration images on dies of the usual electronics.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError
from anna.compiler.calibrate import evenly
from anna.compiler.check import check
from anna.compiler.ir import Lowered
from anna.compiler.judging import IDEAL, Judge
from anna.compiler.options import CompileOptions
from anna.compiler.passes import Compilation, run
from anna.network.graph import Network, Pool

AGAINST = "typical"
CLEARLY = 0.005  # by which share of classes, or of the outputs' variance, the host has to err less
MOST_JUDGED = 200  # images
MOST_MULTIPLY_ADDS = 2_000_000  # an image, of a network that is judged


def compiled(network: Network, images: NDArray[np.generic] | None, options: CompileOptions) -> Compilation:
    """The network compiled with its maxima where they err least."""
    if options.host != "auto" or options.maxima != "auto":
        return run(network, images, options)
    lowered = check(network, options)
    if not maxima_of(lowered):
        return run(network, images, options)
    to_host = options.changed(maxima="host")
    if sum(layer.multiply_adds for layer in lowered.layers) > MOST_MULTIPLY_ADDS:
        try:
            return _saying(run(network, images, to_host), f"maxima on the host, unjudged: more than {MOST_MULTIPLY_ADDS:,} "
                           "multiply-adds take long to judge on drawn chips (option maxima)")  # fmt: skip
        except CompileError:  # it would leave nothing for the chip
            return run(network, images, options)
    on_chip = run(network, images, options)
    try:
        on_host = run(network, images, to_host)
    except CompileError:
        return on_chip
    seen = on_chip.calibration.images
    judge = Judge.of(network, seen[evenly(len(seen), min(len(seen), MOST_JUDGED))],
                     AGAINST if options.against == IDEAL else options.against)  # fmt: skip
    chip, host = judge(on_chip.program), judge(on_host.program)
    better = host.mean + CLEARLY < chip.mean
    said = (
        f"maxima on the {'host' if better else 'chip'}, judged by calibration images: {(host if better else chip).text}; with "
        f"them on the {'chip' if better else 'host'} {100 * (chip if better else host).mean:.1f} %"
    )
    return _saying(on_host if better else on_chip, said)


def maxima_of(lowered: Lowered) -> set[str]:
    """The layers that take a maximum on the chip."""
    pools = {member.prefix + step.layer.name for member in lowered.members for step in member.graph.steps
             if isinstance(step.layer, Pool) and step.layer.mode == "max"}  # fmt: skip
    return pools & {layer.origin for layer in lowered.layers}


def _saying(done: Compilation, judged: str) -> Compilation:
    """With a sentence of the report on what was judged."""
    report: dict[str, Any] = {**(done.program.report or {}), "judged": judged}
    program = replace(done.program, report=report)
    return replace(done, program=program, timeline=replace(done.timeline, program=program))
