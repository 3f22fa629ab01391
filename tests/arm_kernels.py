"""The engine's kernels compiled for ARM and run by QEMU, behind the interface of the compiled module.

python tests/arm_kernels.py    one SHA-256 for each SIMD level here and on ARM: of all codes of random workloads, and of the
                               recogniser on an ideal, a drawn and a noisy chip
"""

import ctypes
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

ROOT = Path(__file__).parents[1]
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
MISSING = [tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None]
FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-static")  # as in meson.build
LEVEL = {"ANNA_VECTORS": '"vec_plain.h"', "ANNA_WIDTH": "4", "ANNA_NAME": '"plain"', "ANNA_LEVEL": "anna_level_plain"}


def build(folder: Path) -> Path:
    """The program of tests/arm_kernels.c with one level's kernels."""
    for header, *tool in (("fields.h", "engine_fields.py", "header"), ("thermal_tables.h", "thermal_header.py")):
        made = [sys.executable, ROOT / "tools" / tool[0], *tool[1:]]
        (folder / header).write_text(subprocess.run(made, capture_output=True, text=True, check=True).stdout)
    defined = [f"-D{name}={value}" for name, value in LEVEL.items()]
    sources = [ROOT / "anna" / "native" / "level.c", ROOT / "tests" / "arm_kernels.c"]
    command = [
        COMPILER,
        *FLAGS,
        *defined,
        f"-I{folder}",
        f"-I{ROOT / 'anna' / 'native'}",
        *sources,
        "-o",
        folder / "kernels",
        "-lm",
    ]
    subprocess.run(command, check=True)
    return folder / "kernels"


def _record(name: str, sizes: Any, fields: Any) -> type[ctypes.Structure]:
    """A struct of numbers and addresses, laid out as C does."""
    parts = [(one.name, ctypes.c_int16 * int(one.shape) if one.inside else ctypes.c_uint64) for one in fields]
    return type(name, (ctypes.Structure,), {"_fields_": [*((size, ctypes.c_int64) for size in sizes), *parts]})


class Batch(ctypes.Structure):
    """anna_batch of engine.h."""

    _fields_ = (
        ("codes", ctypes.c_uint64), ("code_size", ctypes.c_int32), ("result_size", ctypes.c_int32),
        ("image_ids", ctypes.c_uint64), ("images", ctypes.c_int64), ("slow", ctypes.c_uint64),
        ("noise_seed", ctypes.c_uint64), ("lanes", ctypes.c_int64), ("results", ctypes.c_uint64),
    )  # fmt: skip


HEADER = ("bytes", "workload", "packed", "batch", "results", "result_bytes", "cells", "cell_count",
          "workload_size", "packed_size", "batch_size")  # fmt: skip


class Memory:
    """Bytes as they will lie there, and which cells are addresses."""

    def __init__(self) -> None:
        self.data, self.cells = bytearray(8 * len(HEADER)), list[int]()

    def add(self, data: bytes) -> int:
        self.data += bytes(-len(self.data) % 64)
        self.data += data
        return len(self.data) - len(data)

    def array(self, array: Any) -> int:
        return 0 if array is None or not array.size else self.add(np.ascontiguousarray(array).tobytes() + bytes(64))

    def record(self, record: ctypes.Structure, addresses: list[str]) -> int:
        place = self.add(bytes(record))
        self.cells += [place + getattr(type(record), name).offset for name in addresses]
        return place

    def fields(self, kind: type[ctypes.Structure], sizes: dict[str, int], fields: Any, arrays: dict[str, Any]) -> int:
        record = kind(**sizes)
        for one in fields:
            if one.inside:
                getattr(record, one.name)[:] = arrays[one.name].tolist()
            else:
                setattr(record, one.name, self.array(arrays[one.name]))
        return self.record(record, [one.name for one in fields if not one.inside])


