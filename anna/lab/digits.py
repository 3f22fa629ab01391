"""Effective bits of a sum in digits and copies, measured at the pins of a chip.

A layer of random weights is compiled, its states are read where they leave the chip and put together by what they are worth,
and the result is compared with the sum that the program's own codes stand for. Nothing is fitted: noise, mismatch and offsets
all count as error.

    python -m anna.lab.digits -o FOLDER        tables of drawn chips, and a figure
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import AnnaError, SpecError
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.machines import MACHINES
from anna.chip.spec import ANNA_1991
from anna.compiler import compilation, integer
from anna.compiler.ladder import Ladder, ladder
from anna.compiler.quantise import bias_numerators
from anna.lab.pins import random_words
from anna.machine.chip import Chip
from anna.network.graph import FullConnection, Graph
from anna.program.file import Codes, Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUM = "sum"
CALIBRATION_IMAGES = 200
DRAWN = ("typical-all-wire", "typical-all-converter", "typical", "worst")
COPIES = (1, 4, 16)
KINDS = ((1, True), (2, False), (2, True), (3, False), (3, True))  # digits, overlap
Measured = Mapping[tuple[int, bool], Sequence[float]]


@dataclass(frozen=True)
class DigitBits:
    """How far the values that leave a chip in digits are from the sums that the codes stand for."""

    digits: int
    overlap: bool
    copies: int
    samples: int  # sums inside the range of the coarsest digit
    error_lsb: float  # rms, in LSB of the coarsest digit
    range_products: float  # that range, mean over the sums, in weight LSB x state LSB
    bits: float  # of an ideal converter of that range with that error


@dataclass(frozen=True, eq=False)
class Bench:
    """A layer of random weights in digits and copies, the states that it is given, and its exact sums."""

    program: Program
    states: Codes  # (images, inputs, 1, 1)
    exact_no: Floats  # in LSB of the coarsest digit
    worth_od: Floats  # of each digit, in the same
    lsb_products_o: Floats  # that LSB, in weight LSB x state LSB
    copies: int

    def values(self, found: NDArray[Any]) -> Floats:
        """What the states that leave the chip stand for, (images, o)."""
        outputs, digits = self.worth_od.shape
        levels = codes.state_converter(self.program.spec).values(found.reshape(len(found), digits, outputs))
        value: Floats = (levels * self.worth_od.T).sum(axis=1)
        return value

    def errors(self, chip: Chip, noise_seed: int, threads: int | None) -> Floats:
        """Of the mean of each sum's copies, for the sums inside the range of the coarsest digit."""
        result = chip.run_codes(self.program, self.states, noise_seed=noise_seed, threads=threads)
        n, maps = len(self.states), self.exact_no.shape[1] // self.copies
        exact, found = (part.reshape(n, maps, self.copies) for part in (self.exact_no, self.values(result.codes[SUM])))
        within = (np.abs(exact) < 1 << (self.program.spec.state_bits - 1)).all(axis=2)
        inside: Floats = (found - exact).mean(axis=2)[within]
        return inside


def digit_bits(
    chip: Chip,
    digits: int = 1,
    *,
    overlap: bool = True,
    copies: int = 1,
    machine: str = "sequencer",
    fan_in: int = 40,
    maps: int = 16,
    images: int = 256,
    weights_seed: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
) -> DigitBits:
    """Measure the sums of so many maps, each of `fan_in` random states with random weights of all codes but the lowest."""
    bench = _bench(digits, overlap, copies, machine, fan_in, maps, images, weights_seed)
    errors = bench.errors(chip, noise_seed, threads)
    rms = math.sqrt(math.fsum((errors * errors).tolist()) / errors.size)
    bits = bench.program.spec.state_bits
    full = float(bench.lsb_products_o.mean()) * (1 << bits)
    return DigitBits(digits, overlap, copies, errors.size, rms, full, bits - math.log2(rms * math.sqrt(12)))


