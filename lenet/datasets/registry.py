"""The registry of data sets, one record each: contents, files and their sources, reader, and built-in images.

To add a data set, add its record here and its reader beside this file; loaders, training, sweeps and commands follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from anna.base.errors import DataError
from lenet.datasets.labelled import Pair
from lenet.datasets.mnist import read_built_in, read_mnist
from lenet.datasets.usps import read_usps, read_zip_text

CALIBRATION_PER_CLASS = 50


@dataclass(frozen=True)
class DataFile:
    """A file of a data set, identified by the SHA-256 of its unpacked bytes, or by its images in any order."""

    name: str
    sha256: str = ""
    content: str = ""  # `content_digest` of what `read` returns, if the bytes differ between copies
    read: Callable[[Path], Pair] | None = None
    needs: str = ""  # the package needed to read it
    on_mirrors: bool = True


@dataclass(frozen=True)
class BuiltIn:
    """Training images that ship with the package, classes taking turns. No weights are ever trained on them."""

    count: int
    read: Callable[[], Pair]
    results: str  # name of those for results: all but the calibration images


@dataclass(frozen=True)
class DataSet:
    """A data set as published. Its calibration images are the first 50 per class, built in or else from the training part."""

    name: str
    citation: str
    shape: tuple[int, int]  # rows and columns of an image
    digit: int  # rows and columns of the box a digit fills
    middle: int  # rows and columns of the centre that a network without a border reads
    parts: Mapping[str, int]  # number of images in each part, "train" and "test"
    read: Callable[[Path, str], Pair]  # reads a part from the folder with the files
    files: tuple[DataFile, ...]
    mirrors: tuple[str, ...]  # URLs to which a file's name is appended
    built_in: BuiltIn | None = None

    def scaled(self, digit: int) -> tuple[int, int] | None:
        """The image size at which digits fill this many rows and columns; None if they already do."""
        return None if digit == self.digit else (self._times(self.shape[0], digit), self._times(self.shape[1], digit))

    def _times(self, side: int, digit: int) -> int:
        return round(side * digit / self.digit)

    @property
    def results(self) -> str:
        """The default source of images for results."""
        return self.name if self.built_in is None else self.built_in.results


@dataclass(frozen=True)
class Source:
    """Images for results, under the name that commands and sweeps use: a test part, or built-in images."""

    name: str
    title: str
    data: DataSet
    built_in: bool = False


MNIST = DataSet(
    name="mnist",
    citation="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998: used in paper 8",
    shape=(28, 28),  # P, paper 8
    digit=20,  # P, paper 8
    middle=24,  # A
    parts=MappingProxyType({"train": 60_000, "test": 10_000}),
    read=read_mnist,
    files=(
        DataFile("train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        DataFile("train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        DataFile("t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        DataFile("t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    built_in=BuiltIn(5_000, read_built_in, results="holdout"),
)

USPS = DataSet(
    name="usps",
    citation="Y. LeCun et al., Backpropagation applied to handwritten zip code recognition, Neural Computation, 1989: paper 7",
    shape=(16, 16),  # P, paper 7
    digit=16,  # P, paper 7
    middle=16,
    parts=MappingProxyType({"train": 7_291, "test": 2_007}),
    read=read_usps,
    files=(
        DataFile(
            "zip.train.gz", content="c3c6960b90da53d7a2dc6edf7b5532927c811f299b4243f2082f8f41e1aff844", read=read_zip_text
        ),
        DataFile("zip.test.gz", content="07008def38962ef5f40e1f4af72365ef6a7372e676af5b871a874f2b2d87aa5a", read=read_zip_text),
        DataFile("usps.h5", "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36", needs="h5py", on_mirrors=False),
    ),
    mirrors=("https://hastie.su.domains/ElemStatLearn/datasets/",),
)

DATA_SETS: Mapping[str, DataSet] = MappingProxyType({one.name: one for one in (MNIST, USPS)})
DEFAULT = MNIST  # for a network that does not say what it was trained on


def _sources(data_sets: Mapping[str, DataSet]) -> dict[str, Source]:
    found = dict[str, Source]()
    for one in data_sets.values():
        if one.built_in is not None:
            found[one.built_in.results] = Source(one.built_in.results, "built-in hold-out", one, built_in=True)
        found[one.name] = Source(one.name, f"{one.name} test", one)
    return found


SOURCES: Mapping[str, Source] = MappingProxyType(_sources(DATA_SETS))


def data_set(name: str) -> DataSet:
    """The data set with this name; a DataError lists the known ones."""
    if name not in DATA_SETS:
        raise DataError(f"data set {name!r} is not known; expected one of {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def source(name: str) -> Source:
    """The images for results with this name; a DataError lists the known ones."""
    if name not in SOURCES:
        raise DataError(f"no images are named {name!r}; expected one of {', '.join(SOURCES)}")
    return SOURCES[name]
