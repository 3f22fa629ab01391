"""What the host does for a program: images to state codes before the chip, float layers between its page segments and after it.

What the chip cannot do is a *round*: when a page segment has ended for the images of a batch, the host reads stacks of maps,
runs float layers on them and writes states back, before the next segment begins. Layers after the last segment are a *tail*;
the host works on them for one image while the chip works on the next.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError, GraphError, SpecError
from anna.base.frozen import Settled
from anna.board.host_part import Floats, HostPart, HostReading, check_meaning
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.native.float_sums import engine
from anna.network.forward import run_layer
from anna.network.graph import Layer, Prepare, sized_output
from anna.network.images import float_images
from anna.network.parts import Shape
from anna.network.prepare import checked_images, field_scale, integer_field, offsets, prepare, ranged

LARGEST_TABLE = 1 << 21  # values of a prepared pixel up to which its code is looked up
IMAGES_AT_ONCE = 13 * 64  # through the layers before the chip, as in anna.board.host_part

Regions = Mapping[str, tuple[str, tuple[int, ...]]]  # kind and shape of a program's regions


def digit_codes(spec: ChipSpec, gain_m: Floats, offset_m: Floats, digits: int, values: Floats) -> NDArray[np.uint16]:
    """State codes (images, digits x maps, rows, columns) of values (images, maps, rows, columns): the nearest to each, then
    the nearest to what the digits before leave."""
    converter, maps = codes.state_converter(spec), len(gain_m) // digits
    gains, offsets = (array.reshape(digits, maps)[:, :, None, None] for array in (gain_m, offset_m))
    rest = values - offsets[0]
    code = converter.nearest(rest / gains[0]).astype(np.uint16)
    found = [code]
    for d in range(1, digits):
        rest = rest - gains[d - 1] * converter.values(code) - offsets[d]
        code = converter.nearest(rest / gains[d]).astype(np.uint16)
        found.append(code)
    return code if digits == 1 else np.concatenate(found, axis=1)


def smallest(spec: ChipSpec, states: NDArray[Any]) -> NDArray[Any]:
    """State codes in 8 bits if they fit, else in 16."""
    return states.astype(np.uint8 if spec.state_bits <= 8 else np.uint16, copy=False)


@dataclass(frozen=True, eq=False)
class HostWriting:
    """One stack written back into the chip's memory, as the state codes nearest to its values."""

    output: str  # layer, or reading, of the part
    region: str  # of the program, of kind "host"
    gain_m: Floats  # what a state of map m of the region stands for: gain x state LSB + offset
    offset_m: Floats
    digits: int = 1  # states that carry a value, the maps of the coarsest first


@dataclass(frozen=True, eq=False)
class HostRound(Settled):
    """A round: when page segment `segment` - 1 has ended for the images of a batch, before `segment` begins; 0: before all."""

    segment: int
    part: HostPart
    writings: tuple[HostWriting, ...]

    def _settled(self) -> Mapping[str, Any]:
        what = f"the round before segment {self.segment!r}"
        if type(self.segment) is not int or self.segment < 0:
            raise GraphError(f"{what}: expected the number of a page segment, from 0 on")
        if not self.writings:
            raise GraphError(f"{what}: writes no stack; expected at least one")
        for one in self.writings:
            if one.output not in self.part.shapes:
                raise GraphError(f"{what}: writes {one.output!r}; it has {', '.join(self.part.shapes)}")
            maps = self.part.shapes[one.output][0] * (one.digits if type(one.digits) is int else 1)
            check_meaning(f"{what}: {one.region}", maps, one.digits, one.gain_m, one.offset_m)
            if not one.gain_m.all():
                raise GraphError(f"{what}: {one.region}: a gain is 0; expected a value for each state")
        return {"writings": tuple(self.writings)}

    def written_shape(self, writing: HostWriting) -> Shape:
        """Shape of what it writes: digits x maps, rows, columns."""
        maps, rows, columns = self.part.shapes[writing.output]
        return maps * writing.digits, rows, columns

    @property
    def states_read(self) -> int:
        """States that leave the chip's memory for one image."""
        return self.part.states_read

    @property
    def states_written(self) -> int:
        """States that go back for one image."""
        return sum(int(np.prod(self.written_shape(one))) for one in self.writings)

    def codes(self, spec: ChipSpec, states: Mapping[str, NDArray[np.generic]], threads: int = 1) -> dict[str, NDArray[Any]]:
        """State codes of every region that it writes, from those of the regions that it reads, both (images, *shape)."""
        images = len(states[self.part.readings[0].region])
        kind = np.uint8 if spec.state_bits <= 8 else np.uint16
        found: dict[str, NDArray[Any]] = {
            one.region: np.empty((images, *self.written_shape(one)), kind) for one in self.writings
        }

        def take(here: slice, name: str, stack: NDArray[Any]) -> None:
            values = stack.transpose(3, 0, 1, 2).astype(np.float64)
            for one in self.writings:
                if one.output == name:
                    found[one.region][here] = digit_codes(spec, one.gain_m, one.offset_m, one.digits, values)

        try:
            self.part.run_pieces(spec, states, threads, tuple(one.output for one in self.writings), take)
        except SpecError:
            raise DataError(
                f"the host's layers before segment {self.segment} give values that are NaN or infinite; expected finite ones"
            ) from None
        return found


