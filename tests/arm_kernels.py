"""The engine's kernels compiled for ARM and run by QEMU, behind the interface of the compiled module.

python tests/arm_kernels.py                   one SHA-256 for each SIMD level here and on ARM: of all codes of random workloads,
                                              and of the recogniser on an ideal, a drawn and a noisy chip
python tests/arm_kernels.py --instructions    how many each level executes for an image of the benchmarks' recogniser
"""

import ctypes
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

ROOT = Path(__file__).parents[1]
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
MISSING = [tool for tool in (COMPILER, EMULATOR) if shutil.which(tool) is None]
FLAGS = ("-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-static")  # as in meson.build


def build(folder: Path, optimisation: int = 3) -> Path:
    """The program of tests/arm_kernels.c with the kernels of all levels; meson.build has optimisation 3."""
    from anna.native.levels import levels_for

    native, program = ROOT / "anna" / "native", folder / "kernels"
    for header, *tool in (
        ("fields.h", "engine_fields.py", "header"),
        ("thermal_tables.h", "thermal_header.py"),
        ("levels.h", "simd_levels.py", "header", "aarch64"),
    ):
        made = [sys.executable, ROOT / "tools" / tool[0], *tool[1:]]
        (folder / header).write_text(subprocess.run(made, capture_output=True, text=True, check=True).stdout)
    compiled = [COMPILER, *FLAGS, f"-O{optimisation}", f"-I{folder}", f"-I{native}"]
    objects = [folder / f"{level.name}.o" for level in levels_for("aarch64")]
    for level, made_here in zip(levels_for("aarch64"), objects, strict=True):
        defined = [f"-DANNA_LEVEL={level.name}", f'-DANNA_VECTORS="{level.vocabulary}"']
        subprocess.run([*compiled, *level.flags(), *defined, "-c", native / "level.c", "-o", made_here], check=True)
    sources = [native / "levels.c", ROOT / "tests" / "arm_kernels.c"]
    subprocess.run([*compiled, *sources, *objects, "-o", program, "-lm"], check=True)
    return program


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
    counting: bool = False
    executed: int = 0
    CHECKED: bool = False

    def in_use(self) -> AbstractContextManager[Any]:
        """Engines that are made and run in here compute on ARM."""
        stack = ExitStack()
        stack.enter_context(mock.patch("anna.engine.core.native", return_value=self))
        stack.enter_context(mock.patch("anna.engine.core.choose_level", lambda name: name or self.levels()[0]))
        return stack

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, int]]:
        said = subprocess.run([EMULATOR, self.program], capture_output=True, text=True, check=True).stdout
        return {name: (int(width), int(lanes)) for name, width, lanes in map(str.split, said.splitlines())}

    def levels(self) -> tuple[str, ...]:
        return tuple(self._shapes)

    def level_shape(self, name: str) -> tuple[int, int]:
        return self._shapes[name]

    def _emulated(self, level: str, given: bytes) -> bytes:
        with TemporaryFile() as reading, TemporaryFile() as written:
            reading.write(given)
            reading.seek(0)
            told = ["-singlestep", "-d", "exec,nochain"] if self.counting else []  # a line for each instruction
            command = [EMULATOR, *told, self.program, level]
            with subprocess.Popen(command, stdin=reading, stdout=written, stderr=subprocess.PIPE) as process:
                assert process.stderr is not None
                self.executed = sum(1 for _ in process.stderr)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, command)
            written.seek(0)
            return written.read()

    def NativeWorkload(self, *given: Any) -> SimpleNamespace:  # noqa: N802, as the compiled module has it
        return SimpleNamespace(run=lambda *run: self._run(given, *run))

    def _run(
        self, given: Any, level: str, codes: Any, image_ids: Any, noise_seed: int, lanes: int, results: Any, slow: Any = None
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
        done = self._emulated(level, memory.data)
        fault = np.frombuffer(done[:32], np.int64)
        results[...] = np.frombuffer(done[32:], results.dtype).reshape(results.shape)
        return int(fault[0]) & 0xFFFFFFFF, *map(int, fault[1:])


@contextmanager
def built(optimisation: int = 3) -> Iterator[Kernels]:
    """The kernels for ARM, as long as they are wanted."""
    with TemporaryDirectory() as folder:
        yield Kernels(build(Path(folder), optimisation))


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


def instructions(kernels: Kernels, simd: str, sigma_lsb: float) -> int:
    """Of one image of the recogniser: what a second block of images adds, so without the start."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from workloads import recogniser

    from anna.engine import Engine

    engine, block, executed = Engine(recogniser(sigma_lsb), simd=simd), kernels.level_shape(simd)[1], []
    for images in (block, 2 * block):
        engine.run(np.zeros((images, 1024), np.uint8), np.arange(images, dtype=np.uint64))
        executed.append(kernels.executed)
    return (executed[1] - executed[0]) // block


def count_instructions() -> None:
    with built() as kernels, kernels.in_use():
        kernels.counting = True
        for simd in kernels.levels():
            ideal, noisy = (instructions(kernels, simd, sigma_lsb) for sigma_lsb in (0.0, 0.3))
            print(f"{simd:10}{ideal:>10,} ideal{noisy:>10,} with noise")


def main(count: int = 20) -> None:
    from anna.engine import simd_levels

    for simd in simd_levels():
        print(f"{'here':8}{simd:10}{bits(simd, count)}")
    with built() as kernels, kernels.in_use():
        for simd in kernels.levels():
            print(f"{'ARM':8}{simd:10}{bits(simd, count)}")


if __name__ == "__main__":
    count_instructions() if sys.argv[1:] == ["--instructions"] else main()
