"""`anna bench`: times runs on this machine beside other software that reads digits, and what a user waits for."""

import argparse
import os
from pathlib import Path
from typing import Any

from anna.base.errors import UsageError
from sim.cli.command import Command, table, write
from sim.cli.examples import FOLDER
from sim.cli.options import add
from sim.cli.progress import progress

NETWORKS = ("recognizer", "lenet5")
FULL, QUICK = (9, 65_536, 4096), (2, 2048, 1024)  # rounds, images per run, images per run of a peer
RUNS, COMPILE, COMPARE, SWEEP, DIES, OWN = "runs", "compile", "compare", "sweep", "dies", "own"
TASK_ROUNDS = 3  # of what takes seconds; --quick: one
SLOW = (COMPARE, SWEEP)  # left out by --quick


def _arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "--quick")
    add(parser, "--measure", repeatable=True, default_text="all, with --quick runs, compile and dies")
    add(parser, "--network", repeatable=True, default_text=" and ".join(NETWORKS))
    add(parser, "--own", default=[], repeatable=True)
    add(parser, "--thread-counts", repeatable=True, default_text="1 and all cores")
    add(parser, "--simd", default_text="the best available")
    add(parser, "--no-peers")
    add(parser, "--crosssim")
    add(parser, "--no-pin")


def _run(given: argparse.Namespace) -> None:
    from anna.base.threads import cores, worker_count
    from anna.native.loader import choose_level
    from sim.bench import measure, tasks
    from sim.bench.peers import missing

    asked = given.measure or [RUNS, COMPILE, DIES, *(() if given.quick else SLOW)]
    if OWN in asked and not given.own:
        raise UsageError("--measure own needs a network: --own FILE.onnx, or a folder of them")
    simd = choose_level(given.simd)
    threads = [worker_count(one) for one in given.thread_counts or sorted({1, cores()})]
    rounds = (QUICK if given.quick else FULL)[0]
    with progress() as show:
        made = _made(given, asked, threads, simd, show)
        if made.cases:
            _measure(made.cases, rounds, show, pin=not given.no_pin)
        waits = tasks.measure(made.tasks, 1 if given.quick else TASK_ROUNDS, show)
    absent = missing() if made.cases and not given.no_peers else []
    found = {**measure.report(made.cases, made.programs, simd, absent, rounds), "left_out": made.left_out, "tasks": waits}
    write(found, _text(found), given.json)


class _Made:
    """What is there to time."""

    def __init__(self) -> None:
        self.cases: list[Any] = []
        self.tasks: list[Any] = []
        self.programs: list[Any] = []
        self.left_out: list[str] = []


def _made(given: argparse.Namespace, asked: list[str], threads: list[int], simd: str, show: Any) -> _Made:
    from anna.compiler import compilation
    from sim.bench import measure, tasks
    from sim.inputs.asked import Asked, images_for
    from sim.inputs.models import load_network

    made, (_, count, small) = _Made(), QUICK if given.quick else FULL
    own = [tasks.own_task(path) for path in tasks.own_networks(given.own)]
    if RUNS in asked:
        made.cases += measure.roofline(simd, sorted({1, *threads}))
    for name in given.network or (NETWORKS[:1] if given.quick else NETWORKS):
        network = load_network(name)
        made.tasks += tasks.shipped_tasks(name, network, asked)
        if not {RUNS, DIES} & set(asked):
            continue
        show(f"compile {name}")
        some, calibration = images_for(network, Asked(), named=True)
        images = some.images[[i % len(some.images) for i in range(count)]]
        program = compilation(network, calibration).program
        made.programs.append(program)
        if RUNS in asked and not given.no_peers:
            folder = None if given.crosssim is None else Path(given.crosssim)
            cases, refused = measure.peer_cases(network, images, small, calibration, folder)
            made.cases, made.left_out = made.cases + cases, made.left_out + refused
        if RUNS in asked:
            made.cases += measure.chip_cases(network, program, images, threads, simd)
        if DIES in asked:
            made.tasks.append(tasks.die_task(name, program, images, simd))
    made.tasks += [*([tasks.sweep_task(FOLDER / "bits.toml")] if SWEEP in asked else []), *own]
    return made


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
    head = f"{found['machine']}; SIMD {found['simd']}; load {found['load_average'] or 0:.1f}"
    parts = [head, _runs_text(found) if found["rows"] else "", _tasks_text(found["tasks"]) if found["tasks"] else ""]
    return "\n\n".join([*filter(None, parts), f"peak memory: {found['peak_rss_mb']:.0f} MB, including peers"])


