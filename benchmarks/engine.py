"""Compares the engine with a plain C loop of the same arithmetic and with the peak of its own instruction.

    python benchmarks/engine.py [--json] [--simd avx2] [--threads 2] [--seconds 0.3]

Everything is measured in one run, in turn, and reported as medians, so that ratios hold across machines. Multiply-adds are
the useful ones: nonzero weights of neurons whose result is stored.
"""

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from workloads import dense, recogniser

from anna.engine import Engine, simd_levels
from anna.native.loader import native

CYCLES_PER_CALC = 4
ROUNDS = 9
LOOPS = {2: "gcc -O2", 3: "gcc -O3"}
LOOP = "plain C loop, dense 256x8"


@dataclass(frozen=True)
class Row:
    """One case. `ratio` is macs_per_s over that of `ratio_to`; peak is one core's times threads."""

    case: str
    simd: str
    threads: int
    images_per_s: float
    chip_cycles_per_s: float
    macs_per_s: float
    padded_macs_per_s: float
    share_of_peak: float
    ratio_to: str
    ratio: float
    ns_per_noise_sample: float | None


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def images_for(engine: Engine, inputs: int, seconds: float) -> tuple[Any, Any]:
    """Enough images to run for about this long."""
    rng = np.random.default_rng(1)
    count = 512
    while True:
        codes = rng.integers(0, 8, (count, inputs)).astype(np.uint8)
        ids = np.arange(count, dtype=np.uint64)
        took = min(seconds_of(lambda c=codes, i=ids: engine.run(c, i)) for _ in range(2))  # type: ignore[misc]
        if took > seconds or count >= 1 << 18:
            return codes, ids
        count *= 2


def plain_loop(optimisation: int) -> tuple[Callable[[], object], float]:
    """The dense 256x8 arithmetic in plain C on 16-bit numbers, and its multiply-adds."""
    rng = np.random.default_rng(2)
    weights = rng.integers(-32767, 32768, (8, 256)).astype(np.int16)
    states = rng.integers(-7, 8, (4096, 256)).astype(np.int16)
    sums = np.zeros((4096, 8), np.int32)
    return lambda: native().plain_dense(optimisation, weights, states, sums), float(weights.size * len(states))


def measure(simds: tuple[str, ...], threads: list[int], seconds: float) -> list[Row]:
    workloads = {
        "dense 256x8, ideal": dense(),
        "dense 256x8, noise": dense(sigma_lsb=0.3),
        "recogniser, ideal": recogniser(),
        "recogniser, noise": recogniser(0.3),
    }
    work: dict[tuple[str, str, int], Callable[[], object]] = {}
    for optimisation in (2, 3):
        work["loop", LOOPS[optimisation], 1], loop_macs = plain_loop(optimisation)
    engines: dict[tuple[str, str], tuple[Engine, int]] = {}
    rounds = 5_000_000
    for simd in simds:
        work["peak", simd, 1] = lambda s=simd: native().peak(s, rounds)  # type: ignore[misc]
        for case, workload in workloads.items():
            engine = Engine(workload, simd=simd)
            codes, ids = images_for(engine, len(workload.input_slots), seconds)
            engines[case, simd] = engine, len(ids)
            for count in threads:
                work[case, simd, count] = lambda e=engine, c=codes, i=ids, t=count: e.run(c, i, threads=t)  # type: ignore[misc]
    times: dict[tuple[str, str, int], list[float]] = {key: [] for key in work}
    for _ in range(ROUNDS):
        for key, run in work.items():
            times[key].append(seconds_of(run))
    median = {key: statistics.median(values) for key, values in times.items()}

    rates = {name: loop_macs / median["loop", name, 1] for name in LOOPS.values()}
    loop_rate = max(rates.values())
    rows = [
        Row(LOOP, name, 1, rate / 2048, 0.0, rate, rate, 0.0, "the faster one", rate / loop_rate, None)
        for name, rate in rates.items()
    ]
    for simd in simds:
        peak = native().peak(simd, rounds) / median["peak", simd, 1]
        rows.append(Row("peak of the multiply-add", simd, 1, 0.0, 0.0, peak, peak, 1.0, LOOP, peak / loop_rate,
                        None))  # fmt: skip
        for case, workload in workloads.items():
            engine, images = engines[case, simd]
            calcs = len(workload.out_slot)
            for count in threads:
                took = median[case, simd, count] / images
                quiet = case.replace("noise", "ideal")
                noise = None
                if quiet != case:
                    samples = np.count_nonzero(workload.out_slot >= 0)
                    noise = (took - median[quiet, simd, count] / engines[quiet, simd][1]) / samples * 1e9
                rate = engine.useful_macs / took
                rows.append(Row(case, simd, count, 1 / took, CYCLES_PER_CALC * calcs / took, rate,
                                engine.padded_macs / took, rate / peak / count, LOOP, rate / loop_rate,
                                noise))  # fmt: skip
    return rows


def table(rows: list[Row]) -> str:
    lines = [
        f"{'case':27}{'simd':>9}{'threads':>8}{'images/s':>12}{'cycles/s':>11}{'G MAC/s':>9}{'padded':>8}"
        f"{'of peak':>9}{'x loop':>8}{'ns/sample':>11}"
    ]
    for row in rows:
        noise = "" if row.ns_per_noise_sample is None else f"{row.ns_per_noise_sample:.2f}"
        lines.append(
            f"{row.case:27}{row.simd:>9}{row.threads:>8}{row.images_per_s:>12,.0f}{row.chip_cycles_per_s:>11.2e}"
            f"{row.macs_per_s / 1e9:>9.1f}{row.padded_macs_per_s / 1e9:>8.1f}{row.share_of_peak:>9.2f}{row.ratio:>8.1f}"
            f"{noise:>11}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--simd", action="append", choices=simd_levels(), help="only these levels")
    parser.add_argument("--threads", type=int, action="append", help="thread counts (default 1)")
    parser.add_argument("--seconds", type=float, default=0.1, help="about how long one run of a case takes")
    arguments = parser.parse_args()
    rows = measure(tuple(arguments.simd or simd_levels()), arguments.threads or [1], arguments.seconds)
    if arguments.json:
        report = {
            "machine": platform.processor() or platform.machine(),
            "simd": simd_levels()[0],
            "rows": [asdict(row) for row in rows],
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(report, indent=2))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
