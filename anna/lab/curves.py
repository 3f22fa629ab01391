"""All measurements of one chip, as a table and as figures.

python -m anna.lab.curves --chip-seed 7 --analog typical -o FOLDER
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from anna.analog.parameters import Analog
from anna.base.errors import AnnaError
from anna.chip import codes
from anna.chip.machines import MACHINES
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.characterise import (
    Converters,
    DacLevels,
    Droop,
    EffectiveBits,
    converters,
    dac_levels,
    droop,
    effective_bits,
    measurable_scales,
)
from anna.lab.noise_parts import NoiseLaw, noise_law
from anna.lab.pins import Resolution
from anna.machine.chip import Chip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FINE = Resolution(steps=160, repeats=64)
WAITS_CYCLES = (0, 20_000, 50_000, 100_000, 200_000, 400_000)


@dataclass(frozen=True, eq=False)
class Findings:
    """All measurements of one chip."""

    chip: Chip
    spec: ChipSpec
    converters: Converters
    scales: tuple[Converters, ...]  # at some other scale codes
    dacs: tuple[DacLevels, ...]
    noise: NoiseLaw
    droop: Droop
    bits: tuple[EffectiveBits, ...]


def examine(chip: Chip, threads: int | None = None, *, spec: ChipSpec = ANNA_1991) -> Findings:
    """Measure everything."""
    return Findings(
        chip=chip,
        spec=spec,
        converters=converters(chip, spec=spec, resolution=FINE, threads=threads),
        scales=tuple(
            converters(chip, code, spec=spec, resolution=FINE, threads=threads) for code in measurable_scales(spec, FINE)[1::2]
        ),
        dacs=tuple(dac_levels(chip, dac, spec=spec, threads=threads) for dac in range(spec.dacs)),
        noise=noise_law(chip, spec=spec, threads=threads),
        droop=droop(chip, WAITS_CYCLES, spec=spec),
        bits=tuple(effective_bits(chip, fan_in, spec=spec, threads=threads) for fan_in in spec.fan_ins),
    )


def table(found: Findings) -> str:
    """The findings as Markdown tables."""
    fits, inl, dnl = (getattr(found.converters, name) for name in ("gains_and_offsets", "inl_lsb", "dnl_lsb"))
    lines = ["| ADC | gain | offset, LSB | noise, LSB rms | INL, LSB | DNL, LSB |", "|---|---|---|---|---|---|"]
    for k, noise in enumerate(found.converters.noise_lsb.tolist()):
        worst_inl, worst_dnl = (float(part[k][np.abs(part[k]).argmax()]) for part in (inl, dnl))
        lines.append(f"| {k} | {fits[k, 0]:.3f} | {fits[k, 1]:+.3f} | {noise:.3f} | {worst_inl:+.2f} | {worst_dnl:+.2f} |")
    lines += ["", "| weight DAC | INL, weight LSB | DNL, weight LSB |", "|---|---|---|"]
    lines += [f"| {d.dac} | {np.abs(d.inl_lsb).max():.2f} | {np.abs(d.dnl_lsb).max():.2f} |" for d in found.dacs]
    law, (wire, converter) = found.noise, found.noise.parts
    lines += [
        "",
        f"Noise: {wire:.1f} weight LSB x state LSB of 64 synapses on the wire, {converter:.2f} LSB of the converter.",
        "",
    ]
    lines += [
        "| synapses | LSB of the ADC | noise, weight LSB x state LSB rms | that law | noise, LSB rms |",
        "|---|---|---|---|---|",
    ]
    measured = zip(law.synapses, law.lsb_products, law.noise_products, law.fitted_products, law.noise_lsb, strict=True)
    lines += [f"| {n} | {lsb:.0f} | {noise:.1f} | {fit:.1f} | {share:.2f} |" for n, lsb, noise, fit, share in measured]
    lines += ["", "| inputs | effective bits | error, LSB rms | analog error, LSB rms |", "|---|---|---|---|"]
    lines += [f"| {b.fan_in} | {b.bits:.2f} | {b.error_lsb:.3f} | {b.analog_error_lsb:.3f} |" for b in found.bits]
    return "\n".join(lines) + "\n"


def bits_table(analog: Analog, chips: int, spec: ChipSpec = ANNA_1991) -> str:
    """Effective bits of dot products over many chips, as a Markdown table."""
    lines = ["| inputs | effective bits, mean | lowest | highest | analog error, LSB rms |", "|---|---|---|---|---|"]
    for fan_in in spec.fan_ins:
        found = [effective_bits(Chip(seed=seed, analog=analog), fan_in, spec=spec) for seed in range(chips)]
        bits, errors = [one.bits for one in found], [one.analog_error_lsb for one in found]
        mean, error = math.fsum(bits) / chips, math.fsum(errors) / chips
        lines.append(f"| {fan_in} | {mean:.2f} | {min(bits):.2f} | {max(bits):.2f} | {error:.3f} |")
    return "\n".join(lines) + "\n"


# --- figures ---------------------------------------------------------------------------------------------------------
def _figure(title: str, x: str, y: str) -> "tuple[Figure, Any]":
    from anna.base.drawn_figure import DrawnFigure

    figure = DrawnFigure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    return figure, axes


def transfer(found: Findings) -> "Figure":
    """Mean code over the sum."""
    figure, axes = _figure("Transfer curves of the eight ADCs", "sum [ADC LSB]", "mean code")
    for k, sweep in enumerate(found.converters.sweeps):
        axes.plot(sweep.steps_lsb, sweep.reached.sum(axis=1) / sweep.repeats, lw=1, label=f"ADC {k}")
    ideal = codes.unit_thresholds(found.spec)
    edges = np.concatenate([[-5.0], ideal, [5.0]])
    axes.stairs(np.arange(len(ideal) + 1), edges, color="black", lw=0.8, baseline=None, label="ideal")
    axes.legend(fontsize=7)
    return figure


def linearity(found: Findings) -> "Figure":
    """INL and DNL of the ADCs."""
    figure, axes = _figure("Linearity of the ADCs: INL (lines), DNL (dots)", "threshold", "error [ADC LSB]")
    where = np.arange(1, found.converters.inl_lsb.shape[1] + 1)
    for inl, dnl in zip(found.converters.inl_lsb, found.converters.dnl_lsb, strict=True):
        (drawn,) = axes.plot(where, inl, lw=1)
        axes.plot(where[:-1] + 0.5, dnl, ".", color=drawn.get_color())
    axes.axhline(0, color="black", lw=0.8)
    return figure


def noise_histogram(found: Findings) -> "Figure":
    """Spread of the thresholds, all of all ADCs: the derivative of "code reached"."""
    figure, axes = _figure("Noise at the ADC, every threshold about its mean", "noise [ADC LSB]", "density")
    at, weight = [], []
    for sweep in found.converters.sweeps:
        share = np.diff(sweep.reached / sweep.repeats, axis=0)
        middle = (sweep.steps_lsb[:-1] + sweep.steps_lsb[1:]) / 2
        for k, threshold in enumerate(sweep.thresholds_lsb):
            at.append(middle - threshold)
            weight.append(share[:, k])
    axes.hist(np.concatenate(at), bins=24, range=(-1.5, 1.5), weights=np.concatenate(weight), density=True)
    sigma = float(found.converters.noise_lsb.mean())
    x = np.linspace(-1.5, 1.5, 300)
    axes.plot(x, np.exp(-0.5 * (x / sigma) ** 2) / sigma / math.sqrt(2 * math.pi), label=f"Gaussian, {sigma:.3f} LSB rms")
    axes.legend()
    return figure


def noise_parts(found: Findings) -> "Figure":
    """Noise against synapses and range, with the law that fits."""
    figure, axes = _figure("Noise of a sum", "synapses that carry a weight", "noise [weight LSB x state LSB]")
    law = found.noise
    finest = law.lsb_products == law.lsb_products.min()
    for lsb in np.unique(law.lsb_products):
        one = law.lsb_products == lsb
        axes.loglog(law.synapses[one], law.noise_products[one], "o", label=f"measured, an ADC LSB of {lsb:.0f}")
    axes.loglog(law.synapses[finest], law.fitted_products[finest], lw=1, color="black", label="wire and converter")
    axes.loglog(law.synapses[finest], law.parts[0] * np.sqrt(law.synapses[finest] / 64), "--", lw=1, label="wire alone")
    axes.legend(fontsize=7)
    return figure


def gains(found: Findings) -> "Figure":
    """Gain of each ADC at several scale codes."""
    figure, axes = _figure("Gain per neuron slot and scale code", "ADC", "gain")
    for one in (found.converters, *found.scales):
        axes.plot(one.gains_and_offsets[:, 0], "o-", lw=0.5, ms=3, label=f"scale {one.scale_code}")
    axes.axhline(1, color="black", lw=0.8)
    axes.legend(fontsize=7, ncol=2)
    return figure


def dac_linearity(found: Findings) -> "Figure":
    """INL of the weight DACs."""
    figure, axes = _figure("Integral non-linearity of the weight DACs", "weight [LSB]", "INL [weight LSB]")
    for one in found.dacs:
        axes.plot(one.ideal_lsb, one.inl_lsb, lw=1, label=f"DAC {one.dac}")
    axes.axhline(0, color="black", lw=0.8)
    axes.legend()
    return figure


def droop_curve(found: Findings) -> "Figure":
    """Gain after the refresh stops."""
    figure, axes = _figure("Droop after the refresh was stopped", "mean age of the charges [cycles]", "gain against the first")
    ages = found.droop.age_cycles
    axes.plot(ages, found.droop.gain, "o", label="measured")
    lost, period = found.chip.analog.charge_lost, found.chip.analog.charge_lost_after_us * 1e-6 * found.spec.clock_hz
    x = np.linspace(ages[0], ages[-1], 200)
    axes.plot(x, (1 - lost) ** ((x - ages[0]) / period), label=f"the median die: {lost:.0%} in {period:,.0f} cycles")
    axes.legend()
    return figure


PLOTS = {
    "transfer": transfer, "linearity": linearity, "noise": noise_histogram, "noise-parts": noise_parts, "gains": gains,
    "dac": dac_linearity, "droop": droop_curve,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a drawn chip."""
    parser = argparse.ArgumentParser(prog="python -m anna.lab.curves", description="Characterise a drawn chip.")
    parser.add_argument("--chip-seed", type=int, default=7, help="which chip is drawn (default 7)")
    parser.add_argument("--analog", default="typical", help="the chip's electronics, a preset by name (default typical)")
    parser.add_argument("--machine", choices=MACHINES, default="sequencer", help="whose chip (default sequencer)")
    parser.add_argument("--chips", type=int, help="measure only the effective bits, of chips 0 to CHIPS - 1")
    parser.add_argument("-o", "--output", type=Path, help="folder for the figures")
    given = parser.parse_args(arguments)
    spec = MACHINES[given.machine].chip
    try:
        if given.chips:
            print(bits_table(Analog.preset(given.analog), given.chips, spec), end="")
            return 0
        chip = Chip(seed=given.chip_seed, analog=Analog.preset(given.analog))
        found = examine(chip, spec=spec)
    except AnnaError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(found), end="")
    if given.output:
        given.output.mkdir(parents=True, exist_ok=True)
        for name, draw in PLOTS.items():
            draw(found).savefig(given.output / f"{name}.png", dpi=90, metadata={"Software": None})
        chip.die(spec).plot().savefig(given.output / "die.png", dpi=90, metadata={"Software": None})
    return 0


if __name__ == "__main__":
    sys.exit(main())
