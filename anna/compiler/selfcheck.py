"""Pass 9, selfcheck: the emitted program on the ideal chip against the plain integer arithmetic of the quantised graph.

The arithmetic here works on maps, in 64-bit whole numbers, and knows nothing of registers, rows or cycles. The program is
walked, as for every run, and its data follows the timeline.
"""

from collections.abc import Mapping

import numpy as np

from anna.base.errors import CompileError
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import integer
from anna.compiler.calibrate import Calibration
from anna.compiler.columns import constant_numerators
from anna.compiler.hosting import round_of
from anna.compiler.integer import States
from anna.compiler.ir import INPUT, HostStage
from anna.compiler.quantised import QuantGraph, QuantLayer
from anna.program.file import Program
from anna.sequencer.ideal import ideal_states
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline


def selfcheck(
    program: Program, graph: QuantGraph, calibration: Calibration, images: int, timeline: Timeline | None = None
) -> int:
    """The number of images that agree; raises CompileError at the first difference. A timeline of the program saves walking
    it again."""
    values, timeline = calibration.input_values, timeline or verified(program)
    count = min(images, len(values))
    chosen = np.arange(count) * len(values) // max(count, 1)
    states = graph.input_meaning.codes_of(graph.spec, values[chosen])
    expected = evaluate(graph, states) if count else {}
    for k in range(count):
        found = ideal_states(timeline, states[k], {name: part[k] for name, part in expected.items()})
        for name, part in found.items():
            wrong = np.argwhere(part != expected[name][k])
            if len(wrong):
                m, y, x = (int(i) for i in wrong[0])
                raise CompileError([
                    f"internal error: map {m} row {y} column {x} of {name} is {int(part[m, y, x])} in the compiled program "
                    f"but {int(expected[name][k, m, y, x])} in the quantised graph ({len(wrong)} states differ)"
                ])  # fmt: skip
    return count


def evaluate(graph: QuantGraph, states: States) -> dict[str, States]:
    """State codes of every map stack for images given as state codes (images, maps, rows, columns)."""
    found: dict[str, States] = {}
    by_name = {quant.layer.name: quant for quant in graph.layers}
    for member in graph.lowered.members:
        found[INPUT] = states
        for layer in member.steps:
            if isinstance(layer, HostStage):
                found |= round_of(layer, graph.lowered.stacks, graph.meaning_of).codes(graph.spec, found)
                continue
            quant = by_name[layer.name]
            made = layer_codes(quant, graph.spec, found)
            if layer.stack not in found:
                found[layer.stack] = np.zeros((len(made), layer.stack_maps, *made.shape[2:]), made.dtype)
            found[layer.stack][:, quant.maps] = made
    return found


def layer_codes(quant: QuantLayer, spec: ChipSpec, stacks: Mapping[str, States]) -> States:
    """One layer, window tap by window tap."""
    layer, numerators = quant.layer, codes.state_converter(spec).numerators
    states = stacks[layer.source][:, list(layer.places)]
    inputs = numerators[integer.padded(layer, states, quant.border_i)]
    maps, rows, columns = layer.output_shape
    down, right = layer.stride
    weights = quant.weights_ot.reshape(layer.mask_oiyx.shape)
    bias = (quant.constants_oc * constant_numerators(spec, quant.constants_oc.shape[1])).sum(axis=1)
    sums: integer.Ints = np.broadcast_to(bias[None, :, None, None], (len(states), maps, rows, columns)).astype(np.int64)
    for _, i, y, x in np.argwhere(layer.mask_oiyx.any(axis=0, keepdims=True)).tolist():
        seen = inputs[:, i, y : y + down * (rows - 1) + 1 : down, x : x + right * (columns - 1) + 1 : right]
        sums = sums + (weights[:, i, y, x] * layer.mask_oiyx[:, i, y, x])[None, :, None, None] * seen[:, None]
    own = quant.unit_states_ouyx.shape[1]
    if own:
        sums = sums + (numerators[quant.unit_states_ouyx] * quant.unit_weights_ou[:, :own, None, None]).sum(axis=1)
    for unit, weight_o in zip(quant.units[own:], quant.unit_weights_ou[:, own:].T, strict=True):
        read = stacks[unit.stack][:, list(unit.maps)]
        sums = sums + numerators[read] * weight_o[:, None, None]
    units = sums << spec.weight_fraction_bits
    limits = codes.thresholds(spec, quant.scale_codes_o)
    out = np.empty(units.shape, dtype=np.uint16)
    for o in range(maps):
        out[:, o] = np.searchsorted(limits[o], units[:, o], side="right")
    return out
