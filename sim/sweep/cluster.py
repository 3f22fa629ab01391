"""Dask as a sweep's executor: a cluster at an address, or a local one. Needs the optional extra `cluster`."""

import logging
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from anna.base.errors import BuildError, MachineError, SpecError

SECONDS = 30  # to wait for a scheduler, and for its first worker

_ADDRESS = re.compile(r"(tcp|tls|ucx|inproc)://\S+")


@contextmanager
def cluster(where: str, workers: int | None = None) -> Iterator[tuple[Executor, int]]:
    """The executor of `local`, `local:N` (N processes) or `tcp://host:port`, and how many points to submit at once."""
    kind, _, number = where.partition(":")
    if kind == "local" and (not number or (number.isdigit() and 1 <= int(number) <= 1024)):
        with local(int(number) if number else workers) as (client, _):
            yield executor_of(client)
    elif _ADDRESS.fullmatch(where):
        with _client(where) as client:
            yield executor_of(client)
    else:
        raise SpecError(f"cluster {where!r} is not known; expected local, local:N with 1 to 1024 processes, or tcp://HOST:PORT")


@contextmanager
def local(wanted: int | None = None) -> Iterator[tuple[Any, Any]]:
    """A Dask client and its cluster of processes on this machine."""
    distributed = _distributed()
    from anna.base.threads import worker_count

    count = worker_count(wanted, "workers")
    with _ignoring_interrupts():
        started = distributed.LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0",
                                           silence_logs=logging.CRITICAL)  # fmt: skip
    with started as found, distributed.Client(found) as client:
        yield client, found


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C: it goes to the coordinator, which then ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def executor_of(client: Any) -> tuple[Executor, int]:
    """The executor of a client, and twice the number of its workers' threads."""
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        raise MachineError(
            f"the cluster still has no workers after {SECONDS} s; start some with: dask worker ADDRESS"
        ) from None
    threads = sum(client.nthreads().values())
    return client.get_executor(pure=False), 2 * max(1, threads)


def _client(address: str) -> Any:
    distributed = _distributed()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return distributed.Client(address, timeout=SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no answer"
        raise MachineError(f"{address}: cannot be reached ({reason}); expected the address of a Dask scheduler") from None


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise BuildError("--cluster needs Dask, which is not installed: pip install 'anna-chip[cluster]'") from None
    return distributed
