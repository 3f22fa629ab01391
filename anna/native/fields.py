"""Every field of what the engine is given and of its packed form, one row each. C's structs, Cython's declarations, the types
and shapes of the arrays, their checks and the interface number all come from here; nothing else lists them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Field:
    """One array, or one number of a record.

    `kind` is a type of NumPy or the name of a record; `shape` names sizes ("calcs, neurons"). Values that are indices or
    codes lie in `low` .. `below` - 1, where `below` is a number or names a size. An optional field may be None; one that is
    there `needs` others.
    """

    name: str
    kind: str
    shape: str
    meaning: str
    low: int = 0
    below: str | int | None = None
    optional: bool = False
    needs: tuple[str, ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(self.shape.split(", ")) if self.shape else ()

    @property
    def inside(self) -> bool:
        """Whether the numbers lie in C's struct itself, because there are always as many: no pointer to follow."""
        return self.shape.isdigit()


# Of a workload. All but the first are lengths of arrays, each of the first one in the table that has it.
SIZES = {
    "slots": "places for values that an image's lane has",
    "levels": "codes of a state",
    "neurons": "neurons of a CALC",
    "calcs": "CALCs, in order",
    "ops": "operands of all CALCs",
    "tables": "rows of ADC thresholds",
    "inputs": "codes that an image brings",
    "constants": "codes that every image begins with",
    "outputs": "codes that are read at the end",
    "lines": "tables of numerators, where synapses differ in them",
}

WORKLOAD = (
    Field("numerators", "int32", "levels", "what a state code drives a synapse with"),
    Field("input_slots", "int32", "inputs", "where the codes of an image go", below="slots"),
    Field("constant_slots", "int32", "constants", "where the constant codes go", below="slots"),
    Field("constant_codes", "uint16", "constants", "the constant codes", below="levels"),
    Field("out_slot", "int32", "calcs, neurons", "where a result goes, -1: nowhere", low=-1, below="slots"),
    Field("op_start", "int64", "calcs + 1", "where the operands of each CALC begin"),
    Field("op_slot", "int32", "ops", "the value that an operand reads", below="slots"),
    Field("op_weight", "int32", "ops, neurons", "its weight for each neuron, 0: not used"),
    Field("thresholds", "int64", "tables, levels - 1", "rows that do not fall"),
    Field("table", "int32", "calcs, neurons", "which row of thresholds converts a sum", below="tables"),
    Field("output_slots", "int32", "outputs", "what is read at the end", below="slots"),
    Field("clamp_low", "int64", "calcs, neurons", "the least that a sum can be", optional=True),
    Field("clamp_high", "int64", "calcs, neurons", "the most that a sum can be", optional=True),
    Field("grain", "int32", "tables", "a step of thresholds and thermal noise is 2^grain", below=48, optional=True),
    Field("strength", "int32", "calcs, neurons", "thermal noise of a sum, in 1/8 of a step", below=2**15, optional=True,
          needs=("grain",)),
    Field("ordinal", "uint32", "calcs", "which CALC of the image it is: keys the noise"),
    Field("coupled", "int32", "calcs, neurons", "what a sum takes of each neighbour's, in 2^-16", below=2**16, optional=True),
    Field("unsettled", "int32", "calcs, neurons", "what is left of its last sum, in 2^-16; -1: no neuron of the CALC", low=-1,
          below=2**16, optional=True, needs=("at_rest",)),
    Field("at_rest", "uint8", "calcs", "whether no wire carries anything before it", below=2, optional=True),
    Field("slow_sigma", "float32", "calcs, neurons", "slow noise of a sum", optional=True),
    Field("and_mask", "uint16", "calcs, neurons", "bits of a result that are not stuck at 0", optional=True),
    Field("or_mask", "uint16", "calcs, neurons", "bits of a result that are stuck at 1", below="levels", optional=True),
    Field("charge_sigma", "float32", "ops, neurons", "noise of a weight's charge", optional=True,
          needs=("charge_refresh", "charge_synapse")),
    Field("charge_refresh", "uint32", "ops, neurons", "which refresh charged the synapse: keys the noise", optional=True),
    Field("charge_synapse", "uint32", "ops, neurons", "which synapse it is: keys the noise", below=2**30, optional=True),
    Field("op_levels", "int32", "ops, neurons", "which numerator table a synapse uses", below="lines", optional=True,
          needs=("numerator_tables",)),
    Field("numerator_tables", "int32", "lines, levels", "numerators of synapses that differ in them", optional=True),
)  # fmt: skip

