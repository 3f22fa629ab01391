"""Times all cases in turn, many rounds, and takes the median of each, so that a disturbance hits all cases alike.

`images_per_s` uses wall-clock time and `images_per_cpu_s` this process's processor time, which a busy machine disturbs
less: ratios between one-threaded cases and shares of the peak use processor time, gains from threads use wall-clock time.
Multiply-adds are the useful ones: those of the network that run on the chip. Padded ones are counted separately.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.threads import cores
from anna.machine.chip import Chip
from anna.machine.stages import Staged
from anna.network.forward import network_input
from anna.network.graph import Graph, Network
from anna.program.file import Program
from sim.bench.peers import ONNX_RUNTIME, Peer, peers

PEAK, COPY = "peak of the multiply-add, registers alone", "copy of 64 MB"
CODES = "codes to codes"
COPIED_BYTES, PEAK_S = 1 << 26, 0.1
LONGEST_PEER_RUN_S = 0.5  # of processor time: a slow peer gets fewer images per run
GIVE_UP_RATIO = 1.5  # a batch size this much slower than the best so far ends the search: larger ones are slower still


@dataclass(frozen=True)
class Row:
    """One case. `ratio` is relative to `ratio_to`: of images_per_cpu_s on one thread, of images_per_s on several.
    `share_of_peak` compares multiply-adds per second of processor time."""

    case: str
    threads: int
    images_per_s: float
    images_per_cpu_s: float
    chip_cycles_per_s: float | None
    macs_per_s: float | None
    padded_macs_per_s: float | None
    share_of_peak: float | None
    ratio_to: str | None
    ratio: float | None
    first_run_s: float | None = None  # drawing the chip and gathering its operands, once per chip
    batch: int | None = None
    version: str | None = None  # of a peer


@dataclass
class Case:
    """Something to time: the work of one run, and the times measured."""

    name: str
    threads: int
    work: Callable[[], object]
    images: int
    network: str = ""
    useful_macs: float = 0.0
    padded_macs: float = 0.0
    cycles: float = 0.0
    first_run_s: float | None = None
    batch: int | None = None
    version: str | None = None

    def __post_init__(self) -> None:
        self.walls: list[float] = []
        self.cpus: list[float] = []

    def once(self) -> None:
        """Runs the work once and records its time."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.work()
        self.cpus.append(time.process_time() - cpu)
        self.walls.append(time.perf_counter() - wall)

    @property
    def rate(self) -> float:
        """Median images per second of wall-clock time."""
        return self.images / statistics.median(self.walls)

    @property
    def cpu_rate(self) -> float:
        """Median images per second of processor time."""
        return self.images / max(statistics.median(self.cpus), 1e-9)


def machine() -> str:
    """The processor, the cores this process may use, system and Python."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name}, {cores()} cores, {platform.system()}, Python {platform.python_version()}"


def peak_rss_mb() -> float:
    """The peak memory of this process."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 1024)


