"""The compiler: from a trained float network to a program for the chip, in passes that can each be looked at.

    check      what runs on the chip and what on the host, or every reason why it cannot
    split      sums with more inputs than a neuron has become parts and a join
    calibrate  what the float network's maps hold for sample pictures
    quantise   weights, biases and scales in codes, layer by layer, on what the chip itself feeds each layer
    place      how each layer lies in registers and rows, and on which weight page
    schedule   which instruction starts in which cycle
    emit       the program, verified
    selfcheck  the program against the plain integer arithmetic of the quantised graph

Each takes the value of the one before and makes a new one; each value has a canonical text.
"""

from typing import TYPE_CHECKING, Any

from anna.base.errors import GraphError
from anna.chip.spec import BOARD_1991
from anna.compiler.options import NAIVE, CompileOptions

if TYPE_CHECKING:
    from anna.compiler.passes import Compilation
    from anna.network.graph import Network
    from anna.program.file import Program

PASSES = ("check", "split", "calibrate", "quantise", "place", "schedule", "emit", "selfcheck")


def compile(net: "Network", calibration: Any = None, **options: Any) -> "Program":
    """The program for a network; `calibration` are pictures as the network takes them, or (pictures, labels).

    `options` are the fields of `CompileOptions`; `chip` puts another chip on the board. What cannot be compiled is refused
    with a `CompileError` that carries every reason.
    """
    return compilation(net, calibration, **options).program


def compilation(net: "Network", calibration: Any = None, **options: Any) -> "Compilation":
    """The same, with the value of every pass to look at."""
    from anna.compiler.passes import run
    from anna.network.graph import Network

    if not isinstance(net, Network):
        if isinstance(net, str):
            loaders = f"lenet.load({net!r}) or, of a file, anna.importers.load_network({net!r})"
            raise GraphError(f"{net!r} is a name, not a network; {loaders} gives one")
        raise GraphError(f"what is compiled is a network, not {type(net).__name__}")
    if "chip" in options:
        board = CompileOptions.of(board=options.get("board", BOARD_1991)).board
        options["board"] = board.changed(chip=options.pop("chip"))
    chosen = CompileOptions.of(**options)
    return run(net, calibration[0] if isinstance(calibration, tuple) else calibration, chosen)


__all__ = ["NAIVE", "PASSES", "CompileOptions", "compilation", "compile"]
