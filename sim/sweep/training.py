"""Networks that a sweep trains itself: each distinct training runs once, in a folder named by a hash of its inputs.

    DIR/trained/3f0c.../recognizer-mnist-seed1.safetensors    weights, with the training record beside them

An interrupted training continues from its last complete pass. A process holds a lock on the folder while it trains; others
that need the same weights wait and then find them.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from anna.base.container import canonical_json
from anna.base.errors import FileError, SpecError
from anna.chip.spec import Record
from anna.network.file import load_graph
from anna.network.graph import Network
from lenet.networks.record import read_record

FOLDER = "trained"
LOCK = "lock"


class TrainOptions(Record):
    """How a network is trained: what `anna train` takes, as axes of a sweep."""

    recipe: Literal["modern", "1989", "1998"] | None = Field(default=None, description="None: that of the shipped weights")
    distort: bool = Field(default=False, description="also distorted copies")
    passes: int | None = Field(default=None, ge=1, le=100_000, description="passes over the digits; None: the recipe's")
    digits: int | None = Field(default=None, ge=1, le=60_000, description="number of training digits; None: all")
    for_chip: bool = Field(default=False, description="continue in the chip's codes, with its noise")
    chip_passes: int | None = Field(default=None, ge=1, le=100_000, description="passes for the chip; None: the recipe's")


@dataclass(frozen=True)
class Training:
    """One training: everything that determines its weights."""

    network: str
    data: str
    seed: int
    options: TrainOptions

    @classmethod
    def of(cls, network: str, data: str | None, seed: int, given: Mapping[str, Any]) -> "Training":
        """A training with its recipe filled in; raises if it is impossible."""
        from lenet.datasets.registry import source
        from lenet.networks.catalogue import full_name, names, native_data
        from lenet.training.recipes import default_recipe

        if network not in names and Path(network).suffix:
            raise SpecError(f"network {network} is a file; a sweep can only train networks by name: {', '.join(names)}")
        name = full_name(network)
        kind = native_data(name) if data is None else source(data).data.name
        options = TrainOptions.of(**given)
        if options.chip_passes is not None and not options.for_chip:
            raise SpecError("train.chip_passes needs train.for_chip; give both or neither")
        return cls(name, kind, seed, options.changed(recipe=options.recipe or default_recipe(name, kind)))

    @cached_property
    def key(self) -> str:
        """Name of its folder."""
        content = [self.network, self.data, self.seed, self.options.model_dump()]
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:16]

    @property
    def floats(self) -> "Training":
        """The training of the float weights that a training for the chip continues from."""
        return replace(self, options=self.options.changed(for_chip=False, chip_passes=None))

    @property
    def text(self) -> str:
        """The training in words; sweep databases know it by this text."""
        given = ", ".join(f"{name} {value}" for name, value in self.options if value not in (None, False))
        return f"training of {self.network} on {self.data}, seed {self.seed}, {given}"


def weights_of(training: Training, home: Path) -> Path | None:
    """The file of the trained weights; None before there are any."""
    records = sorted((home / training.key).glob("*.json"))  # written last
    return records[0].with_suffix(".safetensors") if records else None


def trained(training: Training, home: Path) -> Network:
    """The trained network; raises unless it matches its record."""
    path = weights_of(training, home)
    if path is None:
        raise FileError(f"{home / training.key}: holds no weights; expected those of the {training.text}")
    network = load_graph(path)
    told = read_record(path.with_suffix(".json")).get("weights_digest")
    if told != network.digest:
        raise FileError(f"{path}: does not match its record; remove its folder to train again")
    return network


def train(training: Training, home: str) -> str:
    """Trains unless already done and returns the digest of the weights. Runs in any worker."""
    from lenet.training.train import run

    folder = Path(home) / training.key
    with _held(folder):
        if weights_of(training, Path(home)) is None:
            if training.options.for_chip:
                train(training.floats, home)
            options = training.options
            run(training.network, data=training.data, train_seed=training.seed, recipe=options.recipe, distort=options.distort,
                passes=options.passes, count=options.digits, for_chip=options.for_chip, chip_passes=options.chip_passes,
                output=folder, float_weights=Path(home) / training.floats.key, test=False)  # fmt: skip
        return trained(training, Path(home)).digest


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Locks the folder for this process; the lock is released when the process ends, for whatever reason."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise FileError(f"{folder}: cannot be written ({error.strerror or error})") from None
    with file:
        with contextlib.suppress(ImportError):  # a system without flock: at worst the same bits are written twice
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