@lru_cache(maxsize=16)
def _code_table(layer: Prepare, gain: float, offset: float, spec: ChipSpec) -> NDArray[Any]:
    """The state code of every integer that a pixel may be after crop, resize and padding."""
    pixels = np.arange(field_scale(layer) + 1)
    values = ranged(layer, pixels, np.float32).astype(np.float64)
    return smallest(spec, codes.state_converter(spec).nearest((values - offset) / gain))


@dataclass(frozen=True, eq=False)
class HostWork(Settled):
    """Everything the host does for a program."""

    prepare: Prepare | None  # None: images come as floats
    input_gain_m: Floats
    input_offset_m: Floats
    tails: tuple[HostPart, ...]  # scores of several are added
    data: str = ""  # the data set that the network was trained on
    input_digits: int = 1  # states that carry a value of the image, the maps of the coarsest first
    rounds: tuple[HostRound, ...] = ()  # in the order in which they run
    before: tuple[Layer, ...] = ()  # float layers on the prepared image, before it becomes state codes
    image_shape: Shape | None = None  # of images that come as floats, if there are layers before; None: as the input region

    def _settled(self) -> Mapping[str, Any]:
        segments = [one.segment for one in self.rounds]
        if segments != sorted(segments):
            raise GraphError(f"the host's rounds run before segments {segments}; expected them in rising order")
        given = [(tail.outputs, tail.output_shape) for tail in self.tails]
        if len(given) > 1 and (any(len(names) > 1 for names, _ in given) or len({shape for _, shape in given}) > 1):
            shapes = ", ".join(str(shape) for _, shape in given)
            raise GraphError(f"the host adds the scores of {len(given)} tails; expected one output of each, not {shapes}")
        if self.before and self.prepare is None and self.image_shape is None:
            raise GraphError("the host has layers before the chip; expected the shape of the images that they take")
        for _ in self.steps_before():  # raises unless they fit
            pass
        return {"tails": tuple(self.tails), "rounds": tuple(self.rounds), "before": tuple(self.before)}

    @property
    def parts(self) -> tuple[HostPart, ...]:
        """Float layers of rounds and tails, in the order in which they run."""
        return (*(one.part for one in self.rounds), *self.tails)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image."""
        before = sum(layer.multiply_adds(shape) for layer, shape in self.steps_before())
        return before + sum(part.multiply_adds for part in self.parts)

    @property
    def connections(self) -> int:
        """Connections with biases for one image."""
        before = sum(layer.connections(shape) for layer, shape in self.steps_before())
        return before + sum(part.connections for part in self.parts)

    def steps_before(self) -> Iterator[tuple[Layer, Shape]]:
        """The layers before the chip, and the shape that each takes."""
        shape = self.image_shape or (0, 0, 0) if self.prepare is None else (1, *self.prepare.fielded)
        for layer in self.before:
            yield layer, shape
            shape = sized_output(layer, (shape,))

    @property
    def made_shape(self) -> Shape | None:
        """Shape of the states that it makes of an image; None: that of the image, which comes as floats."""
        shape = self.image_shape if self.prepare is None else (1, *self.prepare.fielded)
        for layer, ins in self.steps_before():
            shape = layer.output_shape(ins)
        return None if shape is None else (shape[0] * self.input_digits, *shape[1:])

    def checked(self, shape: Shape, images: NDArray[Any]) -> NDArray[Any]:
        """Images as the network takes them, grey levels (n, rows, columns) or floats (n, maps, rows, columns); raises if
        they are not. `shape` is that of the values that the chip is given."""
        if self.prepare is not None:
            return checked_images(self.prepare, images)
        return float_images(self.image_shape or shape, np.asarray(images), "images")

    def input_codes(self, spec: ChipSpec, shape: Shape, images: NDArray[Any]) -> NDArray[Any]:
        """State codes (images, maps, rows, columns), in 8 bits if they fit, of images as the network takes them."""
        images = self.checked(shape, images)
        try:
            by_table = self.prepare is not None and self.input_gain_m.size == 1 and not self.before
            if self.prepare is not None and by_table and field_scale(self.prepare) < LARGEST_TABLE:
                return self._codes_by_table(self.prepare, spec, images)[:, None]
            return self.input_codes_by_values(spec, images)
        except SpecError:
            raise DataError("images hold values that are NaN or infinite; expected finite ones") from None

    def input_codes_by_values(self, spec: ChipSpec, images: NDArray[Any]) -> NDArray[Any]:
        """The same by arithmetic on every pixel, the definition."""
        values = images
        if self.prepare is not None:
            values = prepare(self.prepare, images, np.float32)[:, None].astype(np.float64)
        if self.before:
            values = self._after_layers(values)
        return smallest(spec, digit_codes(spec, self.input_gain_m, self.input_offset_m, self.input_digits, values))

    def _after_layers(self, values: Floats) -> Floats:
        """What the float layers before the chip make of images (images, maps, rows, columns)."""
        parts = []
        for start in range(0, len(values), IMAGES_AT_ONCE) or (0,):
            x = np.ascontiguousarray(values[start : start + IMAGES_AT_ONCE].transpose(1, 2, 3, 0).astype(np.float32))
            for layer in self.before:
                _, x = run_layer(layer, x)
            parts.append(x.transpose(3, 0, 1, 2).astype(np.float64))
        return np.concatenate(parts)

    def _codes_by_table(self, layer: Prepare, spec: ChipSpec, images: NDArray[Any]) -> NDArray[Any]:
        """The same by a table, since a pixel's code depends on its value alone."""
        table = _code_table(layer, float(self.input_gain_m[0]), float(self.input_offset_m[0]), spec)
        native = engine()
        if native is None or layer.resized != layer.cropped or table.dtype != np.uint8:
            found: NDArray[Any] = table[integer_field(layer, images)]
            return found
        found = np.empty((len(images), *layer.fielded), np.uint8)
        crop, place = offsets(layer.source, layer.cropped), offsets(layer.fielded, layer.resized)
        native.pictures_to_codes(native.levels()[0], np.ascontiguousarray(images), crop, layer.cropped, place, table, found)
        return found

    def results(
        self, spec: ChipSpec, states: Mapping[str, NDArray[np.generic]], threads: int = 1
    ) -> dict[str, NDArray[np.float32]]:
        """Every result by name, (images, units), or (images, maps, rows, columns) where there are positions; scores first.
        Those of several tails are added under the name of the first."""
        first, *others = [tail.run(spec, states, threads) for tail in self.tails]
        for other in others:
            for name, more in zip(first, other.values(), strict=True):
                first[name] = first[name] + more
        return {name: each[:, :, 0, 0] if each.shape[2:] == (1, 1) else each for name, each in first.items()}

    def scores(self, spec: ChipSpec, states: Mapping[str, NDArray[np.generic]], threads: int = 1) -> NDArray[np.float32]:
        """Scores (images, classes), or (images, classes, rows, columns) where the network slides."""
        return next(iter(self.results(spec, states, threads).values()))

    def misfits(self, regions: Regions, segments: int) -> Iterator[str]:
        """What the host makes, reads and writes elsewhere than the regions and page segments of its program are, in
        sentences."""
        (taken,) = (shape for kind, shape in regions.values() if kind == "input")
        gains, made = len(self.input_gain_m), self.made_shape  # a gain for each map, or one for all
        if made not in (taken, None) or (len(taken) == 3 and gains not in (taken[0], self.input_digits)):
            yield f"the host makes states of shape {made or taken} with {gains} gains; the program takes {taken}"
        for tail in self.tails:
            yield from _misread(tail.readings, regions, ("output",))
        writers = dict[str, int]()
        for one in self.rounds:
            if one.segment >= segments:
                yield f"a round of the host runs before segment {one.segment}; the program has segments 0 to {segments - 1}"
            yield from _misread(one.part.readings, regions, ("input", "host", "map", "output", "region"))
            for writing in one.writings:
                kind, shape = regions.get(writing.region, (None, None))
                if kind != "host":
                    known = ", ".join(name for name, (kind, _) in regions.items() if kind == "host") or "none"
                    yield f"the host writes {writing.region}; expected a region of kind host: {known}"
                elif shape != one.written_shape(writing):
                    yield f"the host writes {writing.region} as {one.written_shape(writing)}; the region has shape {shape}"
                if writing.region in writers:
                    yield f"two rounds of the host write {writing.region}; expected one"
                writers[writing.region] = one.segment


def _misread(readings: Iterable[HostReading], regions: Regions, kinds: tuple[str, ...]) -> Iterator[str]:
    found = {name: shape for name, (kind, shape) in regions.items() if kind in kinds}
    for one in readings:
        if found.get(one.region) != one.shape:
            yield f"the host reads {one.region} as {one.shape}; the program has {kinds[-1]}s {found}"
