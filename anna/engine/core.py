"""The engine's face: a workload checked and packed once, then run over any number of images."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.analog import slow_noise
from anna.base.errors import DataError, MachineError
from anna.base.threads import share
from anna.engine.arrays import check_packed, workload_arrays
from anna.engine.bounds import Bounds, prove
from anna.native.loader import choose_level, compiled, native

if TYPE_CHECKING:
    from anna.engine.workload import Workload
    from anna.native._native import NativeWorkload

Codes = NDArray[Any]  # uint8 or uint16

# A call into C ends after about so many multiply-adds, so that Ctrl-C is heard within a fraction of a second.
_MACS_PER_CALL = {"narrow": 2**32, "wide": 2**28}
# States of the lanes that run side by side should stay in the second-level cache.
_STATE_BYTES = 512 * 1024
_MOST_BLOCKS = 8
# Calls that each of several threads makes: the fewer, the longer the others wait for one that got a slow core.
_CALLS_A_THREAD = 16
# Codes that `prepare` makes at once.
_PREPARED_BYTES = 2**21

_BAD_CODE = 2


class Engine:
    """A prepared workload.

    `kernel` is "narrow" or "wide", `bounds` the proof behind the choice. `useful_macs` counts the nonzero weights of
    the workload, `padded_macs` the multiply-adds executed per image, both for neurons whose result is stored; constants
    count as useful but are not executed.
    """

    def __init__(self, workload: "Workload", *, simd: str | None = None, kernel: str | None = None) -> None:
        self.simd = choose_level(simd)
        sizes, arrays = workload_arrays(workload)
        self.bounds: Bounds = prove(workload)
        self.kernel = kernel or self.bounds.kernel
        if self.kernel not in ("narrow", "wide"):
            raise MachineError(f"there is no kernel {kernel!r}; expected 'narrow' or 'wide'")
        if self.kernel == "narrow" and self.bounds.why_wide:
            raise MachineError(f"the narrow kernel cannot run this workload: {'; '.join(self.bounds.why_wide)}")
        self._levels, self._inputs, self._outputs = sizes["levels"], sizes["inputs"], sizes["outputs"]
        self._slow_adcs = sizes["neurons"] if arrays["slow_sigma"] is not None else 0
        width, self._block = native().level_shape(self.simd)
        self._arrays = arrays
        self._native: NativeWorkload
        if self.kernel == "narrow":
            packed = _pack(sizes, arrays, width, 2 * self._block, self.bounds.largest_sum)
            self._native = native().NativeWorkload(sizes, arrays, *packed)
            self.padded_macs = packed[0]["padded_macs"]
            slot_bytes = 2 * packed[0]["room"]
        else:
            self._native = native().NativeWorkload(sizes, arrays)
            self.padded_macs = sizes["ops"] * sizes["neurons"]
            slot_bytes = 2 * sizes["slots"]
        blocks = _STATE_BYTES // max(1, slot_bytes * self._block)
        self.lanes = self._block * min(max(blocks, 1), _MOST_BLOCKS)
        self._images_per_call = max(1, _MACS_PER_CALL[self.kernel] // max(1, self.padded_macs, sizes["slots"]))

    @cached_property
    def useful_macs(self) -> int:
        """Nonzero weights of neurons whose result is stored."""
        start, weight, out = (self._arrays[name] for name in ("op_start", "op_weight", "out_slot"))
        return int(compiled("anna.engine.rows").useful_weights(start, weight, out))

    def run(
        self,
        codes: Codes,
        image_ids: NDArray[np.uint64],
        *,
        noise_seed: int = 0,
        threads: int = 1,
        lanes: int | None = None,
        prepare: Callable[[NDArray[Any]], Codes] | None = None,
    ) -> Codes:
        """The codes of the workload's outputs, one row per image.

        `image_ids` key the noise; neither the order of images nor `threads` nor `lanes` changes a bit of a row. With
        `prepare`, which makes codes of some images, `codes` are images, and it is called on one piece after another in
        the thread that runs the piece, so that never more than a few pieces are in memory as codes.
        """
        image_ids = self._check_ids(image_ids, len(codes))
        if prepare is None:
            codes = self._check_images(codes)
        if not 0 <= noise_seed < 2**64:
            raise MachineError(f"the noise seed is {noise_seed}; expected 0 to 2^64 - 1")
        if threads < 1:
            raise MachineError(f"threads is {threads}; expected at least 1")
        if lanes is None:
            lanes = self.lanes
        if lanes < 1:
            raise MachineError(f"lanes is {lanes}; expected at least 1")
        dtype = np.uint8 if self._levels <= 256 else np.uint16
        results = np.empty((len(codes), self._outputs), dtype)
        most = self._images_per_call if prepare is None else _PREPARED_BYTES // max(1, self._inputs)
        parts = list(self._parts(len(codes), threads, lanes, min(most, self._images_per_call)))

        def run_part(part: slice) -> None:
            mine = codes[part] if prepare is None else self._check_images(prepare(codes[part]))
            rows = mine
            if self.kernel == "narrow" and rows.dtype != np.uint8:
                rows = np.minimum(rows, 255).astype(np.uint8)  # 255 is refused like any code too large
            rows = np.ascontiguousarray(rows)
            slow = slow_noise.levels(noise_seed, image_ids[part], self._slow_adcs) if self._slow_adcs else None
            fault = self._native.run(self.simd, rows, image_ids[part], noise_seed, lanes, results[part], slow)
            if fault[0]:
                self._raise(fault, mine, part.start)

        share(run_part, parts, threads)
        return results

    def _parts(self, images: int, threads: int, lanes: int, most: int) -> Iterator[slice]:
        """Rows of one call each: whole blocks of lanes, and enough calls to keep all threads busy."""
        share = -(-images // (threads if threads == 1 else _CALLS_A_THREAD * threads))
        step = max(1, min(most, share))
        lanes = -(-lanes // self._block) * self._block
        step = -(-step // lanes) * lanes
        return (slice(first, min(first + step, images)) for first in range(0, images, step))

    def _check_images(self, codes: Codes) -> Codes:
        codes = np.asarray(codes)
        if codes.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
            raise DataError(f"codes are {codes.dtype}; expected uint8 or uint16")
        if codes.ndim != 2 or codes.shape[1] != self._inputs:
            raise DataError(f"codes have shape {codes.shape}; expected (images, {self._inputs})")
        return codes

    def _check_ids(self, image_ids: NDArray[np.uint64], images: int) -> NDArray[np.uint64]:
        image_ids = np.asarray(image_ids)
        if image_ids.dtype != np.dtype(np.uint64) or image_ids.shape != (images,):
            raise DataError(f"image ids are {image_ids.dtype} {image_ids.shape}; expected uint64 ({images},), one per image")
        return np.ascontiguousarray(image_ids)

    def _raise(self, fault: tuple[int, int, int, int], codes: Codes, first: int) -> None:
        """The one place where a fault of the C engine becomes an exception."""
        status, image, index, _ = fault
        if status == _BAD_CODE:
            raise DataError(
                f"image {first + image}, input {index}: code is {codes[image, index]}; "
                f"expected 0 to {self._levels - 1}, since a state has {self._levels} levels"
            )
        raise MachineError("not enough memory for the states of all lanes; use fewer lanes or threads")


def _pack(
    sizes: dict[str, int], arrays: dict[str, Any], width: int, stride: int, largest: int
) -> tuple[dict[str, int], dict[str, Any]]:
    """The packed form; a checked build walks it as the kernel will."""
    numbers, packed = compiled("anna.engine.packing").pack(sizes, arrays, width, stride, largest)
    if native().CHECKED:
        check_packed(sizes | numbers, packed)
        wrong = compiled("anna.engine.audit").wrong_group(numbers, packed)
        if wrong is not None:
            calc = packed["group"][wrong]["calc"]
            raise MachineError(f"packed workload: group {wrong}, of CALC {calc}, reaches beyond its arrays")
    return numbers, packed


def run(
    workload: "Workload",
    codes: Codes,
    image_ids: NDArray[np.uint64],
    *,
    noise_seed: int,
    threads: int = 1,
    lanes: int | None = None,
    simd: str | None = None,
) -> Codes:
    """Pack and run a workload once; keep an `Engine` to run it again."""
    return Engine(workload, simd=simd).run(codes, image_ids, noise_seed=noise_seed, threads=threads, lanes=lanes)
