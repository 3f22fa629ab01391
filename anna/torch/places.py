"""Where each trainable number of a network lies on the chip and its host: found by lowering a network whose numbers are
their own indices.

The compiler lowers a network to arrays whose every number is a constant, or a constant plus a factor times one number of the
network: a weight that several copies share, a mean of a window. Which number and which factor, three lowerings tell: of a
network of zeros, of twos, and of indices. (A factor of one would be lowered as none.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anna.base.errors import DataError
from anna.compiler.check import check
from anna.compiler.digits import in_digits, widened
from anna.compiler.ir import ChipLayer, Lowered
from anna.compiler.options import CompileOptions
from anna.compiler.split import split
from anna.network.graph import Network
from anna.torch.numbers import Numbers, arrays_of, with_arrays

Place = tuple[str, str]  # what holds the array, and the array's name
FIRST = 2  # index: a single factor of one would be lowered as none
CLOSE = 1e-5  # by which a number may miss what its place and factor say, as a fraction: bits of 32-bit floats


@dataclass(frozen=True, eq=False)
class Lookup:
    """An array of the lowered network: constant + factor x number, each wherever it lies."""

    keys: tuple[str, ...]  # of the parameters whose numbers appear in it
    constant: Tensor
    factor: Tensor | None  # None: one everywhere
    place: Tensor | None  # index among the numbers of those parameters; None: all of one parameter, in order

    def values(self, numbers: Numbers) -> Tensor:
        """The array for the current numbers."""
        if not self.keys:
            return self.constant
        if self.place is None:
            return numbers[self.keys[0]].reshape(self.constant.shape)
        flat = [numbers[key].reshape(-1) for key in self.keys]
        every = flat[0] if len(flat) == 1 else torch.cat(flat)
        found = every.index_select(0, self.place.reshape(-1)).reshape(self.place.shape)
        if self.factor is None:
            return found
        return torch.addcmul(self.constant.to(found.dtype), found, self.factor.to(found.dtype))

    def part(self, where: tuple[Any, ...]) -> Lookup:
        """Some of the array."""
        if not self.keys:
            return Lookup((), self.constant[where], None, None)
        place = torch.arange(self.constant.numel()).reshape(self.constant.shape) if self.place is None else self.place
        if self.place is None and torch.equal(place[where].reshape(-1), place.reshape(-1)):  # all of it
            return Lookup(self.keys, self.constant[where], None, None)
        return Lookup(self.keys, self.constant[where], None if self.factor is None else self.factor[where], place[where])


Lookups = Mapping[Place, Lookup]


def parts_of(network: Network, options: CompileOptions) -> Lowered:
    """The network as the compiler's chip layers and host stages, with a layer for each part of a sum."""
    return split(widened(check(network, options), options), options)


def lowered(network: Network, options: CompileOptions) -> Lowered:
    """The same with a layer for each digit."""
    return in_digits(parts_of(network, options))


def lookups(network: Network, options: CompileOptions) -> tuple[Lookups, frozenset[str]]:
    """How the arrays of the lowered network come from its numbers; and the arrays that training cannot move, since they are
    part of what a state means: factors and offsets of the image, and after an activation."""
    arrays, fixed = arrays_of(network), set[str]()
    zero, index, factor = _three(network, arrays, fixed, options)
    sizes = np.cumsum([0, *(array.size for array in arrays.values())])
    for place in zero:
        if place[1] in MEANINGS:
            moved = np.unique(np.rint((index[place] - zero[place]) / np.where(factor[place] == 0, np.inf, factor[place])))
            owners = np.searchsorted(sizes, moved[moved > 0] - FIRST, side="right") - 1
            fixed |= {list(arrays)[owner] for owner in owners.tolist()}
    if fixed:
        arrays = {key: array for key, array in arrays.items() if key not in fixed}
        zero, index, factor = _three(network, arrays, fixed, options)
    found = {place: _lookup(zero[place], index[place], factor[place], arrays) for place in zero if place[1] not in MEANINGS}
    _check(network, found, options, fixed)
    return found, frozenset(fixed)


MEANINGS = ("post_scale_o", "post_offset_o", "input_scale_m", "input_offset_m")