def chip_cases(network: Network, program: Program, images: NDArray[Any], threads: list[int], simd: str | None) -> list[Case]:
    """Complete runs, raw images in and labels out, on an ideal, a typical and a worst chip; and, on one thread, the chip's
    part alone, state codes in and out."""
    host = program.host
    assert host is not None
    useful = network.multiply_adds - host.multiply_adds
    maps, rows, columns = program.input.shape
    codes = host.input_codes(program.spec, (maps // host.input_digits, rows, columns), images).reshape(len(images), -1)
    ids = np.arange(len(images), dtype=np.uint64)
    found = []
    for name, analog in (("ideal", None), ("typical", Analog.typical()), ("worst", Analog.worst())):
        chip = Chip() if analog is None else Chip(seed=1, analog=analog)
        began = time.perf_counter()
        chip.run(program, images[:1], simd=simd)
        first = time.perf_counter() - began
        engine = chip.engine(program, simd=simd)
        cycles = chip.run(program, images[:1], simd=simd).cycles_per_image
        key = chip.silicon(program.spec).noise_key(0)

        def full_run(chip: Chip, count: int) -> object:
            return chip.run(program, images, threads=count, simd=simd).labels

        def chip_only(engine: Staged, key: int) -> object:
            return engine.run(codes, ids, noise_seed=key)

        works = [(f"{network.name}, {name} chip", count, partial(full_run, chip, count)) for count in threads]
        works.insert(1, (f"{network.name}, {name} chip, {CODES}", 1, partial(chip_only, engine, key)))
        found += [
            Case(case, count, work, len(images), network.name, useful, engine.padded_macs, cycles, first)
            for case, count, work in works
        ]
    return found


def peer_cases(
    network: Network, images: NDArray[Any], count: int, calibration: NDArray[Any], crosssim: Path | None = None
) -> tuple[list[Case], list[str]]:
    """The peers at the batch size that suits each best, with at most `count` images a run, and why others are left out."""
    if not isinstance(network, Graph):
        return [], [f"{network.name}: the peers run no ensembles"]
    x = np.ascontiguousarray(network_input(network, images[:count]).transpose(3, 0, 1, 2))
    found, (there, refused) = [], peers(network, calibration, crosssim)
    for peer in there:
        seconds, batch = _best_batch(peer, x)
        sample = x[: max(batch, int(LONGEST_PEER_RUN_S / seconds) // batch * batch)]

        def work(peer: Peer = peer, sample: NDArray[np.float32] = sample, batch: int = batch) -> None:
            peer.run(sample, batch)

        name = f"{network.name}, {peer.name}"
        found.append(Case(name, 1, work, len(sample), network.name, network.multiply_adds, batch=batch, version=peer.version))
    return found, refused


def _best_batch(peer: Peer, x: NDArray[np.float32]) -> tuple[float, int]:
    """Seconds of processor time an image, and the batch size at which these are least."""
    best = (float("inf"), 0)
    for batch in peer.batches:
        seconds = _least(peer, x, batch)
        if seconds > GIVE_UP_RATIO * best[0]:
            break
        best = min(best, (seconds, batch))
    return best


def _least(peer: Peer, x: NDArray[np.float32], batch: int) -> float:
    """Seconds of processor time per image, so that a busy machine does not decide the batch size; the first batch tells how
    many images a slow peer gets."""
    seconds = _seconds(peer, x[:batch], batch)
    sample = x[: min(max(batch, len(x) // 2), max(batch, int(LONGEST_PEER_RUN_S / seconds) // batch * batch))]
    return min(_seconds(peer, sample, batch) for _ in range(3))


def _seconds(peer: Peer, sample: NDArray[np.float32], batch: int) -> float:
    """Seconds of processor time an image."""
    began = time.process_time()
    peer.run(sample, batch)
    return max((time.process_time() - began) / len(sample), 1e-9)


def roofline(simd: str, threads: list[int]) -> list[Case]:
    """The engine's multiply-add on registers alone, for each number of threads: what threads gain when they share nothing but
    the machine; and a memory copy."""
    from anna.base.threads import share
    from anna.native.loader import native

    began, rounds = time.process_time(), 100_000
    done = native().peak(simd, rounds) / rounds
    rounds = max(1, int(rounds * PEAK_S / max(time.process_time() - began, 1e-9)))

    def multiply(count: int) -> None:
        share(lambda _: native().peak(simd, rounds), range(count), count)

    def peak(count: int) -> Case:
        return Case(PEAK, count, lambda: multiply(count), count * rounds, useful_macs=done, padded_macs=done)

    source, target = np.ones(COPIED_BYTES, np.uint8), np.empty(COPIED_BYTES, np.uint8)
    return [*map(peak, threads), Case(COPY, 1, lambda: np.copyto(target, source), 2 * COPIED_BYTES)]


def run(cases: list[Case], rounds: int, watch: Callable[[str], None] | None = None) -> None:
    """Runs all cases in turn, `rounds` times."""
    for number in range(rounds):
        if watch:
            watch(f"round {number + 1} of {rounds}")
        for case in cases:
            case.once()


def rows(cases: list[Case]) -> list[Row]:
    """The results as rows."""
    by_name = {(case.name, case.threads): case for case in cases}
    peak = next((case.cpu_rate * case.useful_macs for case in cases if (case.name, case.threads) == (PEAK, 1)), None)
    found = []
    for case in cases:
        if case.name == COPY:
            continue  # reported separately: it has no images
        other = by_name.get((case.name, 1)) if case.threads > 1 else by_name.get((f"{case.network}, {ONNX_RUNTIME}", 1))
        compared_to = None if other is None else f"{other.name}, {other.threads} thread"
        macs = case.useful_macs * case.rate or None
        found.append(
            Row(
                case.name, case.threads, case.rate, case.cpu_rate, case.cycles * case.rate or None, macs,
                case.padded_macs * case.rate or None,
                case.useful_macs * case.cpu_rate / peak if macs and peak else None,
                compared_to, None if other is None else _ratio(case, other), case.first_run_s, case.batch,
                case.version,
            )
        )  # fmt: skip
    return found


def _ratio(case: Case, other: Case) -> float:
    return case.rate / other.rate if case.threads > 1 else case.cpu_rate / other.cpu_rate


PROGRAM_FIELDS = ("network", "machine", "cycles_per_image", "chip_us_per_image", "published_us_per_image")


def report(cases: list[Case], programs: Sequence[Program], simd: str, missing: list[str], rounds: int) -> dict[str, Any]:
    """All results of runs as one JSON object."""
    return {
        "machine": machine(),
        "simd": simd,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "rounds": rounds,
        "not_installed": missing,
        "copy_bytes_per_s": next((case.rate for case in cases if case.name == COPY), None),
        "programs": [{name: (one.report or {})[name] for name in PROGRAM_FIELDS} for one in programs],
        "rows": [asdict(row) for row in rows(cases)],
        "peak_rss_mb": peak_rss_mb(),
    }