@lru_cache(maxsize=32)
def _bench(
    digits: int, overlap: bool, copies: int, machine: str, fan_in: int, maps: int, images: int, weights_seed: int
) -> Bench:
    spec = MACHINES[machine].chip
    most = (1 << (spec.weight_bits - 1)) - 1
    weights = random_words(weights_seed, maps * fan_in, 3).reshape(maps, fan_in) % (2 * most + 1) - most
    states = random_words(weights_seed, (CALIBRATION_IMAGES + images) * fan_in, 4) % (1 << spec.state_bits)
    states = states.reshape(-1, fan_in, 1, 1)
    graph = Graph("bench", (fan_in, 1, 1), (FullConnection(SUM, weights.astype(np.float32)),))
    seen = codes.state_converter(spec).values(states[:CALIBRATION_IMAGES]).astype(np.float32)
    done = compilation(graph, seen, machine=machine, host="none", digits={SUM: digits}, copies={SUM: copies}, overlap=overlap)
    if [region.name for region in done.program.outputs] != [SUM]:
        raise SpecError(f"a sum of {fan_in} inputs in {digits} digits is split on the machine {machine}; choose fewer inputs")
    quant, given = done.quantised.layers[0], states[CALIBRATION_IMAGES:].astype(np.uint16)
    halves = integer.sums(quant.layer, spec, given, quant.border_i, quant.weights_ot)[:, :, 0, 0]
    halves = halves + bias_numerators(spec, quant.constants_oc)
    steps: Ladder = ladder(spec, digits, overlap)
    worth = np.array([steps.worth_lsb(code) for code in quant.scale_codes_o.tolist()])
    lsb = codes.full_scales(spec)[quant.scale_codes_o] / (1 << spec.state_bits)
    return Bench(done.program, given, halves / 2.0 / lsb, worth, lsb, copies)


# --- tables and a figure ---------------------------------------------------------------------------------------------
def measured(analog: str, chips: int, copies: int = 1) -> Measured:
    """Effective bits of every kind of value, on chips 0 to chips - 1 of a preset."""
    drawn = [Chip(seed=seed, analog=Analog.preset(analog)) for seed in range(chips)]
    return {kind: [digit_bits(chip, kind[0], overlap=kind[1], copies=copies).bits for chip in drawn] for kind in KINDS}


def _ratio(overlap: bool) -> int:
    return 1 << (ANNA_1991.state_bits - overlap)


def table(rows: Mapping[tuple[str, int], Measured]) -> str:
    """Mean and lowest by preset and copies, as a Markdown table."""
    heads = [f"{digits} digits, ratio {_ratio(overlap)}" if digits > 1 else "1 digit" for digits, overlap in KINDS]
    lines = [f"| chips | copies | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for (name, copies), found in rows.items():
        cells = [f"{math.fsum(bits) / len(bits):.2f}, {min(bits):.2f}" for bits in found.values()]
        lines.append(f"| {name} | {copies} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(rows: Mapping[tuple[str, int], Measured]) -> "Figure":
    """Mean effective bits over digits, a panel for each ratio: a colour for each preset, a line for each number of copies."""
    from anna.base.drawn_figure import DrawnFigure

    drawn = DrawnFigure(figsize=(8.4, 4.2), layout="constrained")
    names, copies = (list(dict.fromkeys(key[k] for key in rows)) for k in (0, 1))
    for overlap, axes in zip((True, False), drawn.subplots(1, 2, sharey=True), strict=True):
        axes.set_title(f"A ratio of {_ratio(overlap)} between digits")
        axes.set_xlabel("digits")
        axes.set_xticks([1, 2, 3])
        axes.grid(alpha=0.3)
        for (name, n), found in rows.items():
            bits = [found[kind] for kind in ((1, True), (2, overlap), (3, overlap))]
            colour, line = f"C{names.index(name)}", ("-", "--", ":")[copies.index(n) % 3]
            label = f"{name}, {n} copies" if n > 1 else name
            axes.plot([1, 2, 3], [math.fsum(one) / len(one) for one in bits], line, marker="o", ms=3, lw=1, color=colour,
                      label=label)  # fmt: skip
    drawn.axes[0].set_ylabel("effective bits of a sum")
    drawn.axes[0].legend(fontsize=6)
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure drawn chips."""
    parser = argparse.ArgumentParser(
        prog="python -m anna.lab.digits", description="Effective bits of sums in digits and copies."
    )
    parser.add_argument("--chips", type=int, default=8, help="chips drawn of each preset (default 8)")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figure")
    given = parser.parse_args(arguments)
    try:
        rows = {("ideal", 1): measured("ideal", 1)}
        rows |= {(name, copies): measured(name, given.chips, copies) for name in DRAWN for copies in COPIES}
    except AnnaError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(rows), end="")
    if given.output:
        given.output.mkdir(parents=True, exist_ok=True)
        shown = {key: found for key, found in rows.items() if key[0] in ("ideal", *DRAWN[:2])}
        figure(shown).savefig(given.output / "digits.png", dpi=90, metadata={"Software": None})
    return 0


if __name__ == "__main__":
    sys.exit(main())
