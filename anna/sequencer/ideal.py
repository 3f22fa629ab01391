"""An image's states on the ideal chip, straight from a timeline: where a program is to run once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes
from anna.native.loader import compiled
from anna.sequencer.timeline import Timeline


def ideal_states(
    timeline: Timeline, image: NDArray[Any], written: Mapping[str, NDArray[Any]] | None = None
) -> dict[str, NDArray[np.int32]]:
    """State codes of every region that can be read, for an image given as state codes; `written` are those that the host
    writes in rounds, by region."""
    spec, program, of, values = timeline.spec, timeline.program, timeline.columns, timeline.values
    found = np.zeros(values.total(len(of)), np.int32)
    found[: values.inputs] = image.reshape(-1)
    for exchange in timeline.exchanges:
        for name, places in exchange.writes.items():
            found[places] = (written or {})[name]
    found[values.given : values.reset] = program.constant_codes
    found[values.reset] = spec.reset_state_code
    thresholds = codes.thresholds(spec, range(1 << spec.scale_bits))
    half_bits = spec.weight_fraction_bits - 1  # numerators are half LSBs
    weights = codes.weight_converter(spec).numerators[program.weight_codes].astype(np.int32).reshape(-1)
    numerators = codes.state_converter(spec).numerators.astype(np.int32)
    compiled("anna.sequencer.flow").flow(
        of.values, of.fan_in, of.neurons, of.first_place(spec), weights, program.scale_codes.astype(np.int64).reshape(-1),
        thresholds, numerators, spec.columns, spec.groups, half_bits, values.fixed, values.neurons, found,
    )  # fmt: skip
    return {name: found[held] for name, held in timeline.outputs.items()}
