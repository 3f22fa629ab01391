"""What the host does for a program: images to state codes before the chip, float layers on its results after it.

Float layers run in 32-bit floats with sums in a fixed order (`anna.network.forward`), so that scores are the same on every
machine. Their time is multiply-adds over the host's rate; the host works on one image while the chip works on the next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError, FileError, GraphError, SpecError
from anna.base.threads import share
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.native.float_sums import engine
from anna.network.file import layer_from_json, layer_json
from anna.network.forward import run_layer
from anna.network.graph import Layer, Prepare
from anna.network.images import float_images
from anna.network.parts import Shape
from anna.network.prepare import checked_images, field_scale, integer_field, offsets, prepare, ranged

Floats = NDArray[np.float64]
# Images that the host layers take at once: whole vectors, but no multiple of a large power of two, which would crowd an
# image's numbers into a few sets of the cache.
PIECE = 13 * 64
PIECES_A_TURN = 2  # pieces that a thread takes at once
LARGEST_TABLE = 1 << 21  # values of a prepared pixel up to which its code is looked up


@dataclass(frozen=True, eq=False)
class HostTail:
    """The float layers behind one stack of maps that leaves the chip."""

    region: str
    shape: Shape
    gain_m: Floats  # what a state of map m stands for: gain x state LSB + offset
    offset_m: Floats
    layers: tuple[Layer, ...]

    @property
    def output_shape(self) -> Shape:
        """Shape of the scores."""
        shape = self.shape
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def _count(self, what: str) -> int:
        total, shape = 0, self.shape
        for layer in self.layers:
            total += getattr(layer, what)(shape)
            shape = layer.output_shape(shape)
        return total

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image."""
        return self._count("multiply_adds")

    @property
    def connections(self) -> int:
        """Connections with biases for one image."""
        return self._count("connections")

    def scores(self, spec: ChipSpec, states: NDArray[np.generic], threads: int = 1) -> NDArray[np.float32]:
        """Scores (images, classes, rows, columns) from state codes (images, maps, rows, columns)."""
        levels = codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
        table = (levels * self.gain_m[:, None] + self.offset_m[:, None]).astype(np.float32)
        out = np.empty((len(states), *self.output_shape), np.float32)
        native = engine() if states.dtype == np.uint8 else None
        table = np.ascontiguousarray(table)

        def run(turn: int) -> None:
            for start in range(turn, min(turn + PIECE * PIECES_A_TURN, len(states)), PIECE):
                here = np.ascontiguousarray(states[start : start + PIECE])
                if native is not None:
                    flat = here.reshape(len(here), here.shape[1], -1)
                    x: NDArray[Any] = np.empty((*flat.shape[1:], len(flat)), np.float32)
                    native.codes_to_values(native.levels()[0], flat, table, x)
                    x = x.reshape(*here.shape[1:], len(here))
                else:
                    maps = np.arange(here.shape[1])[:, None, None]
                    x = np.ascontiguousarray(table[maps, here].transpose(1, 2, 3, 0))
                for layer in self.layers:
                    _, x = run_layer(layer, x)
                out[start : start + PIECE] = x.transpose(3, 0, 1, 2)

        share(run, range(0, len(states), PIECE * PIECES_A_TURN), threads)
        return out


def digit_codes(spec: ChipSpec, gain_m: Floats, offset_m: Floats, digits: int, values: Floats) -> NDArray[np.uint16]:
    """State codes (images, digits x maps, rows, columns) of values (images, maps, rows, columns): the nearest to each, then
    the nearest to what the digits before leave."""
    converter, maps = codes.state_converter(spec), len(gain_m) // digits
    gains, offsets = (array.reshape(digits, maps)[:, :, None, None] for array in (gain_m, offset_m))
    code = converter.nearest((values - offsets[0]) / gains[0]).astype(np.uint16)
    found, rest = [code], values - offsets[0]
    for d in range(1, digits):
        rest = rest - gains[d - 1] * converter.values(code)
        code = converter.nearest((rest - offsets[d]) / gains[d]).astype(np.uint16)
        found.append(code)
    return code if digits == 1 else np.concatenate(found, axis=1)


@lru_cache(maxsize=16)
def _code_table(layer: Prepare, gain: float, offset: float, spec: ChipSpec) -> NDArray[Any]:
    """The state code of every integer that a pixel may be after crop, resize and padding."""
    pixels = np.arange(field_scale(layer) + 1)
    values = ranged(layer, pixels, np.float32).astype(np.float64)
    table = codes.state_converter(spec).nearest((values - offset) / gain)
    return table.astype(np.uint8 if spec.state_bits <= 8 else np.uint16)


