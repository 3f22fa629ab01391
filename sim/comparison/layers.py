"""Layer by layer: the chip's maps beside the float network's, and their signal-to-noise ratio."""

from collections.abc import Mapping
from typing import Any

from anna.machine.chip import Chip
from anna.network.forward import forward
from anna.network.graph import Network
from anna.program.file import Program
from lenet.datasets.labelled import LabelledImages
from sim.comparison.rows import LayerMaps, Maps


def float_maps(network: Network, program: Program, images: Maps) -> Mapping[str, Maps]:
    """The float network's maps of every layer that the program names, too."""
    names = {f"{'' if member is network else member.name + '.'}{step.layer.name}" for member in network.members
             for step in member.steps}  # fmt: skip
    both = [name for name in [*_taps(program), *(region.name for region in program.outputs)] if name in names]
    kept = forward(network, images, keep=tuple(both)).outputs
    return {name: kept[name] for name in both}


def layer_maps(floats: Mapping[str, Maps], program: Program, images: Maps, chip: Chip, noise_seed: int = 0) -> list[LayerMaps]:
    """The float network's maps, each beside the chip's."""
    result = chip.run(program, images, taps=_taps(program), noise_seed=noise_seed)
    chip_maps = {**result.map_values, **result.outputs}
    return [LayerMaps(name, own, chip_maps[name]) for name, own in floats.items() if own.shape == chip_maps[name].shape]


def _taps(program: Program) -> list[str]:
    return [region.name for region in program.regions if region.kind == "map"]


def layer_rows(network: Network, program: Program, digits: LabelledImages, chips: dict[str, Chip], noise_seed: int = 0,
               most: int = 200) -> list[dict[str, Any]]:  # fmt: skip
    """Signal-to-noise ratio of each layer against float, one column per chip."""
    images = digits.first(min(most, len(digits))).images
    floats = float_maps(network, program, images)
    rows: dict[str, dict[str, Any]] = {}
    for title, chip in chips.items():
        for layer in layer_maps(floats, program, images, chip, noise_seed):
            rows.setdefault(layer.name, {"layer": layer.name})[title] = round(layer.snr_db, 2)
    return list(rows.values())
