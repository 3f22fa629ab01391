"""The same sweep on a local Dask cluster, with one of two workers killed on the way: identical rows."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command_line import ELSEWHERE, ENV, good, refused
from sweep_cases import POINTS, tiny_file

from sim.sweep.run import run_sweep
from sim.sweep.spec import load_spec
from sim.sweep.store import Store

WITHOUT = "Dask is not installed (pip install 'anna-chip[cluster]'): the sweep on a cluster was NOT tested"


def dask() -> None:
    pytest.importorskip("distributed", reason=WITHOUT)


@pytest.mark.slow
def test_rows_of_a_cluster_with_a_killed_worker_are_identical(tmp_path: Path) -> None:
    dask()
    from sim.sweep.cluster import executor_of, local

    spec = load_spec(tiny_file(tmp_path))
    run_sweep(spec, tmp_path / "alone", workers=1)
    with local(2) as (client, _):
        executor, at_once = executor_of(client)
        victim = next(iter(client.run(os.getpid).values()))

        def kill() -> None:
            while not (tmp_path / "cluster" / "sweep.sqlite").exists() or not done():
                time.sleep(0.02)
            os.kill(victim, signal.SIGKILL)

        def done() -> int:
            try:
                with Store(tmp_path / "cluster") as store:
                    return len(store.done)
            except Exception:
                return 0

        killer = threading.Thread(target=kill)
        killer.start()
        found = run_sweep(spec, tmp_path / "cluster", executor=executor, at_once=at_once)
        killer.join()
    assert found.points_done == POINTS
    assert (tmp_path / "cluster" / "results.csv").read_bytes() == (tmp_path / "alone" / "results.csv").read_bytes()


@pytest.mark.slow
def test_a_local_cluster_from_the_command_line(tmp_path: Path) -> None:
    dask()
    good("sweep", tiny_file(tmp_path), "-o", tmp_path / "alone", "--shard", "1/4")
    good("sweep", tmp_path / "tiny.toml", "-o", tmp_path / "cluster", "--shard", "1/4", "--cluster", "local:1")
    assert (tmp_path / "cluster" / "results.csv").read_bytes() == (tmp_path / "alone" / "results.csv").read_bytes()


def test_ctrl_c_with_a_local_cluster_is_one_sentence(tmp_path: Path) -> None:
    dask()
    command = [sys.executable, "-m", "sim.cli", "sweep", str(tiny_file(tmp_path)), "-o", str(tmp_path), "--cluster", "local:1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=ELSEWHERE,
                               start_new_session=True)  # fmt: skip
    end = time.monotonic() + 60
    while not (tmp_path / "sweep.sqlite").exists() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "anna: interrupted; finished points are kept; run the same command again to continue\n"


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dask()
    from anna.base.errors import MachineError
    from sim.sweep import cluster

    monkeypatch.setattr(cluster, "SECONDS", 1)
    with pytest.raises(MachineError, match=r"tcp://127.0.0.1:9: cannot be reached"), cluster.cluster("tcp://127.0.0.1:9"):
        pass


def test_without_dask_one_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anna.base.errors import BuildError
    from sim.sweep.cluster import cluster

    monkeypatch.setitem(sys.modules, "distributed", None)
    sentence = r"--cluster needs Dask, which is not installed: pip install 'anna-chip\[cluster\]'"
    with pytest.raises(BuildError, match=sentence), cluster("local:2"):
        pass
    assert "expected local, local:N" in refused("sweep", tiny_file(tmp_path), "-o", tmp_path / "x", "--cluster", "there")
