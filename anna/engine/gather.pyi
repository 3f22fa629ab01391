import numpy as np
from numpy.typing import NDArray

_Ints = NDArray[np.int64]
_Int32s = NDArray[np.int32]

INTERFACE: str

def synapses(conducts: NDArray[np.uint8], first: _Ints, neurons: _Ints, fan_in: _Ints, values: _Int32s) -> _Ints: ...
def merge(calc: _Ints, neuron: _Ints, value: _Ints, calcs: int, values: int, apart: bool) -> tuple[_Ints, _Ints, _Ints]: ...
def allocate(last_use: _Ints, fixed: int, neurons: int, calcs: int) -> tuple[_Int32s, int]: ...
def add_up(cell: _Ints, weight: _Ints, sums: _Int32s) -> None: ...
def needed(
    calc: _Ints, neuron: _Ints, value: _Ints, wanted: _Ints, fixed: int, neurons: int, values: int
) -> NDArray[np.bool_]: ...
def needed_in_wires(
    calc: _Ints,
    neuron: _Ints,
    value: _Ints,
    wanted: _Ints,
    fixed: int,
    neurons: int,
    values: int,
    coupled: bool,
    segment: _Ints | None,
    used: _Ints,
) -> NDArray[np.bool_]: ...
