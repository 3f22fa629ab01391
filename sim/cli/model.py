"""Arguments that several commands share: a network, how it is compiled, what it is calibrated with."""

import argparse
import os
from pathlib import Path
from typing import Any, get_origin

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError, SpecError
from anna.chip.spec import BOARDS, BoardSpec, ChipSpec
from anna.network.graph import Network
from anna.network.images import float_images
from sim.inputs.files import read_images


def add_compile_options(parser: argparse.ArgumentParser) -> None:
    """How a network is compiled."""
    parser.add_argument("--chip", action="append", default=[], metavar="FIELD=VALUE",
                        help="a changed field of the chip, such as weight_bits=8; may be given again")  # fmt: skip
    parser.add_argument("--board", default="anna-board-1991", metavar="BOARD", help=f"one of {', '.join(BOARDS)}")
    parser.add_argument("--batch", type=int, default=1, help="pictures that share a loaded weight page (default 1)")
    parser.add_argument("--host", default="auto", metavar="HOST",
                        help="what runs on the host: auto, last, none, or a layer (default auto)")  # fmt: skip
    parser.add_argument("--split", choices=("chip", "host", "off"), default="chip", help="sums of too many inputs")
    parser.add_argument("--method", choices=("least-squares", "percentile", "max"), default="least-squares",
                        help="how ranges are chosen")  # fmt: skip


def compile_options(given: argparse.Namespace) -> dict[str, Any]:
    """What was given, as fields of `CompileOptions`."""
    return {"board": board(given), "batch": given.batch, "host": given.host, "split": given.split, "range_method": given.method}


def board(given: argparse.Namespace) -> BoardSpec:
    """The board with the changed chip."""
    if given.board not in BOARDS:
        raise SpecError(f"board {given.board!r} is not known; expected one of {', '.join(BOARDS)}")
    fields: dict[str, Any] = {}
    for pair in given.chip:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SpecError(f"--chip {pair}: expected FIELD=VALUE, such as weight_bits=8")
        several = name in ChipSpec.model_fields and get_origin(ChipSpec.model_fields[name].annotation) is tuple
        fields[name] = None if value == "none" else tuple(value.split(",")) if several else value
    found = BOARDS[given.board]
    return found.changed(chip=found.chip.changed(**fields))


def calibration_pictures(network: Network, file: str | None, instead: str) -> NDArray[Any]:
    """Images for calibration: of a file, or those that belong to the network's data; `instead` says what can be done
    where these are not here."""
    if file is not None:
        pictures = read_images(Path(file), floats=True)
        if network.prepare is not None:
            return pictures
        return np.ascontiguousarray(float_images(network.input_shape, pictures, f"{file}: pictures"), np.float32)
    import lenet
    from lenet.datasets.registry import DATA_SETS

    if network.data not in DATA_SETS:
        raise DataError(f"network {network.name} needs sample pictures: --calibrate FILE (.npy, .npz or IDX)")
    if DATA_SETS[network.data].built_in is None and not os.environ.get("ANNA_DATA"):
        raise DataError(
            f"{network.name} with weights for {network.data} is calibrated with its digits, which are not built in: set "
            f"ANNA_DATA to the folder that holds {network.data}, or {instead}"
        )
    return np.asarray(lenet.calibration(network.data)[0])
