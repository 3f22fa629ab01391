"""`anna bench`: times runs on this machine beside other software that reads digits."""

import argparse
import os
from typing import Any

from sim.cli.command import Command, table, write
from sim.cli.options import add
from sim.cli.progress import progress

NETWORKS = ("recognizer", "lenet5")
FULL, QUICK = (9, 65_536, 4096), (2, 2048, 1024)  # rounds, images per run, images per run of a peer


def _arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "--quick")
    add(parser, "--network", repeatable=True)
    add(parser, "--thread-counts", repeatable=True, default_text="1 and all cores")
    add(parser, "--simd", default_text="the best available")
    add(parser, "--no-peers")
    add(parser, "--no-pin")


def _run(given: argparse.Namespace) -> None:
    import lenet
    from anna.base.threads import cores, worker_count
    from anna.compiler import compilation
    from anna.native.loader import choose_level
    from anna.program.file import Program
    from sim.bench import measure
    from sim.bench.peers import missing

    simd = choose_level(given.simd)
    threads = [worker_count(one) for one in given.thread_counts or sorted({1, cores()})]
    rounds, count, small = QUICK if given.quick else FULL
    images, _ = lenet.holdout()
    images = images[[i % len(images) for i in range(count)]]
    cases, programs = measure.roofline(simd, sorted({1, *threads})), list[Program]()
    with progress() as show:
        for name in given.network or (NETWORKS[:1] if given.quick else NETWORKS):
            show(f"compile {name}")
            network = lenet.load(name)
            program = compilation(network, lenet.calibration()).program
            programs.append(program)
            if not given.no_peers:
                cases += measure.peer_cases(network, images, small)
            cases += measure.chip_cases(network, program, images, threads, simd)
        _measure(cases, rounds, show, pin=not given.no_pin)
    found = measure.report(cases, programs, simd, [] if given.no_peers else missing(), rounds)
    write(found, _text(found), given.json)


def _measure(cases: list[Any], rounds: int, watch: Any, pin: bool) -> None:
    """Runs one-threaded cases on one core and the others on all."""
    from sim.bench.measure import run

    pinned = pin and hasattr(os, "sched_setaffinity")
    everywhere = os.sched_getaffinity(0) if pinned else set[int]()

    def wide(work: Any) -> Any:
        def run_everywhere() -> object:
            os.sched_setaffinity(0, everywhere)
            try:
                return work()
            finally:
                os.sched_setaffinity(0, {max(everywhere)})

        return run_everywhere

    if not pinned:
        run(cases, rounds, watch)
        return
    for case in cases:
        if case.threads > 1:
            case.work = wide(case.work)
    os.sched_setaffinity(0, {max(everywhere)})
    try:
        run(cases, rounds, watch)
    finally:
        os.sched_setaffinity(0, everywhere)


def _text(found: dict[str, Any]) -> str:
    from anna.program.report import published_text

    lines: list[tuple[str, ...]] = [
        ("case", "threads", "images/s", "per CPU s", "chip cycles/s", "G MAC/s", "padded", "of peak", "ratio", "first run")
    ]
    for row in found["rows"]:
        images = row["chip_cycles_per_s"] is not None or row["batch"] is not None
        macs, padded, share = (row[name] for name in ("macs_per_s", "padded_macs_per_s", "share_of_peak"))
        lines.append((
            row["case"] + (f", batch {row['batch']}" if row["batch"] else ""),
            str(row["threads"]),
            f"{row['images_per_s']:,.0f}" if images else "",
            f"{row['images_per_cpu_s']:,.0f}" if images else "",
            f"{row['chip_cycles_per_s']:.2e}" if row["chip_cycles_per_s"] else "",
            f"{macs / 1e9:.1f}" if macs else "",
            f"{padded / 1e9:.1f}" if padded else "",
            f"{share:.2f}" if share else "",
            f"{row['ratio']:.2f}" if row["ratio"] else "",
            f"{row['first_run_s']:.2f} s" if row["first_run_s"] else "",
        ))  # fmt: skip
    chip = "".join(
        f"{one['network']}: {one['chip_us_per_image']:,.1f} us of chip time per image on machine {one['machine']}"
        f"{published_text(one)}\n"
        for one in found["programs"]
    )
    absent = f"not installed: {', '.join(found['not_installed'])}\n" if found["not_installed"] else ""
    head = f"{found['machine']}; SIMD {found['simd']}; load {found['load_average'] or 0:.1f}"
    return (
        f"{head}; medians of {found['rounds']} rounds\n\n"
        f"{table(lines)}\n\n{chip}{absent}memory: a copy reads and writes {(found['copy_bytes_per_s'] or 0) / 1e9:.1f} GB/s\n"
        f"ratio: on one thread to ONNX Runtime float32 in processor time; on several to one thread in wall-clock time\n"
        f"peak memory: {found['peak_rss_mb']:.0f} MB, including peers"
    )


COMMAND = Command(
    description="Times complete runs, raw images in and labels out, on ideal and drawn chips, in turn with other software\n"
    "on the same networks, and compares them with the limits of the machine.",
    examples=("anna bench", "anna bench --quick --json", "anna bench --network lenet5 --simd avx2 --thread-counts 1"),
    arguments=_arguments,
    run=_run,
)
