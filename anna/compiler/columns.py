"""The columns that a neuron has besides those of its inputs: constants for its bias, partial sums, a unit's own bias.

Sums are in weight LSB x half state LSB; constants and biases lie on coarse columns, and on a fine one for the rest.
"""

import numpy as np

from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler.integer import Ints, States
from anna.compiler.ir import Floats
from anna.compiler.problem import Problem

USUAL_CONSTANTS = 4  # columns of a row that carry the bias, if they are enough
DIGIT_CONSTANTS = 12  # the same of a layer in digits: its weights are large beside its range, and so is its bias
UNIT_COARSE = 2  # most coarse columns of a bias per unit


def lsb_of(spec: ChipSpec) -> Floats:
    """One LSB of the ADC at each scale code, in weight LSB x state LSB."""
    return codes.full_scales(spec) / (1 << spec.state_bits)


def bias_reach(spec: ChipSpec, constants: int) -> float:
    """The largest bias, in weight LSB x state LSB, that so many constants carry: all but one of them are coarse."""
    largest = (1 << (spec.weight_bits - 1)) - 1
    return (constants - 1) * largest * int(codes.state_converter(spec).numerators[-1]) / 2


def constant_weights(spec: ChipSpec, wanted: Floats, constants: int) -> Ints:
    """Weights on the constant columns that come nearest to a bias (in weight LSB x half state LSB)."""
    levels = codes.state_converter(spec).numerators
    coarse, fine = int(levels[-1]), int(levels[levels > 0].min())
    low, high = -(1 << (spec.weight_bits - 1)), (1 << (spec.weight_bits - 1)) - 1
    places = [i for i in range(constants) if i != 1]
    total = np.clip(np.rint(wanted / coarse), low * len(places), high * len(places)).astype(np.int64)
    out = np.zeros((*wanted.shape, constants), dtype=np.int64)
    if constants > 1:
        out[..., 1] = np.clip(np.rint((wanted - total * coarse) / fine), low, high).astype(np.int64)
    for place in places:
        out[..., place] = np.clip(total, low, high)
        total = total - out[..., place]
    return out


def constant_numerators(spec: ChipSpec, constants: int) -> Ints:
    """Half LSBs of the constant columns, the topmost column first: a coarse one, a fine one, then coarse ones."""
    levels = codes.state_converter(spec).numerators
    coarse, fine = int(levels[-1]), int(levels[levels > 0].min())
    return np.array([fine if i == 1 else coarse for i in range(constants)], dtype=np.int64)


def shared(spec: ChipSpec, wanted: Floats, columns: int) -> Ints:
    """Weights (maps, columns) that add up to those wanted, as far as so many columns reach."""
    low, high = -(1 << (spec.weight_bits - 1)), (1 << (spec.weight_bits - 1)) - 1
    out, rest = np.empty((len(wanted), columns), dtype=np.int64), wanted
    for column in range(columns):
        share = np.clip(np.ceil(rest / (columns - column)), low, high)
        out[:, column] = share
        rest = rest - share
    return out


def filled(spec: ChipSpec, wanted: Floats, columns: int) -> Ints:
    """The same, one column after the other as full as may be: the ends of a DAC's range have no INL by definition, and a column
    that stays empty makes no noise. For steps of a maximum: elsewhere even shares, whose mismatch averages, are no worse."""
    out, rest = np.zeros((len(wanted), columns), dtype=np.int64), np.rint(wanted)
    largest = (1 << (spec.weight_bits - 1)) - 1
    for column in range(columns):
        out[:, column] = np.clip(rest, -largest, largest)
        rest = rest - out[:, column]
    return out


def unit_bias(problem: Problem, weight_lsb_o: Floats) -> tuple[Ints, States]:
    """Weights (o, columns) and states (o, columns, y, x) that add how much a unit's bias differs from its map's: coarse
    columns with the same state, then a fine one for the rest."""
    if problem.unit_bias_oyx is None:
        return np.zeros((len(problem.bias_o), 0), np.int64), np.zeros((len(problem.bias_o), 0, 1, 1), np.uint16)
    spec = problem.spec
    converter = codes.state_converter(spec)
    levels, largest = converter.numerators, (1 << (spec.weight_bits - 1)) - 1
    top = float(levels[-1])
    wanted = 2 * problem.unit_bias_oyx / weight_lsb_o[:, None, None]  # in weight LSB x half state LSB
    reach = np.abs(wanted).max(axis=(1, 2))
    coarse_columns = max(1, int(np.ceil(float(reach.max()) / (top * largest))))
    coarse = np.clip(np.ceil(reach / (top * coarse_columns)), 1, largest)
    states = np.empty((len(wanted), coarse_columns + 1, *wanted.shape[1:]), dtype=np.uint16)
    code = converter.nearest(wanted / (2 * coarse * coarse_columns)[:, None, None])
    states[:, :coarse_columns] = code[:, None]
    rest = wanted - levels[code] * (coarse * coarse_columns)[:, None, None]
    fine = np.clip(np.ceil(np.abs(rest).max(axis=(1, 2)) / top), 1, largest)
    states[:, coarse_columns] = converter.nearest(rest / (2 * fine)[:, None, None])
    weights = np.concatenate([np.repeat(coarse[:, None], coarse_columns, axis=1), fine[:, None]], axis=1)
    return weights.astype(np.int64), states
