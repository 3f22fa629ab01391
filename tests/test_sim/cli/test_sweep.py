"""`anna sweep` and `anna report` as a user sees them: kills, Ctrl-C, full disks, foreign files; nothing is lost."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import ELSEWHERE, ENV, call, good, refused
from sweep_cases import POINTS, ROWS, here, tiny, tiny_file

from sim.sweep.run import identity
from sim.sweep.spec import load_spec
from sim.sweep.store import FORMAT, Store

KEPT = "finished points are kept"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny sweep, and in `done` its undisturbed results."""
    folder = tmp_path_factory.mktemp("sweep")
    tiny_file(folder)
    good("sweep", folder / "tiny.toml", "-o", folder / "done")
    return folder


@pytest.fixture(scope="module")
def expected(home: Path) -> bytes:
    return (home / "done" / "results.csv").read_bytes()


def started(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sim.cli", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env=ENV, cwd=ELSEWHERE, **{**pipes, **options})


def points_in(folder: Path) -> int:
    if not (folder / "sweep.sqlite").exists():
        return 0
    try:
        with Store(folder) as store:
            return len(store.done)
    except Exception:  # before its first transaction
        return 0


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children")
    found = [text] if text.exists() else []
    found = list(Path(f"/proc/{pid}/task").glob("*/children")) or found
    return [int(child) for path in found for child in path.read_text().split()]


def gone(pid: int) -> bool:
    """Whether a process is no more, or only waits for somebody to read its end."""
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" in status.read_text()
    except OSError:
        return True


def test_the_documented_fields(home: Path) -> None:
    found = json.loads(good("sweep", "run", home / "tiny.toml", "-o", home / "done", "--json"))
    assert found == {"points_done": POINTS, "points_total": POINTS, "refused": 0, "rows": ROWS,
                     "database": str(home / "done" / "sweep.sqlite")}  # fmt: skip


def test_the_plan_says_what_would_run(home: Path) -> None:
    found = json.loads(good("sweep", "plan", home / "tiny.toml", "--json", "--shard", "2/5"))
    assert [point["point"] for point in found["points"]] == [1, 6, 11]
    assert (found["points_done"], found["points_total"], found["rows"], found["database"]) == (0, 3, 0, None)
    assert "anna sweep merge part1 part2 part3 part4 -o whole" in good("sweep", "plan", home / "tiny.toml")


def test_killed_at_random_moments_it_ends_with_the_same_bytes(home: Path, expected: bytes, tmp_path: Path) -> None:
    """SIGKILL during the start, between points and in the midst of them; the workers end by themselves."""
    rng, folder, workers = random.Random(1), tmp_path / "out", list[int]()
    for goal in (0, 1, 3, 5, 8):
        process = started("sweep", home / "tiny.toml", "-o", folder, "--workers", "2")
        until(lambda goal=goal, process=process: points_in(folder) >= goal or process.poll() is not None)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.3))
        workers += children(process.pid)
        process.kill()
        process.communicate()
    assert points_in(folder) > 0
    until(lambda: all(gone(worker) for worker in workers), 20)
    good("sweep", home / "tiny.toml", "-o", folder)
    assert (folder / "results.csv").read_bytes() == expected
    with Store(folder) as store:
        assert len(store.provenance()) == POINTS and sum(run["points"] for run in store.runs()) == POINTS


def test_a_killed_worker_process_loses_only_its_point(home: Path, expected: bytes, tmp_path: Path) -> None:
    process = started("sweep", home / "tiny.toml", "-o", tmp_path, "--workers", "2")
    until(lambda: points_in(tmp_path) >= 1)
    for worker in children(process.pid)[:1]:
        os.kill(worker, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "") and f"{POINTS} of {POINTS} points" in out
    assert (tmp_path / "results.csv").read_bytes() == expected