@dataclass
class Kernels:
    """What `anna.native` offers, run by the program of `build`."""

    program: Path
    CHECKED: bool = False

    def in_use(self) -> AbstractContextManager[Any]:
        """Engines that are made and run in here compute on ARM."""
        return mock.patch("anna.engine.core.native", return_value=self)

    def level_shape(self, _: str) -> tuple[int, int]:
        said = subprocess.run([EMULATOR, self.program, "shape"], capture_output=True, text=True, check=True).stdout.split()
        return int(said[1]), int(said[2])

    def NativeWorkload(self, *given: Any) -> SimpleNamespace:  # noqa: N802, as the compiled module has it
        return SimpleNamespace(run=lambda *run: self._run(given, *run))

    def _run(
        self, given: Any, _: str, codes: Any, image_ids: Any, noise_seed: int, lanes: int, results: Any, slow: Any = None
    ) -> tuple[int, ...]:
        from anna.native.fields import PACKED, PACKED_SIZES, SIZES, WORKLOAD

        workload, packed, memory = _record("Workload", SIZES, WORKLOAD), _record("Packed", PACKED_SIZES, PACKED), Memory()
        head = {"workload": memory.fields(workload, given[0], WORKLOAD, given[1])}
        head["packed"] = memory.fields(packed, given[2], PACKED, given[3]) if len(given) > 2 else 0
        head["results"] = memory.add(bytes(results.nbytes))
        batch = Batch(
            memory.array(codes), codes.itemsize, results.itemsize, memory.array(image_ids), len(image_ids), memory.array(slow),
            noise_seed, lanes, head["results"],
        )  # fmt: skip
        head["batch"] = memory.record(batch, ["codes", "image_ids", "slow", "results"])
        head |= {"result_bytes": results.nbytes, "cell_count": len(memory.cells)}
        head["cells"] = memory.add(np.array(memory.cells, np.int64).tobytes())
        memory.add(b"")  # up to a multiple of 64, which aligned_alloc wants
        head |= {
            f"{name}_size": ctypes.sizeof(one) for name, one in (("workload", workload), ("packed", packed), ("batch", Batch))
        }
        head["bytes"] = len(memory.data)
        memory.data[: 8 * len(HEADER)] = np.array([head[name] for name in HEADER], np.int64).tobytes()
        done = subprocess.run([EMULATOR, self.program], input=memory.data, capture_output=True, check=True).stdout
        fault = np.frombuffer(done[:32], np.int64)
        results[...] = np.frombuffer(done[32:], results.dtype).reshape(results.shape)
        return int(fault[0]) & 0xFFFFFFFF, *map(int, fault[1:])


@contextmanager
def built() -> Iterator[Kernels]:
    """The kernels for ARM, as long as they are wanted."""
    with TemporaryDirectory() as folder:
        yield Kernels(build(Path(folder)))


def random_runs(count: int) -> list[tuple[Any, Any, Any]]:
    """Workloads with their codes and image numbers: all imperfections, few and many levels."""
    from engine_reference import random_workload

    options, found = ("clamp", "noise", "stuck", "charge", "steps", "bent", "coupled", "unsettled", "slow"), []
    for k in range(count):
        rng = np.random.default_rng(k)
        levels = (8, 8, 16, 64, 4096)[k % 5]
        chosen = frozenset(one for one in options if rng.random() < 0.4)
        workload = random_workload(rng, levels=levels, calcs=6, neurons=int(rng.choice([1, 4, 8, 11])), options=chosen)
        codes = rng.integers(0, levels, (37, len(workload.input_slots))).astype(np.uint16 if levels > 256 else np.uint8)
        found.append((workload, codes, rng.integers(0, 2**64, 37, dtype=np.uint64)))
    return found


def bits(simd: str, count: int) -> str:
    """The SHA-256 of all codes: of the random runs on both kernels, and of the recogniser's layers."""
    import anna
    import lenet
    from anna.engine import Engine

    total = hashlib.sha256()
    for workload, codes, ids in random_runs(count):
        for kernel in (None, "wide"):
            total.update(Engine(workload, simd=simd, kernel=kernel).run(codes, ids, noise_seed=19).tobytes())
    program = anna.compile(lenet.load("recognizer", data="mnist"), lenet.calibration(), calibration_count=100)
    images = lenet.holdout()[0][:64]
    for chip in (anna.Chip(), anna.Chip(seed=7), anna.Chip(seed=7, analog="worst")):
        result = chip.run(program, images, noise_seed=19, simd=simd)
        for name in sorted(result.codes):
            total.update(result.codes[name].tobytes())
    return total.hexdigest()


def main(count: int = 20) -> None:
    from anna.engine import simd_levels

    for simd in simd_levels():
        print(f"{simd:8} {bits(simd, count)}")
    with built() as kernels, kernels.in_use():
        print(f"ARM      {bits('plain', count)}")


if __name__ == "__main__":
    main()
