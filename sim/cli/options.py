"""Every option, defined once: name, type and meaning. An option means the same in every command, and a keyword argument in
Python has its name."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from anna.base.errors import UsageError
from sim.cli import values
from sim.cli.values import Kind


@dataclass(frozen=True)
class Option:
    """An option; one without a `kind` is a flag."""

    name: str
    kind: Kind | None
    help: str
    short: str | None = None
    negative: bool = False  # --name and --no-name

    def text(self) -> str:
        """The help text, with the words that the option takes."""
        return self.help if self.kind is None else self.help.replace("{words}", self.kind.names)


_OPTIONS = (
    # networks and their weights
    Option("--data", values.DATA_SET, "the data set a network was trained on: {words}"),
    Option("--weights-seed", values.SEED, "which of a LeNet's trained weights"),
    Option("--variant", values.VARIANT, "a variant of a LeNet's trained weights: {words}"),
    Option("--chip-trained", values.CHIP_TRAINED, "also compare weights of the network that were trained further for the chip"),
    Option("--network", values.LENET, "only this network: a LeNet by name ({words}) or by its weights"),
    Option("--own", values.OWN, "also time compiling a network of your own: an .onnx or .safetensors file, or all in a folder; "
           "sample images are those of the .npz of its name beside it, or drawn"),
    # images
    Option("--images", values.IMAGES, "images: a named source ({words}) or a file: .npy, .npz with an array images and "
           "optionally labels, or IDX"),
    Option("--codes", values.file(), "state codes instead of images, from a file: .npy, .npz or IDX"),
    Option("--random", values.COUNT, "this many images of random state codes instead, drawn from --noise-seed"),
    Option("--count", values.COUNT, "number of images: evenly from all classes if labels are known, else the first"),
    Option("--image", values.COUNT, "which image, counted from 0"),
    Option("--folder", values.FOLDER, "the data folder"),
    # compiling
    Option("--calibration", values.CALIBRATION, "sample images for choosing ranges: those of a data set ({words}) or a file: "
           ".npy, .npz or IDX"),
    Option("--calibration-count", values.COUNT, "the most calibration images to use"),
    Option("--chip", values.CHIP_FIELD, "change a field of the chip, such as weight_bits=8"),
    Option("--machine", values.MACHINE, "chip, sequencer and board: {words}"),
    Option("--batch", values.COUNT, "images that share a loaded weight page"),
    Option("--host", values.HOST, "what runs on the host: {words}, or a layer"),
    Option("--maxima", values.MAXIMA, "where maxima are taken: {words} (where they err less on drawn chips)"),
    Option("--split", values.SPLIT, "where sums of too many inputs are joined: {words}"),
    Option("--range-method", values.RANGE_METHOD, "how ranges are chosen: {words}"),
    Option("--fit", None, "fit gain and offset of each map to the float map", negative=True),
    Option("--round", values.ROUNDING, "how weights are rounded: {words}"),
    Option("--digits", values.PER_LAYER, "states that carry each value: for all maps, or by layer, such as "
           "input=3,C1=2,others=1; LAYER.steps are partial sums or the steps of a maximum"),
    Option("--overlap", None, "a finer digit spans two LSB of the coarser one, so that errors there are made good",
           negative=True),
    Option("--copies", values.PER_LAYER, "how often each map is computed, for all or by layer; readers take the mean"),
    Option("--synapses", values.PER_LAYER, "synapses that share each weight, for all layers or by layer"),
    Option("--balance", None, "carry every other pair of maps of a rectifier upside down, so that errors common to all "
           "synapses cancel",
           negative=True),
    Option("--input-clip", values.PERCENT, "percent of the calibration images' values beyond each end of an input's range"),
    Option("--precision", values.PRECISION, "digits, overlap, copies, synapses, balance, input clip: as given, or chosen for "
           "each layer ({words})"),
    Option("--within", values.PERCENT, "with --precision auto: points of changed classes, or of lost variance, at most"),
    Option("--time-budget", values.TIME_US, "with --precision auto: so many us an image on the chip at most"),
    Option("--against", values.PRESET_NAME, "the chips that choices are made for and judged on: {words}"),
    Option("--positions", values.POSITIONS, "positions of a window in one CALC: {words}"),
    Option("--max-charge-lost", values.SHARE, "share of its charge that a weight may have lost when it is read"),
    Option("--check-count", values.COUNT, "calibration images of the self-check"),
    Option("--print-after", values.PASS, "print the result of a pass: {words}"),
    # chips and runs
    Option("--analog", values.PRESET, "the chip's electronics: {words}, or a TOML file"),
    Option("--die", values.file(".die"), "a die from a file, instead of drawn chips"),
    Option("--chips", values.COUNT, "drawn chips of each kind"),
    Option("--chip-seed", values.SEED, "which chip is drawn; for several, the first one"),
    Option("--noise-seed", values.SEED, "which noise the chips get"),
    Option("--parts", values.COUNT, "parts of a chip to mend at most"),
    Option("--fewer", values.COUNT, "bits of weights and of states to take from a layer at most"),
    Option("--fault", values.RATE, "a rate of faults, drawn for each chip from its seed, such as dead_synapse_rate=0.001"),
    Option("--slot", values.COUNT, "which image of a batch decides how old charges are, counted from 0"),
    Option("--interpreter", None, "run on the interpreter: slow, one image at a time"),
    Option("--threads", values.COUNT, "threads that share the work"),
    Option("--simd", values.SIMD, "force a SIMD level: {words}"),
    Option("--joules", values.file(".toml"), "what each event costs: joules with mark and source, see examples/joules.toml"),
    # comparing
    Option("--trimmed", None, "also run each chip with its own program, which compensates what was measured at its pins"),
    Option("--limit", values.PERCENT, "errors that a good chip may make: tells the share of good chips, with its interval"),
    Option("--quantised", None, "also run the codes in plain integer arithmetic, without the engine"),
    Option("--ledger", values.choice("HOW", "totals", "full", "none"), "where accuracy was lost: totals on some of the images "
           "and chips, full on all and including the codes, or none"),
    # published numbers
    Option("--assumptions", None, "what each assumption is worth instead: replaced by its alternatives, one at a time"),
    Option("--table-1", None, "table 1 of the chip's paper run again instead: errors and rejects on drawn chips"),
    Option("--table-1998", None, "the table of 1998 run again instead: what classical methods and the LeNets misread of MNIST"),
    Option("--history", None, "what came before ANNA and after it instead, and what AlexNet would have taken on it"),
    # training
    Option("--train-seed", values.SEED, "for weights, order and distortions in training"),
    Option("--recipe", values.RECIPE, "how a network is trained: {words}"),
    Option("--distort", None, "add distorted copies of the digits"),
    Option("--passes", values.COUNT, "passes over the digits, instead of the recipe's"),
    Option("--validation", values.COUNT, "training digits held out to watch progress"),
    Option("--for-chip", None, "continue from these weights in the chip's codes, with its noise"),
    Option("--chip-passes", values.COUNT, "passes for the chip, instead of the recipe's"),
    # sweeps
    Option("--workers", values.COUNT, "worker processes"),
    Option("--cluster", values.CLUSTER, "run on Dask: tcp://HOST:PORT, local, or local:N processes"),
    Option("--trained", values.FOLDER, "where networks that the sweep trains are kept; shards may share it"),
    Option("--shard", values.SHARD, "only part K of N, into its own folder, for anna sweep merge"),
    Option("--over", values.COSTS, "what a front is of: error and costs ({words}), the first cost on the figure's axis"),
    Option("--each", values.NAME, "an axis that is not chosen, such as scaled.noise: a front for each of its values"),
    Option("--smallest", values.COSTS, "by which costs the smallest chip as good as the best is found: {words}"),
    Option("--margin", values.PERCENT, "how many points of error more than the best a chip that is as good may make"),
    # measuring speed
    Option("--quick", None, "take a few seconds: only the recogniser, two rounds"),
    Option("--measure", values.choice("WHAT", "runs", "compile", "compare", "sweep", "dies", "own"), "what to time: {words}"),
    Option("--thread-counts", values.COUNT, "a number of threads to time"),
    Option("--no-peers", None, "leave out other software"),
    Option("--crosssim", values.FOLDER, "also run CrossSim, whose sources lie in this folder"),
    Option("--no-pin", None, "do not pin one-threaded work to a core"),
    # what comes out
    Option("--output", values.file(), "where the result goes", short="-o"),
    Option("--vcd", values.file(), "where waveforms of units, registers and results go"),
    Option("--rtl", values.FOLDER, "write the chip in SystemVerilog instead of an ONNX model, with a program for it and "
           "a bench for Verilator, to this folder"),
    Option("--perfetto", values.file(), "where the timeline of the units goes"),
    Option("--facts", None, "list every known constant with its mark and source"),
    Option("--isa", None, "print the manual of the instruction set, in Markdown"),
    Option("--json", None, "print one JSON object on standard output"),
    Option("--debug", None, "show the traceback of an error"),
)  # fmt: skip

OPTIONS: Mapping[str, Option] = MappingProxyType({option.name: option for option in _OPTIONS})

# Names of version 0.1: command, old name, new name. They are refused with the new name.
RENAMED: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "compare": {"--seed": "--chip-seed and --noise-seed", "--calibrate": "--calibration", "--pictures": "--images",
                "--method": "--range-method", "--calibrated": "--trimmed", "--report": "--output",
                "--board": "--machine"},
    "compile": {"--seed": "--weights-seed", "--calibrate": "--calibration", "--method": "--range-method",
                "--board": "--machine"},
    "sweep": {"--jobs": "--workers"},
    "trace": {"--picture": "--image"},
    "train": {"--seed": "--train-seed", "--digits": "--count"},
    "bench": {"--threads": "--thread-counts"},
})  # fmt: skip


def add(
    parser: argparse.ArgumentParser,
    name: str,
    *,
    default: Any = None,
    default_text: str | None = None,
    repeatable: bool = False,
    kind: Kind | None = None,
) -> None:
    """Adds an option to a command. `default_text` describes a default that is not a plain value; a `repeatable` option may
    be given several times; `kind` narrows which files a result goes to."""
    option = OPTIONS[name]
    names = [part for part in (option.short, option.name) if part]
    if option.kind is None:
        action: Any = argparse.BooleanOptionalAction if option.negative else "store_true"
        text = option.text() + (f" (default: {'yes' if default else 'no'})" if option.negative else "")
        parser.add_argument(*names, action=action, default=bool(default), help=text)
        return
    kind, default_text = kind or option.kind, default_text or (None if default in (None, []) else str(default))
    text = option.text() + ("; repeatable" if repeatable else "") + (f" (default: {default_text})" if default_text else "")
    parser.add_argument(*names, type=kind, metavar=kind.metavar, default=default, help=text.replace("%", "%%"),
                        action="append" if repeatable else "store")  # fmt: skip


def positional(
    parser: argparse.ArgumentParser, name: str, kind: Kind, text: str, *, default: Any = None, nargs: Any = None
) -> None:
    """Adds a positional argument to a command."""
    text = text.replace("{words}", kind.names) + (f" (default: {default})" if default is not None else "")
    parser.add_argument(name, type=kind, metavar=kind.metavar, nargs=nargs, default=default, help=text.replace("%", "%%"))


def expect_new_names(command: str, words: Sequence[str]) -> None:
    """Refuses the old name of an option with its new one."""
    known = RENAMED.get(command, {})
    for word in itertools.takewhile(lambda word: word != "--", words):
        old = word.partition("=")[0]
        if old in known:
            raise UsageError(f"{old} is now {known[old]}; see anna {command} --help")
