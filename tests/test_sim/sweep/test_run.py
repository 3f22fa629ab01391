"""A sweep gives the same table to the byte on any executor; refused points are recorded, and lost ones run again."""

from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sweep_cases import POINTS, ROWS, die, double, here, tiny, tiny_file

from anna.analog.noise import NOISE_VERSION
from anna.base.errors import AnnaError, FileError, MachineError, SpecError
from sim.sweep.merge import merge
from sim.sweep.processes import Processes, WorkerDiedError
from sim.sweep.run import ATTEMPTS, run_sweep
from sim.sweep.spec import SweepSpec, load_spec
from sim.sweep.store import Store


def table(folder: Path) -> bytes:
    return (folder / "results.csv").read_bytes()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny sweep, and in `done` its undisturbed results."""
    folder = tmp_path_factory.mktemp("sweep")
    found = run_sweep(load_spec(tiny_file(folder)), folder / "done", workers=2)
    assert (found.points_done, found.points_total, found.refused, found.rows) == (POINTS, POINTS, 0, ROWS)
    return folder


@pytest.fixture(scope="module")
def spec(home: Path) -> SweepSpec:
    return load_spec(home / "tiny.toml")


@pytest.mark.slow
def test_any_executor_gives_the_same_bytes(home: Path, spec: SweepSpec, tmp_path: Path) -> None:
    from multiprocessing import get_context

    with ThreadPoolExecutor(3) as threads:
        run_sweep(spec, tmp_path / "threads", executor=threads)
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        run_sweep(spec, tmp_path / "processes", executor=processes, at_once=3)
    assert table(tmp_path / "threads") == table(tmp_path / "processes") == table(home / "done")


@pytest.mark.slow
def test_shards_merge_to_the_same_bytes(home: Path, spec: SweepSpec, tmp_path: Path) -> None:
    folders = [tmp_path / f"part{k}" for k in (1, 2, 3)]
    for k, folder in enumerate(folders, 1):
        found = run_sweep(spec, folder, workers=1, shard=(k, 3))
        assert (found.points_done, found.points_total) == (POINTS // 3, POINTS // 3)
    assert merge(folders[::2], tmp_path / "whole").points_done == 2 * POINTS // 3
    assert merge([*folders, home / "done", tmp_path / "whole"], tmp_path / "whole").points_done == POINTS
    assert table(tmp_path / "whole") == table(home / "done")
    with Store(tmp_path / "whole") as store:
        assert sum(run["points"] for run in store.runs() if run["run"] <= 3) == POINTS
        assert set(store.provenance()) == set(range(POINTS))
        assert {facts["noise_version"] for facts in store.provenance().values()} == {NOISE_VERSION}


def test_runs_of_the_same_second_and_length_stay_apart_when_merged(
    spec: SweepSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.sweep.run.time.perf_counter", lambda: 0.0)
    monkeypatch.setattr("sim.base.provenance.now", lambda: "1991-12-01T00:00:00Z")
    folders = [tmp_path / "part1", tmp_path / "part2"]
    with ThreadPoolExecutor(1) as one:
        for k, folder in enumerate(folders, 1):
            run_sweep(spec, folder, executor=one, at_once=1, shard=(k, 2))
    for _ in range(2):  # merging again changes nothing
        merge(folders, tmp_path / "whole")
        with Store(tmp_path / "whole") as store:
            assert [run["points"] for run in store.runs()] == [POINTS // 2, POINTS // 2]


def test_shards_of_different_sweeps_do_not_merge(home: Path, tmp_path: Path) -> None:
    here(tiny(), tmp_path / "other")
    with pytest.raises(FileError, match=r"holds another sweep \(axes differs\); give each sweep its own folder"):
        merge([home / "done", tmp_path / "other"], tmp_path / "whole")


def test_a_shard_that_is_none_is_told(spec: SweepSpec, tmp_path: Path) -> None:
    for shard in ((0, 3), (4, 3)):
        with pytest.raises(SpecError, match="expected K/N with 1 <= K <= N"):
            run_sweep(spec, tmp_path, shard=shard)


def test_a_finished_sweep_computes_nothing_again(home: Path, spec: SweepSpec) -> None:
    class Never(Executor):
        def submit(self, *_: Any, **__: Any) -> Future[Any]:
            raise AssertionError

    before = table(home / "done")
    assert run_sweep(spec, home / "done", executor=Never()).points_done == POINTS
    assert table(home / "done") == before


def test_impossible_points_are_recorded_with_the_reason(tmp_path: Path) -> None:
    spec = tiny(axes={"chip.dacs": [2, 3], "chip.columns": [64]})
    found = run_sweep(spec, tmp_path, workers=1)
    assert (found.points_done, found.refused, found.rows) == (2, 1, 3)
    with Store(tmp_path) as store:
        assert store.refusals() == [(1, "chip: 64 columns cannot be shared evenly by 3 DACs")]


def test_ideal_chips_are_alike_so_one_is_run(tmp_path: Path) -> None:
    here(tiny(axes={"analog": ["ideal", "typical"]}), tmp_path)
    with Store(tmp_path) as store:
        assert [(row["analog"], row["chip"]) for row in store.rows()] == [
            ("ideal", 0), ("typical", 0), ("typical", 1), ("typical", 2)]  # fmt: skip


@pytest.mark.parametrize(
    ("analog", "scaled", "fixed"),
    [
        ("typical-v1", "thermal_noise", {"thermal_noise_lsb": 1.0}),
        ("typical-v2", "thermal_noise", {"wire_noise_products": 34.0}),
        ("typical-v2", "noise", {"wire_noise_products": 34.0, "adc_noise_lsb": 0.72}),
    ],
)
def test_strengths_are_scaled_and_changed_as_the_analog_model_does(
    tmp_path: Path, analog: str, scaled: str, fixed: dict[str, float]
) -> None:
    """Noise four times typical, whether scaled or set, is the same chip."""
    here(tiny(analog=analog, axes={f"scaled.{scaled}": [4.0]}), tmp_path / "scaled")
    here(tiny(analog=analog, axes={f"analog.{name}": [value] for name, value in fixed.items()}), tmp_path / "set")
    with Store(tmp_path / "scaled") as one, Store(tmp_path / "set") as other:
        assert [row["wrong"] for row in one.rows()] == [row["wrong"] for row in other.rows()]


def test_rows_equal_direct_runs_of_the_chip(tmp_path: Path) -> None:
    import anna
    import lenet
    from anna.chip.machines import MACHINES
    from anna.chip.spec import ANNA_WIDE
    from anna.compiler import compile
    from sim.inputs.digits import labelled_images

    here(tiny(axes={"chip.state_bits": [4], "compile.machine": ["wide"]}, seed=5), tmp_path)
    digits = labelled_images("holdout").first(20)
    machine = MACHINES["wide"].with_chip(ANNA_WIDE.changed(state_bits=4))
    program = compile(lenet.load("linear"), lenet.calibration(), machine=machine, fit=False, round="nearest",
                      range_method="max", calibration_count=20, check_count=0)  # fmt: skip
    with Store(tmp_path) as store:
        rows = store.rows()
    for row in rows:
        result = anna.Chip(seed=row["chip_seed"]).run(program, digits.images, noise_seed=5)
        assert row["wrong"] == int((result.labels != digits.labels).sum())
        assert row["cycles_per_image"] == result.cycles_per_image
    assert [row["chip_seed"] for row in rows] == [5, 6, 7]


def test_boards_of_version_0_1_are_the_wide_machine(tmp_path: Path) -> None:
    here(tiny(axes={"compile.board": ["anna-board-1991", "anna-board-1996"]}), tmp_path / "old")
    here(tiny(axes={"compile.machine": ["wide"]}), tmp_path / "new")
    with Store(tmp_path / "old") as old, Store(tmp_path / "new") as new:
        counts = [[(row["wrong"], row["cycles_per_image"]) for row in store.rows()] for store in (old, new)]
    assert counts[0] == 2 * counts[1]


def test_a_refresh_period_is_refused_where_the_program_refreshes(tmp_path: Path) -> None:
    axes = {"chip.refresh_overhead_cycles": [152], "compile.machine": ["sequencer", "wide"]}
    assert here(tiny(axes=axes), tmp_path).refused == 1
    with Store(tmp_path) as store:
        ((point, sentence),) = store.refusals()
    assert point == 0
    assert "refreshed by RFSH instructions of its program and has no period; choose the machine wide" in sentence


def test_a_point_stops_only_between_batches_of_chips(tmp_path: Path) -> None:
    """With 20 images the interval is never narrow: a loose goal is met after the first batch, a strict one never."""
    for width, chips in ((99.0, 2), (0.1, 5)):
        here(tiny(chips=5, stop={"width_points": width, "every_chips": 2}), tmp_path / str(chips))
        with Store(tmp_path / str(chips)) as store:
            assert [row["chip"] for row in store.rows()] == [*range(chips), *range(chips)]


# --- workers that die


def test_a_dead_worker_loses_its_own_call_and_is_replaced(tmp_path: Path) -> None:
    with Processes(2) as workers:
        dying = workers.submit(die, str(tmp_path / "died"))
        others = [workers.submit(double, x) for x in range(20)]
        with pytest.raises(WorkerDiedError, match=r"worker process [0-9]+ died"):
            dying.result()
        assert [other.result() for other in others] == [2 * x for x in range(20)]
        assert workers.submit(die, str(tmp_path / "died")).result() in workers.processes
        with pytest.raises(ZeroDivisionError):
            workers.submit(divmod, 1, 0).result()


class Mortal(Executor):
    """Runs calls in threads; the worker of a given point dies a given number of times."""

    def __init__(self, point: int, deaths: int) -> None:
        self.point, self.deaths, self.threads = point, deaths, ThreadPoolExecutor(2)

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        if arguments[0].point.number == self.point and self.deaths:
            self.deaths -= 1
            future: Future[Any] = Future()
            future.set_exception(WorkerDiedError("killed"))
            return future
        return self.threads.submit(function, *arguments, **named)


def test_a_point_whose_worker_dies_is_run_again(home: Path, spec: SweepSpec, tmp_path: Path) -> None:
    run_sweep(spec, tmp_path, executor=Mortal(point=4, deaths=ATTEMPTS - 1))
    assert table(tmp_path) == table(home / "done")


def test_a_point_that_always_kills_is_reported_and_the_others_are_done(home: Path, spec: SweepSpec, tmp_path: Path) -> None:
    with pytest.raises(MachineError) as caught:
        run_sweep(spec, tmp_path, executor=Mortal(point=4, deaths=99))
    assert str(caught.value).startswith(f"its worker died {ATTEMPTS} times at point 4 (chip.weight_bits = 5, ")
    assert str(caught.value).endswith("; all other points are done and kept; run the same command to try again")
    with Store(tmp_path) as store:
        assert store.done == set(range(POINTS)) - {4}
    run_sweep(spec, tmp_path, workers=1)
    assert table(tmp_path) == table(home / "done")


def test_an_executor_that_was_shut_down_is_reported(spec: SweepSpec, tmp_path: Path) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(MachineError, match="the executor accepts no more work"):
        run_sweep(spec, tmp_path, executor=pool)


def test_a_bad_number_of_workers_is_refused(spec: SweepSpec, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="workers is 0; expected at least 1"):
        run_sweep(spec, tmp_path, workers=0)


def test_networks_and_records_from_files_are_relative_to_the_sweep(home: Path, tmp_path: Path) -> None:
    import lenet
    from anna.network.file import save_network

    save_network(lenet.load("linear"), tmp_path / "mine.safetensors")
    (tmp_path / "mine.toml").write_text('preset = "typical-v2"\n', encoding="utf-8")
    text = (home / "tiny.toml").read_text(encoding="utf-8").replace('"linear"', '"mine.safetensors"\nanalog = "mine.toml"')
    (tmp_path / "sweep.toml").write_text(text, encoding="utf-8")
    here(load_spec(tmp_path / "sweep.toml"), tmp_path / "out")
    assert table(tmp_path / "out") == table(home / "done")
    (tmp_path / "mine.toml").write_text('preset = "worst"\n', encoding="utf-8")
    with pytest.raises(FileError, match=r"was started with other weights, images or parameters \(analog mine.toml\)"):
        here(load_spec(tmp_path / "sweep.toml"), tmp_path / "out")


def test_a_missing_network_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(AnnaError, match="network 'lenet9' is not known"):
        run_sweep(tiny(axes={"network": ["linear", "lenet9"]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
