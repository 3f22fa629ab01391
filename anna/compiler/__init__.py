"""The compiler: from a trained float network to a program for the chip, in passes that can each be inspected.

    check      what runs on the chip and what on the host, or every reason why the network cannot run
    digits     how many states carry each value, and how many copies there are of it
    split      sums with more inputs than a neuron has become chains of parts
    calibrate  what the float network's maps hold for the calibration images
    quantise   weights, biases and scales in codes, layer by layer, given what the chip itself feeds each layer
    place      how each layer lies in registers and rows, and on which weight page
    schedule   which instruction starts in which cycle
    refresh    the batch, and RFSH where charges would not last until they are read
    emit       the program, verified
    selfcheck  the program against the plain integer arithmetic of the quantised graph

Each takes the value of the one before and makes a new one; each value has a canonical text.
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from anna.base.errors import DataError, GraphError, SpecError
from anna.base.renamed import renamed
from anna.chip.machines import DEFAULT, Machine
from anna.chip.spec import ChipSpec
from anna.compiler.options import NAIVE, RENAMED, CompileOptions, Maxima, Positions, Precision, RangeMethod, Rounding, Split

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from anna.compiler.passes import Compilation
    from anna.network.graph import Network
    from anna.program.file import Program

PASSES = ("check", "digits", "split", "calibrate", "quantise", "place", "schedule", "refresh", "emit", "selfcheck")


@renamed(net="network", **RENAMED)
def compile(
    network: "Network | Any",
    calibration: "ArrayLike | tuple[ArrayLike, ArrayLike] | None" = None,
    *,
    chip: ChipSpec | None = None,
    machine: str | Machine = DEFAULT,
    batch: int | None = None,
    host: str = "auto",
    split: Split = "chip",
    maxima: Maxima = "auto",
    range_method: RangeMethod = "least-squares",
    fit: bool = True,
    round: Rounding = "calibrated",
    digits: int | dict[str, int] = 1,
    overlap: bool = True,
    copies: int | dict[str, int] = 1,
    synapses: int | dict[str, int] = 1,
    balance: bool = False,
    input_clip: float = 0.0,
    precision: Precision = "given",
    within: float | None = None,
    time_budget: float | None = None,
    against: str | None = None,
    positions: Positions = "auto",
    max_charge_lost: float = 0.01,
    calibration_count: int = 500,
    check_count: int = 1,
) -> "Program":
    """The program for a network; raises CompileError with every reason why the network cannot be compiled, and warns where
    the states lose much of what the float network knows.

    network            a graph, or a PyTorch module or Keras model, which its own library exports inside (docs/import.md)
    calibration        sample images as the network takes them, or (images, labels); ranges are chosen by them
    chip               another chip in the machine (default: the machine's own)
    machine            what it runs on, by name ("sequencer", "board-1991", "board-1996", "wide") or as a record
    batch              images that share a loaded weight page; None: one, or if there is a single page as many as its charges
                       allow
    host               what the host runs: "last" (the last layer with weights and all after it), "auto" (the same, and maxima
                       where they err less there), "none", or a layer's name; but for "none", also what the chip cannot
    split              sums with more inputs than a neuron has: in parts on the "chip", from there on the "host", or "off"
    maxima             where maxima are taken: on the "chip", on the "host", or "auto": with host "auto" where they err less on
                       drawn chips, else on the chip
    range_method       how the range of each map is chosen from the calibration images
    fit                fit gain and offset of each map to the float map
    round              round weights so that sums on the calibration images come out right ("calibrated"), or to "nearest"
    digits             states that carry each value: for all maps, or by layer, {"input": 2, "C1": 2, "others": 1};
                       "LAYER.steps" are a layer's partial sums, or the steps of its maximum
    overlap            whether a finer digit spans two LSB of the coarser one, so that errors there are made good, or one
    copies             how often each map is computed, on other synapses and converters; readers take the mean
    synapses           synapses that share each weight of a layer, so that it has more than the weights' bits
    balance            carry every other pair of maps of a rectifier upside down, so that errors common to all synapses
                       cancel where maps are silent
    input_clip         percent of the calibration images' values beyond each end of the range of an input's states
    precision          "auto" chooses the six above for each layer, as few and small as they may be, ...
    within             so that no more than so many percent of the classes change (of other networks: of the outputs'
                       variance is lost), on calibration images kept apart, and/or
    time_budget        so that an image takes no more than so many us on the chip
    against            the chips, by their preset, that choices are made for and judged on: "ideal", "typical", "worst", ...; if
                       it is not given, choices are made for the ideal chip, and precision "auto" judges on typical ones
    positions          positions of a window in one CALC: 1 as in 1991, or as many as pay ("auto")
    max_charge_lost    share of its charge that a weight may have lost when it is read: the batch is kept short, or weights
                       are refreshed, accordingly; a wide chip refreshes by itself
    calibration_count  calibration images used at most
    check_count        calibration images of the self-check
    """
    done = compilation(network, calibration, chip=chip, machine=machine, batch=batch, host=host, split=split, maxima=maxima,
                       range_method=range_method, fit=fit, round=round, digits=digits, overlap=overlap, copies=copies,
                       synapses=synapses, balance=balance, input_clip=input_clip, precision=precision, within=within,
                       time_budget=time_budget, against=against, positions=positions, max_charge_lost=max_charge_lost,
                       calibration_count=calibration_count, check_count=check_count)  # fmt: skip
    if done.warning is not None:
        warnings.warn(done.warning, stacklevel=3)
    return done.program


@renamed(net="network", **RENAMED)
def compilation(
    network: "Network | Any",
    calibration: "ArrayLike | tuple[ArrayLike, ArrayLike] | None" = None,
    *,
    chip: ChipSpec | None = None,
    precision: Precision = "given",
    within: float | None = None,
    time_budget: float | None = None,
    against: str | None = None,
    **options: Any,
) -> "Compilation":
    """Compile with the same options as `compile`, and keep the value of every pass."""
    from anna.compiler.maxima import compiled as compiled_either_way
    from anna.importers.modules import import_network, library_of
    from anna.network.graph import Network

    if library_of(network) is not None:
        network = import_network(network, calibration)
    if not isinstance(network, Network):
        if isinstance(network, str):
            loaders = f"load it with lenet.load({network!r}) or, from a file, anna.load_network({network!r})"
            raise GraphError(f"{network!r} is a name, not a network; {loaders}")
        raise GraphError(f"expected a network to compile, got {type(network).__name__}")
    chosen = CompileOptions.of(**options, **({} if against is None else {"against": against}))
    if chip is not None:
        chosen = chosen.changed(machine=chosen.machine.with_chip(chip))
    images = _images_of(calibration)
    if precision == "auto":
        from anna.compiler.precision import compiled
        from anna.compiler.rungs import PrecisionOptions

        judged = {} if against is None else {"against": against}
        return compiled(network, images, chosen, PrecisionOptions.of(within=within, time_budget=time_budget, **judged))
    if precision != "given":
        raise SpecError(f"compile options: precision: {precision!r}; expected 'given' or 'auto'")
    if within is not None or time_budget is not None:
        raise SpecError("compile options: within and time_budget are aims of precision='auto'; give it, or leave them out")
    return compiled_either_way(network, images, chosen)


def _images_of(calibration: Any) -> Any:
    """The images of a pair (images, labels); anything else is taken for images."""
    from anna.importers.modules import as_array

    if not isinstance(calibration, tuple):
        return as_array(calibration)
    if len(calibration) != 2 or len(np.shape(calibration[1])) != 1 or len(calibration[0]) != len(calibration[1]):
        raise DataError("calibration is a tuple, but not of images and as many labels; expected (images, labels), or images")
    return as_array(calibration[0])


__all__ = ["NAIVE", "PASSES", "CompileOptions", "compilation", "compile"]