def test_ctrl_c_says_how_to_continue(home: Path, expected: bytes, tmp_path: Path) -> None:
    process = started("sweep", home / "tiny.toml", "-o", tmp_path, "--workers", "1", start_new_session=True)
    until(lambda: points_in(tmp_path) >= 1)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # to the complete group, as a terminal does
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == f"anna: interrupted; {KEPT}; run the same command again to continue\n"
    assert all(gone(worker) for worker in workers)
    good("sweep", home / "tiny.toml", "-o", tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == expected


def test_a_closed_pipe_is_no_error(home: Path, tmp_path: Path) -> None:
    line = f"{sys.executable} -m sim.cli sweep {home / 'tiny.toml'} -o {tmp_path} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert points_in(tmp_path) == POINTS


def test_a_full_disk_loses_nothing(home: Path, expected: bytes, tmp_path: Path) -> None:
    """Files may grow only slightly beyond the empty database: the first points fit, later ones do not."""
    with Store(tmp_path, identity(load_spec(home / "tiny.toml"))):
        pass
    most = (tmp_path / "sweep.sqlite").stat().st_size + 4096
    process = started("sweep", home / "tiny.toml", "-o", tmp_path, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (most, most)))  # fmt: skip
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith(f"anna: {tmp_path / 'sweep.sqlite'}: cannot be written (") and err.count("\n") == 1
    assert err.endswith(f"); {KEPT}, run again to continue\n")
    assert 0 < points_in(tmp_path) < POINTS
    good("sweep", home / "tiny.toml", "-o", tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == expected


def test_a_read_only_folder_is_reported(home: Path, tmp_path: Path) -> None:
    """A folder without write permission; for root, whom permissions do not stop, one on a read-only file system."""
    folder, prefix, reason = tmp_path / "folder", list[str](), "Permission denied"
    folder.mkdir()
    if os.geteuid() == 0:
        reason = "Read-only file system"
        prefix = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o ro none {folder} && exec "$@"', "sh"]
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            pytest.skip("root may not mount here: a read-only folder was NOT tested")
    folder.chmod(0o555)
    command = [*prefix, sys.executable, "-m", "sim.cli", "sweep", str(home / "tiny.toml"), "-o", str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"anna: {folder / 'out'}: cannot be written ({reason})\n"


def test_two_sweeps_at_once_in_one_folder(home: Path, tmp_path: Path) -> None:
    with Store(tmp_path, identity(load_spec(home / "tiny.toml"))):
        said = refused("sweep", home / "tiny.toml", "-o", tmp_path)
        assert said == f"anna: {tmp_path}: another sweep is running in this folder\n"
        assert "0 of 12 points" in good("report", tmp_path)  # reading is allowed
    good("sweep", home / "tiny.toml", "-o", tmp_path)


def test_a_database_of_a_newer_version(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "done" / "sweep.sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "sweep.sqlite") as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    database.close()
    sentence = f"has format {FORMAT + 1}; this version of anna reads up to format {FORMAT}: update anna\n"
    again, merge = ["sweep", home / "tiny.toml", "-o", tmp_path], ["sweep", "merge", tmp_path, "-o", "x"]
    for command in (again, merge, ["report", tmp_path]):
        assert refused(*command).endswith(sentence)


def test_rows_of_another_version_are_not_mixed(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "done" / "sweep.sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "sweep.sqlite") as database:
        content = json.loads(database.execute("SELECT content FROM sweep").fetchone()[0])
        content["anna"] = "0.0.1"
        database.execute("UPDATE sweep SET content = ?", (json.dumps(content, sort_keys=True, separators=(",", ":")),))
    database.close()
    assert "was started by anna 0.0.1, and this is " in refused("sweep", home / "tiny.toml", "-o", tmp_path)
    assert f"{POINTS} of {POINTS} points" in good("report", tmp_path)


def test_files_that_are_not_sweep_databases(home: Path, tmp_path: Path) -> None:
    for name, data, sentence in [("text", b"hello, hello, hello, hello", "is not a sweep database, or cannot be opened"),
                                 ("empty", b"", "is empty; the sweep was stopped before it began")]:  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "sweep.sqlite").write_bytes(data)
        assert sentence in refused("report", tmp_path / name)
    assert "is not a sweep database" in refused("sweep", home / "tiny.toml", "-o", tmp_path / "text")
    (tmp_path / "other").mkdir()
    with sqlite3.connect(tmp_path / "other" / "sweep.sqlite") as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    assert "is a database, but not a sweep's" in refused("sweep", home / "tiny.toml", "-o", tmp_path / "other")
    assert "holds no sweep.sqlite; expected the folder of a sweep" in refused("report", tmp_path)


def test_another_sweep_in_the_folder(home: Path, tmp_path: Path) -> None:
    text = (home / "tiny.toml").read_text(encoding="utf-8").replace("chips = 3", "chips = 4")
    (tmp_path / "other.toml").write_text(text, encoding="utf-8")
    said = refused("sweep", tmp_path / "other.toml", "-o", home / "done")
    assert "holds another sweep (chips differs); give each sweep its own folder" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sweep",), "the following arguments are required"),
        (("sweep", "tiny.toml"), "run needs a folder: -o DIR; see anna sweep --help"),
        (("sweep", "merge", "-o", "x"), "merge takes one or more folders of shards"),
        (("sweep", "merge", "none", "-o", "x"), "none: holds no sweep.sqlite; expected the folder of a sweep"),
        (("sweep", "plan", "none.toml"), "none.toml: cannot be read (No such file or directory); expected a sweep"),
        (("sweep", "plan", "a", "b"), "plan takes one sweep, got 2 names"),
        (
            ("sweep", "plan", "tiny.toml", "--workers", "2"),
            "plan computes nothing and takes no --workers, --cluster",
        ),
        (("sweep", "tiny.toml", "-o", "x", "--workers", "0"), "workers is 0; expected at least 1"),
        (("sweep", "tiny.toml", "-o", "x", "--shard", "3"), "shard '3': expected K/N, such as 2/8"),
        (("sweep", "tiny.toml", "-o", "x", "--shard", "3/2"), "shard 3/2: expected K/N with 1 <= K <= N"),
        (("sweep", "tiny.toml", "-o", "x", "--cluster", "mine"), "cluster 'mine' is not known; expected local, local:N"),
        (("report", "none"), "none: holds no sweep.sqlite; expected the folder of a sweep"),
    ],
)
def test_bad_usage_gets_one_sentence(arguments: tuple[str, ...], sentence: str, home: Path) -> None:
    said = refused(*arguments, cwd=home)
    assert sentence in said and said.count("\n") == 1
    assert not (home / "x").exists()


def test_the_report_is_complete_and_needs_no_network(home: Path, expected: bytes, tmp_path: Path) -> None:
    shutil.copytree(home / "done", tmp_path / "sweep")
    found = json.loads(good("report", tmp_path / "sweep", "--json"))
    names = {Path(path).name for path in found["files"]}
    assert names - {"results.parquet"} == {"report.html", "report.md", "results.csv"}
    page = (tmp_path / "sweep" / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == page.count("<figcaption>") == 3  # the map, and error against either
    assert "src=" not in page and "@import" not in page and 'href="http' not in page and "<script" not in page
    assert page.count("Made by:") == 3 and f"{ROWS} rows: chip seeds 0 to 2, noise seed 0, 20 digits each" in page
    assert "anna sweep" in page and "prefers-color-scheme: dark" in page and "@media print" in page
    assert "| state bits \\ weight bits | 4 | 5 | 6 | 7 |" in (tmp_path / "sweep" / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "sweep" / "results.csv").read_bytes() == expected


def test_the_report_of_other_designs(tmp_path: Path) -> None:
    """A numeric axis with a band, words only, a random design, refusals: each has its plot and table."""
    from sim.report.sweep_html import sweep_page
    from sim.report.sweep_text import markdown
    from sim.sweep.summary import read

    noise = {"scaled.thermal_noise": [0.0, 4.0]}
    designs: list[tuple[dict[str, Any], str, int]] = [
        ({"axes": {**noise, "analog": ["typical", "worst"]}}, "Error against scaled.thermal_noise", 1),
        ({"axes": {"analog": ["typical", "worst", "ideal"]}}, "Error of each point", 1),
        ({"axes": {**noise, "chip.state_bits": [3, 4]}, "design": "random", "points": 4}, "Mean of all points", 2),
        (
            {"axes": {"chip.state_bits": [2, 3, 4], "analog": ["typical", "worst", "ideal"], "compile.batch": [1, 2, 4]}},
            "vertical tick: the float network",
            3,
        ),
        ({"axes": {"chip.dacs": [2, 3]}}, "64 columns cannot be shared evenly by 3 DACs", 1),
    ]
    for number, (fields, text, plots) in enumerate(designs):
        here(tiny(**fields), tmp_path / str(number))
        with Store(tmp_path / str(number)) as store:
            found = read(store)
        page = sweep_page(found)
        assert text in page and page.count("<svg") == plots
        assert sweep_page(found) == page and markdown(found).startswith("# Sweep tiny\n")


def test_a_map_marks_the_points_that_equal_its_best(tmp_path: Path) -> None:
    """As the front of the sweep tells them, on the page and in Markdown; other axes have maps of their own."""
    from sim.base.contest import standings
    from sim.report.sweep_html import sweep_page
    from sim.report.sweep_text import markdown
    from sim.sweep.front import candidates
    from sim.sweep.summary import read

    axes = {"chip.weight_bits": [2, 6], "chip.state_bits": [1, 3], "analog": ["typical", "ideal"]}
    here(tiny(axes=axes, count=300), tmp_path)
    with Store(tmp_path) as store:
        found, runs = read(store), {one.number: one.runs for one in candidates(store, [])}
    maps = [[one.point for one in found.points if one.values["analog"] == kind] for kind in axes["analog"]]
    best = {point for points in maps
            for point, one in zip(points, standings([runs[point] for point in points], [(0.0,)] * 4), strict=True)
            if one.may_be_best}  # fmt: skip
    assert found.best == best and 2 <= len(best) < 8, "some of each map, and not all"
    assert markdown(found).count(" % = |") == len(best) == sweep_page(found).count(" =</text>")
    assert sweep_page(found).count("do not tell it from the best of the map") == 2


def test_a_report_before_anything_is_done(home: Path, tmp_path: Path) -> None:
    with Store(tmp_path, identity(load_spec(home / "tiny.toml"))):
        pass
    assert call("report", tmp_path).returncode == 0
    assert (tmp_path / "results.csv").read_text(encoding="utf-8").startswith("point,chip.weight_bits,chip.state_bits,")