def _runs_text(found: dict[str, Any]) -> str:
    from anna.program.report import published_text

    lines: list[tuple[str, ...]] = [
        ("case", "version", "threads", "images/s", "per CPU s", "chip cycles/s", "G MAC/s", "padded", "of peak", "ratio",
         "first run")
    ]  # fmt: skip
    for row in found["rows"]:
        images = row["chip_cycles_per_s"] is not None or row["batch"] is not None
        macs, padded, share = (row[name] for name in ("macs_per_s", "padded_macs_per_s", "share_of_peak"))
        lines.append((
            row["case"] + (f", batch {row['batch']}" if row["batch"] else ""),
            row["version"] or "",
            str(row["threads"]),
            f"{row['images_per_s']:,.0f}" if images else "",
            f"{row['images_per_cpu_s']:,.0f}" if images else "",
            f"{row['chip_cycles_per_s']:.2e}" if row["chip_cycles_per_s"] else "",
            f"{macs / 1e9:.1f}" if macs else "",
            f"{padded / 1e9:.1f}" if padded else "",
            f"{share:.2f}" if share else "",
            f"{row['ratio']:.{2 if row['ratio'] > 0.1 else 4}f}" if row["ratio"] else "",
            f"{row['first_run_s']:.2f} s" if row["first_run_s"] else "",
        ))  # fmt: skip
    chip = "".join(
        f"{one['network']}: {one['chip_us_per_image']:,.1f} us of chip time per image on machine {one['machine']}"
        f"{published_text(one)}\n"
        for one in found["programs"]
    )
    absent = f"not installed: {', '.join(found['not_installed'])}\n" if found["not_installed"] else ""
    absent += "".join(f"left out: {sentence}\n" for sentence in found["left_out"])
    return (
        f"runs, medians of {found['rounds']} rounds\n"
        f"{table(lines)}\n\n{chip}{absent}memory: a copy reads and writes {(found['copy_bytes_per_s'] or 0) / 1e9:.1f} GB/s\n"
        f"ratio: on one thread to ONNX Runtime float32 in processor time; on several to one thread in wall-clock time"
    )


def _tasks_text(waits: list[dict[str, Any]]) -> str:
    lines: list[tuple[str, ...]] = [("task", "network", "s", "CPU s", "rounds", "calibrated on")]
    for row in waits:
        seconds = [f"{row[name]:.3f}" if row[name] is not None else "failed" for name in ("wall_s", "cpu_s")]
        lines.append((row["task"], row["network"] or "", *seconds, str(row["rounds"]), row["calibration"] or ""))
    failed = "".join(f"\n{row['task']} {row['network'] or ''}: {row['failed']}" for row in waits if row["failed"])
    return f"tasks, medians of rounds; a command with all its processes and Python's start\n{table(lines)}{failed}"


COMMAND = Command(
    description="Times complete runs, raw images in and labels out, on ideal and drawn chips, in turn with other software\n"
    "on the same networks, and compares them with the limits of the machine. Then times what a user waits for: compile,\n"
    "compare, a sweep, and new chips.",
    examples=(
        "anna bench",
        "anna bench --quick --json",
        "anna bench --network lenet5 --simd avx2 --thread-counts 1",
        "anna bench --measure own --own networks",
        "anna bench --measure runs --crosssim cross-sim",
    ),
    arguments=_arguments,
    run=_run,
)