@dataclass(frozen=True, eq=False)
class HostWork:
    """Everything the host does for a program."""

    prepare: Prepare | None  # None: images come as floats
    input_gain_m: Floats
    input_offset_m: Floats
    tails: tuple[HostTail, ...]  # scores of several are added
    data: str = ""  # the data set that the network was trained on
    input_digits: int = 1  # states that carry a value of the image, the maps of the coarsest first

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image."""
        return sum(tail.multiply_adds for tail in self.tails)

    @property
    def connections(self) -> int:
        """Connections with biases for one image."""
        return sum(tail.connections for tail in self.tails)

    def checked(self, shape: Shape, images: NDArray[Any]) -> NDArray[Any]:
        """Images as the network takes them, grey levels (n, rows, columns) or floats (n, maps, rows, columns); raises if
        they are not."""
        if self.prepare is not None:
            return checked_images(self.prepare, images)
        return float_images(shape, np.asarray(images), "images")

    def input_codes(self, spec: ChipSpec, shape: Shape, images: NDArray[Any]) -> NDArray[Any]:
        """State codes (images, maps, rows, columns), in 8 bits if they fit, of images as the network takes them."""
        images = self.checked(shape, images)
        try:
            if self.prepare is not None and self.input_gain_m.size == 1 and field_scale(self.prepare) < LARGEST_TABLE:
                return self._codes_by_table(self.prepare, spec, images)[:, None]
            return self.input_codes_by_values(spec, images)
        except SpecError:
            raise DataError("images hold values that are NaN or infinite; expected finite ones") from None

    def input_codes_by_values(self, spec: ChipSpec, images: NDArray[Any]) -> NDArray[Any]:
        """The same by arithmetic on every pixel, the definition."""
        values = images
        if self.prepare is not None:
            values = prepare(self.prepare, images, np.float32)[:, None].astype(np.float64)
        found = digit_codes(spec, self.input_gain_m, self.input_offset_m, self.input_digits, values)
        return found.astype(np.uint8 if spec.state_bits <= 8 else np.uint16)

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

    def scores(self, spec: ChipSpec, states: Mapping[str, NDArray[np.generic]], threads: int = 1) -> NDArray[np.float32]:
        """Scores (images, classes), or (images, classes, rows, columns) where the network slides."""
        total: NDArray[np.float32] | None = None
        for tail in self.tails:
            part = tail.scores(spec, states[tail.region], threads)
            total = part if total is None else total + part
        assert total is not None
        return total[:, :, 0, 0] if total.shape[2:] == (1, 1) else total

    # --- in a file ---------------------------------------------------------------------------------------------------
    def content(self) -> dict[str, Any]:
        """Its part of a file's JSON."""
        digits = {"input_digits": self.input_digits} if self.input_digits > 1 else {}
        return {
            **digits,
            "prepare": None if self.prepare is None else _plain(layer_json(self.prepare)),
            "data": self.data,
            "tails": [
                {
                    "region": tail.region,
                    "shape": list(tail.shape),
                    "layers": [_plain(layer_json(layer)) for layer in tail.layers],
                }
                for tail in self.tails
            ],
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Its tensors in a file."""
        found: dict[str, NDArray[Any]] = {"host.input.gain": self.input_gain_m, "host.input.offset": self.input_offset_m}
        for number, tail in enumerate(self.tails):
            found[f"host.{number}.gain"], found[f"host.{number}.offset"] = tail.gain_m, tail.offset_m
            for place, layer in enumerate(tail.layers):
                for name, array in layer.tensors.items():
                    found[f"host.{number}.{place}.{name}"] = np.ascontiguousarray(array)
        return found


def _plain(value: Any) -> Any:
    """Tuples as lists, so that content reads back equal."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def host_from_file(where: str, content: Any, tensors: Mapping[str, NDArray[Any]]) -> HostWork:
    """The host's work as a file describes it; raises FileError if that is incomplete."""
    left = dict(tensors)
    try:
        first = None if content["prepare"] is None else layer_from_json(f"{where} prepare", content["prepare"], {})
        if first is not None and not isinstance(first, Prepare):
            raise FileError(f"{where}: the host's preparation is a {first.kind} layer; expected a preparation")
        tails = []
        for number, one in enumerate(content["tails"]):
            layers = []
            for place, value in enumerate(one["layers"]):
                start = f"host.{number}.{place}."
                mine = {name[len(start) :]: left.pop(name) for name in sorted(left) if name.startswith(start)}
                layers.append(layer_from_json(f"{where} host layer {number}.{place}", value, mine))
            shape = tuple(int(n) for n in one["shape"])
            if len(shape) != 3:
                raise FileError(f"{where}: host tail {number} has shape {shape}; expected maps, rows, columns")
            gain, offset = (_row(where, left.pop(f"host.{number}.{name}"), shape[0]) for name in ("gain", "offset"))
            tail = HostTail(str(one["region"]), shape, gain, offset, tuple(layers))
            _ = tail.output_shape
            tails.append(tail)
        gain, offset = (_row(where, left.pop(f"host.input.{name}"), None) for name in ("gain", "offset"))
        data, digits = str(content["data"]), int(content.get("input_digits", 1))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise FileError(f"{where}: the host section is incomplete ({type(error).__name__}: {error})") from None
    except GraphError as error:
        raise FileError(f"{where}: {error}") from None
    if left or not tails:
        raise FileError(
            f"{where}: the host section has {len(left)} unused tensors and {len(tails)} tails; expected 0 and 1 or more"
        )
    if not 1 <= digits <= len(gain) or len(gain) % digits:
        raise FileError(f"{where}: {len(gain)} input maps cannot be {digits} digits; expected a divisor")
    return HostWork(first, gain, offset, tuple(tails), data, digits)


def _row(where: str, array: NDArray[Any], length: int | None) -> Floats:
    if array.ndim != 1 or array.dtype != np.float64 or not np.isfinite(array).all() or length not in (None, len(array)):
        raise FileError(
            f"{where}: a host gain or offset is {array.dtype} of shape {array.shape}; expected finite float64, one per map"
        )
    return array
