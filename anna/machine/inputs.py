"""Checks what a program is given: raw images, which its host turns into state codes, or state codes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.errors import DataError, MachineError
from anna.program.file import Program

Prepare = Callable[[NDArray[Any]], NDArray[Any]]  # images -> (images, states) codes


def expect_program(program: object) -> None:
    """Raise unless this is a program."""
    if not isinstance(program, Program):
        made = "anna.compile makes one from a network, anna.assemble from text"
        raise MachineError(f"a chip runs a program, not {type(program).__name__}; {made}")


def checked_images(program: Program, images: ArrayLike) -> tuple[NDArray[Any], Prepare]:
    """Raw images as the host of a compiled program takes them, and the function that turns them into codes."""
    given, region, host = np.asarray(images), program.input, program.host
    if host is None:
        raise DataError(
            f"program {program.name} has no host to prepare images; pass state codes {_shape(program)} to run_codes"
        )
    if len(region.shape) != 3:
        raise DataError(f"program {program.name} takes states {_shape(program)}, no maps; pass state codes to run_codes")
    maps, rows, columns = region.shape
    maps //= host.input_digits
    try:
        found = host.checked((maps, rows, columns), given)
    except DataError as error:
        if given.shape[1:] == region.shape and np.issubdtype(given.dtype, np.integer):
            raise DataError(f"{error}; if these are state codes, use run_codes") from None
        raise

    def prepare(some: NDArray[Any]) -> NDArray[Any]:
        return host.input_codes(program.spec, (maps, rows, columns), some).reshape(len(some), region.size)

    made = host.input_codes(program.spec, (maps, rows, columns), found[:0]).shape[1:]
    if made != region.shape:
        raise DataError(f"the host makes states of shape {made}; program {program.name} takes {region.shape}")
    return found, prepare


def checked_codes(program: Program, codes: ArrayLike) -> NDArray[Any]:
    """State codes (images, *input shape), in the smallest type that holds them."""
    given, region, top = np.asarray(codes), program.input, (1 << program.spec.state_bits) - 1
    hint = "; for raw images use run" if program.host is not None else ""
    if given.shape[1:] != region.shape or given.ndim != len(region.shape) + 1:
        raise DataError(f"codes have shape {given.shape}; program {program.name} takes {_shape(program)}{hint}")
    if not np.issubdtype(given.dtype, np.integer):
        raise DataError(f"codes are {given.dtype}; program {program.name} takes state codes, whole numbers 0 to {top}{hint}")
    if given.size and (given.min() < 0 or given.max() > top):
        bad = int(np.argwhere((given < 0) | (given > top))[0][0])
        raise DataError(f"image {bad} holds a state code outside 0 to {top}{hint}")
    return given.astype(np.uint8 if top < 256 else np.uint16, copy=False)


def input_codes(program: Program, images: ArrayLike) -> NDArray[Any]:
    """The state codes (images, *input shape) that the host of a compiled program makes from raw images."""
    expect_program(program)
    found, prepare = checked_images(program, images)
    return prepare(found).reshape(len(found), *program.input.shape)


def _shape(program: Program) -> str:
    return f"(n, {str(program.input.shape)[1:-1].rstrip(',')})"
