"""Programs of applications that are written by hand, and how an image lies in their memory.

A word is four states, so an image lies in bands of four rows: band by band, in a band column by column, in a column its four
rows. The array of an image is then (bands, columns, 4).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip.machines import Machine
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.program.text import assemble
from sim.applications.application import Conditions

PROGRAMS = Path(__file__).parent / "programs"
BAND = 4  # rows
WHITE, BLACK, LEAST_BLACK = 0, 7, 4  # state codes


def by_hand(name: str, machine: Machine, turns: int | None = None) -> Program:
    """A program of the folder on a machine's chip, under its sequencer; its outermost loop in other turns if asked."""
    text = (PROGRAMS / f"{name}.asm").read_text(encoding="utf-8")
    if turns is not None:
        head, _, rest = text.partition("\nREPEAT ")
        text = f"{head}\nREPEAT {turns} {rest.partition(' ')[2]}"
    return replace(assemble(text, f"{name}.asm"), spec=machine.chip, sequencer=machine.sequencer)


def in_bands(images_nyx: NDArray[Any]) -> NDArray[Any]:
    """Images of rows and columns as (images, bands, columns, 4)."""
    count, rows, columns = images_nyx.shape
    return images_nyx.reshape(count, rows // BAND, BAND, columns).swapaxes(2, 3)


def in_rows(bands_nbxr: NDArray[Any]) -> NDArray[Any]:
    """The way back."""
    count, bands, columns, _ = bands_nbxr.shape
    return bands_nbxr.swapaxes(2, 3).reshape(count, bands * BAND, columns)


def found_black(asked: Conditions, program: Program, chips: Sequence[Chip], codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Where each chip's first output is black, for images in state codes (chips, images, rows, columns)."""
    return np.stack([in_rows(one) >= LEAST_BLACK for one in asked.codes(program, chips, codes)])
