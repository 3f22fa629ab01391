"""LeNet-5 as chips grow worse: error over noise, mismatch, weight bits and state bits, each with a band over chips.

    python benchmarks/robustness.py FOLDER [--images 1000] [--chips 8] [--workers 2]

Three ways: ordinary weights, the same compiled against typical chips, and weights trained for the chip. Each curve is a sweep
in the folder; after an interruption the same command goes on. It prints a table and writes robustness.svg, where bands
reach from the best chip to the worst.
"""

import argparse
from pathlib import Path
from typing import Any

from anna.base.container import write_beside
from sim.report.colours import COLOURS
from sim.report.figure import svg_file, themed
from sim.sweep.run import run_sweep
from sim.sweep.spec import make_spec
from sim.sweep.store import Store
from sim.sweep.summary import Summary, read

# A panel: title, axis, its values, how a value is shown.
PANELS: tuple[tuple[str, str, tuple[float, ...], float], ...] = (
    ("noise, LSB rms", "scaled.noise", (0.0, 1.0, 2.0, 3.0, 4.0), 0.25),  # typical: about 0.25 LSB in the median neuron
    ("mismatch of synapses, %", "analog.synapse_gain_mismatch", (0.0, 0.01, 0.02, 0.03, 0.04, 0.05), 100.0),
    ("bits of a weight", "chip.weight_bits", (3, 4, 5, 6, 7, 8), 1.0),
    ("bits of a state", "chip.state_bits", (1, 2, 3, 4, 5, 6), 1.0),
)
# A way: its name, the weights, options of the compiler.
WAYS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("ordinary", "lenet5-mnist-seed1-distorted", {}),
    ("compiled against typical chips", "lenet5-mnist-seed1-distorted", {"compile.against": "typical"}),
    ("trained for the chip", "lenet5-mnist-seed1-distorted-chip", {"compile.round": "nearest"}),
)


def curve(folder: Path, axis: str, values: tuple[float, ...], way: int, given: argparse.Namespace) -> dict[float, Summary]:
    """One curve, from its sweep."""
    name, network, options = WAYS[way]
    home = folder / f"{axis}-{way}"
    axes: dict[str, Any] = {axis: list(values), **{option: [value] for option, value in options.items()}}
    content = {
        "name": "robustness",
        "network": network,
        "images": given.images,
        "chips": given.chips,
        "seed": 300,
        "axes": axes,
    }
    run_sweep(make_spec(content), home, workers=given.workers)
    with Store(home) as store:
        found = read(store)
    for refusal in found.refusals:
        print(f"{name}, {axis} {refusal.values[axis]}: {refusal.sentence}")
    return {point.values[axis]: point for point in found.points}


def main() -> None:
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for option, default in (("--images", 1000), ("--chips", 8), ("--workers", 2)):
        parser.add_argument(option, type=int, default=default)
    given = parser.parse_args()
    with themed(8.4, 6.0, columns=2, rows=2) as (figure, grid):
        for (title, axis, values, unit), axes in zip(PANELS, grid.reshape(-1), strict=True):
            for way, (name, _, _) in enumerate(WAYS):
                points = curve(given.folder, axis, values, way, given)
                shown = [value for value in values if value in points]
                errors = [[100 * error for error in points[value].errors] for value in shown]
                at = [unit * value for value in shown]
                low, high = [min(one) for one in errors], [max(one) for one in errors]
                axes.fill_between(at, low, high, color=COLOURS[way], alpha=0.15, linewidth=0)
                means = [100 * points[value].error for value in shown]
                axes.plot(at, means, "o-", color=COLOURS[way], markersize=3, label=name)
                for value, one in zip(shown, errors, strict=True):
                    mean = 100 * points[value].error
                    print(f"{title:24s} {unit * value:5.2f}  {name:32s} {mean:6.2f} %  {min(one):6.2f} to {max(one):6.2f}")
            axes.set_xlabel(title)
            axes.set_ylabel("error, %")
            axes.set_yscale("log", subs=(2.0, 5.0))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}")
        grid[0, 0].legend()
    write_beside(given.folder / "robustness.svg", svg_file(figure).encode())


if __name__ == "__main__":
    main()
