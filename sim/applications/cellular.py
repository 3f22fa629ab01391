"""A cellular network by feedback, as on the board of 1996: it fills the holes of digits, step by step.

Published (paper 6): that cellular networks ran on the board. Recalled (R): cells with neighbours, templates for the feedback of
their states and for the input, holes filled from a frame inwards (Chua and Yang, 1988), in discrete time (Harrer and Nossek,
1992). Assumed (A): these templates, which need no bias, and 48 steps, more than any digit here takes. The program is
programs/cellular.asm. What is right comes from a flood of the ground from the frame, without any template.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.base.integers import checked_integer
from anna.chip.machines import Machine
from anna.sequencer.rules import verified
from lenet.datasets.digits import holdout
from sim.applications.application import CHIPS, MACHINE, Conditions, Watch, silent
from sim.applications.by_hand import BLACK, WHITE, by_hand, found_black, in_bands
from sim.applications.pixels import Images, PixelArm, Pixels
from sim.applications.pixels_plot import grid
from sim.comparison.arms import Kind

SIDE, STEPS_A_TURN, TURNS = 32, 2, 24  # pixels of an image; of the program's outermost loop
OWN, NEIGHBOUR, PIXEL = 2, 1, 5  # the templates: a cell's own state, each of four neighbours' and its pixel
INKED = 128  # the least grey level of black
AFTER = (3, 5, 8)  # turns after which the figure shows the states
DRAWN = (0, 6, 8, 9)  # digits in the figure, each with the largest hole of its class


def digits(count: int) -> tuple[Images, NDArray[np.generic]]:
    """Built-in digits in black and white, on a white ground of 32 x 32, and their labels."""
    found = holdout()
    if count > len(found):
        raise DataError(f"{count} images requested, but {len(found)} digits are built in")
    edge = (SIDE - found.images.shape[1]) // 2
    return np.pad(found.images[:count] >= INKED, ((0, 0), (edge, edge), (edge, edge))), found.labels[:count]


def beginning(black: Images) -> Images:
    """The first states: black but for a frame."""
    states = np.zeros_like(black)
    states[:, 1:-1, 1:-1] = True
    return states


def stepped(states: Images, black: Images) -> Images:
    """The states after a step, in floats."""
    values, pixels = np.where(states, 1.0, -1.0), np.where(black, 1.0, -1.0)
    around = np.pad(values, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    neighbours = around[:, :-2, 1:-1] + around[:, 2:, 1:-1] + around[:, 1:-1, :-2] + around[:, 1:-1, 2:]
    found: Images = OWN * values + NEIGHBOUR * neighbours + PIXEL * pixels > 0
    return found


def flooded(black: Images) -> Images:
    """What no white path joins to the frame."""
    ground = np.zeros_like(black)
    ground[:, [0, -1]] = ground[:, :, [0, -1]] = True
    while True:
        wider = ground.copy()
        wider[:, 1:] |= ground[:, :-1]
        wider[:, :-1] |= ground[:, 1:]
        wider[:, :, 1:] |= ground[:, :, :-1]
        wider[:, :, :-1] |= ground[:, :, 1:]
        wider &= ~black
        if (wider == ground).all():
            return ~ground
        ground = wider


def codes(black: Images) -> NDArray[np.uint8]:
    """State codes of the images and of the first states with a white band above and below, as the program reads them."""
    first = np.pad(beginning(black), ((0, 0), (4, 4), (0, 0)))
    return in_bands(np.where(np.concatenate([black, first], axis=1), BLACK, WHITE).astype(np.uint8))


def cellular(
    count: int = 500,
    *,
    chips: int = CHIPS,
    analog: str | Analog | Sequence[Kind] = "typical",
    chip_seed: int = 0,
    noise_seed: int = 0,
    machine: str | Machine = MACHINE,
    threads: int | None = None,
    watch: Watch = silent,
) -> Pixels:
    """The holes of so many digits filled, in floats, on the ideal chip and on drawn chips."""
    asked = Conditions(chips, analog, chip_seed, noise_seed, machine, threads)
    black, labels = digits(checked_integer("count", count, 2))
    right, program = flooded(black), by_hand("cellular", asked.on)
    in_floats = beginning(black)
    for _ in range(TURNS * STEPS_A_TURN):
        in_floats = stepped(in_floats, black)
    floats = PixelArm.of("float", in_floats[None], right)
    arms = [PixelArm.of("as they came", black[None], right), floats]
    holes = (right ^ black).sum(axis=(1, 2))
    drawn = [int(np.argmax(np.where(labels == digit, holes, -1))) for digit in DRAWN]
    shown, last = [("digit", black[drawn])], None
    for name, some in asked.arms():
        watch(f"run {name}")
        found = found_black(asked, program, some, codes(black))
        arms.append(PixelArm.of(name, found, right, floats))
        last = (name, some[0], found[0, drawn])
    assert last is not None
    for turns in AFTER:
        short = by_hand("cellular", asked.on, turns)
        (states,) = found_black(asked, short, [last[1]], codes(black[drawn]))
        shown.append((f"after {turns * STEPS_A_TURN} steps", states))
    shown.append((f"after {TURNS * STEPS_A_TURN}, {last[0].removesuffix('s')}", last[2]))
    times = asked.times(verified(program).cycles_per_image)
    return Pixels("cellular", count, (SIDE, SIDE), tuple(arms), times,
                  lambda: grid(shown, right[drawn], [len(shown) - 1]))  # fmt: skip
