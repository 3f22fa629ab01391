"""Argument types: how the text of an argument is parsed, and what the Tab key offers for it.

`argparse` calls a type with the text. What a type offers is looked up only when needed, so a command loads no more than it
uses.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

ANY = ""  # a suffix that every file has


@dataclass(frozen=True)
class Kind:
    """A type of argument."""

    metavar: str
    read: Callable[[str], Any] = str
    words: Callable[[], tuple[str, ...]] = tuple  # known names; one that ends in = is a prefix
    suffixes: tuple[str, ...] = ()  # of files; ANY: all files
    folders: bool = False  # as arguments; on the way to a file they are offered anyway

    def __call__(self, text: str) -> Any:
        return self.read(text)

    @property
    def offers(self) -> bool:
        """Whether there is anything to offer."""
        return bool(self.words() or self.suffixes or self.folders)

    @property
    def names(self) -> str:
        """The words, separated by commas."""
        return ", ".join(self.words())


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _per_layer(text: str) -> int | dict[str, int]:
    """A number for all layers, or one by layer."""
    if "=" not in text:
        return _number(text)
    found = {}
    for pair in text.split(","):
        name, equals, count = pair.rpartition("=")
        if not equals or not name:
            raise argparse.ArgumentTypeError(f"{pair!r} is not LAYER=N")
        found[name] = _number(count)
    return found


def _networks() -> tuple[str, ...]:
    from lenet.networks.catalogue import names

    return names


def _variants() -> tuple[str, ...]:
    from lenet.networks.catalogue import VARIANTS

    return VARIANTS


def _recipes() -> tuple[str, ...]:
    from lenet.training.recipes import RECIPES

    return tuple(RECIPES)


def _data_sets() -> tuple[str, ...]:
    from lenet.datasets.registry import DATA_SETS

    return tuple(DATA_SETS)


def _sources() -> tuple[str, ...]:
    from lenet.datasets.registry import SOURCES

    return tuple(SOURCES)


def _presets() -> tuple[str, ...]:
    from anna.analog.parameters import PRESETS

    return tuple(PRESETS)


def _machines() -> tuple[str, ...]:
    from anna.chip.machines import MACHINES

    return tuple(MACHINES)


def _published() -> tuple[str, ...]:
    from sim.published.methods_1998 import METHODS
    from sim.published.rows import ROWS

    return (*(row.name for row in ROWS), *(method.name for method in METHODS))


def _applications() -> tuple[str, ...]:
    from sim.applications.table import APPLICATIONS

    return tuple(APPLICATIONS)


def _chip_fields() -> tuple[str, ...]:
    from anna.chip.spec import ChipSpec

    return tuple(f"{name}=" for name in ChipSpec.model_fields)


def _rates() -> tuple[str, ...]:
    from sim.results.yields import RATES

    return tuple(f"{name}=" for name in RATES)


def _costs() -> tuple[str, ...]:
    from sim.sweep.costs import COSTS, ENERGY, ERROR

    return (ERROR, *COSTS, ENERGY)


def _host_words() -> tuple[str, ...]:
    from anna.compiler.options import HOST_WORDS

    return HOST_WORDS


def _passes() -> tuple[str, ...]:
    from anna.compiler import PASSES

    return PASSES


def _of_compiler(name: str) -> Callable[[], tuple[str, ...]]:
    """The words that a compiler option takes, from its type."""

    def words() -> tuple[str, ...]:
        from anna.compiler.options import CompileOptions

        return get_args(CompileOptions.model_fields[name].annotation)

    return words


def _simd_levels() -> tuple[str, ...]:
    from anna.native.loader import simd_levels

    return simd_levels()


def _source(text: str) -> str:
    """A name or a file; version 0.1 of `anna compare` took a number here."""
    if text.isdecimal() and not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text} is neither a data set nor a file; for a number of images use --count {text}")
    return text


def _data_set(text: str) -> str:
    """The name of a data set; version 0.1 of `anna compare` took named images here."""
    if text in _sources() and text not in _data_sets():
        raise argparse.ArgumentTypeError(f"{text} is not a data set but a source of images: --images {text}")
    return one_of(_data_sets())(text)


def one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """A parser that accepts only these words."""

    def read(text: str) -> str:
        if text not in words:
            raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {', '.join(map(repr, words))})")
        return text

    return read


def choice(metavar: str, *words: str) -> Kind:
    """One of a few words."""
    return Kind(metavar, one_of(words), lambda: words)


def late_choice(metavar: str, words: Callable[[], tuple[str, ...]]) -> Kind:
    """One of a few words that are looked up only when needed."""
    return Kind(metavar, lambda text: one_of(words())(text), words)


def file(*suffixes: str) -> Kind:
    """A file, such as FILE.anna."""
    return Kind(f"FILE{suffixes[0]}" if len(suffixes) == 1 else "FILE", suffixes=suffixes or (ANY,))


COUNT = Kind("N", _number)
SEED = Kind("SEED", _number)
FOLDER = Kind("DIR", folders=True)
SHARD = Kind("K/N")
NAME = Kind("NAME")
COSTS = Kind("NAME,...", lambda text: tuple(text.split(",")), _costs)
NETWORK = Kind("MODEL", words=_networks, suffixes=(".onnx", ".safetensors"))
MODEL_OR_PROGRAM = Kind("MODEL", words=_networks, suffixes=(".onnx", ".safetensors", ".anna"))
PUBLISHED = Kind("NAME", words=_published)
APPLICATION = late_choice("NAME", _applications)
OWN = Kind("MODEL|DIR", suffixes=(".onnx", ".safetensors"), folders=True)
LENET = Kind("NET", words=_networks)
VARIANT = Kind("VARIANT", words=_variants)
RECIPE = late_choice("RECIPE", _recipes)
DATA_SET = Kind("NAME", _data_set, _data_sets)
IMAGES = Kind("SOURCE", _source, _sources, suffixes=(ANY,))
CALIBRATION = Kind("SOURCE", words=_data_sets, suffixes=(ANY,))
CHIP_TRAINED = Kind("FILE.safetensors", words=lambda: ("none",), suffixes=(".safetensors",))
PRESET = Kind("PRESET", words=_presets, suffixes=(".toml",))
RATE = Kind("NAME=RATE", words=_rates)
CHIP_FIELD = Kind("FIELD=VALUE", words=_chip_fields)
SPLIT = late_choice("WHERE", _of_compiler("split"))
MAXIMA = late_choice("WHERE", _of_compiler("maxima"))
RANGE_METHOD = late_choice("METHOD", _of_compiler("range_method"))
ROUNDING = late_choice("HOW", _of_compiler("round"))
PASS = late_choice("PASS", _passes)
MACHINE = late_choice("MACHINE", _machines)
POSITIONS = Kind("N", lambda text: 1 if text == "1" else one_of(("1", "auto"))(text), lambda: ("1", "auto"))
SHARE = Kind("SHARE", _share)
PERCENT = Kind("PERCENT", _share)
TIME_US = Kind("US", _share)
PRECISION = choice("HOW", "given", "auto")
PRESET_NAME = late_choice("PRESET", _presets)
PER_LAYER = Kind("N|LAYER=N,...", _per_layer)
HOST = Kind("HOST", words=_host_words)
SIMD = Kind("LEVEL", words=_simd_levels)
CLUSTER = Kind("WHERE", words=lambda: ("local",))
