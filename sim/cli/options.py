"""Every option, once: what it is called, what it takes, what it means. Commands take theirs from here, so that an option means
the same wherever it stands; a keyword argument in Python has the option's name."""

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
    """An option; without a `kind` it takes no value and is set or not."""

    name: str
    kind: Kind | None
    help: str
    short: str | None = None
    negative: bool = False  # --name and --no-name

    def text(self) -> str:
        """What it means, with the words that it takes."""
        return self.help if self.kind is None else self.help.replace("{words}", self.kind.names)


_OPTIONS = (
    # networks and their weights
    Option("--data", values.DATA_SET, "the data set that a network was trained on: {words}"),
    Option("--weights-seed", values.SEED, "which trained weights of a LeNet"),
    Option("--variant", values.VARIANT, "other trained weights of a LeNet: {words}"),
    Option("--chip-trained", values.CHIP_TRAINED, "also weights of the network that were trained on for the chip"),
    Option("--network", values.choice("NET", "recognizer", "lenet5"), "only this network: {words}"),
    # images
    Option("--images", values.IMAGES, "images: those of a name ({words}), or of a file: .npy, .npz with the array images and "
           "perhaps labels, or IDX"),
    Option("--codes", values.file(), "state codes instead of images, from a file: .npy, .npz or IDX"),
    Option("--random", values.COUNT, "so many images of random state codes instead, from --noise-seed"),
    Option("--count", values.COUNT, "how many images: of all classes alike where labels are known, else the first"),
    Option("--image", values.COUNT, "which of the images, counted from 0"),
    Option("--folder", values.FOLDER, "the data folder"),
    # compiling
    Option("--calibration", values.CALIBRATION, "sample images that ranges are chosen by: those of a data set ({words}), or of "
           "a file: .npy, .npz or IDX"),
    Option("--calibration-count", values.COUNT, "calibration images used at most"),
    Option("--chip", values.CHIP_FIELD, "a changed field of the chip, such as weight_bits=8"),
    Option("--board", values.BOARD, "the board: {words}"),
    Option("--batch", values.COUNT, "images that share a loaded weight page"),
    Option("--host", values.HOST, "what runs on the host: {words}, or a layer"),
    Option("--split", values.SPLIT, "where sums of too many inputs are joined: {words}"),
    Option("--range-method", values.RANGE_METHOD, "how ranges are chosen: {words}"),
    Option("--fit", None, "fit gain and offset of each map to the float map", negative=True),
    Option("--round", values.ROUNDING, "how weights are rounded: {words}"),
    Option("--check-count", values.COUNT, "calibration images that the self-check interprets"),
    Option("--print-after", values.PASS, "show what a pass made: {words}"),
    # chips and runs
    Option("--analog", values.PRESET, "the chip's electronics: {words}, or a TOML file"),
    Option("--chips", values.COUNT, "drawn chips of each kind"),
    Option("--chip-seed", values.SEED, "which chip is drawn; of several, the first"),
    Option("--noise-seed", values.SEED, "which noise the chips have"),
    Option("--interpreter", None, "run on the interpreter: slow, one image at a time"),
    Option("--threads", values.COUNT, "threads that share the work"),
    Option("--simd", values.SIMD, "force a SIMD level: {words}"),
    # comparing
    Option("--trimmed", None, "also with a program for each chip that makes up for what its pins tell"),
    Option("--quantised", None, "also the codes in plain integers, without the engine"),
    Option("--ledger", values.choice("HOW", "totals", "full", "none"), "where accuracy was lost: totals on a part of images "
           "and chips, full on all and with the codes, or none"),
    # training
    Option("--train-seed", values.SEED, "of weights, order and distortions in training"),
    Option("--recipe", values.RECIPE, "how a network is trained: {words}"),
    Option("--distort", None, "add distorted copies of the digits"),
    Option("--passes", values.COUNT, "passes over the digits, instead of the recipe's"),
    Option("--validation", values.COUNT, "training digits kept aside and watched"),
    Option("--for-chip", None, "go on from these weights in the chip's codes, with its noise"),
    Option("--chip-passes", values.COUNT, "passes for the chip, instead of the recipe's"),
    # sweeps
    Option("--workers", values.COUNT, "worker processes"),
    Option("--cluster", values.CLUSTER, "run on Dask: tcp://HOST:PORT, local, or local:N processes"),
    Option("--trained", values.FOLDER, "for networks that the sweep trains; shards may share it"),
    Option("--shard", values.SHARD, "only part K of N, into a folder of its own, for anna sweep merge"),
    # measuring speed
    Option("--quick", None, "a few seconds: the recogniser, two rounds"),
    Option("--thread-counts", values.COUNT, "a number of threads to measure with"),
    Option("--no-peers", None, "leave other software out"),
    Option("--no-pin", None, "do not keep one-threaded work on one core"),
    # what comes out
    Option("--output", values.file(), "where the result goes", short="-o"),
    Option("--vcd", values.file(), "where wave forms of units, registers and results go"),
    Option("--perfetto", values.file(), "where the timeline of the units goes"),
    Option("--facts", None, "every known constant with its mark and source"),
    Option("--isa", None, "the manual page of the instruction set, in Markdown"),
    Option("--json", None, "one JSON object on standard output"),
    Option("--debug", None, "show the traceback of an error"),
)  # fmt: skip

OPTIONS: Mapping[str, Option] = MappingProxyType({option.name: option for option in _OPTIONS})

# Names of version 0.1: command, old name, new name.
RENAMED: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "compare": {"--seed": "--chip-seed and --noise-seed", "--calibrate": "--calibration", "--pictures": "--images",
                "--method": "--range-method", "--calibrated": "--trimmed", "--report": "--output"},
    "compile": {"--seed": "--weights-seed", "--calibrate": "--calibration", "--method": "--range-method"},
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
    """Give a command an option. A default that does not speak for itself `default_text` what it is; `repeatable`: it may be given
    again; a `kind` `kind` more closely which files a result goes to."""
    option = OPTIONS[name]
    names = [part for part in (option.short, option.name) if part]
    if option.kind is None:
        action: Any = argparse.BooleanOptionalAction if option.negative else "store_true"
        text = option.text() + (f" (default: {'yes' if default else 'no'})" if option.negative else "")
        parser.add_argument(*names, action=action, default=bool(default), help=text)
        return
    kind, default_text = kind or option.kind, default_text or (None if default in (None, []) else str(default))
    text = option.text() + ("; may be given again" if repeatable else "") + (f" (default: {default_text})" if default_text else "")
    parser.add_argument(*names, type=kind, metavar=kind.metavar, default=default, help=text.replace("%", "%%"),
                        action="append" if repeatable else "store")  # fmt: skip


def positional(parser: argparse.ArgumentParser, name: str, kind: Kind, text: str, *, default: Any = None, nargs: Any = None) -> None:
    """Give a command a place: what stands there without an option's name."""
    text = text.replace("{words}", kind.names) + (f" (default: {default})" if default is not None else "")
    parser.add_argument(name, type=kind, metavar=kind.metavar, nargs=nargs, default=default, help=text.replace("%", "%%"))


def expect_new_names(command: str, words: Sequence[str]) -> None:
    """Refuse an option by its old name, with the new one."""
    known = RENAMED.get(command, {})
    for word in itertools.takewhile(lambda word: word != "--", words):
        old = word.partition("=")[0]
        if old in known:
            raise UsageError(f"{old} is now {known[old]}; see anna {command} --help")
