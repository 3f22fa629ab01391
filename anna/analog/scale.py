"""The scale factor: each neuron slot has a circuit of 16 steps that fits its wire's current to the ADC.

    interface   factors (ADCs, scale codes) on the range of the ADC
    ideal       ones
    real        each step of each circuit errs by itself

Assumed (A): there are as many scale circuits as ADCs, not one for each neuron of a program, so two neurons that use the
same ADC and scale code share its error.
"""

from anna.analog.draws import Draws, Part
from anna.analog.parameters import Analog
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


def drawn_factors(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """The steps of one die."""
    return 1.0 + analog.scale_mismatch * draws.normals(Part.SCALE_STEP, spec.neurons_at_once, 1 << spec.scale_bits)
