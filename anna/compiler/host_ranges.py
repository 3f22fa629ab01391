"""The ranges of states that the host makes: of the image, and of what its rounds give."""

from collections.abc import Collection

import numpy as np

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler import exact
from anna.compiler.calibrate import MANY_LEVELS, SHRINK, Calibration, with_headroom
from anna.compiler.ir import INPUT, Floats, Lowered
from anna.compiler.kept import rounded_ends
from anna.compiler.options import CompileOptions
from anna.compiler.quantised import Meaning

WIDER = 1.25  # times a range that borders may make it


def meaning_of_input(lowered: Lowered, calibration: Calibration, options: CompileOptions, even: bool = False) -> Meaning:
    """The input's range spread over the state codes: that of the preparation, that of the codes that the host rounds to, else
    that of the images, per map or, for weights that keep their codes, one for all, but for what is clipped. In balance it lies
    about the median, so that what most pixels are has a coarse state next to zero."""
    spec, maps = options.chip, lowered.input_shape[0]
    rounded = rounded_ends(lowered.before, maps, spec)
    if rounded is not None:
        return _spread(*rounded, lowered.input_digits, spec)
    levels = 1 << spec.state_bits * lowered.input_digits
    ordered = np.sort(calibration.input_values.swapaxes(0, 1).reshape(maps, -1), axis=1)
    if lowered.prepare is not None and not lowered.before:
        ends = sorted((lowered.prepare.low, lowered.prepare.high))
        low, high = np.full(maps, ends[0]), np.full(maps, ends[1])
    else:
        beyond = int(ordered.shape[1] * options.input_clip / 100)
        low = ordered[:, beyond]
        high = np.maximum(ordered[:, ordered.shape[1] - 1 - beyond], low + 1e-9)
        if not options.input_clip:
            low, high = with_headroom(low, high, levels)
        low, high = _with_borders(lowered, INPUT, low, high, levels)
    if options.balance and lowered.input_digits > 1:
        middle = ordered[:, ordered.shape[1] // 2]
        reach = np.maximum(high - middle, middle - low)
        low, high = middle - reach, middle + reach
    if even:
        size_m = np.abs(lowered.members[0].input_scale_m)
        middle, half = (low + high) / 2, ((high - low) * size_m).max() / np.where(size_m > 0, size_m, 1.0) / 2
        low, high = middle - half, middle + half
    return _spread(low, high, lowered.input_digits, spec)


def _with_borders(lowered: Lowered, stack: str, low: Floats, high: Floats, levels: int) -> tuple[Floats, Floats]:
    """A range that has the borders of those that read what the host gives, where that does not make it much coarser."""
    wide_low, wide_high = low, high
    for member in lowered.members:
        for layer in member.layers:
            if layer.source == stack and any(layer.padding):
                border = np.full(len(low), layer.padding_value)
                if stack == INPUT:
                    scale = np.where(member.input_scale_m == 0.0, 1.0, member.input_scale_m)
                    border = np.where(member.input_scale_m == 0.0, low, (border - member.input_offset_m) / scale)
                wide_low, wide_high = np.minimum(wide_low, border), np.maximum(wide_high, border)
    fits = (wide_high - wide_low <= WIDER * (high - low)) | (levels >= MANY_LEVELS)
    return np.where(fits, wide_low, low), np.where(fits, wide_high, high)


def _spread(low: Floats, high: Floats, digits: int, spec: ChipSpec) -> Meaning:
    """Codes that the host makes, spread over a range for each map."""
    levels, maps = codes.state_converter(spec).values(np.arange(1 << spec.state_bits)), len(low)
    if digits == 1:
        gain = (high - low) / (levels[-1] - levels[0])
        return Meaning(gain, low - gain * levels[0])
    worth = float(1 << spec.state_bits) ** -np.arange(digits)  # exact on the host: no overlap is needed
    gain = (high - low) / ((levels[-1] - levels[0]) * worth.sum())
    offset = low - gain * levels[0] * worth.sum()
    return Meaning((worth[:, None] * gain).reshape(-1), np.pad(offset, (0, maps * (len(worth) - 1))), len(worth))


def meaning_of_values(lowered: Lowered, stack: str, values: Floats, digits: int, spec: ChipSpec, even: bool = False) -> Meaning:
    """What the host writes (images, maps, rows, columns): for each map, or for all alike, the range whose codes come nearest
    to the values."""
    low, high = values.min(axis=(0, 2, 3)), values.max(axis=(0, 2, 3))
    if even:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    high = np.maximum(high, low + 1e-9 + np.abs(low) * 1e-6)
    low, high = with_headroom(low, high, 1 << spec.state_bits * digits)
    low, high = _with_borders(lowered, stack, low, high, 1 << spec.state_bits * digits)
    best_low, best_high, least = low, high, np.full(len(low), np.inf)
    shares = SHRINK if 1 << spec.state_bits * digits < MANY_LEVELS else ()
    for above in shares:
        for below in (1.0, above):
            middle = (low + high) / 2
            tried = middle - (middle - low) * below, middle + (high - middle) * above
            meant = _spread(*tried, digits, spec)
            away = meant.values_of(spec, meant.codes_of(spec, values)) - values
            error = exact.total(away * away, axis=(0, 2, 3))
            error = np.full_like(error, exact.total(error)) if even else error
            better = error < least
            best_low, best_high = np.where(better, tried[0], best_low), np.where(better, tried[1], best_high)
            least = np.minimum(error, least)
    return _spread(best_low, best_high, digits, spec)


def meanings_of_written(
    lowered: Lowered, calibration: Calibration, spec: ChipSpec, even: Collection[str]
) -> dict[str, Meaning]:
    """What the states stand for that the host writes in its rounds, by stack."""
    return {
        one.stack: meaning_of_values(lowered, one.stack, calibration.written[one.stack], one.digits, spec, one.stack in even)
        for member in lowered.members
        for stage in member.stages
        for one in stage.writings
    }
