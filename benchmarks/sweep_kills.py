"""Kills a sweep with SIGKILL at random moments, resumes it each time, and compares the result with an undisturbed sweep.

    python benchmarks/sweep_kills.py examples/bits.toml --kills 20 --undisturbed FOLDER
    python benchmarks/sweep_kills.py examples/bits.toml --dask 2            # a local cluster with one worker killed

Without --undisturbed, the undisturbed sweep runs first.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sim.sweep.spec import load_spec
from sim.sweep.store import Store


def start(spec: Path, folder: Path, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sim.cli", "sweep", str(spec), "-o", str(folder), "--workers", str(workers)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})


def done(folder: Path) -> int:
    if not (folder / "sweep.sqlite").exists():
        return 0
    with Store(folder) as store:
        return len(store.done)


def undisturbed(spec: Path, folder: Path, workers: int) -> bytes:
    begun = time.perf_counter()
    if start(spec, folder, workers).wait():
        sys.exit("the undisturbed sweep failed")
    print(f"undisturbed: {time.perf_counter() - begun:.1f} s")
    return (folder / "results.csv").read_bytes()


def killed(spec: Path, folder: Path, workers: int, kills: int, seconds: float, rng: random.Random) -> bytes:
    """Kills at random moments spread over the whole sweep, including the first instants after a start."""
    begun, total = time.perf_counter(), load_spec(spec).total
    for number in range(kills):
        process = start(spec, folder, workers)
        after = rng.uniform(0.1, seconds)
        try:
            process.wait(timeout=after)
            sys.exit(f"the sweep ended before kill {number + 1}: use a smaller --between")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        print(f"kill {number + 1:2d} after {after:5.1f} s: {done(folder)} of {total} points done", flush=True)
    if start(spec, folder, workers).wait():
        sys.exit("the sweep failed after the kills")
    print(f"killed {kills} times: {time.perf_counter() - begun:.1f} s")
    return (folder / "results.csv").read_bytes()


def on_dask(spec: Path, folder: Path, workers: int, kill_after: float) -> bytes:
    """The same on a local Dask cluster, with one worker killed on the way."""
    import threading

    from sim.sweep.cluster import executor_of, local
    from sim.sweep.run import run_sweep

    begun = time.perf_counter()
    with local(workers) as (client, _):
        executor, at_once = executor_of(client)
        pids = client.run(os.getpid)

        def kill() -> None:
            victim = next(iter(pids.values()))
            print(f"killed worker process {victim} after {kill_after:.1f} s", flush=True)
            os.kill(victim, signal.SIGKILL)

        timer = threading.Timer(kill_after, kill)
        timer.start()
        run_sweep(load_spec(spec), folder, executor=executor, at_once=at_once)
        timer.cancel()
    print(f"Dask, {workers} processes, one killed: {time.perf_counter() - begun:.1f} s")
    return (folder / "results.csv").read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--between", type=float, default=3.0, help="most seconds from a start to its kill")
    parser.add_argument("--dask", type=int, default=0, metavar="N", help="instead: a local cluster of N, one worker killed")
    parser.add_argument("--kill-after", type=float, default=10.0, metavar="S", help="seconds until the Dask worker is killed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--undisturbed", type=Path, help="folder of the same sweep, already complete")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        home = Path(where)
        if given.undisturbed:
            expected = (given.undisturbed / "results.csv").read_bytes()
        else:
            expected = undisturbed(given.spec, home / "undisturbed", given.workers)
        if given.dask:
            found = on_dask(given.spec, home / "dask", given.dask, given.kill_after)
        else:
            found = killed(given.spec, home / "killed", given.workers, given.kills, given.between, random.Random(given.seed))
    same = found == expected
    print(f"result tables of {len(expected):,} bytes: {'identical' if same else 'DIFFERENT'}")
    sys.exit(not same)


if __name__ == "__main__":
    main()
