"""Runs a sweep on any executor: submits points, collects outcomes, and is the only writer of the database.

from sim.sweep.run import run_sweep
run_sweep(load_spec(Path("bits.toml")), Path("bits"), workers=2)
run_sweep(spec, folder, executor=Client("tcp://...").get_executor())      # Dask
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from anna.base.container import write_beside
from anna.base.errors import AnnaError, MachineError, SpecError
from anna.base.renamed import renamed
from anna.base.threads import worker_count
from sim.base import provenance
from sim.sweep.point import Task, compute, inputs_of, trained_inputs, trainings
from sim.sweep.processes import Processes
from sim.sweep.rows import Outcome
from sim.sweep.search import asked as asked_by_search
from sim.sweep.spec import Point, SweepSpec
from sim.sweep.store import Identity, Store
from sim.sweep.training import FOLDER, Training, train, weights_of

ATTEMPTS = 3  # tries for a point whose worker dies
RESULTS = "results.csv"

Watch = Callable[["Progress"], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come."""

    done: int
    total: int
    seconds: float  # since this run began
    fresh: int  # points done by this run
    trainings: int = 0  # networks still to be trained before the first point

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the pace so far; None before the first point."""
        return None if not self.fresh else self.seconds / self.fresh * (self.total - self.done)


@dataclass(frozen=True)
class SweepStatus:
    """What the database holds after a run; `points_total` counts the points of this shard."""

    points_done: int
    points_total: int
    refused: int
    rows: int
    database: Path

    @property
    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"points_done": self.points_done, "points_total": self.points_total, "refused": self.refused,
                "rows": self.rows, "database": str(self.database)}  # fmt: skip


def identity(spec: SweepSpec) -> Identity:
    """Everything that determines the rows of a sweep; raises if a named file is missing."""
    return Identity.of(spec, inputs_of(spec))


def shard_of(points: list[Point], shard: tuple[int, int]) -> list[Point]:
    """Part k of n: every n-th point, so that cheap and costly points spread evenly."""
    k, n = shard
    if not 1 <= k <= n:
        raise SpecError(f"shard {k}/{n}: expected K/N with 1 <= K <= N")
    return points[k - 1 :: n]


@renamed(jobs="workers")
def run_sweep(
    spec: SweepSpec,
    folder: Path,
    *,
    executor: Executor | None = None,
    at_once: int | None = None,
    workers: int | None = None,
    shard: tuple[int, int] = (1, 1),
    trained: Path | None = None,
    command: str = "",
    watch: Watch | None = None,
) -> SweepStatus:
    """Computes the points that the folder's database does not hold yet; after an interruption, the same call continues.

    `executor` is anything with `submit`; at most `at_once` points are submitted to it at a time (default: enough for all
    its workers). Without one, `workers` processes are started here (default: one per core).
    A point whose worker dies is tried again while the others continue. The rows do not depend on who computes them.
    Networks that the sweep trains are kept in `trained` (default: in `folder`), which shards may share.
    """
    count = worker_count(workers, "workers")
    mine = shard_of(spec.all_points(), shard)
    if spec.search is not None and shard != (1, 1):
        raise SpecError("a search has no shards: what it asks for next depends on all its points")
    named, home = identity(spec), (trained or folder / FOLDER).resolve()
    with Store(folder, named) as store:
        asked = _asked(spec, store, mine)
        if todo := _missing(store, asked):
            count = min(count, len(todo)) if spec.search is None else count
            with _executor(executor, at_once, count) as (working, window):
                inputs = named.inputs
                if spec.trains:
                    _train(working, window, trainings(spec, todo), home, len(mine), watch)
                    weights = trained_inputs(spec, todo, str(home))
                    store.expect_weights(weights)
                    inputs += tuple(weights.items())
                run = store.begin_run({"begun": provenance.now(), "command": command, "executor": type(working).__name__,
                                       "jobs": count if executor is None else None, **provenance.process()})  # fmt: skip
                while todo:
                    tasks = [Task(spec, point, inputs, str(home)) for point in todo]
                    _work(store, run, working, window, tasks, len(asked), watch)
                    asked = _asked(spec, store, mine)
                    todo = _missing(store, asked)
        write_beside(folder / RESULTS, store.csv().encode())
        return status_of(store, asked)


def _asked(spec: SweepSpec, store: Store, mine: list[Point]) -> list[Point]:
    """The points that are to be done by what is known: all, or in a search those of its rounds so far."""
    return mine if spec.search is None else asked_by_search(spec, store)


def _missing(store: Store, asked: list[Point]) -> list[Point]:
    done = store.done
    return [point for point in asked if point.number not in done]


def status_of(store: Store, points: list[Point]) -> SweepStatus:
    """How many of the points the database holds."""
    done, refused = store.done, {point for point, _ in store.refusals()}
    mine = {point.number for point in points}
    return SweepStatus(len(done & mine), len(mine), len(refused & mine), store.row_count, store.path)


@contextmanager
def _executor(executor: Executor | None, at_once: int | None, count: int) -> Iterator[tuple[Executor, int]]:
    """The executor and how many points to submit at once: enough to keep it busy, few enough to stop quickly."""
    if executor is not None:
        yield executor, at_once or 2 * int(getattr(executor, "_max_workers", 0) or 32)
        return
    own = Processes(count)
    try:
        yield own, at_once or 2 * count
    except BaseException:
        own.shutdown(wait=False)
        raise
    own.shutdown()


def _train(workers: Executor, window: int, wanted: list[Training], home: Path, total: int, watch: Watch | None) -> None:
    """Runs the missing trainings, float trainings before those that continue from them."""
    for for_chip in (False, True):
        todo = [one for one in wanted if one.options.for_chip == for_chip and weights_of(one, home) is None]
        left = sum(weights_of(one, home) is None for one in wanted)

        def tell(done: int, left: int = left) -> None:
            if watch:
                watch(Progress(0, total, 0.0, 0, left - done))

        _each("trainings", workers, window, train, [(one.text, (one, str(home))) for one in todo], lambda _: None, tell)


def _work(store: Store, run: int, workers: Executor, window: int, tasks: list[Task], total: int, watch: Watch | None) -> None:
    begun, before = time.perf_counter(), total - len(tasks)

    def take(outcome: Outcome) -> None:
        store.add(outcome, run, round(time.perf_counter() - begun, 3))

    def tell(fresh: int) -> None:
        if watch:
            watch(Progress(before + fresh, total, time.perf_counter() - begun, fresh))

    named = [(f"point {task.point.number} ({task.point.text})", (task,)) for task in tasks]
    _each("points", workers, window, compute, named, take, tell)


def _each(
    kind: str,
    workers: Executor,
    window: int,
    function: Callable[..., T],
    calls: list[tuple[str, tuple[Any, ...]]],
    take: Callable[[T], None],
    tell: Callable[[int], None],
) -> None:
    """Calls a function on the workers for each named set of arguments, collects the results and reports progress."""
    waiting, out = deque(calls), dict[Future[T], tuple[str, tuple[Any, ...]]]()
    attempts, lost, done = dict[str, int](), list[str](), 0
    try:
        while waiting or out:
            while waiting and len(out) < window:
                call = waiting.popleft()
                out[_submitted(workers, function, call[1])] = call
            tell(done)
            for future in wait(out, return_when=FIRST_COMPLETED).done:
                call = out.pop(future)
                name = call[0]
                try:
                    found = future.result()
                except AnnaError:
                    raise
                except Exception as error:
                    if _is_death(error):
                        attempts[name] = attempts.get(name, 0) + 1
                        if attempts[name] < ATTEMPTS:
                            waiting.appendleft(call)
                            continue
                        lost.append(f"its worker died {ATTEMPTS} times at {name}")
                    else:
                        lost.append(f"{type(error).__name__} at {name}: {error}")
                    continue
                take(found)
                done += 1
        tell(done)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished points are kept; run the same command again to continue") from None
    finally:
        for future in out:
            future.cancel()
    if lost:
        more = f" (and {len(lost) - 1} more {kind})" if len(lost) > 1 else ""
        raise MachineError(f"{lost[0]}{more}; all other {kind} are done and kept; run the same command to try again")


def _submitted(workers: Executor, function: Callable[..., T], arguments: tuple[Any, ...]) -> Future[T]:
    try:
        return workers.submit(function, *arguments)
    except (BrokenExecutor, RuntimeError) as error:
        raise MachineError(
            f"the executor accepts no more work ({error}); finished points are kept, run again to continue"
        ) from None


def _is_death(error: Exception) -> bool:
    """Whether a call failed because its worker died; Dask has its own exception for that."""
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ == "KilledWorker"