def _three(
    network: Network, arrays: Mapping[str, NDArray[Any]], fixed: Collection[str], options: CompileOptions
) -> Iterator[dict[Place, NDArray[np.float64]]]:
    """The lowered arrays of networks of zeros and of indices, and each number's factor."""
    wide = network.astype(np.float64)
    first, indices = FIRST, dict[str, NDArray[Any]]()
    for key, array in arrays.items():
        indices[key] = np.arange(first, first + array.size, dtype=np.float64).reshape(array.shape)
        first += array.size
    zeros, twos = ({key: np.full(array.shape, value) for key, array in arrays.items()} for value in (0.0, 2.0))
    zero, index, two = (lowered_arrays(lowered(with_arrays(wide, some), options)) for some in (zeros, indices, twos))
    shapes = [{place: array.shape for place, array in found.items()} for found in (zero, index, two)]
    if not shapes[0] == shapes[1] == shapes[2]:
        raise DataError(f"{network.name}: is lowered by what its numbers are, so they cannot be trained here")
    return iter((zero, index, {place: (two[place] - zero[place]) / 2 for place in zero}))


def lowered_arrays(network: Lowered) -> dict[Place, NDArray[np.float64]]:
    """All arrays of a lowered network that may hold trainable numbers."""
    found: dict[Place, Any] = {}
    for number, member in enumerate(network.members):
        found |= {(f"member {number}", name): getattr(member, name) for name in ("input_scale_m", "input_offset_m")}
        for layer in member.layers:
            found |= {(layer.name, name): array for name, array in _chip_arrays(layer)}
    for number, stage in enumerate(stages(network)):
        for layer in stage:
            found |= {(host_place(number, layer.name), name): array for name, array in layer.tensors.items()}
    return {place: np.asarray(array, np.float64) for place, array in found.items()}


def _chip_arrays(layer: ChipLayer) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "weights_oiyx", layer.weights_oiyx * layer.mask_oiyx
    for name in ("bias", "post_scale_o", "post_offset_o"):
        array = getattr(layer, name)
        if array is not None:
            yield name, array


def stages(network: Lowered) -> list[tuple[Any, ...]]:
    """The host's layers: those before the chip, then those of each stage of each member."""
    return [network.before, *(stage.layers for member in network.members for stage in member.stages)]


def host_place(stage: int, layer: str) -> str:
    """What holds an array of a host layer; no layer's name has a slash before it."""
    return f"/{stage}/{layer}"


def _lookup(
    zero: NDArray[np.float64], index: NDArray[np.float64], factor: NDArray[np.float64], arrays: Mapping[str, NDArray[Any]]
) -> Lookup:
    there = factor != 0
    constant = torch.tensor(zero, dtype=torch.float32)
    if not there.any():
        return Lookup((), constant, None, None)
    places = np.rint((index - zero)[there] / factor[there]).astype(np.int64) - FIRST
    keys, sizes = list(arrays), np.cumsum([0, *(array.size for array in arrays.values())])
    owners = np.clip(np.searchsorted(sizes, places, side="right") - 1, 0, len(keys) - 1)  # beyond: caught by the check
    mine, at = np.unique(owners), np.zeros(len(keys), np.int64)
    at[mine] = np.cumsum([0, *(sizes[owner + 1] - sizes[owner] for owner in mine[:-1])])
    place = np.zeros(zero.shape, np.int64)
    place[there] = np.clip(places - sizes[owners], 0, np.diff(sizes)[owners] - 1) + at[owners]
    plain = bool((factor[there] == 1.0).all()) and not zero.any()
    names = tuple(keys[owner] for owner in mine)
    if plain and there.all() and len(names) == 1 and np.array_equal(place.reshape(-1), np.arange(arrays[names[0]].size)):
        return Lookup(names, constant, None, None)
    all_one = plain and bool(there.all())
    return Lookup(names, constant, None if all_one else torch.tensor(factor, dtype=torch.float32), torch.tensor(place))


def _check(network: Network, found: Lookups, options: CompileOptions, fixed: Collection[str]) -> None:
    """Raise unless the lookups give what the compiler makes of the network's own numbers."""
    own, numbers = lowered_arrays(lowered(network, options)), Numbers(network, fixed)
    with torch.no_grad():
        for place, lookup in found.items():
            right = own.get(place)
            if right is None or not np.allclose(lookup.values(numbers).numpy(), right, rtol=CLOSE, atol=1e-7):
                holder = place[0].rpartition("/")[2]
                raise DataError(
                    f"{network.name}: numbers of {holder} on the chip are sums or products of several of the network's, so "
                    "they cannot be trained here; fold them into one layer"
                )