# Of the packed form. Neurons are computed in groups, each of as many as have their sums in registers together.
PACKED_SIZES = {
    "groups": "groups of neurons that are stored",
    "width": "neurons of a group: 8 or 4",
    "segments": "segments of all groups",
    "pairs": "pairs of operands of all groups",
    "weights": "pairs of weights; groups whose weights are equal share them",
    "copies": "results that move after their CALC",
    "room": "slots of a lane: the workload's, and scratch behind them",
    "stride": "bytes from one slot to the next, in a block of images",
    "extent": "bytes of a block's slots",
    "padded_macs": "multiply-adds executed an image, padding included",
    "affine": "whether numerator = scale x code + offset",
    "scale": "see affine",
    "offset": "see affine",
    "clamps": "whether any sum is limited",
    "masks": "whether any bit is stuck",
    "cold": "slots that are read before they are written",
}

RECORDS = {
    "neuron": (
        Field("out_slot", "int32", "", "-1: nothing is stored", low=-1, below="room"),
        Field("table", "int32", "", "its row of thresholds", below="tables"),
        Field("number", "int32", "", "which neuron of the group: the noise sample it takes", below="width"),
        Field("strength", "int16", "", "of thermal noise, in 1/8 of a step; 0: none"),
        Field("grain", "int16", "", "a step is 2^grain"),
        Field("clamp_low", "int32", "", "the least that the sum can be"),
        Field("clamp_high", "int32", "", "the most that the sum can be"),
        Field("and_mask", "uint16", "", "bits that are not stuck at 0"),
        Field("or_mask", "uint16", "", "bits that are stuck at 1"),
    ),
    "segment": (
        Field("kind", "int32", "", "which sums the operands meet, see kinds.h"),
        Field("pairs", "int32", "", "how often"),
    ),
    "group": (
        Field("segment", "int64", "", "the first of its segments"),
        Field("segments", "int64", "", "how many it has"),
        Field("pair", "int64", "", "the first of its operand pairs"),
        Field("weight", "int64", "", "the first of its pairs of weights"),
        Field("copy", "int64", "", "the first of the moves after it, which had to wait for all reads of the CALC"),
        Field("copies", "int64", "", "how many moves"),
        Field("calc", "int64", "", "whose neurons they are", below="calcs"),
        Field("noisy", "int32", "", "whether any of them has thermal noise"),
        Field("first_quad", "int32", "", "the group's first neuron of the CALC, divided by 4"),
    ),
}

PACKED = (
    Field("group", "group", "groups", "in the order in which they are computed"),
    Field("neuron", "neuron", "groups, width", "by place: which of the group's sums is its own"),
    Field("start", "int32", "groups, width", "by place: what a sum begins with, of operands that never change"),
    Field("segment", "segment", "segments", "so many operand pairs of a kind"),
    Field("pair_at", "uint32", "pairs, 2", "where the two values of a pair lie in a block, in bytes", below="extent"),
    Field("pair_line", "int32", "pairs, 2", "the lines they go through", below="lines", optional=True),
    Field("weight", "int16", "weights, 2", "what a sum gets of the two values of a pair"),
    Field("copy", "int32", "copies, 2", "from, to", below="room"),
    Field("line", "int16", "lines, 8", "what each code drives a synapse with, where synapses differ", optional=True),
    Field("threshold", "int32", "tables, 64", "filled up with the largest number"),
    Field("edge", "int16", "tables + 1, 8", "of short sums, from the middle one; 8 are read from the second on", optional=True),
    Field("numerator", "int16", "64", "what a state of each code is kept as"),
    Field("cold_slot", "int32", "cold", "slots that begin with code 0", below="slots"),
)


@cache
def interface() -> str:
    """Changes with every field above and with every stub of a compiled module, and so with what passes between them."""
    stubs = sorted(Path(__file__).parents[1].glob("*/*.pyi"))
    described = [repr((SIZES, WORKLOAD, PACKED_SIZES, RECORDS, PACKED)), *(stub.read_text() for stub in stubs)]
    return hashlib.sha256("\n".join(described).encode()).hexdigest()[:12]
