"""The details on a page: two arms class by class, the units' timeline, one image's maps, one chip's synapses."""

from anna.analog.die import Die
from anna.chip import codes
from anna.machine.chip import Chip
from anna.network.graph import Network
from anna.program.file import Program
from anna.sequencer.rules import verified
from lenet.datasets.labelled import LabelledImages
from sim.comparison.arms import Arm
from sim.comparison.counting import confusion
from sim.comparison.layers import float_maps, layer_maps
from sim.comparison.rows import CloseUp, Confusion, Maps


def close_up(
    network: Network, program: Program, digits: LabelledImages, arms: tuple[Arm, Arm], classes: int, noise_seed: int
) -> CloseUp:
    """Two arms class by class; the first image on the second arm's first chip, or on the ideal chip if none is drawn."""
    drawn = arms[1] if arms[1].seeds else None
    chip = Chip() if drawn is None else Chip(seed=drawn.seeds[0], analog=drawn.analog)
    first = digits.images[:1]
    return CloseUp(
        confusions=tuple(Confusion(arm.name, confusion(arm, digits.labels, classes)) for arm in arms),
        timeline=verified(program) if program.report else None,
        label=int(digits.labels[0]),
        maps=tuple(layer_maps(float_maps(network, program, first), program, first, chip, noise_seed)),
        weight_errors_lsb=None if drawn is None else _weight_errors_lsb(chip.die(program.spec)),
    )


def _weight_errors_lsb(die: Die) -> Maps:
    """The error of each synapse of a drawn chip when given the largest weight."""
    top = (1 << die.spec.weight_bits) - 1
    return die.weights_lsb(top) - codes.weight_converter(die.spec).values(top)
