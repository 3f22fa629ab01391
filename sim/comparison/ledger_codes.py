"""What the codes cost on chips without imperfections: rounding of input, weights and states, and saturation.

Each cause is isolated by compiling the network for a chip that is fine in all other respects (alone), or coarse in all
other respects (without). A fine chip has 12-bit weights, 10-bit states and an ADC that follows the squash. No chip has an
input finer than its states, so the rounding of the input is measured with the float network on rounded images.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip.codes import state_converter
from anna.chip.machines import Machine
from anna.compiler import compilation
from anna.machine.chip import Chip
from anna.network.forward import forward
from anna.network.graph import Graph, Network, Prepare
from anna.program.file import Program
from lenet.datasets.labelled import LabelledImages
from sim.comparison.ledger_table import Entry

FINE: dict[str, Any] = {"weight_bits": 12, "state_bits": 10, "adc_curve": "squash"}
CAUSES = {"weight_rounding": "weight_bits", "state_rounding": "state_bits", "saturation": "adc_curve"}

Watch = Callable[[str], None]


def codes_ledger(
    network: Network,
    program: Program,
    calibration: NDArray[Any],
    digits: LabelledImages,
    options: Mapping[str, Any],
    watch: Watch | None = None,
) -> list[Entry]:
    """The ledger entries of the codes, for a program compiled with these options (including `machine`)."""
    say = watch or (lambda _: None)
    machine = options["machine"]
    assert isinstance(machine, Machine)

    def error_on(**chip: Any) -> float:
        changed = machine.with_chip(machine.chip.changed(**chip))
        made = compilation(network, calibration, **{**options, "machine": changed, "check_count": 0}).program
        labels = Chip().run(made, digits.images).labels
        return 100 * int((labels != digits.labels).sum()) / len(digits)

    coarse = {field: getattr(machine.chip, field) for field in CAUSES.values()}
    say("ledger: fine chip")
    best, coarse_error = error_on(**FINE), error_on()
    entries = []
    for cause, field in CAUSES.items():
        say(f"ledger: {cause}")
        alone = error_on(**{**FINE, field: coarse[field]}) - best
        without = coarse_error - error_on(**{field: FINE[field]})
        entries.append(Entry(cause, "all", alone, without))
    rounded = _rounded_input(network, program, digits)
    if rounded is not None:
        entries.append(Entry("input_rounding", "input", rounded, None))
    return entries


def _rounded_input(network: Network, program: Program, digits: LabelledImages) -> float | None:
    """Points of error that the float network adds when its images are rounded to the chip's states."""
    if not isinstance(network, Graph) or not isinstance(network.layers[0], Prepare) or program.host is None:
        return None
    shape = network.steps[0].output_shape
    codes = program.host.input_codes(program.spec, shape, digits.images)
    levels = state_converter(program.spec).values(codes)
    gain, offset = (part[:, None, None] for part in (program.host.input_gain_m, program.host.input_offset_m))
    rest = Graph(network.name, shape, network.layers[1:], network.data)
    rounded = forward(rest, (levels * gain + offset).astype(np.float32)).labels
    exact = forward(network, digits.images).labels
    return 100 * (int((rounded != digits.labels).sum()) - int((exact != digits.labels).sum())) / len(digits)
