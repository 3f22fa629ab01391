"""Types of the compiled extension."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

CHECKED: bool
INTERFACE: str

def levels() -> tuple[str, ...]: ...
def level_shape(name: str) -> tuple[int, int]: ...

class NativeWorkload:
    def __new__(
        cls,
        sizes: dict[str, int],
        arrays: dict[str, Any],
        packed_sizes: dict[str, int] | None = None,
        packed_arrays: dict[str, Any] | None = None,
    ) -> Self: ...
    def run(
        self,
        level_name: str,
        codes: NDArray[Any],
        image_ids: NDArray[np.uint64],
        noise_seed: int,
        lanes: int,
        results: NDArray[Any],
        slow: NDArray[np.float32] | None = None,
    ) -> tuple[int, int, int, int]: ...

def normals(level_name: str, seed: int, first_image: int, ordinal: int, word3: int, z: NDArray[np.float32]) -> None: ...
def census(
    level_name: str,
    seed: int,
    first_image: int,
    images: int,
    ordinals: int,
    edges: NDArray[np.float32],
    beyond: NDArray[np.int64],
    moments: NDArray[np.float64],
) -> None: ...
def thermal(level_name: str, seed: int, first_image: int, ordinal: int, octet: int, normal: NDArray[np.int16]) -> None: ...
def thermal_counts(
    level_name: str, seed: int, first_image: int, images: int, ordinals: int, counts: NDArray[np.int64]
) -> None: ...
def peak(level_name: str, rounds: int) -> float: ...
def plain_dense(
    optimisation: int, weights_nk: NDArray[np.int16], states_bk: NDArray[np.int16], sums_bn: NDArray[np.int32]
) -> int: ...
def window_sums(
    level_name: str,
    x_iyxn: NDArray[Any],
    weights_oiyx: NDArray[Any],
    table_oi: NDArray[np.uint8],
    stride_rows: int,
    stride_columns: int,
    squared: bool,
    sums_oyxn: NDArray[Any],
) -> None: ...
def exp(level_name: str, x: NDArray[Any], out: NDArray[Any]) -> None: ...
def tanh(level_name: str, x: NDArray[Any], out: NDArray[Any]) -> None: ...
def pictures_to_codes(
    level_name: str,
    pictures_nyx: NDArray[np.uint8],
    crop: tuple[int, int],
    size: tuple[int, int],
    place: tuple[int, int],
    table: NDArray[np.uint8],
    codes_nyx: NDArray[np.uint8],
) -> None: ...
def codes_to_values(
    level_name: str, codes_nmp: NDArray[np.uint8], table_mc: NDArray[np.float32], values_mpn: NDArray[np.float32]
) -> None: ...
def pattern(level_name: str, seed: int, chip: int, ordinal: int, word3: int, z: NDArray[np.float32]) -> None: ...
def weights(
    level_name: str,
    reads: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    columns: int,
    dac: NDArray[np.int64],
    level_dc: NDArray[np.float64],
    gain: NDArray[np.float64],
    fade: NDArray[np.float64],
    zero: NDArray[np.float64],
    one: float,
    shown: NDArray[np.int64],
) -> None: ...
