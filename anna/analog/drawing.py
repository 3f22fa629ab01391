"""A figure of a die: one square for each synapse, coloured by the error of its weight."""

from typing import TYPE_CHECKING

import numpy as np

from anna.chip import codes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from anna.analog.die import Die


def die_figure(die: "Die", weight_code: int = -1, age_cycles: int = 0) -> "Figure":
    """Error of the weight that every synapse shows for one code, in weight LSB."""
    from matplotlib.figure import Figure

    code = weight_code % (1 << die.spec.weight_bits)
    ideal = float(codes.weight_converter(die.spec).values(code))
    errors = die.weights_lsb(code, age_cycles) - ideal
    largest = max(float(np.abs(errors).max()), 1e-9)
    figure = Figure(figsize=(7.5, 6), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(errors, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    figure.colorbar(shown, ax=axes, label="error of the weight [weight LSB]")
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    name = "a die that was not drawn" if die.seed is None else f"die {die.seed}"
    axes.set_title(f"{name}, {die.spec.synapses} synapses, weight {ideal:g} LSB, {age_cycles} cycles after its refresh")
    return figure
